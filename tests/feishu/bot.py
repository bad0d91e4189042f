"""A bot as tests want it: the real sender and the platform it speaks to, without waiting."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from aegis.adapters.feishu.sender import FeishuSender
from aegis.model.errors import DeliveryError
from aegis.model.feishu import FeishuConfig
from aegis.model.message import Message, MessageKind, Operation
from tests.feishu_platform.chats import Held
from tests.feishu_platform.platform import APP_ID, APP_SECRET, Platform

Result = TypeVar("Result")

CHAT = "oc_ops"
Element = dict[str, Any]


@dataclass(frozen=True)
class PlatformTime:
    """The Clock of a bot that lives on the platform's time."""

    platform: Platform

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.platform.clock.now(), UTC)


def config(platform: Platform, **more: Any) -> FeishuConfig:
    return FeishuConfig(APP_ID, APP_SECRET, platform.url, **more)


def markdown(text: str = "hello") -> Element:
    return {"tag": "markdown", "content": text}


def card(*elements: Element, **more: Any) -> dict[str, Any]:
    """The smallest card that Feishu takes."""
    return {"schema": "2.0", "body": {"elements": list(elements) or [markdown()]}, **more}


def post(*nodes: Element) -> dict[str, Any]:
    return {"zh_cn": {"title": "", "content": [list(nodes)]}}


def button(value: object) -> Element:
    return {
        "tag": "button",
        "text": {"tag": "plain_text", "content": "silence"},
        "behaviors": [{"type": "callback", "value": value}],
    }


@dataclass
class Bot:
    """Contents are given as objects, or as the text that goes over the wire."""

    platform: Platform
    sender: FeishuSender
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def message(
        self,
        operation: Operation,
        kind: MessageKind,
        content: object,
        target: str | None = None,
        uuid: str | None = None,
        chat: str = CHAT,
    ) -> Message:
        number = f"{next(self._numbers):06d}"
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        return Message(number, chat, operation, kind, text, uuid or f"uuid-{number}", target)

    def send(self, message: Message) -> str:
        return run(self.sender.send(message))

    def create(self, content: object, kind: MessageKind = "interactive", **more: Any) -> str:
        return self.send(self.message("create", kind, content, **more))

    def say(self, text: str, **more: Any) -> str:
        return self.create({"text": text}, "text", **more)

    def reply(self, target: str, content: object, kind: MessageKind = "interactive") -> str:
        return self.send(self.message("reply", kind, content, target))

    def update(self, target: str, content: object) -> str:
        return self.send(self.message("update", "interactive", content, target))

    def refused(self, message: Message) -> DeliveryError:
        """The error that sending it raises."""
        try:
            self.send(message)
        except DeliveryError as error:
            return error
        raise AssertionError("it was taken")

    def code_of(self, content: object, kind: MessageKind = "interactive") -> int | None:
        """Feishu's code for a new message with this content; 0 where it is taken."""
        try:
            self.create(content, kind)
        except DeliveryError as error:
            return error.code
        return 0

    @property
    def last(self) -> Held:
        return self.platform.messages[-1]


def new_bot(platform: Platform, deadline_s: float = 10.0) -> Bot:
    sender = FeishuSender(config(platform), PlatformTime(platform), deadline_s)
    run(sender.start())
    return Bot(platform, sender)


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(coroutine)

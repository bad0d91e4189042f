"""All of it: which request goes where, what goes wrong on purpose, and what is remembered."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.feishu_platform.answers import BAD_FIELD, Refusal, success
from tests.feishu_platform.cardkit import CardKit
from tests.feishu_platform.cards import CALLBACK_VALUE
from tests.feishu_platform.chats import Chat, Held, Memory
from tests.feishu_platform.clock import PlatformClock
from tests.feishu_platform.connections import CALLBACK, Connections, Delivery
from tests.feishu_platform.events import BOT_OPEN_ID, pressed, said
from tests.feishu_platform.faults import Fault
from tests.feishu_platform.images import upload
from tests.feishu_platform.limits import Limits
from tests.feishu_platform.messages import Messages
from tests.feishu_platform.tokens import Tokens
from tests.feishu_platform.wire import Answer, Request, parts_of

APP_ID = "cli_stand_in"
APP_SECRET = "stand-in-app-secret"  # noqa: S105 (opens nothing but this platform)
TOKEN_PATH = "/open-apis/auth/v3/tenant_access_token/internal"  # noqa: S105
DISCOVERY_PATH = "/callback/ws/endpoint"

Handle = Callable[[Request], Answer]


@dataclass(frozen=True)
class Seen:
    """A request and what became of it. `code` is Feishu's, None where no answer of its came."""

    at: float
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    status: int
    code: int | None
    fault: str = ""

    def json(self) -> Any:
        return json.loads(self.body)


class Platform:
    """Read its fields from a test; `url` is set once it listens. Faults are asked in order."""

    def __init__(self, chats: tuple[str, ...] = (), log: Path | None = None) -> None:
        self.url = ""
        self.clock = PlatformClock()
        self.memory = Memory({one: Chat(one) for one in chats})
        self.tokens = Tokens(self.clock, APP_ID, APP_SECRET)
        self.limits = Limits(self.clock)
        self.cardkit = CardKit(self.memory, self.clock, self.limits)
        self.im = Messages(self.memory, self.clock, self.limits, self.cardkit)
        self.connections = Connections(self.clock, APP_ID, APP_SECRET)
        self.faults: list[Fault] = []
        self.seen: list[Seen] = []
        self._log = log

    # --- for tests ---------------------------------------------------------------------------

    @property
    def messages(self) -> list[Held]:
        """Every message, in the order they came."""
        return list(self.memory.messages.values())

    def asked(self, path: str = "/open-apis/im/", method: str = "") -> list[Seen]:
        """Requests whose path contains this."""
        return [one for one in self.seen if path in one.path and method in ("", one.method)]

    def fail(self, fault: Fault) -> None:
        self.faults.append(fault)

    def heal(self) -> None:
        self.faults.clear()

    def say(self, text: str, chat_id: str, fragments: int = 1, **more: Any) -> Delivery:
        """Somebody says it, and the bot is told; for `more` see events.said."""
        number = len(self.connections.deliveries) + 1
        event = said(text, chat_id, f"om_said_{number:04d}", self.clock.now(), **more)
        return self.connections.push("im.message.receive_v1", event, fragments)

    def click(self, message_id: str, value: object) -> Delivery:
        """Somebody presses a button with this value. Until the answer the card is not updated."""
        held = self.memory.messages[message_id]
        if not isinstance(value, dict):
            never = Delivery({}, is_callback=True, over=True)
            never.clicker_saw = CALLBACK_VALUE
            return never
        card = self.cardkit.cards.get(held.card_id or "")
        held.waits_for_click = True
        if card is not None:
            card.waits_for_click = True

        def over(delivery: Delivery) -> None:
            held.waits_for_click = False
            streams = card is not None and card.streams_since is not None
            if card is not None:
                card.waits_for_click = False
            data = delivery.sent[-1].data if delivery.acknowledged else None
            shown = (data or {}).get("card")
            if shown and not streams:
                held.versions.append(shown["data"])

        number = len(self.connections.deliveries) + 1
        event = pressed(message_id, held.chat_id, value, number)
        return self.connections.push(CALLBACK, event, when_over=over)

    # --- requests ----------------------------------------------------------------------------

    async def respond(self, request: Request) -> Answer:
        fault = next((one for one in self.faults if one.befalls(request)), None)
        real = self._answer(request) if fault is None or fault.after else None
        answer = real if fault is None and real is not None else None
        if fault is not None:
            answer = fault.answer(real)
        assert answer is not None
        self._remember(request, answer, "" if fault is None else fault.kind)
        return answer

    def _answer(self, request: Request) -> Answer:
        try:
            return self._route(request)
        except Refusal as refusal:
            return refusal.answer()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return Refusal(BAD_FIELD, f"field validation failed: {error!r}").answer()

    def _route(self, request: Request) -> Answer:
        if request.path == TOKEN_PATH:
            return self.tokens.issue(request)
        if request.path == DISCOVERY_PATH:
            return self.connections.discover(request)
        name, handle = self._api(request)
        self.tokens.check(request)
        self.limits.call(name)
        return handle(request)

    def _api(self, request: Request) -> tuple[str, Handle]:
        """The name that a rate limit counts, and what answers."""
        match request.method, parts_of(request.path):
            case "POST", ["open-apis", "im", "v1", "messages"]:
                return "create", self.im.create
            case "POST", ["open-apis", "im", "v1", "messages", held, "reply"]:
                return "reply", lambda one: self.im.reply(one, held)
            case "PATCH", ["open-apis", "im", "v1", "messages", held]:
                return "patch", lambda one: self.im.patch(one, held)
            case "GET", ["open-apis", "im", "v1", "messages", held]:
                return "get", lambda _: self.im.get(held)
            case "GET", ["open-apis", "im", "v1", "chats", chat, "members", "is_in_chat"]:
                return "is_in_chat", lambda _: self.im.is_in_chat(chat)
            case "POST", ["open-apis", "im", "v1", "images"]:
                return "images", lambda one: upload(self.memory, one)
            case "GET", ["open-apis", "bot", "v3", "info"]:
                return "bot", lambda _: success(bot=_bot())
            case "POST", ["open-apis", "cardkit", "v1", "cards"]:
                return "card", self.cardkit.create
            case "PUT", ["open-apis", "cardkit", "v1", "cards", card]:
                return "card put", lambda one: self.cardkit.replace(one, card)
            case "PATCH", ["open-apis", "cardkit", "v1", "cards", card, "settings"]:
                return "card settings", lambda one: self.cardkit.settings(one, card)
            case "PUT", ["open-apis", "cardkit", "v1", "cards", card, "elements", part, "content"]:
                return "card content", lambda one: self.cardkit.content(one, card, part)
        raise Refusal(404, f"404 page not found: {request.method} {request.path}", 404)

    def _remember(self, request: Request, answer: Answer, fault: str) -> None:
        seen = Seen(
            self.clock.now(),
            request.method,
            request.path,
            request.query,
            request.headers,
            request.body,
            answer.status,
            answer.code,
            fault,
        )
        self.seen.append(seen)
        if self._log is not None:
            with self._log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(_line(seen, answer), ensure_ascii=False) + "\n")


def _bot() -> dict[str, Any]:
    return {
        "activate_status": 2,
        "app_name": "Aegis",
        "avatar_url": "",
        "ip_white_list": [],
        "open_id": BOT_OPEN_ID,
    }


def _line(seen: Seen, answer: Answer) -> dict[str, Any]:
    """A line of the log file: what was asked, what was answered."""
    return {
        "at": round(seen.at, 3),
        "method": seen.method,
        "path": seen.path,
        "query": seen.query,
        "body": seen.body.decode("utf-8", "replace")[:200_000],
        "status": seen.status,
        "code": seen.code,
        "fault": seen.fault,
        "answer": answer.body.decode("utf-8", "replace")[:2000],
    }

"""`notify_chat_id`: an answer that a chat is told too."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import structlog
from fastapi import Request

from aegis.entrypoints.http.alerting import alerting_of
from aegis.entrypoints.http.analyst import NOTICE
from aegis.entrypoints.http.analysts import Event
from aegis.entrypoints.http.problems import Detail, Problem, not_ready
from aegis.model.errors import StoreUnavailable
from aegis.model.message import Notice
from aegis.settings import Settings
from aegis.workflows.deliver_messages.tell import Teller

FIELD = "notify_chat_id"
DEFAULT = "default"

_LOG = structlog.get_logger("aegis.http")


@dataclass(frozen=True, slots=True)
class Notifying:
    """The chat that is told, and the way to it."""

    chat_id: str
    teller: Teller

    async def events(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        """The same events; the last one says what became of the message.

        An answer is never held back: where the message could not be kept it says so.
        """
        async with aclosing(events) as coming:
            async for event in coming:
                if (notice := event.pop(NOTICE, None)) is not None:
                    event["notification"] = await self._tell(Notice(**notice))
                yield event

    async def _tell(self, notice: Notice) -> dict[str, str | None]:
        try:
            await self.teller.tell(self.chat_id, notice)
        except StoreUnavailable as error:
            _LOG.warning("answer_not_kept_for_chat", chat=self.chat_id, error=str(error))
            return {"chat_id": self.chat_id, "status": "failed", "error": str(error)}
        return {"chat_id": self.chat_id, "status": "queued", "error": None}


def notifying(asked: str | None, settings: Settings, request: Request) -> Notifying | None:
    """None where nobody is to be told. A Problem where that chat must not or cannot be."""
    if asked is None:
        return None
    chat_id = _chat(asked, settings)
    teller = alerting_of(request).teller
    if teller is None:
        raise not_ready(FIELD, "messages are not delivered by this server now")
    return Notifying(chat_id, teller)


def _chat(asked: str, settings: Settings) -> str:
    """Of all chats the bot is in only those that the settings name: 403 for any other."""
    feishu = settings.feishu
    if feishu is None:
        raise _forbidden("FEISHU_APP_ID and FEISHU_APP_SECRET are not set, so no chat can be told")
    if asked == DEFAULT:
        if feishu.default_chat_id is None:
            raise _forbidden("FEISHU_DEFAULT_CHAT_ID is not set, so there is no default chat")
        return feishu.default_chat_id
    if not feishu.may_write_to(asked):
        raise _forbidden("is neither FEISHU_DEFAULT_CHAT_ID nor in AEGIS_FEISHU_ALLOWED_CHATS")
    return asked


def _forbidden(told: str) -> Problem:
    return Problem(403, f"{FIELD}: {told}", [Detail(FIELD, told)])

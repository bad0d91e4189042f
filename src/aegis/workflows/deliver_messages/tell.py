"""Tells a chat something that is no alert: kept first, delivered in a turn of the chat."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aegis.model.message import Notice
from aegis.ports import Clock
from aegis.ports.delivery import Outbox


@dataclass(frozen=True, slots=True)
class Teller:
    """`ask` has a turn of these chats taken soon; where that hint is lost a sweep finds it."""

    outbox: Outbox
    clock: Clock
    ask: Callable[[Iterable[str]], None]

    async def tell(self, chat_id: str, notice: Notice) -> None:
        """Committed when it returns: sent once, in the chat's order, whatever dies.

        StoreUnavailable where it could not be kept.
        """
        await self.outbox.keep_notice(chat_id, notice, self.clock.now())
        self.ask((chat_id,))

"""What delivering needs: work that survives a crash, and the outbox in the store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias

from aegis.model.delivery import ChatState, Draft
from aegis.model.message import Backlog, Notice, Outgoing

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
"""What survives a crash: plain data."""


class Steps(Protocol):
    """Parts of a flow that are not done again once they are done, whatever dies between them."""

    @property
    def stopping(self) -> bool:
        """The process is about to end: come to a halt; the flow is asked for again later."""
        ...

    async def run(self, name: str, work: Callable[[], Awaitable[Json]]) -> Json:
        """The result of `work`: of this call, or of the one before a crash.

        A crash inside `work` runs it again, so it must bear that. Its errors are not for
        control flow: after a crash they come back as another type.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Until then, over crashes too; at once where the process is stopping."""
        ...


class Flows(Protocol):
    """Work that is done once, after the caller, whatever dies."""

    async def enqueue(
        self, flow: str, workflow_id: str, partition: str, payload: Mapping[str, Json]
    ) -> None:
        """Nothing happens where `workflow_id` is known. StoreUnavailable within its deadline.

        One partition's are done one after the other.
        """
        ...

    async def is_over(self, workflow_id: str) -> bool:
        """Did it end, well or badly? False where it waits, runs or is unknown."""
        ...


class Outbox(Protocol):
    """What chats are to be told, and the messages that tell it. Raises StoreUnavailable.

    A row waits until a message covers it; a message is ready until it is sent or refused.
    """

    async def chats_with_work(self, now: datetime) -> tuple[str, ...]:
        """Chats with a row that is due, a message that is ready or a card that is gone."""
        ...

    async def backlog(self, now: datetime) -> Backlog: ...

    async def turn(self, chat_id: str) -> int:
        """How many turns of delivering to the chat have begun."""
        ...

    async def begin_turn(self, chat_id: str, turn: int) -> None:
        """From now on a row that is kept needs a turn after this one. Never goes back."""
        ...

    async def state(self, chat_id: str, now: datetime) -> ChatState | None:
        """What is due and what the chat shows; None where there is nothing to compose."""
        ...

    async def keep(self, state: ChatState, drafts: Sequence[Draft], now: datetime) -> bool:
        """All of it or nothing: messages that are ready, cards, rows that are covered.

        False where one of the rows is no longer waiting: then another was quicker.
        """
        ...

    async def keep_notice(self, chat_id: str, notice: Notice, now: datetime) -> str:
        """The id of its message, which is ready. Committed when this returns."""
        ...

    async def close_gone(self, chat_id: str, now: datetime) -> None:
        """Cards that are gone and that nothing need take the place of."""
        ...

    async def next_message(self, chat_id: str) -> Outgoing | None:
        """The oldest that is ready."""
        ...

    async def begin_attempt(self, message_id: str, now: datetime, doubtful: bool) -> bool:
        """False where it is no longer ready. Until told otherwise it may have arrived.

        `doubtful` marks a message that may be in the chat twice from now on.
        """
        ...

    async def failed(self, message_id: str, code: int | None, error: str, unsure: bool) -> None:
        """It stays ready."""
        ...

    async def sent(self, message_id: str, platform_id: str, now: datetime) -> None: ...

    async def refused(self, message_id: str, code: int | None, error: str, now: datetime) -> None:
        """For good; a card that was to be created is closed."""
        ...

    async def fall_back(self, message_id: str, code: int | None, error: str) -> None:
        """Its text is sent in its place: as a new message, or as an answer to its card."""
        ...

    async def take_back(self, message_id: str, code: int | None, error: str, gone: bool) -> None:
        """Its rows wait again. `gone`: so do those of all unsent messages of its card."""
        ...

"""Sees to it that what waits is delivered: at once after it was kept, and by a sweep.

Deliveries to a chat come in turns. A turn notes its number before it looks for work; so work
kept before a number is read is seen by the turn after that number, and enqueueing this turn is
always right: by its id it is one, however many calls ask for it. At most one turn of a chat
waits while one is under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

import structlog

from aegis.model.errors import StoreUnavailable
from aegis.model.ledger import WaitingRow
from aegis.model.message import Backlog
from aegis.ports import Clock
from aegis.ports.delivery import Flows, Json, Outbox

FLOW = "deliver"
SWEEP_EVERY_S = 10.0
GAP_S = 0.2
"""Between two rounds of waking: a storm of calls is one wake-up a chat and round."""

_log = structlog.get_logger()


class Wakeups:
    """One a process, on its event loop."""

    def __init__(
        self,
        outbox: Outbox,
        flows: Flows,
        clock: Clock,
        told: Callable[[Backlog], None] = lambda _: None,
    ) -> None:
        """`told` hears at each sweep what is not delivered yet."""
        self._told = told
        self._outbox = outbox
        self._flows = flows
        self._clock = clock
        self._asked: set[str] = set()
        self._some = asyncio.Event()
        self._stuck: dict[str, int] = {}

    def ask(self, chats: Iterable[str]) -> None:
        """Soon; a hint that may be lost, for the sweep finds what waits."""
        self._asked.update(chats)
        if self._asked:
            self._some.set()

    def wake(self, rows: Sequence[WaitingRow]) -> None:
        """The port Deliveries: rows of quiet hours are found by the sweep when they are due."""
        now = self._clock.now()
        self.ask(one.chat_id for one in rows if one.not_before is None or one.not_before <= now)

    async def run(self, sweep_every_s: float = SWEEP_EVERY_S) -> None:
        """Until cancelled. The first sweep is at once: it finds what a crash left.

        A mistake of ours ends a round and not the waking: nobody would be told any more, and
        nobody would be told of that.
        """
        while True:
            round_ = asyncio.create_task(self._run(sweep_every_s))
            try:
                await asyncio.wait([round_])
            finally:
                round_.cancel()
            _log.error("delivery_waking_failed", exc_info=round_.exception())
            await asyncio.sleep(sweep_every_s)

    async def _run(self, sweep_every_s: float) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._wake_when_asked())
            group.create_task(self._sweep_for_ever(sweep_every_s))

    async def _wake_when_asked(self) -> None:
        while True:
            await self._some.wait()
            self._some.clear()
            chats, self._asked = self._asked, set()
            for chat in sorted(chats):
                try:
                    await self._wake(chat)
                except StoreUnavailable as error:
                    _log.warning("delivery_not_woken", chat=chat, error=str(error))
            await asyncio.sleep(GAP_S)

    async def _sweep_for_ever(self, every_s: float) -> None:
        while True:
            try:
                await self.sweep()
            except StoreUnavailable as error:
                _log.warning("delivery_sweep_failed", error=str(error))
            await asyncio.sleep(every_s)

    async def sweep(self) -> None:
        """Enqueue whatever has work. A turn that ended before it began is left behind."""
        now = self._clock.now()
        self._told(await self._outbox.backlog(now))
        found = await self._outbox.chats_with_work(now)
        turns = {chat: await self._wake(chat) for chat in found}
        for chat, turn in turns.items():
            if self._stuck.get(chat) == turn and await self._flows.is_over(turn_id(chat, turn)):
                _log.error("delivery_turn_failed", chat=chat, turn=turn)
                await self._outbox.begin_turn(chat, turn)
        self._stuck = turns

    async def _wake(self, chat: str) -> int:
        turn = await self._outbox.turn(chat) + 1
        payload: dict[str, Json] = {"chat": chat, "turn": turn}
        await self._flows.enqueue(FLOW, turn_id(chat, turn), chat, payload)
        return turn


def turn_id(chat: str, turn: int) -> str:
    """Sorts in the order of turns."""
    return f"{FLOW}:{chat}:{turn:012d}"

"""One thread that writes: calls that come together are committed together.

A commit waits for the disk, so a commit a call would make a storm queue up. Nobody is
answered before the commit. A call that could not be committed left nothing behind.
"""

from __future__ import annotations

import asyncio
import threading
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError

from aegis.adapters.store.database import Database
from aegis.adapters.store.ids import SortableIds
from aegis.adapters.store.keeping import Route, keep_all, take_turn, unreadable
from aegis.model.errors import StoreUnavailable
from aegis.model.ledger import Arrival, Kept

LOCK_PATIENCE_S = 3.0
"""Short: Alertmanager tries again, and a call that waits holds its connection."""
BEGUN_WITHIN_S = 4.0
ENDED_WITHIN_S = 25.0
MOST_WAITING = 4096
MOST_WAITING_BYTES = 64 * 1024 * 1024
MOST_CALLS, MOST_ALERTS = 256, 20_000

_LOG = structlog.get_logger("aegis.store")
_OUR_MISTAKE = (
    SQLAlchemyError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


@dataclass(slots=True, eq=False)
class _Call:
    """A call that waits; `begun` once its transaction has the lock."""

    arrival: Arrival
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Kept]
    begun: bool = False
    abandoned: bool = False


class AlertWriter:
    """Keeps calls of the webhook. Any event loop may call it; `stop` writes what still waits."""

    def __init__(self, database: Database, ids: SortableIds, route: Route) -> None:
        self._database = database
        self._ids = ids
        self._route = route
        self._calls: deque[_Call] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        return len(self._calls)

    async def keep(self, arrival: Arrival) -> Kept:
        """Committed when it returns. StoreUnavailable: too much waits, locked, full, stopping."""
        loop = asyncio.get_running_loop()
        call = _Call(arrival, loop, loop.create_future())
        self._put(call)
        # Timers, not asyncio.timeout: thousands of calls wait at the same time.
        timers = [
            loop.call_later(BEGUN_WITHIN_S, self._give_up, call, False),
            loop.call_later(ENDED_WITHIN_S, self._give_up, call, True),
        ]
        try:
            return await call.answer
        finally:
            for timer in timers:
                timer.cancel()

    def _give_up(self, call: _Call, always: bool) -> None:
        """Unless its transaction has begun: how that ends is worth waiting for."""
        with self._changed:
            call.abandoned = not call.begun
        if call.abandoned or always:
            _fail(
                call.answer, "AEGIS_DB_URL: the database: the alerts could not be written in time"
            )

    def stop(self) -> None:
        """Returns once everything that waited is written or refused."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _put(self, call: _Call) -> None:
        size = len(call.arrival.body)
        with self._changed:
            if self._stopping:
                raise StoreUnavailable("shutting down")
            if len(self._calls) >= MOST_WAITING or self._bytes + size > MOST_WAITING_BYTES:
                raise StoreUnavailable(f"{len(self._calls)} calls wait to be written")
            self._calls.append(call)
            self._bytes += size
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="alert-writer", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        batch: list[_Call] = []
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._calls or self._stopping)
                    if not self._calls:
                        return
                batch = self._take(MOST_CALLS, MOST_ALERTS)
                if batch:
                    self._write(batch)
                batch = []
        finally:
            # Only a mistake of ours leads here with calls: Alertmanager will try again.
            _refuse([*batch, *self._take(len(self._calls), MOST_ALERTS)], "the writer ended")

    def _take(self, calls: int, alerts: int) -> list[_Call]:
        taken: list[_Call] = []
        with self._changed:
            while self._calls and len(taken) < calls and alerts > 0:
                call = self._calls.popleft()
                self._bytes -= len(call.arrival.body)
                if not call.abandoned:
                    taken.append(call)
                    alerts -= len(call.arrival.webhook.alerts)
        return taken

    def _write(self, batch: Sequence[_Call]) -> None:
        try:
            self._commit(batch)
        except StoreUnavailable as error:
            _LOG.warning("alerts_not_kept", calls=len(batch), reason=str(error))
            _refuse(batch, str(error))
        except _OUR_MISTAKE as error:
            # One call holds what cannot be written. The others must not suffer for it, and it
            # would come again and again: its bytes are kept, where a person can see them.
            if len(batch) > 1:
                for call in batch:
                    self._write([call])
                return
            # Where, and not what it says: that may be the text of an alert.
            where = traceback.format_tb(error.__traceback__, limit=-4)
            _LOG.error("call_cannot_be_kept", error=type(error).__name__, where="".join(where))
            self._write_unreadable(batch[0])

    def _write_unreadable(self, call: _Call) -> None:
        call.arrival = unreadable(call.arrival, "Aegis could not keep this call; its log says why")
        try:
            self._commit([call])
        except StoreUnavailable as error:
            _refuse([call], str(error))

    def _commit(self, batch: Sequence[_Call]) -> None:
        """Writes those that nobody gave up while the lock was waited for, and answers them."""
        with self._database.writing(LOCK_PATIENCE_S) as connection:
            take_turn(connection)
            with self._changed:
                calls = [call for call in batch if not call.abandoned]
                for call in calls:
                    call.begun = True
            arrivals = [call.arrival for call in calls]
            kept = keep_all(connection, arrivals, self._ids, self._route)
        _answer(calls, kept)


def _answer(calls: Sequence[_Call], kept: Sequence[Kept]) -> None:
    for loop, ours in _by_loop(calls).items():
        answers = [(call.answer, kept[place]) for place, call in ours]
        _in_loop(loop, partial(_settle, answers))


def _refuse(calls: Sequence[_Call], reason: str) -> None:
    for loop, ours in _by_loop(calls).items():
        for _, call in ours:
            _in_loop(loop, partial(_fail, call.answer, reason))


def _by_loop(
    calls: Sequence[_Call],
) -> dict[asyncio.AbstractEventLoop, list[tuple[int, _Call]]]:
    """With their places. To wake a loop costs more than to answer a call."""
    found: dict[asyncio.AbstractEventLoop, list[tuple[int, _Call]]] = {}
    for place, call in enumerate(calls):
        found.setdefault(call.loop, []).append((place, call))
    return found


def _in_loop(loop: asyncio.AbstractEventLoop, do: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody waits
        loop.call_soon_threadsafe(do)


def _settle(answers: Sequence[tuple[asyncio.Future[Kept], Kept]]) -> None:
    for answer, kept in answers:
        if not answer.done():
            answer.set_result(kept)


def _fail(answer: asyncio.Future[Kept], reason: str) -> None:
    if not answer.done():
        answer.set_exception(StoreUnavailable(reason))

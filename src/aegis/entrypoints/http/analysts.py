"""Processes that analyse, a few at a time, and the line of questions that wait for them.

An analysis is pure computing: only a process of its own leaves the server free to answer
others, and only a process can be stopped at any moment. One warm process, the nursery, has
done the imports and forks an analyst for each job, which takes milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from asyncio import StreamReader
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aegis.entrypoints.http.backend_troubles import EVENT, BackendTroubles
from aegis.entrypoints.http.problems import Problem
from aegis.entrypoints.http.step_spans import StepSpans

LONGEST_ANALYSIS_S = 120.0
LONGEST_LINE = 256 * 1024 * 1024
RETRY_AFTER_S = 5

Event = dict[str, Any]


@dataclass(slots=True, eq=False)
class Analysts:
    """At most `workers` jobs run, at most `most_waiting` more wait, in the order they came.

    Between `open` and `close` the nursery is kept; without `open` each job has its own.
    """

    workers: int
    most_waiting: int
    running: int = 0
    waiting: int = 0
    troubles: BackendTroubles = field(default_factory=BackendTroubles)
    _turns: asyncio.Semaphore = field(init=False)
    _nursery: Nursery | None = None

    def __post_init__(self) -> None:
        self._turns = asyncio.Semaphore(self.workers)

    def open(self) -> None:
        self._nursery = Nursery.start()

    async def close(self) -> None:
        nursery, self._nursery = self._nursery, None
        if nursery is not None:
            await nursery.end()

    def check_room(self) -> None:
        """Raises a Problem where the line is full."""
        if self.running >= self.workers and self.waiting >= self.most_waiting:
            message = f"{self.running} analyses are running and {self.waiting} wait; try again"
            headers = {"Retry-After": str(RETRY_AFTER_S)}
            raise Problem(503, message, code="busy", headers=headers)

    async def ask(self, job: Mapping[str, object]) -> AsyncGenerator[Event, None]:
        """The events of a job, the last one `final` or `error`. Closing it stops the work."""
        self.check_room()
        last: Event | None = None
        spans = StepSpans()
        async with self._turn(), self._analyst(job) as reader:
            deadline = asyncio.get_running_loop().time() + LONGEST_ANALYSIS_S
            while last is None:
                event = await _next_event(reader, deadline)
                if event["event"] == EVENT:
                    self.troubles.heard(event)
                    continue
                spans.heard(event)
                if event["event"] in ("final", "error"):
                    last = event
                else:
                    yield event
        # Told once the process is free: a slow reader must not keep it.
        yield last

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        self.waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self.waiting -= 1
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            self._turns.release()

    @asynccontextmanager
    async def _analyst(self, job: Mapping[str, object]) -> AsyncIterator[StreamReader]:
        """What the analyst of a job says; it ends when this is left."""
        nursery = self._nursery
        if nursery is None or nursery.is_dead:
            nursery = Nursery.start()
            if self._nursery is not None:
                self._nursery = nursery
        connection = nursery.new_analyst()
        reader, writer = await asyncio.open_connection(sock=connection, limit=LONGEST_LINE)
        try:
            told = {**job, "troubles": self.troubles.as_told()}
            writer.write(json.dumps(told).encode() + b"\n")
            yield reader
        finally:
            writer.close()
            if nursery is not self._nursery:
                await nursery.end()


@dataclass(frozen=True, slots=True, eq=False)
class Nursery:
    """The process with the imports done. It ends when `control` is closed."""

    process: subprocess.Popen[bytes]
    control: socket.socket

    @staticmethod
    def start() -> Nursery:
        ours, theirs = socket.socketpair()
        with theirs:
            # It finds its modules where this process found them, installed or not.
            code = (
                f"import sys; sys.path[:] = {sys.path!r}; "
                f"from aegis.entrypoints.http.analyst import main; main({theirs.fileno()})"
            )
            command = [sys.executable, "-P", "-c", code]
            process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
            )
        return Nursery(process, ours)

    @property
    def is_dead(self) -> bool:
        return self.process.poll() is not None

    def new_analyst(self) -> socket.socket:
        """A connection to a process that takes one job; closing it ends the process."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self.control, [b"1"], [theirs.fileno()])
            except OSError:
                ours.close()
                raise _died() from None
        return ours

    async def end(self) -> None:
        """It holds nothing that could be lost; its analysts end with their connections."""
        self.control.close()
        self.process.kill()
        await asyncio.to_thread(self.process.wait)


async def _next_event(reader: StreamReader, deadline: float) -> Event:
    try:
        async with asyncio.timeout_at(deadline):
            line = await reader.readline()
    except TimeoutError:
        message = f"the analysis took longer than {LONGEST_ANALYSIS_S:g} s"
        raise Problem(503, message, code="timeout") from None
    except ConnectionError:
        raise _died() from None
    if not line.endswith(b"\n"):
        raise _died()
    event: Event = json.loads(line)
    return event


def _died() -> Problem:
    return Problem(500, "the process that analysed this ended; its log says why")

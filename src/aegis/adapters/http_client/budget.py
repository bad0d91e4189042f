"""What one question may cost all backends together, and what it has asked so far."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from aegis.adapters.http_client.answers import Answer
from aegis.model.backend import BackendName
from aegis.model.errors import SourceRejected

MIB = 1024 * 1024
MOST_REQUESTS = 40
MOST_BYTES = 64 * MIB


@dataclass(frozen=True, slots=True)
class Request:
    """What identifies a read: two equal requests within a question are asked once."""

    backend: BackendName
    method: str
    path: str
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that was really sent; `status` None where no answer came.

    `dated` is the server's time, cut to the second; None where it did not say.
    """

    request: Request
    status: int | None
    size: int
    took_s: float
    dated: datetime | None = None


@dataclass(slots=True)
class Budget:
    """Made anew for each question and given to every client of it.

    `log` holds what was sent, in the order in which it ended, retries included.
    Answers are kept for as long as the budget lives: at most `most_bytes` of them.
    """

    most_requests: int = MOST_REQUESTS
    most_bytes: int = MOST_BYTES
    requests: int = 0
    read_bytes: int = 0
    log: list[Asked] = field(default_factory=list)
    _answers: dict[Request, Answer] = field(default_factory=dict)
    _turns: dict[Request, asyncio.Lock] = field(default_factory=dict)

    @property
    def requests_left(self) -> int:
        return max(0, self.most_requests - self.requests)

    @property
    def bytes_left(self) -> int:
        return max(0, self.most_bytes - self.read_bytes)

    def spend_request(self) -> None:
        """Before each sending; SourceRejected where the question has asked enough."""
        if not self.requests_left:
            raise SourceRejected(f"not asked: a question may send {self.most_requests} requests")
        if not self.bytes_left:
            limit = self.most_bytes // MIB
            raise SourceRejected(f"not asked: a question may read {limit} MiB")
        self.requests += 1

    def known(self, request: Request) -> Answer | None:
        return self._answers.get(request)

    def remember(self, request: Request, answer: Answer) -> None:
        self._answers[request] = answer

    @asynccontextmanager
    async def turn(self, request: Request) -> AsyncIterator[None]:
        """Equal requests one after the other, so that the second finds the first's answer."""
        async with self._turns.setdefault(request, asyncio.Lock()):
            yield

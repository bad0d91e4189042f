"""Bodies of any kind and up to 32 MiB, counted as they come, however slowly they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.types import Receive

from aegis.entrypoints.http.alerting import RETRY_AFTER_S
from aegis.entrypoints.http.connection import ClientLeft
from aegis.entrypoints.http.problems import Problem

MIB = 1024 * 1024
MOST_BYTES = 32 * MIB
MOST_AT_ONCE = 96 * MIB
MOST_DISCARDED = 32 * MIB
ARRIVAL_LIMIT_S = 30.0
_CLOSE = {"Connection": "close"}


@dataclass(slots=True)
class Arriving:
    """Holds at most `MOST_AT_ONCE` bytes of bodies, those included that are being written."""

    held_bytes: int = 0

    @asynccontextmanager
    async def body(self, receive: Receive) -> AsyncIterator[bytes]:
        """A Problem for what is too large (413), too slow, or too much at once (503)."""
        held = _Held(self)
        try:
            async with asyncio.timeout(ARRIVAL_LIMIT_S) as limit:
                whole = await held.read(receive)
                limit.reschedule(None)
            yield whole
        except TimeoutError:
            told = f"the body did not arrive within {ARRIVAL_LIMIT_S:g} s"
            raise Problem(503, told, headers=_CLOSE) from None
        finally:
            held.let_go()


@dataclass(slots=True)
class _Held:
    """One body as far as it has come."""

    arriving: Arriving
    size: int = 0

    def let_go(self) -> None:
        self.arriving.held_bytes -= self.size
        self.size = 0

    async def read(self, receive: Receive) -> bytes:
        chunks: list[bytes] = []
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientLeft
            chunk, more = message.get("body", b""), message.get("more_body", False)
            self.size += len(chunk)
            self.arriving.held_bytes += len(chunk)
            if self.size > MOST_BYTES:
                chunks.clear()
                self.let_go()
                await _discard(receive, more)
                told = f"the body is larger than {MOST_BYTES:,} bytes"
                raise Problem(413, told, headers=_CLOSE)
            if self.arriving.held_bytes > MOST_AT_ONCE:
                headers = {**_CLOSE, "Retry-After": str(RETRY_AFTER_S)}
                raise Problem(503, "too much arrives at once", code="busy", headers=headers)
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _discard(receive: Receive, more: bool) -> None:
    """A client that is still sending would see a broken connection instead of the answer."""
    left = MOST_DISCARDED
    while more and left > 0:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        left -= len(message.get("body", b""))
        more = message.get("more_body", False)

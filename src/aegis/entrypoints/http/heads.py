"""A deadline for the head of a request: uvicorn waits for the rest of one for ever.

Without it a few thousand connections that send a byte now and then use up all there are. The
body has deadlines of its own: arriving.py and bodies.py.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEAD_WITHIN_S = 10.0


class HeadDeadline(H11Protocol):
    """Closes a connection whose next head is not there in time: counted from the connection,
    and on one that is kept alive from the first byte of the head."""

    head_within_s = HEAD_WITHIN_S

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._head_task: asyncio.TimerHandle | None = None
        self._some_came = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin()

    def data_received(self, data: bytes) -> None:
        self._some_came = True
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:  # a head is whole; what follows it is its body
            self._end()
        if self._awaits_head() and self._head_task is None:
            self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        super().connection_lost(exc)

    def _awaits_head(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # None until the first head
        return cycle is None or cycle.response_complete

    def _begin(self) -> None:
        self._head_task = self.loop.call_later(self.head_within_s, self._give_up)

    def _end(self) -> None:
        if self._head_task is not None:
            self._head_task.cancel()
            self._head_task = None

    def _give_up(self) -> None:
        """Who sent nothing at all is not answered either."""
        self._head_task = None
        if self.transport.is_closing() or not self._awaits_head():
            return
        if self._some_came:
            self.transport.write(_too_slow(self.head_within_s))
        self.transport.close()


def _too_slow(within_s: float) -> bytes:
    told = f"the head of the request did not arrive within {within_s:g} s"
    body = json.dumps({"error": "too_slow", "message": told, "details": []}).encode()
    return (
        b"HTTP/1.1 408 Request Timeout\r\nContent-Type: application/json\r\nConnection: close\r\n"
        b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
    )

"""Posts bodies over kept connections, and notes how long each answer took."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from urllib.parse import urlsplit

from lab.webhook.servers import Server
from lab.webhook.storms import Storm

LONGEST_ANSWER_S = 60.0


@dataclass(slots=True)
class Measured:
    """Answers to one storm. `seconds` is of each call, `took_s` of all together.

    `cpu_s` is what the server worked for it, however busy the machine was with other things.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    took_s: float = 0.0
    cpu_s: float = 0.0

    def percentile_ms(self, share: float) -> float:
        """The time below which this share of the calls was answered (nearest rank)."""
        ordered = sorted(self.seconds)
        rank = max(0, -(-len(ordered) * share // 1) - 1)
        return 1000 * ordered[int(rank)]


def post(storm: Storm, server: Server) -> Measured:
    before = server.cpu_s()
    measured = asyncio.run(_post(storm, server.url))
    measured.cpu_s = server.cpu_s() - before
    return measured


async def _post(storm: Storm, url: str) -> Measured:
    parts = urlsplit(url)
    assert parts.hostname and parts.port  # noqa: S101, PT018
    measured, left = Measured(), list(reversed(storm.calls))
    began = perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(storm.connections):
            group.create_task(_connection(parts.hostname, parts.port, parts.path, left, measured))
    measured.took_s = perf_counter() - began
    return measured


async def _connection(
    host: str, port: int, path: str, left: list[bytes], measured: Measured
) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        while left:
            body = left.pop()
            began = perf_counter()
            async with asyncio.timeout(LONGEST_ANSWER_S):
                writer.writelines(_request(host, path, body))
                await writer.drain()
                measured.statuses[await _status(reader)] += 1
            measured.seconds.append(perf_counter() - began)
    finally:
        writer.close()


def _request(host: str, path: str, body: bytes) -> Sequence[bytes]:
    head = (
        f"POST {path or '/'} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Alertmanager/0.33.1\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode(), body


async def _status(reader: asyncio.StreamReader) -> int:
    """Of the whole answer, which has a Content-Length."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = dict(line.lower().split(":", 1) for line in head[1:] if ":" in line)
    await reader.readexactly(int(fields["content-length"]))
    return int(head[0].split()[1])

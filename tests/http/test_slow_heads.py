"""A head that does not come to its end: the connection is closed, and nobody else waits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from aegis.entrypoints.http.heads import HeadDeadline

pytestmark = [pytest.mark.loopback, pytest.mark.slow]

WITHIN_S = 0.6
GOOD = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
Result = TypeVar("Result")
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Soon(HeadDeadline):
    head_within_s = WITHIN_S


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the size of the body, once all of it came."""
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    body = str(size).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def served(use: Callable[[Callable[[], Awaitable[Line]]], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        config = uvicorn.Config(
            echo, port=0, http=Soon, lifespan="off", log_config=None, timeout_keep_alive=3
        )
        server = uvicorn.Server(config)
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        try:
            return await use(lambda: asyncio.open_connection(host, port))
        finally:
            await server.shutdown()

    return asyncio.run(run())


async def answer_on(line: Line) -> bytes:
    return (await line[0].readuntil(b"\r\n\r\n")).splitlines()[0] + b" " + await line[0].read(1)


def test_half_a_head_is_answered_408_and_closed() -> None:
    async def use(connect: Callable[[], Awaitable[Line]]) -> tuple[bytes, float]:
        began = asyncio.get_running_loop().time()
        reader, writer = await connect()
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        said = await reader.read()
        writer.close()
        return said, asyncio.get_running_loop().time() - began

    said, took_s = served(use)
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert json.loads(body)["error"] == "too_slow"
    assert WITHIN_S <= took_s < WITHIN_S + 5


def test_a_byte_now_and_then_does_not_lengthen_it() -> None:
    async def use(connect: Callable[[], Awaitable[Line]]) -> bytes:
        reader, writer = await connect()
        reading = asyncio.create_task(reader.read())
        async with asyncio.timeout(10):
            while not reading.done():
                writer.write(b"G")
                await asyncio.wait({reading}, timeout=0.1)
        writer.close()
        return reading.result()

    assert served(use).startswith(b"HTTP/1.1 408 ")


def test_a_connection_without_a_byte_is_closed_without_a_word() -> None:
    async def use(connect: Callable[[], Awaitable[Line]]) -> bytes:
        reader, writer = await connect()
        async with asyncio.timeout(10):
            said = await reader.read()
        writer.close()
        return said

    assert served(use) == b""


def test_a_good_request_beside_many_slow_ones_is_served() -> None:
    async def use(connect: Callable[[], Awaitable[Line]]) -> bytes:
        lines = [await connect() for _ in range(100)]
        for _, writer in lines:
            writer.write(b"POST / HTTP/1.1\r\nHo")
        good = await connect()
        good[1].write(GOOD)
        said = await answer_on(good)
        for _, writer in (*lines, good):
            writer.close()
        return said

    assert served(use) == b"HTTP/1.1 200 OK 0"


def test_a_body_may_take_longer_than_a_head() -> None:
    async def use(connect: Callable[[], Awaitable[Line]]) -> bytes:
        line = await connect()
        line[1].write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n")
        for _ in range(4):
            await asyncio.sleep(WITHIN_S / 2)
            line[1].write(b"x")
        said = await answer_on(line)
        line[1].close()
        return said

    assert served(use) == b"HTTP/1.1 200 OK 4"


def test_a_connection_that_is_kept_alive_is_measured_anew_with_each_head() -> None:
    async def use(connect: Callable[[], Awaitable[Line]]) -> list[bytes]:
        line = await connect()
        said = []
        for _ in range(2):
            line[1].write(GOOD)
            said.append(await answer_on(line))
            await asyncio.sleep(WITHIN_S * 1.5)
        line[1].write(GOOD[:10])
        said.append(await line[0].read(12))
        line[1].close()
        return said

    assert served(use) == [b"HTTP/1.1 200 OK 0"] * 2 + [b"HTTP/1.1 408"]

"""Lets a platform listen, on a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tests.feishu_platform.platform import Platform
from tests.feishu_platform.wire import Respond, serve_http

START_S = 10.0


@asynccontextmanager
async def listening(platform: Platform, port: int, respond: Respond) -> AsyncIterator[None]:
    """Sets the platform's address."""
    connections = await platform.connections.listen()
    server = await serve_http(respond, port)
    platform.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield
    finally:
        server.close()
        connections.close()
        await connections.wait_closed()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for one in others:
            one.cancel()
        if others:
            await asyncio.wait(others, timeout=1)


@contextmanager
def platform_running(*chats: str, log: Path | None = None, port: int = 0) -> Iterator[Platform]:
    """A platform with these chats; the bot is in all of them."""
    platform = Platform(chats, log)
    ready, stop = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        async with listening(platform, port, platform.respond):
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="feishu", daemon=True)
    thread.start()
    assert ready.wait(START_S), "the platform did not start"
    try:
        yield platform
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join(START_S)

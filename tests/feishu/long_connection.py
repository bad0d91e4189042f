"""The SDK's own long connection, in a thread that can be stopped though the SDK cannot."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aegis.adapters.feishu.sdk import load
from tests.feishu_platform.platform import APP_ID, APP_SECRET, Platform

PATIENCE_S = 10.0
AT_ONCE = {"ReconnectCount": -1, "ReconnectInterval": 0, "ReconnectNonce": 0, "PingInterval": 120}


@dataclass
class LongConnection:
    """`said` are the events of messages, `pressed` those of buttons, as the SDK gave them."""

    thread: threading.Thread
    loop: asyncio.AbstractEventLoop
    said: list[Any] = field(default_factory=list)
    pressed: list[Any] = field(default_factory=list)
    ended_with: BaseException | None = None


def until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.005)


@contextmanager
def connected(
    platform: Platform,
    on_message: Callable[[Any], None] = lambda _: None,
    on_click: Callable[[Any], Any] = lambda _: {},
    clients: int = 1,
    wait: bool = True,
) -> Iterator[LongConnection]:
    """So many clients of the SDK, in one loop, with these handlers."""
    sdk = load()
    ws = sdk.ws.client
    loop = asyncio.new_event_loop()
    found = LongConnection(threading.Thread(), loop)
    running: list[Any] = []

    def message(event: Any) -> None:
        found.said.append(event)
        on_message(event)

    def click(event: Any) -> Any:
        found.pressed.append(event)
        return on_click(event)

    def serve() -> None:
        asyncio.set_event_loop(loop)
        ws.loop = loop
        builder = sdk.EventDispatcherHandler.builder("", "")
        builder = builder.register_p2_im_message_receive_v1(message)
        handler = builder.register_p2_card_action_trigger(click).build()
        for _ in range(clients):
            one = sdk.ws.Client(APP_ID, APP_SECRET, event_handler=handler, domain=platform.url)
            running.append(one)
        try:
            for one in running[1:]:
                loop.run_until_complete(one._connect())  # noqa: SLF001 (start() takes but one)
            running[0].start()
        except (RuntimeError, sdk.ws.exception.ClientException) as error:
            found.ended_with = error  # a stopped loop, which is how it ends here, or a refusal

    found.thread = threading.Thread(target=serve, name="lark-ws", daemon=True)
    found.thread.start()
    try:
        if wait:
            until(lambda: len(platform.connections.open) == clients, "no connection")
        yield found
    finally:
        _stop(found)
        _end(loop, running)


def _stop(found: LongConnection) -> None:
    """Again and again: a stop in the middle of connecting makes the SDK connect once more."""
    end = time.monotonic() + PATIENCE_S
    while found.thread.is_alive() and time.monotonic() < end:
        found.loop.call_soon_threadsafe(found.loop.stop)
        found.thread.join(0.05)
    assert not found.thread.is_alive(), "the client does not stop"


def _end(loop: asyncio.AbstractEventLoop, clients: list[Any]) -> None:
    for one in clients:
        one._auto_reconnect = False  # noqa: SLF001 (else closing it makes it connect again)
    with suppress(RuntimeError):  # where the client had ended by itself, the stop is still to come
        loop.run_until_complete(asyncio.sleep(0))
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=2))
    connections = [one._conn for one in clients if one._conn is not None]  # noqa: SLF001
    for connection in connections:
        loop.run_until_complete(connection.close())
    clients.clear()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()

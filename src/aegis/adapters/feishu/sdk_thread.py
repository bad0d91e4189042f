"""One thread with a loop of its own runs everything that lark-oapi does.

The SDK keeps the event loop of the thread that imports it, and may block; the loop that serves
requests must have nothing to do with it.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from aegis.adapters.feishu.sdk import load
from aegis.adapters.feishu.transport import SharedClient, lend
from aegis.model.errors import AegisError, ConfigurationError, DeliveryUnavailable

Result = TypeVar("Result")
Work = Callable[[Any], Coroutine[Any, Any, Result]]

LOADING_S = 60.0
CLOSING_S = 5.0

Loaded = tuple[Any, asyncio.AbstractEventLoop]


class SdkThread:
    """Starts with its first use, or with `start`; the SDK is loaded in it once."""

    def __init__(self, loading: Callable[[], Any] = load) -> None:
        self._loading = loading
        self._loaded: concurrent.futures.Future[Loaded] | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closed = False

    async def start(self, deadline_s: float = LOADING_S) -> None:
        """Until the SDK is loaded; ConfigurationError where it is not installed."""
        await self._ready(deadline_s)

    async def run(self, work: Work[Result], deadline_s: float) -> Result:
        """What `work` gives for the SDK, run in the thread.

        DeliveryUnavailable where the deadline passes; the work is cancelled then, as it is where
        the caller is, and the request may have arrived.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        sdk, its_loop = await self._ready(deadline_s)
        left_s = max(deadline_s - (loop.time() - began), 0.01)
        working = asyncio.run_coroutine_threadsafe(work(sdk), its_loop)
        try:
            async with asyncio.timeout(left_s):
                return await asyncio.wrap_future(working)
        except TimeoutError:
            message = f"Feishu gave no answer within {deadline_s:g} s"
            raise DeliveryUnavailable(message, may_have_arrived=True) from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            message = "the sender to Feishu was closed before the answer came"
            raise DeliveryUnavailable(message, may_have_arrived=True) from None

    def close(self) -> None:
        """What is under way is cancelled. May be called from any thread, more than once."""
        with self._lock:
            self._closed = True
            loaded, thread = self._loaded, self._thread
        if loaded is None or thread is None:
            return
        try:
            _, loop = loaded.result(timeout=CLOSING_S)
            loop.call_soon_threadsafe(loop.stop)
        except TimeoutError:
            return  # still loading; a daemon thread holds nobody
        except (AegisError, RuntimeError):
            pass  # never loaded, or closed already
        thread.join(CLOSING_S)

    async def _ready(self, deadline_s: float) -> Loaded:
        with self._lock:
            if self._closed:
                raise DeliveryUnavailable("the sender to Feishu is closed")
            if self._loaded is None:
                self._loaded = concurrent.futures.Future()
                self._loaded.set_running_or_notify_cancel()
                self._thread = threading.Thread(
                    target=self._serve, args=(self._loaded,), name="aegis-feishu", daemon=True
                )
                self._thread.start()
            loaded = self._loaded
        if loaded.done():
            return loaded.result()
        try:
            async with asyncio.timeout(deadline_s):
                return await asyncio.wrap_future(loaded)
        except TimeoutError:
            message = f"the Feishu SDK was not loaded within {deadline_s:g} s"
            raise DeliveryUnavailable(message) from None

    def _serve(self, loaded: concurrent.futures.Future[Loaded]) -> None:
        try:
            sdk = self._loading()
            loop = asyncio.new_event_loop()
            client = lend(sdk, loop)
            loaded.set_result((sdk, loop))
        except AegisError as error:
            loaded.set_exception(error)
            return
        finally:
            if not loaded.done():  # what it was goes on to the thread's hook, which prints it
                loaded.set_exception(ConfigurationError("the Feishu SDK cannot be loaded"))
        try:
            loop.run_forever()
        finally:
            _empty(loop, client)


def _empty(loop: asyncio.AbstractEventLoop, client: SharedClient) -> None:
    waiting = asyncio.all_tasks(loop)
    for task in waiting:
        task.cancel()
    if waiting:
        loop.run_until_complete(asyncio.wait(waiting, timeout=CLOSING_S))
    loop.run_until_complete(client.aclose())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()

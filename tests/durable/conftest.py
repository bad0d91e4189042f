"""A durable engine on a file, and the flows that tests run on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from aegis.adapters.system_clock import SystemClock
from aegis.durable.engine import Durable, Flow

Launch = Callable[[Sequence[Flow]], AbstractAsyncContextManager[Durable]]


@pytest.fixture
def launched(tmp_path: Path) -> Launch:
    """Launch again and again on the same file; the second finds what the first one left."""

    @asynccontextmanager
    async def launch(flows: Sequence[Flow]) -> AsyncIterator[Durable]:
        durable = Durable(f"sqlite:///{tmp_path / 'aegis.db'}", flows, SystemClock())
        await asyncio.to_thread(durable.launch)
        try:
            yield durable
        finally:
            await asyncio.to_thread(durable.shutdown, 5)

    return launch


async def until(condition: Callable[[], bool], within_s: float = 10) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 the other side is a thread of DBOS
            await asyncio.sleep(0.02)

"""One question from its beginning to its end, in a process that does nothing else meanwhile."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Result = TypeVar("Result")


def run_to_end(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """`asyncio.run` for a large result.

    When `asyncio.run` of Python 3.11 puts the signal handler back, `signal` formats it for
    an error it swallows, and with it the task and its whole result: seconds for a case. So
    the task itself returns nothing.
    """
    results: list[Result] = []

    async def keep() -> None:
        results.append(await coroutine)

    with _uncollected():
        asyncio.run(keep())
    return results[0]


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector, which takes a third of the time of an analysis.

    Answers are millions of lists and objects that end by themselves, and it looks at all of
    them again and again. An analysis is over in seconds; what it leaves is collected after.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()

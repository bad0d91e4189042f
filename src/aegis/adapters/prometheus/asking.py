"""Asks many expressions in few requests; what a server refuses is narrowed down and told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from aegis.adapters.prometheus.answers import Row
from aegis.adapters.prometheus.api import PrometheusApi
from aegis.adapters.prometheus.batches import OVERHEAD, apart, counted, joined
from aegis.adapters.prometheus.governor import (
    MOST_ANSWER,
    MOST_COUNTS,
    Grid,
    counted_at,
    text_batches,
)
from aegis.model.errors import AnswerTooLarge, SourceError, SourceRejected
from aegis.model.telemetry import TimeWindow

UNCOUNTED = 50
"""Series to expect of an expression that could not be counted."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Series of each expression, and how long the slowest counting took."""

    series: tuple[int, ...]
    took_s: float


@dataclass(slots=True)
class Asker:
    """`failed` gathers the places of expressions without an answer, and why."""

    api: PrometheusApi
    most_requests: int
    failed: dict[int, SourceError] = field(default_factory=dict)

    async def count(
        self, expressions: Sequence[str], window: TimeWindow, longest_query: int
    ) -> Counts:
        """The most at a few moments of the later half, each batch in one request.

        What cannot be counted is taken for UNCOUNTED; 0 = nothing there at any of them.
        """
        lengths = [len(one) + OVERHEAD for one in expressions]
        batches = [one for one in text_batches(lengths, longest_query, MOST_COUNTS) if one]
        counted_over = {place for batch in batches for place in batch}
        series = {
            place: UNCOUNTED for place in range(len(expressions)) if place not in counted_over
        }
        loop = asyncio.get_running_loop()
        took: list[float] = []

        later, step_s = counted_at(window)

        async def one(batch: list[int]) -> None:
            began = loop.time()
            try:
                asked = counted({place: expressions[place] for place in batch})
                rows = apart((await self.api.over(asked, later, step_s)).rows)
            except SourceRejected:
                # One of them is not understood: the range queries will tell which.
                rows = {}
                series.update(dict.fromkeys(batch, UNCOUNTED))
            took.append(loop.time() - began)
            for place in batch:
                amounts = [int(row.values.max()) for row in rows.get(place, []) if len(row.values)]
                series[place] = max(series.get(place, 0), *amounts, 0)

        with leaves():
            async with asyncio.TaskGroup() as group:
                for batch in batches:
                    group.create_task(one(batch))
        found = tuple(series[place] for place in range(len(expressions)))
        return Counts(found, max(took, default=0.0))

    async def read(
        self, expressions: Sequence[str], batches: Sequence[Sequence[int]], grid: Grid
    ) -> dict[int, list[Row]]:
        """Rows of each place; those without an answer are in `failed`."""
        found: dict[int, list[Row]] = {}

        async def one(batch: Sequence[int]) -> None:
            asked = joined({place: expressions[place] for place in batch})
            try:
                result = await self.api.over(asked, grid.closed, grid.step_s, MOST_ANSWER)
            except SourceRejected as error:
                # The halves cost two requests. What is too large was read to its limit: halves
                # of it would eat the bytes that logs and traces of the same question need.
                is_large = isinstance(error, AnswerTooLarge)
                if len(batch) > 1 and not is_large and self._may_ask(2):
                    half = len(batch) // 2
                    await one(batch[:half])
                    await one(batch[half:])
                else:
                    self.failed.update(dict.fromkeys(batch, error))
            except SourceError as error:
                self.failed.update(dict.fromkeys(batch, error))
            else:
                found.update(apart(result.rows))

        with leaves():
            async with asyncio.TaskGroup() as group:
                for batch in batches:
                    group.create_task(one(batch))
        return found

    def _may_ask(self, more: int) -> bool:
        return self.api.asked + more <= self.most_requests

    def check(self, places: Sequence[int]) -> None:
        """Raises the last error where none of the expressions was answered."""
        if places and set(places) <= set(self.failed):
            raise next(reversed(self.failed.values()))


@contextmanager
def leaves() -> Iterator[None]:
    """What a TaskGroup raises, as the error that ended it."""
    try:
        yield
    except BaseExceptionGroup as failed:
        error: BaseException = failed
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None

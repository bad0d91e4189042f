"""The same time yesterday and last week, for what speaks for the leading causes.

It comes after the ranking and changes nothing in it. Whatever goes wrong here is left unsaid:
nobody asked for it, and an answer without it is whole.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta

from aegis.agent.steps import Step, Watch
from aegis.engine.other_times import OtherTime, to_compare, with_other_times
from aegis.model.diagnosis import Diagnosis
from aegis.model.errors import InvalidWindow, SourceError
from aegis.model.telemetry import Matrix, TimeWindow
from aegis.model.text import Text
from aegis.ports import MetricHistory

DEADLINE_S = 3.0
DAYS: tuple[tuple[Text, timedelta], ...] = (
    (Text("昨天", "yesterday"), timedelta(days=1)),
    (Text("上周", "last week"), timedelta(days=7)),
)


async def with_history(
    diagnosis: Diagnosis, metrics: Matrix, source: MetricHistory | None, watch: Watch
) -> tuple[Diagnosis, tuple[Step, ...]]:
    """No steps where there is nothing to compare, or nobody to ask."""
    queries = [item.query for item in to_compare(diagnosis)]
    if source is None or not queries:
        return diagnosis, ()
    asked = json.dumps({"queries": len(queries), "days_before": [ago.days for _, ago in DAYS]})
    watch.started("read_history", asked)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_typical(source, queries, _before(diagnosis.window, ago)))
            for _, ago in DAYS
        ]
    times = tuple(
        OtherTime(name, dict(zip(queries, task.result(), strict=True)))
        for (name, _), task in zip(DAYS, tasks, strict=True)
    )
    told, count = with_other_times(diagnosis, metrics, times)
    step = Step("read_history", asked, json.dumps({"compared": count}))
    watch.ended(step)
    return told, (step,)


async def _typical(
    source: MetricHistory, queries: Sequence[str], window: TimeWindow
) -> Sequence[float | None]:
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await source.typical(queries, window)
    except (SourceError, InvalidWindow, TimeoutError):
        return [None] * len(queries)


def _before(window: TimeWindow, ago: timedelta) -> TimeWindow:
    return TimeWindow(window.start - ago, window.end - ago)

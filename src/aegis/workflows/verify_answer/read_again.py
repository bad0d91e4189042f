"""All sources once more, made ready as an analysis makes them: what was cited was made so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from aegis.agent.beside import read_changes
from aegis.agent.exported_events import sort_out_events, without_doubles
from aegis.agent.joined_names import NameRules, join_names
from aegis.agent.monitor import DEADLINE_S, Sources
from aegis.agent.steps import UNWATCHED
from aegis.model.alert import Alert
from aegis.model.errors import InvalidCase, SourceError
from aegis.model.incident import Observations
from aegis.model.telemetry import Change, LogTable, Matrix, SpanTable, TimeWindow
from aegis.model.text import Text, told_why

Rows = TypeVar("Rows", Matrix, SpanTable, LogTable, tuple[Alert, ...])

NO_SOURCE = Text("没有可以再次查询的数据源。", "There is no source to ask again.")


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """All sources, read once, and why one could not be."""

    metrics: Matrix
    spans: SpanTable
    logs: LogTable
    alerts: tuple[Alert, ...]
    changes: tuple[Change, ...]
    no_metrics: Text | None
    no_traces: Text | None
    no_logs: Text | None
    no_alerts: Text | None


async def read_again(
    sources: Sources, changes: Sequence[Change], reach: TimeWindow, names: NameRules | None
) -> Tables:
    """`changes` are known beforehand, those that a source tells of come to them.

    `names` as for an analysis: None where the sources are known to spell names alike.
    """
    no_alerts: tuple[Alert, ...] = ()
    async with asyncio.TaskGroup() as group:
        metrics = group.create_task(_read(lambda: sources.metrics.read_metrics(reach), Matrix()))
        spans = group.create_task(
            _read(lambda: sources.traces.read_spans(reach), SpanTable.empty())
        )
        logs = group.create_task(_read(lambda: sources.logs.read_logs(reach), LogTable.empty()))
        told = group.create_task(read_changes(sources.changes, reach, UNWATCHED, DEADLINE_S))
        rung = sources.alerts
        alerts = (
            None
            if rung is None
            else group.create_task(_read(lambda: rung.read_alerts(reach), no_alerts))
        )
    read = Tables(
        metrics.result()[0],
        spans.result()[0],
        logs.result()[0],
        no_alerts if alerts is None else alerts.result()[0],
        (*changes, *told.result().rows),
        metrics.result()[1],
        spans.result()[1],
        logs.result()[1],
        NO_SOURCE if alerts is None else alerts.result()[1],
    )
    return read if names is None else _made_ready(read, reach, names)


def _made_ready(read: Tables, reach: TimeWindow, names: NameRules) -> Tables:
    exported = sort_out_events(read.logs, reach)
    changes = without_doubles(read.changes, exported.changes)
    seen = Observations(
        reach, reach, None, (), (), changes, read.metrics, read.spans, exported.lines
    )
    joined = join_names(seen, names).observations
    return replace(
        read,
        metrics=joined.metrics,
        spans=joined.spans,
        logs=joined.logs,
        changes=joined.changes,
    )


async def _read(
    ask: Callable[[], Awaitable[tuple[Rows, object]]], empty: Rows
) -> tuple[Rows, Text | None]:
    try:
        return (await ask())[0], None
    except (SourceError, InvalidCase) as error:
        why = str(error)
        silent = Text("数据源无法读取", "The source could not be read")
        return empty, told_why(silent, Text(why, why))

"""Collects what a question needs, by a fixed plan and without a model.

Every source either answers or becomes an EvidenceGap; a silent source is never "normal".
"""

from __future__ import annotations

import asyncio
import difflib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Generic, Literal, TypeVar, get_args

import numpy as np

from aegis.agent.answering import NAMES, answer_or_gap
from aegis.agent.beside import Told, read_alerts, read_changes
from aegis.agent.exported_events import Exported, sort_out_events, without_doubles
from aegis.agent.joined_names import NameRules, join_names
from aegis.agent.steps import UNWATCHED, Step, Watch, told_at_once
from aegis.model.alert import Alert
from aegis.model.errors import AegisError, InvalidWindow, UnknownService
from aegis.model.evidence import EvidenceGap
from aegis.model.incident import Observations
from aegis.model.telemetry import (
    UNDATED,
    Alarm,
    Change,
    Int64s,
    LogTable,
    Matrix,
    SpanTable,
    TimeWindow,
    utc_text,
)
from aegis.model.text import Text
from aegis.ports import (
    AlertSource,
    ChangeSource,
    LogSource,
    MetricHistory,
    MetricSource,
    TraceSource,
)

DEADLINE_S = 30.0
UNASKED = frozenset({"unavailable", "not_configured"})
"""Reasons for which a source that holds nothing may still have something to tell."""

Table = TypeVar("Table", Matrix, SpanTable, LogTable)
Answered = tuple[Table, tuple[EvidenceGap, ...]]
SourceName = Literal["metrics", "traces", "logs"]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where telemetry is read from; None where there is nobody to ask.

    `history` is not collected from: it is asked about what an answer tells.
    """

    metrics: MetricSource
    traces: TraceSource
    logs: LogSource
    changes: ChangeSource | None = None
    alerts: AlertSource | None = None
    history: MetricHistory | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known before anything is measured.

    `extent` is the time to read; all of it outside the asked window is the baseline.
    `joins_names` says how names of one service are joined where sources spell them
    differently; None where they are known to agree.
    """

    extent: TimeWindow
    alarm: Alarm | None
    services: tuple[str, ...]
    calls: tuple[tuple[str, str], ...]
    changes: tuple[Change, ...]
    gaps: tuple[EvidenceGap, ...] = ()
    joins_names: NameRules | None = None


async def collect(
    sources: Sources,
    scene: Scene,
    window: TimeWindow,
    deadline_s: float = DEADLINE_S,
    watch: Watch = UNWATCHED,
) -> tuple[Observations, tuple[Step, ...]]:
    """Read every source over the extent; steps come in a fixed order.

    `watch` hears of each read as it begins and ends, in the order of those moments.
    Raises InvalidWindow where all sources answered and nothing lies in `window`.
    """
    _check_overlap(window, scene.extent)
    extent = _hull(window, scene.extent)

    reading = _Reading(extent, deadline_s, scene.gaps, watch)
    read = await _read_all(sources, reading, window)
    metrics, traces, logs = read.metrics, read.traces, read.logs
    matrix, spans = metrics.table, traces.table
    changes = (*scene.changes, *read.changes.rows)
    exported = Exported(logs.table, (), 0)
    if scene.joins_names is not None:
        exported = sort_out_events(logs.table, extent)
    lines = exported.lines
    times: dict[SourceName, Int64s] = {
        "metrics": _all([series.times_ns for series in matrix.series]),
        "traces": spans.start_ns,
        "logs": lines.time_ns[lines.time_ns != UNDATED],
    }
    gaps = [*scene.gaps, *metrics.gaps, *traces.gaps, *logs.gaps]
    silent = {gap.source for gap in gaps if gap.reason in UNASKED}
    gaps += [*read.changes.gaps, *read.alerts.gaps]
    if not silent and not any(window.contains(part).any() for part in times.values()):
        raise InvalidWindow("window", f"nothing was recorded from {_span_of(window)}")
    gaps += [_not_recorded(name) for name in get_args(SourceName) if reading.holds_nothing[name]]
    services = {*scene.services, *spans.services, *lines.services}
    services |= {series.service for series in matrix.series}
    observations = Observations(
        window,
        extent,
        scene.alarm,
        tuple(sorted(services)),
        scene.calls,
        without_doubles(changes, exported.changes),
        matrix,
        spans,
        lines,
        tuple(gaps),
        read.alerts.rows,
    )
    beside = (*read.changes.steps, *read.alerts.steps)
    steps = (*beside, metrics.step, traces.step, logs.step, *_told_of_events(exported, watch))
    if scene.joins_names is None:
        return observations, steps
    joined = join_names(observations, scene.joins_names)
    told = (told_at_once(Step("join_names", *joined.told()), watch),) if joined.names else ()
    return joined.observations, (*steps, *told)


def _told_of_events(exported: Exported, watch: Watch) -> tuple[Step, ...]:
    if not exported.events:
        return ()
    found = json.dumps({"events": exported.events, "changes": len(exported.changes)})
    step = Step("sort_out_events", json.dumps({"lines": len(exported.lines)}), found)
    return (told_at_once(step, watch),)


def with_alarm(observations: Observations, service: str) -> Observations:
    """The same with the alarm on a service a person named; UnknownService if nobody knows it."""
    if service not in observations.services:
        near = difflib.get_close_matches(service, observations.services, n=3, cutoff=0.5)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise UnknownService("service", f"{service!r} occurs nowhere in the telemetry{hint}")
    known = observations.alarm
    kind = known.kind if known is not None and known.service == service else None
    return replace(observations, alarm=Alarm(service, kind))


@dataclass(frozen=True, slots=True)
class _Read(Generic[Table]):
    """What one source answered, why not all of it, and how that is told."""

    table: Table
    gaps: tuple[EvidenceGap, ...]
    step: Step


@dataclass(frozen=True, slots=True)
class _Reading:
    """How every source is read; `holds_nothing` is filled in as they answer."""

    extent: TimeWindow
    deadline_s: float
    known_gaps: tuple[EvidenceGap, ...]
    watch: Watch
    holds_nothing: dict[SourceName, bool] = field(default_factory=dict)

    async def read(
        self, name: SourceName, ask: Callable[[], Awaitable[Answered[Table]]], empty: Table
    ) -> _Read[Table]:
        """One source; a silence or a failure becomes a gap."""
        tool = f"read_{name}"
        asked = json.dumps(self.extent.as_text())
        self.watch.started(tool, asked)
        table, gaps = await answer_or_gap(name, ask, empty, self.deadline_s)
        seen = _counts(table)
        silent = any(gap.reason in UNASKED for gap in gaps)
        self.holds_nothing[name] = not silent and not any(seen.values())
        reasons: list[str] = [gap.reason for gap in self.known_gaps if gap.source == name]
        reasons += [gap.reason for gap in gaps]
        reasons += ["not_recorded"] if self.holds_nothing[name] else []
        observation = json.dumps({**seen, "gaps": reasons} if reasons else seen)
        step = Step(tool, asked, observation)
        self.watch.ended(step)
        return _Read(table, gaps, step)


@dataclass(frozen=True, slots=True)
class _AllRead:
    metrics: _Read[Matrix]
    traces: _Read[SpanTable]
    logs: _Read[LogTable]
    changes: Told[Change]
    alerts: Told[Alert]


async def _read_all(sources: Sources, reading: _Reading, window: TimeWindow) -> _AllRead:
    """All sources at once. What breaks a recording ends the reading of the others too.

    Alerts are those of the window asked about, all else is of the extent.
    """
    extent, watch, deadline_s = reading.extent, reading.watch, reading.deadline_s

    async def metrics() -> Answered[Matrix]:
        return await sources.metrics.read_metrics(extent)

    async def traces() -> Answered[SpanTable]:
        return await sources.traces.read_spans(extent)

    async def logs() -> Answered[LogTable]:
        return await sources.logs.read_logs(extent)

    try:
        async with asyncio.TaskGroup() as group:
            changes = group.create_task(read_changes(sources.changes, extent, watch, deadline_s))
            alerts = group.create_task(read_alerts(sources.alerts, window, watch, deadline_s))
            of_metrics = group.create_task(reading.read("metrics", metrics, Matrix()))
            of_traces = group.create_task(reading.read("traces", traces, SpanTable.empty()))
            of_logs = group.create_task(reading.read("logs", logs, LogTable.empty()))
    except* AegisError as failed:
        raise _first_leaf(failed) from None
    return _AllRead(
        of_metrics.result(),
        of_traces.result(),
        of_logs.result(),
        changes.result(),
        alerts.result(),
    )


def _counts(table: Matrix | SpanTable | LogTable) -> dict[str, int]:
    if isinstance(table, Matrix):
        samples = sum(len(series.times_ns) for series in table.series)
        return {"series": len(table.series), "samples": samples}
    rows = "spans" if isinstance(table, SpanTable) else "lines"
    return {rows: len(table), "services": len(table.services)}


def _not_recorded(name: SourceName) -> EvidenceGap:
    kind = NAMES[name]
    said = Text(f"没有记录{kind.zh}。", f"No {kind.en} were recorded.")
    return EvidenceGap(name, "not_recorded", None, said)


def _check_overlap(window: TimeWindow, extent: TimeWindow) -> None:
    if window.end <= extent.start or window.start >= extent.end:
        recorded = f"the recording runs from {_span_of(extent)}"
        raise InvalidWindow("window", f"nothing was recorded from {_span_of(window)}; {recorded}")


def _hull(one: TimeWindow, other: TimeWindow) -> TimeWindow:
    return TimeWindow(min(one.start, other.start), max(one.end, other.end))


def _all(parts: list[Int64s]) -> Int64s:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def _first_leaf(failed: BaseExceptionGroup[AegisError]) -> AegisError:
    error: BaseException = failed
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, AegisError)  # noqa: S101
    return error


def _span_of(window: TimeWindow) -> str:
    return f"{utc_text(window.start)} to {utc_text(window.end)}"

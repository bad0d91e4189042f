"""Collects what a question needs, by a fixed plan and without a model.

Every source either answers or becomes an EvidenceGap; a silent source is never "normal".
"""

from __future__ import annotations

import asyncio
import difflib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np

from aegis.model.errors import AegisError, InvalidWindow, SourceError, UnknownService
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
)
from aegis.model.text import Text
from aegis.ports import LogSource, MetricSource, TraceSource

DEADLINE_S = 30.0

Table = TypeVar("Table")
Read = tuple[Table, tuple[EvidenceGap, ...]]
SourceName = Literal["metrics", "traces", "logs"]

_NAMES: dict[SourceName, Text] = {
    "metrics": Text("指标", "metrics"),
    "traces": Text("调用链", "traces"),
    "logs": Text("日志", "logs"),
}


@dataclass(frozen=True, slots=True)
class Sources:
    """Where telemetry is read from."""

    metrics: MetricSource
    traces: TraceSource
    logs: LogSource


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known before anything is measured.

    `extent` is the time to read; all of it outside the asked window is the baseline.
    """

    extent: TimeWindow
    alarm: Alarm | None
    services: tuple[str, ...]
    calls: tuple[tuple[str, str], ...]
    changes: tuple[Change, ...]
    gaps: tuple[EvidenceGap, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done on the way to an answer; input and observation are JSON."""

    tool: str
    tool_input: str
    observation: str


async def collect(
    sources: Sources, scene: Scene, window: TimeWindow, deadline_s: float = DEADLINE_S
) -> tuple[Observations, tuple[Step, ...]]:
    """Read every source over the extent; steps come in a fixed order.

    Raises InvalidWindow where all sources answered and nothing lies in `window`.
    """
    _check_overlap(window, scene.extent)
    extent = _hull(window, scene.extent)

    (matrix, metric_gaps), (spans, span_gaps), (lines, log_gaps) = await _read_all(
        sources, extent, deadline_s
    )
    times: dict[SourceName, Int64s] = {
        "metrics": _all([series.times_ns for series in matrix.series]),
        "traces": spans.start_ns,
        "logs": lines.time_ns[lines.time_ns != UNDATED],
    }
    gaps = [*scene.gaps, *metric_gaps, *span_gaps, *log_gaps]
    silent = {gap.source for gap in gaps if gap.reason == "unavailable"}
    if not silent and not any(window.contains(part).any() for part in times.values()):
        raise InvalidWindow("window", f"nothing was recorded from {_span_of(window)}")
    rows = {"metrics": len(matrix.series), "traces": len(spans), "logs": len(lines)}
    gaps += [_not_recorded(name) for name in times if not rows[name] and name not in silent]
    services = {*scene.services, *spans.services, *lines.services}
    services |= {series.service for series in matrix.series}
    observations = Observations(
        window,
        extent,
        scene.alarm,
        tuple(sorted(services)),
        scene.calls,
        scene.changes,
        matrix,
        spans,
        lines,
        tuple(gaps),
    )
    counts = {
        "metrics": {"series": len(matrix.series), "samples": len(times["metrics"])},
        "traces": {"spans": len(spans), "services": len(spans.services)},
        "logs": {"lines": len(lines), "services": len(lines.services)},
    }
    steps = [_step(name, extent, counts[name], gaps) for name in times]
    return observations, tuple(steps)


def with_alarm(observations: Observations, service: str) -> Observations:
    """The same with the alarm on a service a person named; UnknownService if nobody knows it."""
    if service not in observations.services:
        near = difflib.get_close_matches(service, observations.services, n=3, cutoff=0.5)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise UnknownService("service", f"{service!r} occurs nowhere in the telemetry{hint}")
    known = observations.alarm
    kind = known.kind if known is not None and known.service == service else None
    return replace(observations, alarm=Alarm(service, kind))


async def _read_all(
    sources: Sources, extent: TimeWindow, deadline_s: float
) -> tuple[Read[Matrix], Read[SpanTable], Read[LogTable]]:
    """All sources at once. What breaks a recording ends the reading of the others too."""

    async def metrics() -> Read[Matrix]:
        return await sources.metrics.read_metrics(extent), ()

    async def traces() -> Read[SpanTable]:
        return await sources.traces.read_spans(extent)

    async def logs() -> Read[LogTable]:
        return await sources.logs.read_logs(extent)

    try:
        async with asyncio.TaskGroup() as group:
            reading_metrics = group.create_task(_read("metrics", metrics, Matrix, deadline_s))
            reading_traces = group.create_task(_read("traces", traces, SpanTable.empty, deadline_s))
            reading_logs = group.create_task(_read("logs", logs, LogTable.empty, deadline_s))
    except* AegisError as failed:
        raise _first_leaf(failed) from None
    return reading_metrics.result(), reading_traces.result(), reading_logs.result()


async def _read(
    name: SourceName,
    ask: Callable[[], Awaitable[Read[Table]]],
    empty: Callable[[], Table],
    deadline_s: float,
) -> Read[Table]:
    try:
        async with asyncio.timeout(deadline_s):
            return await ask()
    except SourceError as error:
        why = str(error)
        return empty(), (_unavailable(name, Text(why, why)),)
    except TimeoutError:
        why_not = Text(f"{deadline_s:g} 秒内没有回答", f"no answer within {deadline_s:g} s")
        return empty(), (_unavailable(name, why_not),)


def _unavailable(name: SourceName, why: Text) -> EvidenceGap:
    kind = _NAMES[name]
    return EvidenceGap(
        name,
        "unavailable",
        None,
        Text(f"{kind.zh}无法读取：{why.zh}。", f"The {kind.en} could not be read: {why.en}."),
    )


def _not_recorded(name: SourceName) -> EvidenceGap:
    kind = _NAMES[name]
    said = Text(f"没有记录{kind.zh}。", f"No {kind.en} were recorded.")
    return EvidenceGap(name, "not_recorded", None, said)


def _step(
    name: SourceName, extent: TimeWindow, counts: dict[str, int], gaps: list[EvidenceGap]
) -> Step:
    asked = {"start": _iso(extent.start), "end": _iso(extent.end)}
    seen: dict[str, object] = dict(counts)
    reasons = [gap.reason for gap in gaps if gap.source == name]
    if reasons:
        seen["gaps"] = reasons
    return Step(f"read_{name}", json.dumps(asked), json.dumps(seen))


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
    return f"{_iso(window.start)} to {_iso(window.end)}"


def _iso(moment: object) -> str:
    return str(moment).replace(" ", "T").replace("+00:00", "Z")

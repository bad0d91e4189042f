"""Builders of small telemetry for tests of the engine. Seconds count from `EPOCH_OF_TESTS`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from aegis.engine.findings import Finding
from aegis.model.evidence import EvidenceGap, Signal, Source
from aegis.model.incident import Observations
from aegis.model.telemetry import (
    Alarm,
    Change,
    LogLine,
    LogTable,
    Matrix,
    Series,
    Span,
    SpanTable,
    TimeWindow,
    to_ns,
)
from tests.recordings import log_table, span_table

EPOCH_OF_TESTS = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
SECOND_NS = 1_000_000_000
MS_NS = 1_000_000

_SOURCES: dict[Signal, Source] = {
    "self_time": "traces",
    "call_time": "traces",
    "error_spans": "traces",
    "call_structure": "traces",
    "error_logs": "logs",
    "log_rate": "logs",
    "log_sequence": "logs",
    "change": "changes",
}


def moment(seconds: float) -> datetime:
    return EPOCH_OF_TESTS + timedelta(seconds=seconds)


def at_ns(seconds: float) -> int:
    """Nanoseconds of a moment, exact where `seconds` is a whole number."""
    return to_ns(EPOCH_OF_TESTS) + round(seconds * SECOND_NS)


def window(start_s: float, end_s: float) -> TimeWindow:
    return TimeWindow(moment(start_s), moment(end_s))


def series(
    service: str,
    name: str,
    values: Sequence[float],
    *,
    step_s: float = 60,
    start: float = 0,
    labels: tuple[tuple[str, str], ...] = (),
    times_s: Sequence[float] | None = None,
) -> Series:
    """Samples `step_s` apart from `start` seconds on, or at the times given."""
    if times_s is None:
        times_s = [start + step_s * index for index in range(len(values))]
    times = np.array([at_ns(time) for time in times_s], dtype=np.int64)
    query = f'{name}{{service="{service}"}}'
    return Series(service, name, labels, times, np.array(values, dtype=np.float64), query)


def span(
    trace_id: str,
    span_id: str,
    parent_span_id: str = "",
    service: str = "shop",
    operation: str = "GET /",
    *,
    start_s: float = 0,
    ms: float = 10,
    error: bool = False,
) -> Span:
    """One span; an empty parent makes it a root."""
    return Span(
        trace_id,
        span_id,
        parent_span_id,
        service,
        operation,
        at_ns(start_s),
        round(ms * MS_NS),
        error,
    )


def spans(rows: Iterable[Span]) -> SpanTable:
    """The rows as a table in canonical order; empty when there are none."""
    rows = list(rows)
    return span_table(rows) if rows else SpanTable.empty()


def line(
    time_s: float,
    service: str,
    body: str,
    level: str | None = None,
    trace_id: str = "",
    span_id: str = "",
) -> LogLine:
    return LogLine(at_ns(time_s), service, body, level, trace_id, span_id)


def logs(rows: Iterable[LogLine]) -> LogTable:
    """The rows as a table in canonical order; empty when there are none."""
    rows = list(rows)
    return log_table(rows) if rows else LogTable.empty()


def observations(
    asked: TimeWindow,
    *,
    metrics: Iterable[Series] = (),
    spans: SpanTable | None = None,
    logs: LogTable | None = None,
    services: Iterable[str] = (),
    calls: Iterable[tuple[str, str]] = (),
    changes: Iterable[Change] = (),
    alarm: Alarm | None = None,
    gaps: Iterable[EvidenceGap] = (),
    extent: TimeWindow | None = None,
) -> Observations:
    """What the engine gets for one question; `extent` is the window unless given."""
    return Observations(
        window=asked,
        extent=asked if extent is None else extent,
        alarm=alarm,
        services=tuple(services),
        calls=tuple(calls),
        changes=tuple(changes),
        metrics=Matrix(tuple(metrics)),
        spans=SpanTable.empty() if spans is None else spans,
        logs=LogTable.empty() if logs is None else logs,
        gaps=tuple(gaps),
    )


def finding(
    service: str = "cart",
    signal: Signal = "cpu",
    surprise: float = 2.0,
    *,
    source: Source | None = None,
    peer: str | None = None,
    subject: str = "subject",
    baseline: float | None = 1.0,
    observed: float | None = 2.0,
    unit: str = "",
    times_s: Sequence[float] = (0.0, 60.0),
    values: Sequence[float] = (1.0, 2.0),
    share: float = 1.0,
    onset_s: float | None = None,
    outbound: bool = False,
    samples: tuple[str, ...] = (),
) -> Finding:
    """One deviation; its source follows its signal unless given."""
    return Finding(
        source=_SOURCES.get(signal, "metrics") if source is None else source,
        signal=signal,
        service=service,
        peer=peer,
        subject=subject,
        query=f'{subject}{{service="{service}"}}',
        surprise=surprise,
        baseline=baseline,
        observed=observed,
        unit=unit,
        times_ns=np.array([at_ns(time) for time in times_s], dtype=np.int64),
        values=np.array(values, dtype=np.float64),
        share=share,
        onset_ns=None if onset_s is None else at_ns(onset_s),
        samples=samples,
        outbound=outbound,
    )

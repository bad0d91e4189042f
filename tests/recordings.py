"""Telemetry for tests: tables from rows, rows from tables, and one small incident."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from aegis.adapters.cases.metric_rows import selector
from aegis.adapters.cases.writer import write_case
from aegis.model.incident import Asked, CaseHeader, TrueCause
from aegis.model.telemetry import (
    Alarm,
    Change,
    Int32s,
    LogLine,
    LogTable,
    Matrix,
    Series,
    Span,
    SpanTable,
    TimeWindow,
    to_ns,
)

START = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
SECOND = 1_000_000_000
MS = 1_000_000


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def ns(minutes: float) -> int:
    return to_ns(at(minutes))


def between(start_minutes: float, end_minutes: float) -> TimeWindow:
    return TimeWindow(at(start_minutes), at(end_minutes))


def series(
    service: str,
    name: str,
    points: Sequence[tuple[int, float]],
    labels: tuple[tuple[str, str], ...] = (),
) -> Series:
    times = np.array([time for time, _ in points], dtype=np.int64)
    values = np.array([value for _, value in points], dtype=np.float64)
    return Series(service, name, labels, times, values, selector(service, name, labels))


def span_table(spans: Sequence[Span]) -> SpanTable:
    ordered = sorted(spans, key=lambda one: (one.trace_id, one.start_ns, one.span_id))
    services, service_code = _coded([one.service for one in ordered])
    operations, operation_code = _coded([one.operation for one in ordered])
    return SpanTable(
        np.array([one.trace_id.encode() for one in ordered], dtype=np.bytes_),
        np.array([one.span_id.encode() for one in ordered], dtype=np.bytes_),
        np.array([one.parent_span_id.encode() for one in ordered], dtype=np.bytes_),
        service_code,
        services,
        operation_code,
        operations,
        np.array([one.start_ns for one in ordered], dtype=np.int64),
        np.array([one.duration_ns for one in ordered], dtype=np.int64),
        np.array([one.error for one in ordered], dtype=np.bool_),
    )


def spans_of(table: SpanTable) -> list[Span]:
    return [
        Span(
            table.trace_id[row].decode(),
            table.span_id[row].decode(),
            table.parent_span_id[row].decode(),
            table.services[table.service_code[row]],
            table.operations[table.operation_code[row]],
            int(table.start_ns[row]),
            int(table.duration_ns[row]),
            bool(table.error[row]),
        )
        for row in range(len(table))
    ]


def log_table(lines: Sequence[LogLine]) -> LogTable:
    ordered = sorted(
        lines, key=lambda one: (one.service, one.time_ns, one.body, one.trace_id, one.span_id)
    )
    services, service_code = _coded([one.service for one in ordered])
    levels, level_code = _coded([one.level for one in ordered])
    return LogTable(
        np.array([one.time_ns for one in ordered], dtype=np.int64),
        service_code,
        services,
        tuple(one.body for one in ordered),
        level_code,
        levels,
        np.array([one.trace_id.encode() for one in ordered], dtype=np.bytes_),
        np.array([one.span_id.encode() for one in ordered], dtype=np.bytes_),
    )


def lines_of(table: LogTable) -> list[LogLine]:
    return [
        LogLine(
            int(table.time_ns[row]),
            table.services[table.service_code[row]],
            table.body[row],
            table.levels[table.level_code[row]] if table.level_code[row] >= 0 else None,
            table.trace_id[row].decode(),
            table.span_id[row].decode(),
        )
        for row in range(len(table))
    ]


def _coded(names: Sequence[str | None]) -> tuple[tuple[str, ...], Int32s]:
    distinct = sorted({name for name in names if name is not None})
    codes = {name: code for code, name in enumerate(distinct)}
    numbers = [-1 if name is None else codes[name] for name in names]
    return tuple(distinct), np.array(numbers, dtype=np.int32)


@dataclass(frozen=True)
class Recording:
    """All that a case folder holds."""

    header: CaseHeader
    metrics: Matrix
    spans: SpanTable
    logs: LogTable
    truth: tuple[TrueCause, ...] | None = ()

    def write(self, folder: Path) -> Path:
        write_case(folder, self.header, self.metrics, self.spans, self.logs, self.truth)
        return folder


@dataclass
class SmallShop:
    """40 minutes of shop -> cart -> store; from minute 30 to 36 the store is slow and hot.

    Everything is computed, nothing drawn: the same shop every time.
    """

    faulty: bool = True
    fault: TimeWindow = field(default_factory=lambda: between(30, 36))

    def recording(self, name: str = "small-shop") -> Recording:
        truth = (TrueCause("store", "cpu stress", "cpu"),) if self.faulty else ()
        header = CaseHeader(
            name,
            "tests",
            self.fault,
            Alarm("shop", "latency"),
            ("cart", "shop", "store"),
            (("cart", "store"), ("shop", "cart")),
            (Change("cart", at(5), "deploy", "v2"),),
            Asked("Why is the shop slow?", at(25), at(40)),
        )
        return Recording(header, self._metrics(), self._spans(), self._logs(), truth)

    def _hurt(self, minute: float) -> bool:
        return self.faulty and self.fault.start <= at(minute) < self.fault.end

    def _metrics(self) -> Matrix:
        every = [index * 0.5 for index in range(80)]
        found = []
        for place, service in enumerate(("cart", "shop", "store")):
            hot = [
                (ns(m), 20.0 + (m * (3 + place)) % 4 + (60 if self._hurt(m) and place == 2 else 0))
                for m in every
            ]
            slow = [(ns(m), 0.05 + m % 3 / 500 + (0.3 if self._hurt(m) else 0)) for m in every]
            found += [series(service, "cpu_usage_percent", hot)]
            found += [series(service, "request_latency_p90_seconds", slow)]
        return Matrix(tuple(found))

    def _spans(self) -> SpanTable:
        spans = []
        for number in range(400):
            minute = number / 10
            own = (40 + number % 7 + (300 if self._hurt(minute) else 0)) * MS
            start, trace = ns(minute), f"{number:032x}"
            ids = [f"{number:012x}{place:04x}" for place in range(3)]
            names = (("shop", "GET /"), ("cart", "read"), ("store", "select"))
            for place, (service, operation) in enumerate(names):
                parent = ids[place - 1] if place else ""
                took = own + (2 - place) * 10 * MS
                began = start + place * 5 * MS
                spans.append(
                    Span(trace, ids[place], parent, service, operation, began, took, False)
                )
        return span_table(spans)

    def _logs(self) -> LogTable:
        lines = []
        for number in range(400):
            minute, trace = number / 10, f"{number:032x}"
            span = f"{number:012x}{2:04x}"
            lines.append(
                LogLine(ns(minute), "store", f"select took {number} rows", "INFO", trace, span)
            )
            if self._hurt(minute):
                body = f"select of order {number} was throttled"
                lines.append(LogLine(ns(minute) + MS, "store", body, "ERROR", trace, span))
        return log_table(lines)

"""Telemetry as the engine reads it: time windows, metric series, spans and log lines.

Spans and log lines come as columns (numpy arrays of equal length), because a question
reads hundreds of thousands of rows. Integer columns that end in `_code` index the tuple
of names beside them; -1 means "none". Times are nanoseconds since the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]
Int32s = NDArray[np.int32]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ids = NDArray[np.bytes_]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNDATED = np.iinfo(np.int64).min
"""Time of a log line whose own clock cannot be read or believed."""


def to_ns(moment: datetime) -> int:
    """Nanoseconds since the epoch of an aware datetime, exact to the microsecond."""
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000


def from_ns(time_ns: int) -> datetime:
    """The UTC datetime of a nanosecond timestamp, cut to the microsecond."""
    return EPOCH + timedelta(microseconds=time_ns // 1000)


def utc_text(moment: datetime) -> str:
    """ISO 8601 with a Z for UTC, as every answer and trace writes times."""
    return moment.isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, order=True)
class TimeWindow:
    """A half-open interval [start, end) of aware datetimes; `end` is after `start`."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a TimeWindow needs times with an offset")
        if self.end <= self.start:
            raise ValueError("a TimeWindow ends after it starts")

    @property
    def start_ns(self) -> int:
        return to_ns(self.start)

    @property
    def end_ns(self) -> int:
        return to_ns(self.end)

    def as_text(self) -> dict[str, str]:
        """Start and end as `utc_text`, the way JSON carries a window."""
        return {"start": utc_text(self.start), "end": utc_text(self.end)}

    @property
    def duration_s(self) -> float:
        return (self.end - self.start).total_seconds()

    def contains(self, times_ns: Int64s) -> Bools:
        """Which of the times lie in the window; shape as given."""
        inside: Bools = (times_ns >= self.start_ns) & (times_ns < self.end_ns)
        return inside


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One metric of one service.

    `times_ns` ascends and has the length of `values` (finite, unit as the name says).
    `query` is what to ask the source again to get the same rows.
    """

    service: str
    name: str
    labels: tuple[tuple[str, str], ...]
    times_ns: Int64s
    values: Floats
    query: str


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """All series of a question; empty when no metric source answered."""

    series: tuple[Series, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """One row of a SpanTable, for people and tests."""

    trace_id: str
    span_id: str
    parent_span_id: str
    service: str
    operation: str
    start_ns: int
    duration_ns: int
    error: bool


@dataclass(frozen=True, slots=True, eq=False)
class SpanTable:
    """Spans as columns, sorted by (trace_id, start_ns, span_id).

    A span whose parent is not in the same trace is a root. `sampled_share` is the share of
    the recorded traces that was read: 1.0 unless a size cap was hit.
    """

    trace_id: Ids
    span_id: Ids
    parent_span_id: Ids
    service_code: Int32s
    services: tuple[str, ...]
    operation_code: Int32s
    operations: tuple[str, ...]
    start_ns: Int64s
    duration_ns: Int64s
    error: Bools
    sampled_share: float = 1.0

    def __len__(self) -> int:
        return len(self.start_ns)

    def rows(self, chosen: Bools | Int64s) -> SpanTable:
        """Some rows, by mask or in the order of their numbers; all names stay."""
        return replace(
            self,
            trace_id=self.trace_id[chosen],
            span_id=self.span_id[chosen],
            parent_span_id=self.parent_span_id[chosen],
            service_code=self.service_code[chosen],
            operation_code=self.operation_code[chosen],
            start_ns=self.start_ns[chosen],
            duration_ns=self.duration_ns[chosen],
            error=self.error[chosen],
        )

    @staticmethod
    def empty() -> SpanTable:
        ids = np.zeros(0, dtype="S1")
        codes = np.zeros(0, dtype=np.int32)
        times = np.zeros(0, dtype=np.int64)
        return SpanTable(
            ids, ids, ids, codes, (), codes, (), times, times, np.zeros(0, dtype=np.bool_)
        )


@dataclass(frozen=True, slots=True)
class LogLine:
    """One row of a LogTable, for people and tests."""

    time_ns: int
    service: str
    body: str
    level: str | None = None
    trace_id: str = ""
    span_id: str = ""


LogRow = tuple[str, int, str, bytes, bytes, str | None]
"""Service, time_ns, body, trace id, span id, level: a line on its way into a LogTable."""


@dataclass(frozen=True, slots=True, eq=False)
class LogTable:
    """Log lines as columns, sorted by (time_ns, body, trace_id, span_id) within a service.

    `time_ns` is UNDATED where the source gave no believable time. `level_code` is -1 where
    the source gave no level; ids are empty where the line names no trace. `selectors` tell how
    the source would be asked for the lines of a service, as far as it has a language for that.
    """

    time_ns: Int64s
    service_code: Int32s
    services: tuple[str, ...]
    body: tuple[str, ...]
    level_code: Int32s
    levels: tuple[str, ...]
    trace_id: Ids
    span_id: Ids
    sampled_share: float = 1.0
    selectors: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.time_ns)

    def rows(self, chosen: Bools | Int64s) -> LogTable:
        """Some rows, by mask or in the order of their numbers; all names stay."""
        numbers = np.arange(len(self))[chosen].tolist()
        return replace(
            self,
            time_ns=self.time_ns[chosen],
            service_code=self.service_code[chosen],
            body=tuple(self.body[row] for row in numbers),
            level_code=self.level_code[chosen],
            trace_id=self.trace_id[chosen],
            span_id=self.span_id[chosen],
        )

    @staticmethod
    def of(rows: Iterable[LogRow], sampled_share: float = 1.0) -> LogTable:
        """The rows in the order of a table, whatever order they come in."""
        ordered = sorted(rows, key=lambda one: (*one[:5], one[5] or ""))
        if not ordered:
            return replace(LogTable.empty(), sampled_share=sampled_share)
        names, times, bodies, traces, spans, levels = zip(*ordered, strict=True)
        services, service_code = _coded(names)
        known_levels, level_code = _coded(levels)
        return LogTable(
            np.array(times, dtype=np.int64),
            service_code,
            services,
            tuple(bodies),
            level_code,
            known_levels,
            np.array(traces, dtype=np.bytes_),
            np.array(spans, dtype=np.bytes_),
            sampled_share,
        )

    @staticmethod
    def empty() -> LogTable:
        ids = np.zeros(0, dtype="S1")
        codes = np.zeros(0, dtype=np.int32)
        return LogTable(np.zeros(0, dtype=np.int64), codes, (), (), codes, (), ids, ids)


ONE_ROLLOUT_NS = 180 * 1_000_000_000
"""Signs of one rollout come this close to each other."""


@dataclass(frozen=True, slots=True)
class Change:
    """A deploy or a configuration change of a service.

    `title` and `url` are what a person wrote or a tool links to: text, never fetched.
    """

    service: str
    time: datetime
    kind: str | None = None
    version: str | None = None
    title: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class ReportedChange:
    """A change that a tool or a person told of. Equal keys are one change."""

    key: str
    source: str
    change: Change


@dataclass(frozen=True, slots=True)
class Alarm:
    """What rang: the service it rang for and, if known, what kind of symptom."""

    service: str | None
    kind: Literal["latency", "errors"] | None


@dataclass(frozen=True, slots=True)
class ServiceGraph:
    """Who calls whom: (caller, callee) pairs without repetition; may hold cycles."""

    calls: frozenset[tuple[str, str]] = field(default_factory=frozenset)


def _coded(names: Sequence[str | None]) -> tuple[tuple[str, ...], Int32s]:
    """The names, sorted, and for each place the number of its name; -1 for none."""
    distinct = sorted({name for name in names if name is not None})
    codes = {name: code for code, name in enumerate(distinct)}
    numbers = [-1 if name is None else codes[name] for name in names]
    return tuple(distinct), np.array(numbers, dtype=np.int32)

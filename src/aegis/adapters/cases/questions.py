"""Narrow questions to a recorded incident: what tools ask of live backends, asked of a case.

PromQL is not evaluated: a selector alone (`name{service="cart"}`) gives the recorded series.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from aegis.adapters.cases.recorded import RecordedCase
from aegis.adapters.cases.tables import log_rows, span_rows
from aegis.adapters.log_groups import grouped
from aegis.adapters.prometheus.promql import MOST_SERIES, check_range
from aegis.adapters.prometheus.selectors import Selector, lone_selector
from aegis.model.errors import InvalidRequest, UnsupportedQuery
from aegis.model.evidence import EvidenceGap, Source
from aegis.model.log_search import LogEvidence, LogPattern, LogSearchRequest, LogVolume
from aegis.model.metric_query import (
    MetricFacts,
    MetricListing,
    MetricRequest,
    QueriedMetrics,
    QueriedSeries,
)
from aegis.model.telemetry import (
    Bools,
    Change,
    Floats,
    Int64s,
    LogTable,
    Series,
    SpanTable,
    TimeWindow,
)
from aegis.model.text import Text
from aegis.model.trace_search import TraceRequest

LOOK_BACK_NS = 300 * 1_000_000_000
"""As Prometheus does: a sample counts for five minutes."""
MOST_LINES = 500
MOST_TRACES = 20
MOST_VALUES = 6
_TRACE_ID = re.compile(r"[0-9a-zA-Z_-]{1,64}")


@dataclass(frozen=True, slots=True)
class CaseQuestions:
    """All that tools can ask, of one case."""

    case: RecordedCase

    async def query_range(self, asked: MetricRequest) -> QueriedMetrics:
        check_range(asked.promql, asked.window.duration_s, asked.step_s)
        wanted = lone_selector(asked.promql)
        if wanted is None or any(sign in ("=~", "!~") for _, sign, _ in wanted.matchers):
            raise UnsupportedQuery(
                "promql",
                "a recorded case answers a plain selector only, such as "
                'cpu_usage{service="cart"} with = and !=',
            )
        before = asked.window.start - timedelta(microseconds=LOOK_BACK_NS // 1000)
        reach = TimeWindow(before, asked.window.end)
        matrix, gaps = await self.case.read_metrics(reach)
        step_ns = asked.step_s * 1_000_000_000
        points = np.arange(asked.window.start_ns, asked.window.end_ns, step_ns)
        found = [
            sampled
            for series in matrix.series
            if _selects(wanted, series) and (sampled := _at(series, points)) is not None
        ]
        found.sort(key=lambda one: one.labels)
        return QueriedMetrics(tuple(found[:MOST_SERIES]), len(found), gaps)

    async def describe(self, contains: str, window: TimeWindow, most: int) -> MetricListing:
        matrix, _ = await self.case.read_metrics(window)
        labels: dict[str, dict[str, set[str]]] = {}
        for series in matrix.series:
            of_name = labels.setdefault(series.name, {})
            for label, value in _labels(series).items():
                if label != "__name__":
                    of_name.setdefault(label, set()).add(value)
        fits = [name for name in sorted(labels) if contains.strip().lower() in name.lower()]
        facts = [MetricFacts(name, "", "", "", _some(labels[name])) for name in fits[:most]]
        return MetricListing(tuple(facts), len(fits), len(labels))

    async def collect_evidence(self, asked: LogSearchRequest) -> LogEvidence:
        if not 1 <= asked.most_lines <= MOST_LINES:
            raise InvalidRequest("most_lines", f"must be from 1 to {MOST_LINES}")
        table, gaps = await self.case.read_logs(asked.window)
        says = _says(asked)
        of_service = np.isin(np.array(table.services, dtype=object), asked.services)
        wanted = [
            (not asked.services or bool(of_service[code])) and says(body)
            for code, body in zip(table.service_code.tolist(), table.body, strict=True)
        ]
        matching = log_rows(table, np.array(wanted, dtype=np.bool_))
        read = matching.rows(_spread(matching, asked.most_lines))
        if len(matching) > len(read):
            gaps = (*gaps, _some_of("logs", len(read), len(matching), "行", "lines"))
        counted = sorted(_counts(matching).items(), key=lambda one: (-one[1], one[0]))
        groups = grouped(read, asked.services)
        query = f"case {self.case.header.id}"
        return LogEvidence(query, asked.window, tuple(counted), groups, gaps)

    async def volume_by_service(self, window: TimeWindow) -> tuple[LogVolume, ...]:
        table, _ = await self.case.read_logs(window)
        found = [LogVolume(name, lines, "lines") for name, lines in _counts(table).items()]
        return tuple(sorted(found, key=lambda one: (-one.amount, one.service)))

    async def patterns(self, service: str, window: TimeWindow) -> tuple[LogPattern, ...] | None:
        return None

    async def label_values(self, label: str, window: TimeWindow) -> tuple[str, ...]:
        table, _ = await self.case.read_logs(window)
        return tuple(sorted(table.services)) if label == "service" else ()

    async def find_traces(self, asked: TraceRequest) -> tuple[SpanTable, tuple[EvidenceGap, ...]]:
        if not 1 <= asked.most_traces <= MOST_TRACES:
            raise InvalidRequest("limit", f"must be from 1 to {MOST_TRACES}")
        table, gaps = await self.case.read_spans(asked.window)
        traces = np.unique(table.trace_id[_meeting(table, asked)])
        kept = traces[_even(len(traces), asked.most_traces)]
        if len(kept) < len(traces):
            gaps = (*gaps, _some_of("traces", len(kept), len(traces), "条", "traces"))
        return span_rows(table, np.isin(table.trace_id, kept)), gaps

    async def read_trace(self, trace_id: str) -> SpanTable:
        if not _TRACE_ID.fullmatch(trace_id):
            raise InvalidRequest("trace_id", "must be 1 to 64 letters, digits, - and _")
        table, _ = await self.case.read_spans(self.case.extent)
        return span_rows(table, table.trace_id == trace_id.encode())

    async def read_changes(
        self, window: TimeWindow
    ) -> tuple[tuple[Change, ...], tuple[EvidenceGap, ...]]:
        found = [one for one in self.case.header.changes if window.start <= one.time < window.end]
        return tuple(sorted(found, key=lambda one: (one.time, one.service))), ()


@dataclass(frozen=True, slots=True)
class CaseServices:
    """A ServiceNames: whom one kind of telemetry of a case names."""

    case: RecordedCase
    source: Source

    async def names(self, window: TimeWindow) -> tuple[str, ...]:
        if self.source == "metrics":
            matrix, _ = await self.case.read_metrics(window)
            return tuple(sorted({one.service for one in matrix.series}))
        if self.source == "traces":
            return tuple(sorted((await self.case.read_spans(window))[0].services))
        return tuple(sorted((await self.case.read_logs(window))[0].services))


def _labels(series: Series) -> dict[str, str]:
    return {"__name__": series.name, "service": series.service, **dict(series.labels)}


def _selects(wanted: Selector, series: Series) -> bool:
    labels = _labels(series)
    if wanted.name and wanted.name != series.name:
        return False
    return all(
        (labels.get(name, "") == value) == (sign == "=") for name, sign, value in wanted.matchers
    )


def _at(series: Series, points: Int64s) -> QueriedSeries | None:
    """The last sample at or before each point, where it is not too old; None without any."""
    place = np.searchsorted(series.times_ns, points, side="right") - 1
    known = place >= 0
    known[known] &= points[known] - series.times_ns[place[known]] < LOOK_BACK_NS
    if not known.any():
        return None
    values: Floats = series.values[place[known]]
    return QueriedSeries(tuple(sorted(_labels(series).items())), points[known], values)


def _some(labels: Mapping[str, set[str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((name, tuple(sorted(labels[name])[:MOST_VALUES])) for name in sorted(labels))


def _says(asked: LogSearchRequest) -> Callable[[str], bool]:
    """Whether a line holds one of the words or one of the codes as a number."""
    words = [word.lower() for word in asked.keywords if word]
    codes = "|".join(str(code) for code in asked.status_codes)
    pattern = re.compile(rf"\b(?:{codes})\b", re.ASCII) if codes else None
    if not words and pattern is None:
        return lambda _: True

    def says(body: str) -> bool:
        lower = body.lower()
        return any(word in lower for word in words) or bool(pattern and pattern.search(body))

    return says


def _counts(table: LogTable) -> dict[str, int]:
    counts = np.bincount(table.service_code, minlength=len(table.services)).tolist()
    return {name: lines for name, lines in zip(table.services, counts, strict=True) if lines}


def _spread(table: LogTable, most: int) -> Int64s:
    """Row numbers, by time, evenly over what there is."""
    order: Int64s = np.argsort(table.time_ns, kind="stable")
    return order[_even(len(table), most)]


def _even(count: int, most: int) -> Int64s:
    if count <= most:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, most).astype(np.int64))


def _meeting(table: SpanTable, asked: TraceRequest) -> Bools:
    meets: Bools = np.zeros(len(table), dtype=np.bool_)
    if asked.service in table.services:
        meets = table.service_code == table.services.index(asked.service)
    if asked.operation is not None:
        known = asked.operation in table.operations
        code = table.operations.index(asked.operation) if known else -2
        meets = meets & (table.operation_code == code)
    if asked.only_failed:
        meets = meets & table.error
    return meets & (table.duration_ns >= (asked.min_duration_ns or 0))


def _some_of(source: str, given: int, there: int, zh: str, en: str) -> EvidenceGap:
    said = Text(
        f"共 {there:,} {zh}，均匀给出 {given:,} {zh}。",
        f"{given:,} of {there:,} {en} are given, evenly over the time.",
    )
    return EvidenceGap("logs" if source == "logs" else "traces", "sampled", None, said)

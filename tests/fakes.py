"""In-memory stand-ins for the ports: they keep the contract, the contract suites say so."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime

from aegis.model.alert import Alert
from aegis.model.errors import SourceError
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import UNDATED, Change, LogTable, Matrix, SpanTable, TimeWindow
from tests.recordings import lines_of, log_table, span_table, spans_of


@dataclass(frozen=True)
class FakeTelemetry:
    """Metrics, spans and logs held in memory."""

    metrics: Matrix = field(default_factory=Matrix)
    spans: SpanTable = field(default_factory=SpanTable.empty)
    logs: LogTable = field(default_factory=LogTable.empty)
    gaps: tuple[EvidenceGap, ...] = ()

    async def read_metrics(self, window: TimeWindow) -> tuple[Matrix, tuple[EvidenceGap, ...]]:
        kept = []
        for series in self.metrics.series:
            inside = window.contains(series.times_ns)
            if inside.any():
                times, values = series.times_ns[inside], series.values[inside]
                kept.append(replace(series, times_ns=times, values=values))
        return Matrix(tuple(kept)), ()

    async def read_spans(self, window: TimeWindow) -> tuple[SpanTable, tuple[EvidenceGap, ...]]:
        start, end = window.start_ns, window.end_ns
        inside = [span for span in spans_of(self.spans) if start <= span.start_ns < end]
        return span_table(inside), self.gaps

    async def read_logs(self, window: TimeWindow) -> tuple[LogTable, tuple[EvidenceGap, ...]]:
        start, end = window.start_ns, window.end_ns
        lines = lines_of(self.logs)
        inside = [one for one in lines if one.time_ns == UNDATED or start <= one.time_ns < end]
        return log_table(inside), ()


@dataclass(frozen=True)
class FakeAlerts:
    """Alerts that fire, held in memory."""

    alerts: tuple[Alert, ...] = ()

    async def read_alerts(
        self, window: TimeWindow
    ) -> tuple[tuple[Alert, ...], tuple[EvidenceGap, ...]]:
        begun = [one for one in self.alerts if one.starts_at < window.end]
        return tuple(sorted(begun, key=lambda one: (one.starts_at, one.fingerprint))), ()


@dataclass(frozen=True)
class FakeClock:
    """A clock that stands still."""

    time: datetime

    def now(self) -> datetime:
        return self.time


@dataclass(frozen=True)
class FailingTelemetry:
    """Sources that answer every question with the same error."""

    error: SourceError

    async def read_metrics(self, window: TimeWindow) -> tuple[Matrix, tuple[EvidenceGap, ...]]:
        raise self.error

    async def read_spans(self, window: TimeWindow) -> tuple[SpanTable, tuple[EvidenceGap, ...]]:
        raise self.error

    async def read_logs(self, window: TimeWindow) -> tuple[LogTable, tuple[EvidenceGap, ...]]:
        raise self.error


class HangingTraces:
    """A trace source that never answers."""

    async def read_spans(self, window: TimeWindow) -> tuple[SpanTable, tuple[EvidenceGap, ...]]:
        await asyncio.Event().wait()
        return SpanTable.empty(), ()


@dataclass(frozen=True)
class AskedTogether:
    """Metrics and changes that each answer only once the other has been asked."""

    held: FakeTelemetry
    changes: tuple[Change, ...]
    metrics_asked: asyncio.Event = field(default_factory=asyncio.Event)
    changes_asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def read_metrics(self, window: TimeWindow) -> tuple[Matrix, tuple[EvidenceGap, ...]]:
        self.metrics_asked.set()
        async with asyncio.timeout(5):
            await self.changes_asked.wait()
        return await self.held.read_metrics(window)

    async def read_changes(
        self, window: TimeWindow
    ) -> tuple[tuple[Change, ...], tuple[EvidenceGap, ...]]:
        self.changes_asked.set()
        async with asyncio.timeout(5):
            await self.metrics_asked.wait()
        return self.changes, ()

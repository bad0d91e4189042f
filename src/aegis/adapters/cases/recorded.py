"""A recorded incident as a source of metrics, logs, traces and of the time."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from aegis.adapters.cases.header import read_header
from aegis.adapters.cases.log_rows import read_logs
from aegis.adapters.cases.metric_rows import read_metrics
from aegis.adapters.cases.problems import raise_first
from aegis.adapters.cases.span_rows import read_spans
from aegis.adapters.cases.tables import log_rows, matrix_within, span_rows
from aegis.model.errors import InvalidCase
from aegis.model.evidence import EvidenceGap
from aegis.model.incident import CaseHeader
from aegis.model.telemetry import UNDATED, Int64s, LogTable, Matrix, SpanTable, TimeWindow, from_ns

METRICS = "metrics.parquet"
SPANS = "spans.parquet"
LOGS = "logs.parquet"


class RecordedCase:
    """One case folder. Files are read when first asked for, each once.

    Raises InvalidCase from any method where a file breaks the format.
    """

    def __init__(self, folder: Path, header: CaseHeader) -> None:
        self.folder = folder
        self.header = header

    @staticmethod
    def open(folder: Path) -> RecordedCase:
        header = read_header(folder, raise_first)
        files = [folder / name for name in (METRICS, SPANS, LOGS)]
        if header is None or not any(file.exists() for file in files):
            message = f"has neither {METRICS} nor {SPANS} nor {LOGS}"
            raise InvalidCase(str(folder), None, message)
        return RecordedCase(folder, header)

    async def read_metrics(self, window: TimeWindow) -> tuple[Matrix, tuple[EvidenceGap, ...]]:
        matrix, gaps = self._metrics
        return matrix_within(matrix, window), gaps

    async def read_spans(self, window: TimeWindow) -> tuple[SpanTable, tuple[EvidenceGap, ...]]:
        table, gaps = self._spans
        return span_rows(table, window.contains(table.start_ns)), gaps

    async def read_logs(self, window: TimeWindow) -> tuple[LogTable, tuple[EvidenceGap, ...]]:
        table, gaps = self._logs
        inside = window.contains(table.time_ns) | (table.time_ns == UNDATED)
        return log_rows(table, inside), gaps

    def now(self) -> datetime:
        """When the recording ended."""
        return self.extent.end

    @cached_property
    def extent(self) -> TimeWindow:
        """From the first dated row to just after the last, the fault window included."""
        window = self.header.fault_window
        moments = [window.start, window.end - timedelta(microseconds=1)]
        for times in self._all_times():
            if len(times):
                moments += [from_ns(int(times.min())), from_ns(int(times.max()))]
        return TimeWindow(min(moments), max(moments) + timedelta(microseconds=1))

    def fault_window(self) -> TimeWindow:
        """The window the case names; InvalidCase where nothing was recorded in it."""
        window = self.header.fault_window
        if not any(window.contains(times).any() for times in self._all_times()):
            file = str(self.folder / "case.json")
            raise InvalidCase(file, "fault_window", "no recorded row lies in it")
        return window

    def _all_times(self) -> list[Int64s]:
        logs = self._logs[0].time_ns
        series = [one.times_ns for one in self._metrics[0].series]
        return [*series, self._spans[0].start_ns, logs[logs != UNDATED]]

    @cached_property
    def _metrics(self) -> tuple[Matrix, tuple[EvidenceGap, ...]]:
        path = self.folder / METRICS
        return read_metrics(path, raise_first) if path.exists() else (Matrix(), ())

    @cached_property
    def _spans(self) -> tuple[SpanTable, tuple[EvidenceGap, ...]]:
        path = self.folder / SPANS
        return read_spans(path, raise_first) if path.exists() else (SpanTable.empty(), ())

    @cached_property
    def _logs(self) -> tuple[LogTable, tuple[EvidenceGap, ...]]:
        path = self.folder / LOGS
        return read_logs(path, raise_first) if path.exists() else (LogTable.empty(), ())

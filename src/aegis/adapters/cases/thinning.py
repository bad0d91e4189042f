"""Tables made to fit a number of bytes on disk: the same share of every moment is kept.

How small a table packs is known only when it is written, so it is written, measured and
thinned until it fits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from aegis.adapters.cases.recorded import LOGS, METRICS, SPANS
from aegis.adapters.cases.sampling import (
    BUCKETS,
    Hashes,
    Sample,
    bucket_of,
    choose,
    hash_ids,
    hash_times,
)
from aegis.adapters.cases.span_rows import trace_hashes
from aegis.adapters.cases.tables import log_rows, span_rows
from aegis.adapters.cases.writer import write_logs, write_metrics, write_spans
from aegis.model.telemetry import Floats, LogTable, Matrix, SpanTable
from aegis.model.text import Text

MOST_TRIES = 16
Table = TypeVar("Table", Matrix, SpanTable, LogTable)


@dataclass(frozen=True, slots=True, eq=False)
class Part(Generic[Table]):
    """One table of a case. Rows with one hash are kept together; `sizes` says how heavy each is."""

    file: str
    table: Table
    hashes: Hashes
    sizes: Floats
    kept_by: Callable[[Table, Sample], Table]
    write: Callable[[Path, Table], None]
    left_out: Callable[[int, int], Text]

    def written(self, folder: Path) -> int:
        """Bytes of the whole table on disk; 0 where there is nothing to write."""
        if not rows_of(self.table):
            return 0
        self.write(folder / self.file, self.table)
        return (folder / self.file).stat().st_size

    def thinned(self, folder: Path, size: int, most: int) -> tuple[Table, Text]:
        """Written anew in at most `most` bytes, where all of it took `size`."""
        path = folder / self.file
        path.unlink()
        whole = rows_of(self.table)
        weight = np.bincount(bucket_of(self.hashes), self.sizes, minlength=BUCKETS)
        load = weight / max(float(weight.sum()), 1.0) * (size / max(most, 1))
        table = self.table
        for _ in range(MOST_TRIES):
            table = self.kept_by(self.table, choose(load))
            if not rows_of(table):
                break
            self.write(path, table)
            now = path.stat().st_size
            if now <= most:
                return table, self.left_out(rows_of(table), whole)
            path.unlink()
            load = load * max(1.05 * now / max(most, 1), 1.05)
        return self.kept_by(self.table, choose(np.full(BUCKETS, 2.0))), self.left_out(0, whole)


def part_of_metrics(metrics: Matrix) -> Part[Matrix]:
    times = [hash_times(series.times_ns) for series in metrics.series]
    hashes = np.concatenate(times) if times else np.zeros(0, dtype=np.uint64)

    def told(kept: int, total: int) -> Text:
        return Text(
            f"指标：{total:,} 个样本中保留了 {kept:,} 个（整个时间点一起取舍，比例各时段相同）。",
            f"Metrics: {kept:,} of {total:,} samples are kept "
            "(whole points in time, at the same rate throughout).",
        )

    return Part(METRICS, metrics, hashes, np.ones(len(hashes)), _points, write_metrics, told)


def part_of_spans(spans: SpanTable) -> Part[SpanTable]:
    def told(kept: int, total: int) -> Text:
        return Text(
            f"调用链：{total:,} 个 span 中保留了 {kept:,} 个（整条 trace 一起取舍，"
            "比例各时段相同）。",
            f"Traces: {kept:,} of {total:,} spans are kept "
            "(whole traces, at the same rate throughout).",
        )

    hashes = trace_hashes(spans.trace_id, spans.span_id)
    return Part(SPANS, spans, hashes, np.ones(len(spans)), _traces, write_spans, told)


def part_of_logs(logs: LogTable) -> Part[LogTable]:
    def told(kept: int, total: int) -> Text:
        return Text(
            f"日志：{total:,} 行中保留了 {kept:,} 行（同一 trace 的行一起取舍，比例各时段相同）。",
            f"Logs: {kept:,} of {total:,} lines are kept "
            "(lines of one trace stay together, at the same rate throughout).",
        )

    sizes = np.array([len(body) + 8 for body in logs.body], dtype=np.float64)
    return Part(LOGS, logs, _line_hashes(logs), sizes, _lines, write_logs, told)


def rows_of(table: Matrix | SpanTable | LogTable) -> int:
    if isinstance(table, Matrix):
        return sum(len(series.times_ns) for series in table.series)
    return len(table)


def fair_shares(sizes: Mapping[str, int], most: int) -> dict[str, int]:
    """Bytes for each: what is small is kept whole, the large ones share the rest equally."""
    shares: dict[str, int] = {}
    for place, (name, size) in enumerate(sorted(sizes.items(), key=lambda one: (one[1], one[0]))):
        rest = most - sum(shares.values())
        shares[name] = min(size, rest // (len(sizes) - place))
    return shares


def _points(matrix: Matrix, sample: Sample) -> Matrix:
    kept = []
    for series in matrix.series:
        rows = sample.keeps(hash_times(series.times_ns))
        if rows.any():
            kept.append(replace(series, times_ns=series.times_ns[rows], values=series.values[rows]))
    return Matrix(tuple(kept))


def _traces(spans: SpanTable, sample: Sample) -> SpanTable:
    return span_rows(spans, sample.keeps(trace_hashes(spans.trace_id, spans.span_id)))


def _lines(logs: LogTable, sample: Sample) -> LogTable:
    return log_rows(logs, sample.keeps(_line_hashes(logs)))


def _line_hashes(logs: LogTable) -> Hashes:
    """A line goes with its trace, which is kept or not as its spans are."""
    lengths = np.array([len(body) for body in logs.body], dtype=np.int64)
    alone = hash_times(logs.time_ns ^ lengths)
    return np.where(logs.trace_id == b"", alone, hash_ids(logs.trace_id))

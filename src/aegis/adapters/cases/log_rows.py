"""logs.parquet: rows of log lines become a LogTable in canonical order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aegis.adapters.cases.columns import LAST_NS, Batch, Column, Names, fixed_width, read_batches
from aegis.adapters.cases.ordering import canonical_order
from aegis.adapters.cases.problems import Report
from aegis.adapters.cases.sampling import (
    BUCKETS,
    Hashes,
    Sample,
    bucket_of,
    choose,
    hash_ids,
    hash_times,
    keep_all,
)
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import UNDATED, Ids, Int32s, Int64s, LogTable, to_ns
from aegis.model.text import Text

COLUMNS = (
    Column("time", "time", nullable=True),
    Column("service", "text"),
    Column("body", "text"),
    Column("level", "text", required=False, nullable=True),
    Column("trace_id", "text", required=False, nullable=True),
    Column("span_id", "text", required=False, nullable=True),
)
MOST_LINES = 250_000
MOST_BYTES = 100_000_000
_BELIEVABLE_FROM = to_ns(datetime(1990, 1, 1, tzinfo=UTC))
_HASHED_BODY_BYTES = 64


def read_logs(
    path: Path, report: Report, most_lines: int = MOST_LINES, most_bytes: int = MOST_BYTES
) -> tuple[LogTable, tuple[EvidenceGap, ...]]:
    """Every line of the file, or an even sample of whole traces where there is too much."""
    sample, total = _sample(path, report, most_lines, most_bytes)
    reading = _Reading()
    for batch in read_batches(path, COLUMNS, report):
        reading.add(batch, sample)
    table = reading.table(sample.share)
    gaps = [] if sample.everything else [_sampled_gap(table, total)]
    undated = int((table.time_ns == UNDATED).sum())
    if undated:
        gaps.append(_undated_gap(undated, len(table)))
    return table, tuple(gaps)


def _sample(path: Path, report: Report, most_lines: int, most_bytes: int) -> tuple[Sample, int]:
    """The counting pass; it reads the file only where it is too large to be kept whole."""
    try:
        metadata = pq.read_metadata(path)
    except (pa.ArrowException, OSError):
        return keep_all(), 0
    if metadata.num_rows <= most_lines and _unpacked_bytes(metadata) <= most_bytes:
        return keep_all(), metadata.num_rows
    load = np.zeros(BUCKETS)
    wanted = ("time", "body", "trace_id")
    for batch in read_batches(path, COLUMNS, report, only=wanted):
        buckets = bucket_of(_line_hashes(batch))
        lengths = batch.text_bytes("body")[1]
        load += np.bincount(buckets, lengths / most_bytes + 1 / most_lines, minlength=BUCKETS)
    return choose(load), metadata.num_rows


def _unpacked_bytes(metadata: pq.FileMetaData) -> int:
    return sum(
        metadata.row_group(group).column(column).total_uncompressed_size
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
        if metadata.row_group(group).column(column).path_in_schema == "body"
    )


def _line_hashes(batch: Batch) -> Hashes:
    """A line goes with its trace; one of no trace is told apart by time, length and start."""
    values, lengths = batch.text_bytes("body")
    start = fixed_width(values, np.minimum(lengths, _HASHED_BODY_BYTES), lengths)
    alone = hash_times(batch.times_ns("time")[0] ^ lengths) ^ hash_ids(start)
    if "trace_id" not in batch.columns:
        return alone
    trace_id = batch.ids("trace_id")
    return np.where(trace_id == b"", alone, hash_ids(trace_id))


def _sampled_gap(table: LogTable, total: int) -> EvidenceGap:
    return EvidenceGap(
        "logs",
        "sampled",
        None,
        Text(
            f"日志过多：{total:,} 行中读取了 {len(table):,} 行（同一 trace 的日志一起保留，"
            "比例各时段相同）。",
            f"Too many log lines: {len(table):,} of {total:,} were read "
            "(lines of one trace stay together, at the same rate throughout).",
        ),
    )


def _undated_gap(undated: int, total: int) -> EvidenceGap:
    return EvidenceGap(
        "logs",
        "undated",
        None,
        Text(
            f"{total:,} 行日志中有 {undated:,} 行没有可信的时间。",
            f"{undated:,} of {total:,} log lines carry no believable time.",
        ),
    )


@dataclass(slots=True)
class _Reading:
    """What was read so far, as columns; equal bodies share one Python string."""

    services: Names = field(default_factory=Names)
    levels: Names = field(default_factory=Names)
    bodies: dict[str, str] = field(default_factory=dict)
    time: list[Int64s] = field(default_factory=list)
    service: list[Int32s] = field(default_factory=list)
    level: list[Int32s] = field(default_factory=list)
    trace_id: list[Ids] = field(default_factory=list)
    span_id: list[Ids] = field(default_factory=list)
    body: list[str] = field(default_factory=list)

    def add(self, batch: Batch, sample: Sample) -> None:
        if not sample.everything:
            batch = batch.keep(sample.keeps(_line_hashes(batch)))
        time, bad = batch.times_ns("time")
        bad |= (time < _BELIEVABLE_FROM) | (time >= LAST_NS)
        self.time.append(np.where(bad, UNDATED, time))
        self.service.append(self.services.codes(batch, "service"))
        self.level.append(self.levels.codes(batch, "level"))
        self.trace_id.append(_optional_ids(batch, "trace_id"))
        self.span_id.append(_optional_ids(batch, "span_id"))
        self.body.extend(self.bodies.setdefault(text, text) for text in batch.texts("body"))

    def table(self, sampled_share: float) -> LogTable:
        if not self.time:
            return LogTable.empty()
        services, service = self.services.in_order(np.concatenate(self.service))
        levels, level = self.levels.in_order(np.concatenate(self.level))
        time = np.concatenate(self.time)
        trace_id = np.concatenate(self.trace_id)
        span_id = np.concatenate(self.span_id)
        body = self.body

        def tie_key(row: int) -> object:
            return body[row], trace_id[row], span_id[row], level[row]

        order = canonical_order(service, time, tie_key)
        return LogTable(
            time[order],
            service[order],
            services,
            tuple(body[row] for row in order.tolist()),
            level[order],
            levels,
            trace_id[order],
            span_id[order],
            sampled_share,
        )


def _optional_ids(batch: Batch, column: str) -> Ids:
    if column in batch.columns:
        return batch.ids(column)
    return np.zeros(len(batch), dtype="S1")

"""spans.parquet: rows of spans become a SpanTable in canonical order."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aegis.adapters.cases.columns import Batch, Column, Names, read_batches
from aegis.adapters.cases.ordering import canonical_order
from aegis.adapters.cases.problems import Report
from aegis.adapters.cases.sampling import (
    BUCKETS,
    Hashes,
    Sample,
    bucket_of,
    choose,
    hash_ids,
    keep_all,
)
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import Bools, Ids, Int32s, Int64s, SpanTable
from aegis.model.text import Text

COLUMNS = (
    Column("trace_id", "text"),
    Column("span_id", "text"),
    Column("parent_span_id", "text", nullable=True),
    Column("service", "text"),
    Column("operation", "text"),
    Column("start", "time"),
    Column("duration_ns", "whole"),
    Column("error", "flag"),
)
MOST_SPANS = 400_000
LONGEST_SPAN_NS = 30 * 365 * 86_400 * 1_000_000_000


def read_spans(
    path: Path, report: Report, most_spans: int = MOST_SPANS
) -> tuple[SpanTable, tuple[EvidenceGap, ...]]:
    """Every span of the file, or all spans of some traces where there are too many."""
    sample, total = _sample(path, report, most_spans)
    reading = _Reading()
    for batch in read_batches(path, COLUMNS, report):
        reading.add(batch, sample)
    table = reading.table(sample.share)
    return table, () if sample.everything else (_sampled_gap(table, total),)


def _sample(path: Path, report: Report, most_spans: int) -> tuple[Sample, int]:
    """The counting pass; it reads the file only where it is too large to be kept whole."""
    try:
        total = pq.read_metadata(path).num_rows
    except (pa.ArrowException, OSError):
        return keep_all(), 0
    if total <= most_spans:
        return keep_all(), total
    load = np.zeros(BUCKETS)
    for batch in read_batches(path, COLUMNS, report, only=("trace_id", "span_id")):
        hashes = trace_hashes(batch.ids("trace_id"), batch.ids("span_id"))
        load += np.bincount(bucket_of(hashes), minlength=BUCKETS)
    return choose(load / most_spans), total


def trace_hashes(trace_id: Ids, span_id: Ids) -> Hashes:
    """What keeps a trace together; spans of no trace stand for themselves."""
    return np.where(trace_id == b"", hash_ids(span_id), hash_ids(trace_id))


def _sampled_gap(table: SpanTable, total: int) -> EvidenceGap:
    percent = 100 * table.sampled_share
    return EvidenceGap(
        "traces",
        "sampled",
        None,
        Text(
            f"调用链过多：{total:,} 个 span 中读取了 {len(table):,} 个"
            f"（约 {percent:.1f}% 的完整 trace，比例各时段相同）。",
            f"Too many spans: {len(table):,} of {total:,} were read "
            f"(about {percent:.1f} % of the traces, each whole, at the same rate throughout).",
        ),
    )


@dataclass(slots=True)
class _Reading:
    """What was read so far, as columns."""

    traces: Names = field(default_factory=Names)
    services: Names = field(default_factory=Names)
    operations: Names = field(default_factory=Names)
    trace: list[Int32s] = field(default_factory=list)
    span_id: list[Ids] = field(default_factory=list)
    parent_span_id: list[Ids] = field(default_factory=list)
    service: list[Int32s] = field(default_factory=list)
    operation: list[Int32s] = field(default_factory=list)
    start: list[Int64s] = field(default_factory=list)
    duration: list[Int64s] = field(default_factory=list)
    error: list[Bools] = field(default_factory=list)

    def add(self, batch: Batch, sample: Sample) -> None:
        duration = batch.whole_numbers("duration_ns")
        batch.flag_rows("duration_ns", "a span cannot take less than 0 ns", duration < 0)
        too_long = duration > LONGEST_SPAN_NS
        batch.flag_rows("duration_ns", "a span cannot take longer than 30 years", too_long)
        batch.required_times_ns("start")
        trace_id, span_id = batch.ids("trace_id"), batch.ids("span_id")
        batch.flag_rows("span_id", "empty, but every span needs one", span_id == b"")
        if not sample.everything:
            batch = batch.keep(sample.keeps(trace_hashes(trace_id, span_id)))
        self.trace.append(self.traces.codes(batch, "trace_id"))
        self.span_id.append(batch.ids("span_id"))
        self.parent_span_id.append(batch.ids("parent_span_id"))
        self.service.append(self.services.codes(batch, "service"))
        self.operation.append(self.operations.codes(batch, "operation"))
        self.start.append(batch.required_times_ns("start"))
        self.duration.append(batch.whole_numbers("duration_ns"))
        self.error.append(batch.flags("error"))

    def table(self, sampled_share: float) -> SpanTable:
        if not self.trace:
            return SpanTable.empty()
        trace_ids, trace = self.traces.in_order(np.concatenate(self.trace))
        services, service = self.services.in_order(np.concatenate(self.service))
        operations, operation = self.operations.in_order(np.concatenate(self.operation))
        span_id = np.concatenate(self.span_id)
        parent = np.concatenate(self.parent_span_id)
        start = np.concatenate(self.start)
        duration = np.concatenate(self.duration)
        error = np.concatenate(self.error)

        def tie_key(row: int) -> object:
            names = (span_id[row], service[row], operation[row], parent[row])
            return (*names, duration[row], error[row])

        order = canonical_order(trace, start, tie_key)
        return SpanTable(
            np.array([name.encode() for name in trace_ids], dtype=np.bytes_)[trace[order]],
            span_id[order],
            parent[order],
            service[order],
            services,
            operation[order],
            operations,
            start[order],
            duration[order],
            error[order],
            sampled_share,
        )

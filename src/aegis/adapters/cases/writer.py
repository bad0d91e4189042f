"""Writing a case folder that the reader reads back as the same tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aegis.adapters.cases import header as header_file
from aegis.adapters.cases import truth as truth_file
from aegis.adapters.cases.recorded import LOGS, METRICS, SPANS
from aegis.model.incident import CaseHeader, TrueCause
from aegis.model.telemetry import UNDATED, Ids, Int32s, LogTable, Matrix, SpanTable

if TYPE_CHECKING:
    AnyArray = pa.Array[Any]

_NS_A_MS = 1_000_000
_MS = pa.timestamp("ms", tz="UTC")
_NS = pa.timestamp("ns", tz="UTC")


def write_case(
    folder: Path,
    header: CaseHeader,
    metrics: Matrix,
    spans: SpanTable,
    logs: LogTable,
    truth: tuple[TrueCause, ...] | None,
) -> None:
    """Make `folder` and write the case into it; an empty table gets no file.

    The format keeps metric times to the millisecond. `truth` None means: not labelled.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_header(folder, header)
    if truth is not None:
        _write_json(folder / truth_file.FILE, truth_file.truth_json(truth))
    if metrics.series:
        write_metrics(folder / METRICS, metrics)
    if len(spans):
        write_spans(folder / SPANS, spans)
    if len(logs):
        write_logs(folder / LOGS, logs)


def write_header(folder: Path, header: CaseHeader) -> None:
    _write_json(folder / header_file.FILE, header_file.header_json(header))


def write_metrics(path: Path, metrics: Matrix) -> None:
    """At least one series."""
    _write_table(path, _metric_rows(metrics))


def write_spans(path: Path, spans: SpanTable) -> None:
    _write_table(path, _span_rows(spans))


def write_logs(path: Path, logs: LogTable) -> None:
    _write_table(path, _log_rows(logs))


def _write_json(path: Path, fields: dict[str, object]) -> None:
    path.write_text(json.dumps(fields, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _write_table(path: Path, table: pa.Table) -> None:
    pq.write_table(table, path, compression="zstd", use_dictionary=True)


def _metric_rows(metrics: Matrix) -> pa.Table:
    sizes = [len(series.times_ns) for series in metrics.series]
    times = np.concatenate([series.times_ns for series in metrics.series]) // _NS_A_MS
    which = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    columns = {
        "time": pa.array(times).cast(_MS),
        "service": _dictionary([series.service for series in metrics.series], which),
        "name": _dictionary([series.name for series in metrics.series], which),
        "value": pa.array(np.concatenate([series.values for series in metrics.series])),
    }
    if any(series.labels for series in metrics.series):
        labels = pa.array(
            [list(series.labels) for series in metrics.series], pa.map_(pa.string(), pa.string())
        )
        columns["labels"] = labels.take(which)
    return pa.table(columns)


def _span_rows(spans: SpanTable) -> pa.Table:
    return pa.table(
        {
            "trace_id": _texts(spans.trace_id),
            "span_id": _texts(spans.span_id),
            "parent_span_id": _texts(spans.parent_span_id),
            "service": _dictionary(list(spans.services), spans.service_code),
            "operation": _dictionary(list(spans.operations), spans.operation_code),
            "start": pa.array(spans.start_ns).cast(_NS),
            "duration_ns": pa.array(spans.duration_ns),
            "error": pa.array(spans.error),
        }
    )


def _log_rows(logs: LogTable) -> pa.Table:
    columns = {
        "time": pa.array(logs.time_ns, mask=logs.time_ns == UNDATED).cast(_NS),
        "service": _dictionary(list(logs.services), logs.service_code),
        "body": pa.array(logs.body, pa.string()),
        "trace_id": _texts(logs.trace_id),
        "span_id": _texts(logs.span_id),
    }
    if logs.levels:
        columns["level"] = _dictionary(list(logs.levels), logs.level_code)
    return pa.table(columns)


def _dictionary(names: list[str], codes: Int32s) -> AnyArray:
    """Text as Arrow keeps it best; a negative code is null, equal names are merged."""
    distinct = sorted(set(names))
    rank = {name: index for index, name in enumerate(distinct)}
    ranks = np.array([rank[name] for name in names] or [0], dtype=np.int32)[codes]
    indices: Any = pa.array(ranks, mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(distinct, pa.string()))


def _texts(ids: Ids) -> AnyArray:
    return pa.array(ids.tolist(), pa.binary()).cast(pa.string())

"""Cutting the model's tables down to some of their rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aegis.model.telemetry import Bools, Int32s, LogTable, Matrix, SpanTable, TimeWindow


def matrix_within(matrix: Matrix, window: TimeWindow) -> Matrix:
    """Series cut to the window; those with nothing in it are dropped."""
    start_ns, end_ns = window.start_ns, window.end_ns
    kept = []
    for series in matrix.series:
        first, end = np.searchsorted(series.times_ns, [start_ns, end_ns]).tolist()
        if (first, end) == (0, len(series.times_ns)):
            kept.append(series)
        elif first < end:
            part = slice(first, end)
            times, values = series.times_ns[part], series.values[part]
            kept.append(replace(series, times_ns=times, values=values))
    return Matrix(tuple(kept))


def span_rows(table: SpanTable, rows: Bools) -> SpanTable:
    """The rows, with only the names that occur in them."""
    if rows.all():
        return table
    kept = table.rows(rows)
    services, service_code = _used(kept.services, kept.service_code)
    operations, operation_code = _used(kept.operations, kept.operation_code)
    return replace(
        kept,
        services=services,
        service_code=service_code,
        operations=operations,
        operation_code=operation_code,
    )


def log_rows(table: LogTable, rows: Bools) -> LogTable:
    """The rows, with only the names that occur in them."""
    if rows.all():
        return table
    kept = table.rows(rows)
    services, service_code = _used(kept.services, kept.service_code)
    levels, level_code = _used(kept.levels, kept.level_code)
    return replace(
        kept,
        services=services,
        service_code=service_code,
        levels=levels,
        level_code=level_code,
    )


def _used(names: tuple[str, ...], codes: Int32s) -> tuple[tuple[str, ...], Int32s]:
    """Only the names that still occur, and the codes renumbered to index them."""
    used = np.unique(codes[codes >= 0])
    table = np.full(len(names) + 1, -1, dtype=np.int32)
    table[used] = np.arange(len(used), dtype=np.int32)
    renumbered: Int32s = table[codes]
    return tuple(names[code] for code in used.tolist()), renumbered

"""The baseline without other incidents: rows left out by a rule that can be repeated.

A trace goes or stays as a whole, by the moment its first span starts, so that no span loses
its children. What is left out is named in each citation (`Evidence.left_out`), and whoever
measures it again leaves out the same rows of the same tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aegis.model.telemetry import Bools, Int64s, LogTable, Matrix, SpanTable, TimeWindow


def outside(times_ns: Int64s, windows: Sequence[TimeWindow]) -> Bools:
    """Which times lie in none of the windows."""
    kept = np.ones(len(times_ns), dtype=np.bool_)
    for window in windows:
        kept &= ~window.contains(times_ns)
    return kept


def series_outside(matrix: Matrix, windows: Sequence[TimeWindow]) -> Matrix:
    """The samples outside the windows; a series of which nothing is left goes."""
    found = []
    for series in matrix.series:
        kept = outside(series.times_ns, windows)
        if kept.all():
            found.append(series)
        elif kept.any():
            times, values = series.times_ns[kept], series.values[kept]
            found.append(replace(series, times_ns=times, values=values))
    return Matrix(tuple(found))


def spans_outside(spans: SpanTable, windows: Sequence[TimeWindow]) -> SpanTable:
    """The traces that begin outside the windows."""
    if len(spans) == 0 or not windows:
        return spans
    first = np.append(True, spans.trace_id[1:] != spans.trace_id[:-1])
    begins = np.minimum.reduceat(spans.start_ns, np.flatnonzero(first))
    rows = outside(begins, windows)[np.cumsum(first) - 1]
    return spans.rows(rows)


def lines_outside(logs: LogTable, windows: Sequence[TimeWindow]) -> LogTable:
    """The lines outside the windows; undated ones stay, their trace says when they were."""
    rows = outside(logs.time_ns, windows)
    return logs if rows.all() else logs.rows(rows)

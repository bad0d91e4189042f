"""Rows of other incidents are left out by a rule that can be repeated."""

from __future__ import annotations

import numpy as np

from aegis.engine.onset_baseline import lines_outside, outside, series_outside, spans_outside
from aegis.model.telemetry import UNDATED, LogLine, LogTable, Matrix, SpanTable
from tests.engine.telemetry import at_ns, line, logs, series, span, spans, window
from tests.recordings import lines_of, spans_of

OUT = (window(60, 120), window(300, 360))


def test_windows_are_half_open_and_several() -> None:
    times = np.array([at_ns(s) for s in (0, 59.9, 60, 119.9, 120, 300, 360)], dtype=np.int64)
    assert outside(times, OUT).tolist() == [True, True, False, False, True, False, True]
    assert outside(times, ()).all()


def test_samples_go_and_a_series_without_any_left_goes_too() -> None:
    kept = series("shop", "cpu", [1, 2, 3, 4], step_s=60)
    whole = series("store", "cpu", [1, 2], step_s=30, start=300)
    calm = series("bank", "cpu", [1, 2], step_s=60, start=600)
    found = series_outside(Matrix((kept, whole, calm)), OUT)
    assert [(one.service, one.values.tolist()) for one in found.series] == [
        ("shop", [1, 3, 4]),
        ("bank", [1, 2]),
    ]
    assert found.series[0].times_ns.tolist() == [at_ns(0), at_ns(120), at_ns(180)]


def test_a_trace_goes_or_stays_as_a_whole_by_its_first_span() -> None:
    table = spans(
        [
            span("before", "a", start_s=59),
            span("before", "b", "a", "store", start_s=61),  # within, but its trace began before
            span("within", "c", start_s=119),
            span("within", "d", "c", "store", start_s=121),  # after, but its trace began within
            span("after", "e", start_s=130, error=True, ms=7),
        ]
    )
    found = spans_outside(table, OUT)
    assert [(one.trace_id, one.span_id, one.service) for one in spans_of(found)] == [
        ("after", "e", "shop"),
        ("before", "a", "shop"),
        ("before", "b", "store"),
    ]
    assert spans_of(found) == [one for one in spans_of(table) if one.trace_id != "within"]
    assert spans_outside(table, ()) is table
    assert len(spans_outside(SpanTable.empty(), OUT)) == 0


def test_lines_go_but_undated_ones_stay() -> None:
    rows = [
        line(30, "shop", "kept", "INFO", "t1", "s1"),
        line(70, "shop", "gone", "ERROR"),
        line(130, "store", "kept too"),
        LogLine(UNDATED, "store", "undated"),
    ]
    table = logs(rows)
    found = lines_outside(table, OUT)
    assert {one.body for one in lines_of(found)} == {"kept", "kept too", "undated"}
    assert lines_of(found) == [one for one in lines_of(table) if one.body != "gone"]
    assert lines_outside(table, ()) is table
    assert len(lines_outside(LogTable.empty(), OUT)) == 0

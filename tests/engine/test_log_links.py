"""Log lines linked to their traces and spans, and dated by them where they have no time."""

from __future__ import annotations

import numpy as np
import pytest

from aegis.engine.log_lines import ReadLines, read_lines
from aegis.engine.trace_tree import NO_ROW, TraceTree
from aegis.model.telemetry import UNDATED, LogLine, Span
from tests.engine.telemetry import at_ns, line, logs, span, spans


def read(*lines: LogLine, spans_of: tuple[Span, ...] = ()) -> ReadLines:
    return read_lines(logs(lines), TraceTree.of(spans(spans_of)))


TRACES = (
    span("a", "1", "", "shop", start_s=10),
    span("a", "2", "1", "cart", start_s=11),
    span("bb", "1", "", "shop", start_s=20),
    span("bb", "2", "1", "cart", start_s=22),
    span("bb", "3", "1", "cart", start_s=21),
)
"""Rows by trace, then start: a/1, a/2, bb/1, bb/3, bb/2."""


@pytest.mark.parametrize(
    ("trace_id", "span_id", "trace", "row"),
    [
        ("a", "1", 0, 0),
        ("a", "2", 0, 1),
        ("bb", "1", 1, 2),
        ("bb", "3", 1, 3),
        ("bb", "2", 1, 4),
        ("a", "3", 0, NO_ROW),  # a span of another trace
        ("bb", "", 1, NO_ROW),
        ("bb", "longer", 1, NO_ROW),
        ("", "1", NO_ROW, NO_ROW),
        ("0", "1", NO_ROW, NO_ROW),  # before all known traces
        ("b", "1", NO_ROW, NO_ROW),  # between them
        ("z-and-longer", "3", NO_ROW, NO_ROW),  # behind them
    ],
)
def test_a_line_is_linked_to_its_trace_and_span(
    trace_id: str, span_id: str, trace: int, row: int
) -> None:
    found = read(line(0, "shop", "hello", None, trace_id, span_id), spans_of=TRACES)

    assert (found.trace[0], found.span[0]) == (trace, row)


def test_every_line_is_linked_on_its_own() -> None:
    ids = [("bb", "2"), ("", ""), ("a", "1"), ("a", "9"), ("bb", "3")]
    lines = [line(i, "shop", f"line {i}", None, *pair) for i, pair in enumerate(ids)]

    found = read(*lines, spans_of=TRACES)

    assert found.span.tolist() == [4, NO_ROW, 0, NO_ROW, 3]
    assert found.trace.tolist() == [1, NO_ROW, 0, 0, 1]


def test_a_single_line_and_a_single_span_are_linked() -> None:
    found = read(line(0, "shop", "hello", None, "a", "1"), spans_of=TRACES[:1])

    assert (found.trace[0], found.span[0]) == (0, 0)


def test_spans_without_a_trace_id_are_linked_to_no_line() -> None:
    found = read(line(0, "shop", "hello", None, "", "1"), spans_of=(span("", "1", "", "shop"),))

    assert (found.trace[0], found.span[0]) == (NO_ROW, NO_ROW)


def test_without_spans_nothing_is_linked() -> None:
    found = read(line(0, "shop", "hello", None, "a", "1"))

    assert (found.trace[0], found.span[0]) == (NO_ROW, NO_ROW)


# --- Time ------------------------------------------------------------------------------------


def undated(trace_id: str = "", span_id: str = "") -> LogLine:
    return LogLine(UNDATED, "shop", "hello", None, trace_id, span_id)


@pytest.mark.parametrize(
    ("item", "time_ns"),
    [
        (line(5, "shop", "hello", None, "bb", "2"), at_ns(5)),  # it knows its own time
        (undated("bb", "2"), at_ns(22)),  # its span's
        (undated("a", "2"), at_ns(11)),
        (undated("bb", "9"), at_ns(20)),  # the beginning of its trace
        (undated("a"), at_ns(10)),
        (undated(), UNDATED),
        (undated("c", "1"), UNDATED),
    ],
)
def test_a_line_without_a_time_takes_its_span_s_or_its_trace_s(item: LogLine, time_ns: int) -> None:
    assert read(item, spans_of=TRACES).time_ns.tolist() == [time_ns]


def test_a_trace_begins_with_its_earliest_span_also_across_lines() -> None:
    found = read(undated("a"), undated("bb"), undated(), spans_of=TRACES)

    assert sorted(found.time_ns.tolist()) == [UNDATED, at_ns(10), at_ns(20)]


def test_dating_lines_leaves_the_table_as_it_was() -> None:
    table = logs([undated("a", "1")])

    found = read_lines(table, TraceTree.of(spans(TRACES)))

    assert table.time_ns.tolist() == [UNDATED]
    assert found.time_ns.dtype == np.int64

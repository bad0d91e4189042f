"""How often a line had the chance to be written, and how many requests a change touches."""

from __future__ import annotations

import numpy as np
import pytest

from aegis.engine.log_exposure import count, exposures, touched_traces, traces_logged_by
from aegis.engine.log_lines import ReadLines, read_lines
from aegis.engine.trace_tree import TraceTree
from aegis.model.telemetry import UNDATED, LogLine, Span
from tests.engine.telemetry import line, logs, span, spans, window
from tests.engine.worlds import near

ASKED = window(600, 1200)


class Told:
    """Lines and spans as the functions get them; answers by the text of the template."""

    def __init__(self, lines: list[LogLine], rows: list[Span]) -> None:
        self.tree = TraceTree.of(spans(rows))
        self.read: ReadLines = read_lines(logs(lines), self.tree)
        self.dated = self.read.time_ns != UNDATED
        self.after = ASKED.contains(self.read.time_ns)

    def place(self, text: str, service: str | None = None) -> int:
        names = self.read.table.services
        (place,) = (
            place
            for place, item in enumerate(self.read.templates)
            if item.text == text and service in (None, names[item.service_code])
        )
        return place

    def exposure(self, text: str, service: str | None = None) -> tuple[float, float, str]:
        before, during, unit = exposures(self.read, self.tree, self.dated, self.after, ASKED)
        place = self.place(text, service)
        return float(before[place]), float(during[place]), unit[place]

    def touched(self, text: str, after: float, expected: float) -> float:
        kinds = len(self.read.templates)
        found = touched_traces(
            self.read, self.tree, self.after, np.full(kinds, after), np.full(kinds, expected)
        )
        return float(found[self.place(text)])


def beats(*seconds: float) -> list[LogLine]:
    return [line(second, "cart", "beat") for second in seconds]


def test_codes_are_counted_up_to_the_size() -> None:
    assert count(np.array([0, 2, 2]), 4).tolist() == [1.0, 0.0, 2.0, 0.0]


# --- By time --------------------------------------------------------------------------------


def test_without_spans_time_is_counted_where_anything_was_logged() -> None:
    # bins of ten seconds: 0-9 (twice), 10-19, 100-109; in the window the window itself
    told = Told(beats(0, 9, 10, 105, 700), [])

    assert told.exposure("beat") == (near(0.5), 10.0, "per_min")


def test_a_window_may_be_covered_for_longer_than_it_says() -> None:
    # bins are whole: a window of one minute that begins and ends within a bin covers seven
    asked = window(605, 665)
    told = Told(beats(0, *range(605, 665)), [])
    after = asked.contains(told.read.time_ns)

    before, during, _ = exposures(told.read, told.tree, told.dated, after, asked)

    assert (before[0], during[0]) == (near(1 / 6), near(7 / 6))


def test_undated_lines_cover_no_time() -> None:
    lost = [LogLine(UNDATED, "cart", "beat")]

    assert Told(beats(0, 700) + lost, []).exposure("beat") == (near(1 / 6), 10.0, "per_min")


# --- By traces ------------------------------------------------------------------------------


def traces(before: int, during: int, service: str = "cart") -> list[Span]:
    """So many traces through shop and the service, "b…" before and "d…" in the window."""
    rows = []
    for prefix, start, many in (("b", 0, before), ("d", 600, during)):
        for number in range(many):
            trace = f"{prefix}{number:03d}"
            rows.append(span(trace, "1", "", "shop", "GET /", start_s=start + number))
            rows.append(span(trace, "2", "1", service, "read", start_s=start + number))
            rows.append(span(trace, "3", "2", service, "select", start_s=start + number))
    return rows


def traced(traces: range, prefix: str, body: str, service: str = "cart") -> list[LogLine]:
    start = 0 if prefix == "b" else 600
    return [line(start + n, service, body, None, f"{prefix}{n:03d}") for n in traces]


def test_lines_that_name_their_trace_are_counted_by_traces_through_the_service() -> None:
    lines = traced(range(3), "b", "hello") + traced(range(2), "d", "hello")

    assert Told(lines, traces(5, 4)).exposure("hello") == (5.0, 4.0, "per_trace")


def test_each_service_has_its_own_traces() -> None:
    rows = [*traces(5, 4), span("b900", "1", "", "shop", start_s=50)]
    lines = traced(range(1), "b", "hello") + traced(range(1), "b", "hello", "shop")

    told = Told(lines, rows)

    assert told.exposure("hello", "cart") == (5.0, 4.0, "per_trace")
    assert told.exposure("hello", "shop") == (6.0, 4.0, "per_trace")


@pytest.mark.parametrize(("loose", "unit"), [(2, "per_trace"), (3, "per_min")])
def test_half_of_the_lines_must_name_a_trace(loose: int, unit: str) -> None:
    lines = traced(range(2), "b", "hello") + [line(n, "cart", "hello") for n in range(loose)]

    assert Told(lines, traces(5, 4)).exposure("hello")[2] == unit


def test_traces_of_unknown_ids_do_not_count_as_named() -> None:
    lines = [line(n, "cart", "hello", None, f"z{n}") for n in range(3)]

    assert Told(lines, traces(5, 4)).exposure("hello")[2] == "per_min"


@pytest.mark.parametrize(("before", "during"), [(5, 0), (0, 4)])
def test_a_service_must_be_traced_on_both_sides(before: int, during: int) -> None:
    prefix = "b" if before else "d"

    told = Told(traced(range(2), prefix, "hello"), traces(before, during))

    assert told.exposure("hello")[2] == "per_min"


def test_one_trace_on_either_side_is_enough() -> None:
    told = Told(traced(range(1), "b", "hello"), traces(1, 1))

    assert told.exposure("hello") == (1.0, 1.0, "per_trace")


def test_a_service_without_spans_is_counted_by_time_though_it_names_traces() -> None:
    lines = traced(range(2), "b", "hello", "worker")

    assert Told(lines, traces(5, 4)).exposure("hello") == (near(1 / 6), 10.0, "per_min")


def test_lines_of_an_untraced_service_do_not_borrow_the_traces_of_the_only_traced_one() -> None:
    rows = [span("b000", "1", "", "shop", start_s=0), span("d000", "1", "", "shop", start_s=600)]

    told = Told(traced(range(1), "b", "hello", "worker"), rows)

    assert told.exposure("hello")[2] == "per_min"


# --- By spans of an operation -----------------------------------------------------------------


def spanned(traces: range, prefix: str, body: str, span_id: str) -> list[LogLine]:
    start = 0 if prefix == "b" else 600
    return [line(start + n, "cart", body, None, f"{prefix}{n:03d}", span_id) for n in traces]


def test_lines_that_name_their_span_are_counted_by_spans_of_its_operation() -> None:
    extra = [span(f"b{n:03d}", "4", "2", "cart", "select", start_s=n) for n in range(5)]
    lines = spanned(range(3), "b", "hello", "3")

    assert Told(lines, traces(5, 4) + extra).exposure("hello") == (10.0, 4.0, "per_trace")


@pytest.mark.parametrize(("elsewhere", "counted"), [(2, 10.0), (3, 5.0)])
def test_half_of_the_lines_must_come_from_the_operation(elsewhere: int, counted: float) -> None:
    # two from "select", which has ten spans before; the others name their trace alone
    extra = [span(f"b{n:03d}", "4", "2", "cart", "select", start_s=n) for n in range(5)]
    lines = spanned(range(2), "b", "hello", "3") + traced(range(elsewhere), "b", "hello")

    assert Told(lines, traces(5, 4) + extra).exposure("hello")[0] == counted


def test_an_operation_without_spans_on_one_side_is_not_used() -> None:
    extra = [span(f"b{n:03d}", "4", "2", "cart", "gone", start_s=n) for n in range(5)]
    lines = spanned(range(3), "b", "hello", "4")

    assert Told(lines, traces(5, 4) + extra).exposure("hello") == (5.0, 4.0, "per_trace")


def test_an_operation_with_one_span_on_each_side_is_used() -> None:
    told = Told(spanned(range(1), "b", "hello", "3"), traces(1, 1))

    assert told.exposure("hello") == (1.0, 1.0, "per_trace")


def test_a_rare_operation_is_counted_by_its_own_spans() -> None:
    rare = [
        span(trace, "4", "2", "cart", "rare", start_s=s)
        for trace, s in (("b000", 0), ("d000", 600))
    ]
    told = Told(spanned(range(1), "b", "hello", "4"), [*traces(5, 4), *rare])

    assert told.exposure("hello") == (1.0, 1.0, "per_trace")


def test_each_line_goes_with_its_own_operation() -> None:
    extra = [span(f"d{n:03d}", "4", "2", "cart", "select", start_s=600 + n) for n in range(4)]
    lines = spanned(range(3), "b", "reading", "2") + spanned(range(3), "b", "selecting", "3")

    told = Told(lines, traces(5, 4) + extra)

    assert told.exposure("reading") == (5.0, 4.0, "per_trace")
    assert told.exposure("selecting") == (5.0, 8.0, "per_trace")


# --- How many requests are touched -----------------------------------------------------------


def test_lines_without_traces_may_touch_every_request() -> None:
    assert Told(beats(0, 700), []).touched("beat", 5.0, 1.0) == 1.0


def test_lines_that_came_touch_the_traces_they_stand_in() -> None:
    # two traces of the four that cart logged in, one of them twice
    lines = traced(range(4), "d", "hello") + traced(range(2), "d", "refused")
    lines += traced(range(1), "d", "refused")

    assert Told(lines, traces(5, 6)).touched("refused", 3.0, 0.0) == near(0.5)


def test_a_line_in_the_only_trace_touches_all() -> None:
    assert Told(traced(range(1), "d", "refused"), traces(1, 1)).touched("refused", 1.0, 0.0) == 1.0


def test_lines_of_the_baseline_and_of_other_services_touch_nothing() -> None:
    lines = traced(range(4), "d", "hello") + traced(range(2), "d", "refused")
    lines += traced(range(5), "b", "refused") + traced(range(6), "d", "refused", "shop")

    told = Told(lines, traces(5, 6))

    place = told.place("refused", "cart")
    found = touched_traces(told.read, told.tree, told.after, np.full(3, 2.0), np.full(3, 0.0))
    assert found[place] == near(0.5)


@pytest.mark.parametrize(
    ("after", "expected", "share"),
    [
        (1.0, 4.0, 0.75),  # three of four missing
        (3.9, 4.0, 0.025),
        (4.0, 4.0, 0.5),  # none missing: the traces it stands in
        (4.1, 4.0, 0.5),
        (0.0, 0.5, 1.0),
    ],
)
def test_lines_that_stayed_away_touch_the_share_that_is_missing(
    after: float, expected: float, share: float
) -> None:
    lines = traced(range(4), "d", "hello") + traced(range(2), "d", "refused")

    assert Told(lines, traces(5, 6)).touched("refused", after, expected) == near(share)


def test_traces_are_counted_once_for_each_service_that_logged_in_them() -> None:
    lines = traced(range(3), "d", "one") + traced(range(2), "d", "two")
    lines += traced(range(1), "d", "one", "shop") + traced(range(5), "b", "one", "shop")

    told = Told(lines, traces(5, 4))

    assert told.read.table.services == ("cart", "shop")
    assert traces_logged_by(told.read, told.after).tolist() == [3.0, 1.0]

"""Calls no longer made, or newly made."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pytest
from scipy.stats import binom, norm

from aegis.engine.findings import Finding
from aegis.engine.span_structure import structure_findings
from aegis.engine.trace_tree import TraceTree
from aegis.model.telemetry import Span, SpanTable
from tests.engine.telemetry import at_ns, span, spans

FAULT_S = 1000.0


def findings(rows: Iterable[Span]) -> list[Finding]:
    """Findings where the window begins at `FAULT_S`."""
    table = spans(rows)
    return structure_findings(TraceTree.of(table), table.start_ns >= at_ns(FAULT_S))


def requests(
    count: int, calling: int, *, start_s: float, callee: str = "cart", operation: str = "read"
) -> list[Span]:
    """Traces of shop, one a second; the last `calling` of them call the callee."""
    rows = []
    for number in range(count):
        trace, time = f"{callee}{operation}{start_s}-{number}", start_s + number
        rows.append(span(trace, "root", "", "shop", "GET /", start_s=time))
        if number >= count - calling:
            rows.append(span(trace, "c", "root", callee, operation, start_s=time))
    return rows


def decades(k0: float, n0: float, k1: float, n1: float) -> float:
    pooled = (k0 + k1) / (n0 + n1)
    g = sum(
        2 * (binom.logpmf(k, n, k / n) - binom.logpmf(k, n, pooled))
        for k, n in ((k0, n0), (k1, n1))
    )
    return -math.log10(norm.sf(math.sqrt(g / 2)))


def test_a_call_made_less_often_is_a_finding_of_the_caller() -> None:
    rows = [*requests(20, 18, start_s=0), *requests(10, 3, start_s=FAULT_S)]
    (found,) = findings(rows)
    assert (found.source, found.signal, found.service, found.peer) == (
        "traces",
        "call_structure",
        "shop",
        "cart",
    )
    assert (found.subject, found.unit) == ("GET / → read", "share")
    assert found.query == '{resource.service.name="shop" && name="GET /" && callee="cart"}'
    assert (found.baseline, found.observed) == (0.9, 0.3)
    assert found.surprise == pytest.approx(decades(18, 20, 3, 10))
    assert found.share == pytest.approx(0.6)


def test_the_rows_are_the_callers_spans_with_or_without_the_call() -> None:
    rows = [*requests(20, 20, start_s=0), *requests(10, 3, start_s=FAULT_S)]
    (found,) = findings(rows)
    by_time = dict(zip(found.times_ns.tolist(), found.values.tolist(), strict=True))
    assert len(by_time) == 30
    assert sum(by_time.values()) == 23
    assert by_time[at_ns(FAULT_S)] == 0.0
    assert by_time[at_ns(FAULT_S + 9)] == 1.0


def test_a_lost_call_begins_with_the_first_span_of_the_window_without_it() -> None:
    late = requests(8, 0, start_s=FAULT_S + 20)
    rows = [*requests(20, 20, start_s=0), *requests(4, 4, start_s=FAULT_S), *late]
    (found,) = findings(rows)
    assert found.onset_ns == at_ns(FAULT_S + 20)


def test_a_new_call_begins_with_the_first_span_of_the_window_that_makes_it() -> None:
    rows = [*requests(20, 0, start_s=0), *requests(10, 7, start_s=FAULT_S)]
    (found,) = findings(rows)
    assert (found.baseline, found.observed) == (0.0, 0.7)
    assert found.onset_ns == at_ns(FAULT_S + 3)
    assert found.surprise == pytest.approx(decades(0, 20, 7, 10))


@pytest.mark.parametrize(("before", "after", "seen"), [(8, 4, True), (7, 4, False), (8, 3, False)])
def test_eight_spans_before_and_four_in_the_window_are_needed(
    before: int, after: int, seen: bool
) -> None:
    rows = [*requests(before, before, start_s=0), *requests(after, 0, start_s=FAULT_S)]
    assert bool(findings(rows)) is seen


@pytest.mark.parametrize(("calling", "seen"), [(4, True), (3, True), (2, False), (0, False)])
def test_a_change_of_at_least_fifteen_percent_is_needed(calling: int, seen: bool) -> None:
    # 0 of 20, then 3 of 20: the share changes by 0.15 exactly.
    rows = [*requests(20, 0, start_s=0), *requests(20, calling, start_s=FAULT_S)]
    assert bool(findings(rows)) is seen


def test_several_calls_of_one_span_count_once() -> None:
    twice = [
        span(row.trace_id, "d", "root", "cart", "read", start_s=0)
        for row in requests(20, 20, start_s=0)
        if row.span_id == "c"
    ]
    rows = [*requests(20, 20, start_s=0), *twice, *requests(10, 4, start_s=FAULT_S)]
    (found,) = findings(rows)
    assert (found.baseline, found.observed) == (1.0, 0.4)


def test_the_surprise_is_at_most_twelve_decades() -> None:
    rows = [*requests(200, 200, start_s=0), *requests(200, 0, start_s=FAULT_S)]
    (found,) = findings(rows)
    assert decades(200, 200, 0, 200) > 12
    assert found.surprise == 12.0


def test_operations_and_children_are_told_apart() -> None:
    rows = [
        *requests(20, 10, start_s=0),
        *requests(10, 5, start_s=FAULT_S),
        *requests(20, 2, start_s=0, callee="stock", operation="write"),
        *requests(10, 8, start_s=FAULT_S, callee="stock", operation="write"),
    ]
    (found,) = findings(rows)
    assert (found.peer, found.subject) == ("stock", "GET / → write")
    # 40 and 20 spans of the operation, whatever they call.
    assert found.baseline == pytest.approx(2 / 40)
    assert found.observed == pytest.approx(8 / 20)


def test_children_of_one_operation_in_two_services_are_two() -> None:
    rows = [
        *requests(20, 10, start_s=0),
        *requests(10, 5, start_s=FAULT_S),
        *requests(20, 2, start_s=0, callee="stock"),
        *requests(10, 8, start_s=FAULT_S, callee="stock"),
    ]
    assert [found.peer for found in findings(rows)] == ["stock"]


def test_callers_deep_in_a_trace_are_judged_like_roots() -> None:
    rows = []
    for number in range(30):
        time = number if number < 20 else FAULT_S + number
        rows += [
            span(f"t{number}", "a", "", "shop", "GET /", start_s=time),
            span(f"t{number}", "b", "a", "cart", "read", start_s=time),
        ]
        if number < 20:
            rows.append(span(f"t{number}", "c", "b", "stock", "select", start_s=time))
    (found,) = findings(rows)
    assert (found.service, found.peer, found.subject) == ("cart", "stock", "read → select")


def test_the_share_is_of_the_traces_through_the_service() -> None:
    # Only 10 of the 50 traces through the shop in the window run this operation.
    other = [
        span(f"o{number}", "a", "", "shop", "POST /", start_s=FAULT_S + number)
        for number in range(40)
    ]
    rows = [*requests(20, 20, start_s=0), *requests(10, 4, start_s=FAULT_S), *other]
    (found,) = findings(rows)
    assert found.share == pytest.approx(0.6 * 10 / 50)


def test_the_share_is_at_most_all_requests() -> None:
    rows = requests(20, 20, start_s=0)
    for number in range(8):
        # Two such spans in each of four traces.
        time, trace = FAULT_S + number, f"w{number // 2}"
        rows.append(span(trace, f"r{number}", "", "shop", "GET /", start_s=time))
    (found,) = findings(rows)
    assert (found.observed, found.share) == (0.0, 1.0)


def test_no_spans_or_no_calls_are_no_findings() -> None:
    empty = SpanTable.empty()
    assert structure_findings(TraceTree.of(empty), empty.error) == []
    assert findings([*requests(20, 0, start_s=0), *requests(10, 0, start_s=FAULT_S)]) == []

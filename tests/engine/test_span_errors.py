"""Errors that begin in a service: own errors per trace, before against in the window."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pytest
from scipy.stats import binom, norm

from aegis.engine.findings import Finding
from aegis.engine.span_errors import error_findings
from aegis.engine.trace_tree import TraceTree
from aegis.model.telemetry import Span, SpanTable
from tests.engine.telemetry import at_ns, span, spans

FAULT_S = 1000.0


def findings(rows: Iterable[Span]) -> list[Finding]:
    """Findings where the window begins at `FAULT_S`."""
    table = spans(rows)
    return error_findings(TraceTree.of(table), table.start_ns >= at_ns(FAULT_S))


def requests(
    count: int, failing: int, *, start_s: float, operation: str = "read", per_trace: int = 1
) -> list[Span]:
    """Traces shop -> cart, one a second; in the first `failing` of them cart fails."""
    rows = []
    for number in range(count):
        trace, time = f"{operation}{start_s}-{number}", start_s + number
        rows.append(span(trace, "root", "", "shop", "GET /", start_s=time))
        for place in range(per_trace):
            failed = number < failing
            own = span(trace, f"c{place}", "root", "cart", operation, start_s=time, error=failed)
            rows.append(own)
    return rows


def expected_decades(k0: float, n0: float, k1: float, n1: float) -> float:
    share = n1 / (n0 + n1)
    g = 2 * (binom.logpmf(k1, k0 + k1, k1 / (k0 + k1)) - binom.logpmf(k1, k0 + k1, share))
    return -math.log10(norm.sf(math.sqrt(g / 2)))


def test_more_errors_a_trace_than_before_are_a_finding() -> None:
    rows = [*requests(40, 2, start_s=0), *requests(20, 8, start_s=FAULT_S)]
    (found,) = findings(rows)
    assert (found.source, found.signal, found.service, found.peer) == (
        "traces",
        "error_spans",
        "cart",
        None,
    )
    assert (found.subject, found.unit) == ("read", "per_trace")
    assert found.query == '{resource.service.name="cart" && name="read" && status=error}'
    assert found.baseline == pytest.approx(2 / 40)
    assert found.observed == pytest.approx(8 / 20)
    assert found.surprise == pytest.approx(expected_decades(2, 40, 8, 20))
    assert found.share == pytest.approx(8 / 20 - 2 / 40)
    assert found.onset_ns == at_ns(FAULT_S)


def test_the_rows_are_the_failed_spans_each_counting_one() -> None:
    rows = [*requests(40, 2, start_s=0), *requests(20, 3, start_s=FAULT_S)]
    (found,) = findings(rows)
    times = [at_ns(second) for second in (0, 1, FAULT_S, FAULT_S + 1, FAULT_S + 2)]
    assert sorted(found.times_ns.tolist()) == times
    assert found.values.tolist() == [1.0] * 5


def test_the_onset_is_the_first_error_of_the_window() -> None:
    late = requests(15, 5, start_s=FAULT_S + 30)
    rows = [*requests(40, 2, start_s=0), *requests(5, 0, start_s=FAULT_S), *late]
    (found,) = findings(rows)
    assert found.onset_ns == at_ns(FAULT_S + 30)


@pytest.mark.parametrize(("before", "after"), [(8, 2), (4, 4), (0, 0)])
def test_fewer_or_equal_errors_are_none(before: int, after: int) -> None:
    rows = [*requests(20, before, start_s=0), *requests(20, after, start_s=FAULT_S)]
    assert findings(rows) == []


def test_the_surprise_is_at_most_twelve_decades() -> None:
    rows = [*requests(300, 0, start_s=0), *requests(300, 300, start_s=FAULT_S)]
    (found,) = findings(rows)
    assert expected_decades(0, 300, 300, 300) > 12.0
    assert found.surprise == 12.0


def test_the_share_is_at_most_all_requests() -> None:
    rows = [*requests(20, 0, start_s=0), *requests(20, 20, start_s=FAULT_S, per_trace=3)]
    (found,) = findings(rows)
    assert (found.observed, found.share) == (3.0, 1.0)


def test_the_rate_is_by_traces_through_the_service() -> None:
    elsewhere = [span(f"x{number}", "a", "", "stock", start_s=FAULT_S) for number in range(500)]
    rows = [*requests(40, 2, start_s=0), *requests(20, 8, start_s=FAULT_S), *elsewhere]
    (found,) = findings(rows)
    assert found.observed == pytest.approx(8 / 20)


def test_each_operation_is_judged_alone() -> None:
    rows = [
        *requests(40, 4, start_s=0),
        *requests(20, 2, start_s=FAULT_S),
        *requests(40, 0, start_s=0, operation="write"),
        *requests(20, 9, start_s=FAULT_S, operation="write"),
    ]
    (found,) = findings(rows)
    assert found.subject == "write"
    # 80 and 40 traces pass through the service, whatever they do there.
    assert found.observed == pytest.approx(9 / 40)
    assert found.baseline == 0.0


def test_operations_of_one_name_in_two_services_are_two() -> None:
    rows = []
    for number in range(40):
        time, failed = (number, False) if number < 20 else (FAULT_S + number, number % 2 == 0)
        rows.append(span(f"t{number}", "a", "", "shop", "read", start_s=time, error=failed))
        other = span(f"u{number}", "a", "", "cart", "read", start_s=time, error=number % 4 == 0)
        rows.append(other)
    (found,) = findings(rows)
    assert (found.service, found.baseline, found.observed) == ("shop", 0.0, 0.5)


def test_an_error_that_a_child_explains_belongs_to_the_child() -> None:
    rows = []
    for number in range(40):
        time, failed = (number, False) if number < 20 else (FAULT_S + number, True)
        rows += [
            span(f"t{number}", "a", "", "shop", "GET /", start_s=time, error=failed),
            span(f"t{number}", "b", "a", "cart", "read", start_s=time, error=failed),
            span(f"t{number}", "c", "b", "stock", "select", start_s=time, error=failed),
            span(f"t{number}", "d", "a", "cart", "calm", start_s=time),
        ]
    assert [found.service for found in findings(rows)] == ["stock"]


def test_a_child_that_succeeds_explains_nothing() -> None:
    rows = []
    for number in range(40):
        time, failed = (number, False) if number < 20 else (FAULT_S + number, True)
        rows += [
            span(f"t{number}", "a", "", "shop", "GET /", start_s=time, error=failed),
            span(f"t{number}", "b", "a", "cart", "read", start_s=time),
        ]
    assert [found.service for found in findings(rows)] == ["shop"]


@pytest.mark.parametrize(("leaves", "outbound"), [(5, False), (6, True)])
def test_errors_mostly_of_leaf_spans_may_come_from_outside(leaves: int, outbound: bool) -> None:
    """Of ten failing database calls, some have a span below them."""
    rows = []
    for number in range(30):
        time, failed = (number, False) if number < 20 else (FAULT_S + number, True)
        rows += [
            span(f"t{number}", "a", "", "shop", start_s=time),
            span(f"t{number}", "b", "a", "shop", "select", start_s=time, error=failed),
        ]
        if number >= 20 + leaves:
            rows.append(span(f"t{number}", "c", "b", "shop", "socket", start_s=time))
    (found,) = findings(rows)
    assert found.outbound is outbound


def test_a_service_that_is_new_in_the_window_has_nothing_to_compare_with() -> None:
    assert findings(requests(20, 20, start_s=FAULT_S)) == []


def test_no_spans_or_no_errors_are_no_findings() -> None:
    assert error_findings(TraceTree.of(SpanTable.empty()), SpanTable.empty().error) == []
    assert findings([*requests(9, 0, start_s=0), *requests(9, 0, start_s=FAULT_S)]) == []

"""Slower own time and slower calls, against the formulas worked out beside the engine."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from aegis.engine.findings import Finding
from aegis.engine.span_latency import latency_findings
from aegis.engine.trace_tree import TraceTree
from aegis.model.telemetry import Span, SpanTable
from tests.engine.calm_series import surprise
from tests.engine.telemetry import at_ns, span, spans

FAULT_S = 10_000.0


def judge(rows: Iterable[Span]) -> tuple[list[Finding], frozenset[tuple[str, str]]]:
    """Findings and judged calls where the window begins at `FAULT_S`."""
    table = spans(rows)
    return latency_findings(TraceTree.of(table), table.start_ns >= at_ns(FAULT_S))


def requests(
    durations_ms: Sequence[float],
    *,
    start_s: float = 0,
    operation: str = "GET /",
    service: str = "shop",
) -> list[Span]:
    """Traces of one span each, 10 ms apart: all within one block of 20 seconds."""
    rows = []
    for number, ms in enumerate(durations_ms):
        trace, time_s = f"{service}{operation}{start_s}-{number}", start_s + number * 0.01
        rows.append(span(trace, "a", "", service, operation, start_s=time_s, ms=ms))
    return rows


def change(before: Sequence[float], after: Sequence[float]) -> list[Span]:
    return [*requests(before), *requests(after, start_s=FAULT_S)]


def decades(before: Sequence[float], after: Sequence[float]) -> float:
    test = mannwhitneyu(after, before, alternative="greater", method="asymptotic")
    return -math.log10(test.pvalue)


def expected(
    before: Sequence[float], after: Sequence[float], effect: float, increase: float, root: float
) -> float:
    """min(12, decades)/2 · min(1 + m², effect/1.5) · m, with m = increase/(increase + root/10)."""
    m = increase / (increase + 0.1 * root)
    return min(12.0, decades(before, after)) / 2 * min(1 + m * m, effect / 1.5) * m


class TestSurprise:
    def test_of_requests_that_take_three_times_as_long(self) -> None:
        before, after = [10.0] * 20, [30.0] * 10
        (found,), judged = judge(change(before, after))
        assert found.surprise == pytest.approx(expected(before, after, math.log2(3), 20, 10))
        assert (found.source, found.signal, found.service, found.peer) == (
            "traces",
            "self_time",
            "shop",
            None,
        )
        assert (found.subject, found.unit, found.share) == ("GET /", "ms", 1.0)
        assert (found.baseline, found.observed) == (10.0, 30.0)
        assert found.query == '{resource.service.name="shop" && name="GET /"}'
        assert sorted(found.values.tolist()) == before + after
        assert len(found.times_ns) == 30
        assert not found.outbound
        assert judged == frozenset()

    def test_of_fractions_of_a_millisecond_is_the_same(self) -> None:
        before, after = [0.1] * 20, [0.3] * 10
        (found,), _ = judge(change(before, after))
        assert found.surprise == pytest.approx(expected(before, after, math.log2(3), 0.2, 0.1))

    def test_is_limited_by_how_much_of_a_request_it_is_where_the_effect_is_huge(self) -> None:
        before, after = [10.0] * 20, [160.0] * 10
        (found,), _ = judge(change(before, after))
        assert found.surprise == pytest.approx(expected(before, after, 4.0, 150, 10))
        assert found.surprise == pytest.approx(
            decades(before, after) / 2 * (1 + (150 / 151) ** 2) * 150 / 151
        )

    def test_rests_on_twelve_decades_at_most(self) -> None:
        before = [10 + number / 1000 for number in range(90)]
        after = [20 + number / 1000 for number in range(90)]
        assert decades(before, after) > 12
        (found,), _ = judge(change(before, after))
        effect = math.log2(float(np.median(after) / np.median(before)))
        assert found.baseline is not None
        assert found.observed is not None
        increase = found.observed - found.baseline
        m = increase / (increase + 0.1 * float(np.mean(before)))
        assert found.surprise == pytest.approx(6 * min(1 + m * m, effect / 1.5) * m)

    def test_is_less_where_only_the_slowest_tenth_is_slower(self) -> None:
        # Medians stay at 10; the 90th percentile goes from 20 to 80: 0.7 · 2 octaves.
        before = [10.0] * 32 + [20.0] * 8
        after = [10.0] * 11 + [80.0] * 9
        (found,), _ = judge(change(before, after))
        increase = (11 * 10 + 9 * 80) / 20 - (32 * 10 + 8 * 20) / 40
        assert found.surprise == pytest.approx(expected(before, after, 1.4, increase, 12.0))

    @pytest.mark.parametrize(("after", "seen"), [(13.19, False), (13.20, True)])
    def test_needs_four_tenths_of_an_octave(self, after: float, seen: bool) -> None:
        # 10 · 2^0.4 = 13.195.
        found, _ = judge(change([10.0] * 20, [after] * 10))
        assert bool(found) is seen

    def test_weighs_the_increase_against_whole_requests(self) -> None:
        """The called service takes 10 ms more of a request of a second."""
        rows = []
        before, after = [10.0] * 20, [20.0] * 10
        for number, ms in enumerate(before + after):
            time = number * 0.01 if number < 20 else FAULT_S + number * 0.01
            rows += [
                span(f"t{number}", "a", "", "shop", start_s=time, ms=1000),
                span(f"t{number}", "b", "a", "cart", "read", start_s=time, ms=ms),
            ]
        (found,), _ = judge(rows)
        assert found.service == "cart"
        assert found.surprise == pytest.approx(expected(before, after, 1.0, 10, 1000))

    def test_weighs_it_against_requests_before_the_window(self) -> None:
        before, after = [10.0] * 20, [30.0] * 10
        other_before = requests([90.0] * 20, operation="POST")
        other_after = requests([9e5] * 2, operation="POST", start_s=FAULT_S)
        (found,), _ = judge([*change(before, after), *other_before, *other_after])
        assert found.surprise == pytest.approx(expected(before, after, math.log2(3), 20, 50))

    def test_weighs_it_against_nothing_where_no_request_has_a_beginning(self) -> None:
        """Spans that are each other's parents: a takes 5 ms of its own, then 15."""
        rows = []
        for number in range(30):
            own, time = (5, number * 0.01) if number < 20 else (15, FAULT_S + number * 0.01)
            rows += [
                span(f"t{number}", "a", "b", "shop", "loop", start_s=time, ms=5 + own),
                span(f"t{number}", "b", "a", "shop", "back", start_s=time, ms=5),
            ]
        (found,), _ = judge(rows)
        assert found.subject == "loop"
        before, after = [5.0] * 20, [15.0] * 10
        assert found.surprise == pytest.approx(expected(before, after, math.log2(3), 10, 0))

    def test_is_none_of_a_service_that_became_faster_or_stayed(self) -> None:
        assert judge(change([30.0] * 20, [10.0] * 10))[0] == []
        assert judge(change([10.0] * 20, [10.0] * 10))[0] == []

    def test_is_none_where_the_median_rose_but_the_mean_fell(self) -> None:
        before = [10.0] * 11 + [1000.0] * 9
        assert judge(change(before, [20.0] * 20))[0] == []

    def test_knows_no_octaves_above_nothing(self) -> None:
        assert judge(change([0.0] * 20, [30.0] * 10))[0] == []

    @pytest.mark.parametrize(
        ("before", "after", "seen"), [(8, 4, True), (7, 4, False), (8, 3, False)]
    )
    def test_needs_eight_spans_before_and_four_in_the_window(
        self, before: int, after: int, seen: bool
    ) -> None:
        found, _ = judge(change([10.0] * before, [30.0] * after))
        assert bool(found) is seen

    def test_means_leave_out_what_exceeds_the_98th_percentile(self) -> None:
        # Of 51 values the 98th percentile is the 50th: one outlier is cut to it.
        before = [10.0] * 49 + [20.0] + [9000.0]
        (found,), _ = judge(change(before, [90.0] * 10))
        assert found.baseline == pytest.approx((49 * 10 + 20 + 20) / 51)


class TestOnset:
    def test_is_the_first_span_of_the_window_slower_than_nearly_all_before(self) -> None:
        # The 98th percentile of 51 values is the 50th of them: 20 ms.
        before = [10.0] * 49 + [20.0, 500.0]
        (found,), _ = judge(change(before, [10.0, 20.0, 20.5, 60.0, 60.0, 60.0, 60.0, 60.0]))
        assert found.onset_ns == at_ns(FAULT_S + 0.02)

    def test_is_unknown_where_no_span_stands_out(self) -> None:
        before = [10.0] * 40 + [30.0] * 2
        (found,), _ = judge(change(before, [30.0] * 10))
        assert found.onset_ns is None


def two_services(
    ms: Sequence[float], *, start_s: float, callee: str = "cart", below: str | None = None
) -> list[Span]:
    """shop: GET / (root) with a client span of this own time, which calls the callee."""
    rows = []
    for number, own in enumerate(ms):
        trace, time = f"{callee}{start_s}-{number}", start_s + number * 0.01
        rows += [
            span(trace, "a", "", "shop", "GET /", start_s=time, ms=own + 5),
            span(trace, "b", "a", "shop", "call", start_s=time, ms=own + 5),
            span(trace, "c", "b", callee, "read", start_s=time, ms=5),
        ]
        if below is not None:
            rows.append(span(trace, "d", "b", below, "read", start_s=time, ms=1))
    return rows


class TestCalls:
    def test_own_time_of_a_client_span_is_time_of_the_call(self) -> None:
        before, after = [10.0] * 20, [30.0] * 10
        rows = [*two_services(before, start_s=0), *two_services(after, start_s=FAULT_S)]
        (found,), judged = judge(rows)
        assert (found.signal, found.service, found.peer) == ("call_time", "shop", "cart")
        assert found.subject == "call"
        assert found.query == '{resource.service.name="shop" && name="call" && callee="cart"}'
        assert found.surprise == pytest.approx(expected(before, after, math.log2(3), 20, 15))
        assert judged == {("shop", "cart")}

    def test_calls_of_one_operation_are_told_apart_by_callee(self) -> None:
        rows = [
            *two_services([10.0] * 20, start_s=0),
            *two_services([30.0] * 10, start_s=FAULT_S),
            *two_services([10.0] * 20, start_s=0, callee="stock"),
            *two_services([10.0] * 10, start_s=FAULT_S, callee="stock"),
        ]
        (found,), judged = judge(rows)
        assert found.peer == "cart"
        assert judged == {("shop", "cart"), ("shop", "stock")}

    def test_calls_with_too_few_spans_are_not_judged(self) -> None:
        rows = [
            *two_services([10.0] * 20, start_s=0),
            *two_services([30.0] * 3, start_s=FAULT_S),
        ]
        assert judge(rows) == ([], frozenset())

    def test_a_span_that_calls_several_services_is_own_work(self) -> None:
        rows = [
            *two_services([10.0] * 20, start_s=0, below="stock"),
            *two_services([30.0] * 10, start_s=FAULT_S, below="stock"),
        ]
        (found,), judged = judge(rows)
        assert (found.signal, found.peer) == ("self_time", None)
        assert judged == frozenset()

    def test_operations_of_one_name_belong_to_their_services(self) -> None:
        rows = [
            *requests([10.0] * 20, service="cart"),
            *requests([10.0] * 10, service="cart", start_s=FAULT_S),
            *change([10.0] * 20, [30.0] * 10),
            *requests([10.0] * 20, operation="POST"),
            *requests([10.0] * 10, operation="POST", start_s=FAULT_S),
        ]
        (found,), _ = judge(rows)
        assert (found.service, found.subject) == ("shop", "GET /")

    @pytest.mark.parametrize(("leaves", "outbound"), [(15, False), (16, True)])
    def test_spans_mostly_without_children_may_be_calls_to_something_unseen(
        self, leaves: int, outbound: bool
    ) -> None:
        rows = []
        for number in range(30):
            own, time = (10, number * 0.01) if number < 20 else (30, FAULT_S + number * 0.01)
            rows += [
                span(f"t{number}", "a", "", "shop", start_s=time, ms=own),
                span(f"t{number}", "b", "a", "shop", "select", start_s=time, ms=own),
            ]
            if number >= leaves:
                rows.append(span(f"t{number}", "c", "b", "shop", "socket", start_s=time, ms=0))
        found = [item for item in judge(rows)[0] if item.subject == "select"]
        assert [item.outbound for item in found] == [outbound]


class TestBlocksOfTime:
    """What the medians of 20 seconds vary anyway limits what single spans can tell."""

    @pytest.mark.parametrize("faulty", [14.0, 16.0])
    def test_limit_the_surprise_of_spans_to_twice_theirs(self, faulty: float) -> None:
        rows = []
        for place, ms in enumerate([8.0, 12.0] * 3):
            rows += requests([ms] * 25, start_s=20.0 * place)
        rows += requests([faulty] * 60, start_s=FAULT_S)
        (found,), _ = judge(rows)
        assert found.surprise == pytest.approx(2 * surprise((faulty - 10) / 2.9652), rel=1e-4)

    def test_that_see_nothing_leave_no_finding(self) -> None:
        """Half of the spans are slow, but the middle of each block stays where it was."""
        rows = []
        for place in range(6):
            rows += requests([10.0] * 40, start_s=20.0 * place)
        rows += requests([10.0] * 31 + [90.0] * 29, start_s=FAULT_S)
        assert judge(rows)[0] == []


def test_no_spans_are_no_findings() -> None:
    empty = SpanTable.empty()
    assert latency_findings(TraceTree.of(empty), empty.error) == ([], frozenset())

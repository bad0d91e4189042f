"""Requests answered in less than a tenth of the usual median: nobody worked on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from aegis.engine.trace_tree import TraceTree
from aegis.engine.turned_away import turned_away
from aegis.model.telemetry import Span
from tests.engine.telemetry import at_ns, span, spans

FAULT_S = 1000.0


def away(rows: Iterable[Span]) -> dict[str, float]:
    table = spans(rows)
    return turned_away(TraceTree.of(table), table.start_ns >= at_ns(FAULT_S))


def requests(
    ms: Sequence[float], *, during: bool = False, operation: str = "GET /", service: str = "shop"
) -> list[Span]:
    begin_s = FAULT_S if during else 0.0
    return [
        span(
            f"{service}{operation}{begin_s}{n}",
            "a",
            "",
            service,
            operation,
            start_s=begin_s + n,
            ms=took,
        )
        for n, took in enumerate(ms)
    ]


def test_it_is_the_share_of_requests_that_are_answered_too_fast() -> None:
    found = away([*requests([10.0] * 8), *requests([10.0, 0.5, 0.5, 20.0], during=True)])

    assert found == {"shop": 0.5}


@pytest.mark.parametrize(("ms", "share"), [(1.0, None), (0.999, 0.25)])
def test_a_tenth_of_the_median_is_slow_enough(ms: float, share: float | None) -> None:
    found = away([*requests([10.0] * 8), *requests([10.0, 10.0, 10.0, ms], during=True)])

    assert found.get("shop") == share


def test_the_middle_one_of_the_durations_before_is_the_usual_one() -> None:
    before = [10.0] * 5 + [100.0] * 3

    assert away([*requests(before), *requests([5.0] * 4, during=True)]) == {}
    assert away([*requests(before), *requests([0.9] * 4, during=True)]) == {"shop": 1.0}


def test_the_share_that_was_turned_away_before_does_not_count() -> None:
    before = [10.0] * 6 + [0.5] * 2

    assert away([*requests(before), *requests([0.5] * 4, during=True)]) == {"shop": 0.75}
    assert away([*requests(before), *requests([10.0, 10.0, 10.0, 0.5], during=True)]) == {}
    assert away([*requests(before), *requests([10.0] * 4, during=True)]) == {}


@pytest.mark.parametrize(
    ("before", "during", "known"), [(8, 4, True), (7, 4, False), (8, 3, False)]
)
def test_it_takes_eight_spans_before_and_four_in_the_window(
    before: int, during: int, known: bool
) -> None:
    found = away([*requests([10.0] * before), *requests([0.5] * during, during=True)])

    assert found == ({"shop": 1.0} if known else {})


def test_each_operation_has_a_usual_duration_of_its_own() -> None:
    # half a millisecond is nothing special for HEAD; two of the eight are turned away
    found = away(
        [
            *requests([10.0] * 8),
            *requests([0.5] * 8, operation="HEAD /"),
            *requests([10.0, 10.0, 0.5, 0.5], during=True),
            *requests([0.5] * 4, operation="HEAD /", during=True),
        ]
    )

    assert found == {"shop": 0.25}


def test_operations_seldom_seen_before_are_left_out() -> None:
    found = away(
        [
            *requests([10.0] * 8),
            *requests([90.0] * 7, operation="POST /"),
            *requests([10.0, 10.0, 0.5, 0.5], during=True),
            *requests([0.5] * 4, operation="POST /", during=True),
        ]
    )

    assert found == {"shop": 0.5}


def test_services_are_told_apart() -> None:
    found = away(
        [
            *requests([10.0] * 8),
            *requests([10.0] * 8, service="cart"),
            *requests([10.0] * 4, during=True),
            *requests([0.5] * 4, service="cart", during=True),
        ]
    )

    assert found == {"cart": 1.0}


def test_only_spans_that_enter_a_service_are_requests_to_it() -> None:
    rows = []
    for number in range(16):
        time_s = number + (FAULT_S if number >= 8 else 0.0)
        work_ms = 0.1 if number >= 8 else 9.0
        rows.append(span(f"t{number}", "a", "", "shop", "GET /", start_s=time_s, ms=10.0))
        rows.append(span(f"t{number}", "b", "a", "shop", "work", start_s=time_s, ms=work_ms))

    assert away(rows) == {}


def test_without_spans_nothing_is_known() -> None:
    assert away([]) == {}

"""Spans as yes-or-no questions: slow for its kind, failed on its own, short of a call."""

from __future__ import annotations

import itertools

import pytest

from aegis.engine.onset_spans import span_counts
from aegis.engine.trace_tree import TraceTree
from aegis.model.telemetry import Span, SpanTable
from tests.engine.burning import minutes
from tests.engine.telemetry import span, spans
from tests.recordings import spans_of

CALM = minutes(0, 60)
LATER_S = 3600.0
SERVICES = ("bank", "shop", "store")


def told(table: SpanTable) -> dict[str, list[tuple[set[str], int, float]]]:
    """By service, in the order asked: traces that say yes, rows asked, least usual share."""
    found: dict[str, list[tuple[set[str], int, float]]] = {}
    rows = spans_of(table)
    for service, asked, yes, least in span_counts(TraceTree.of(table), CALM):
        traces = {rows[row].trace_id for row, one in zip(asked, yes, strict=True) if one}
        found.setdefault(service, []).append((traces, len(asked), least))
    return found


def request(
    trace: str, service: str, operation: str, callee: str | None, own_ms: float, start_s: float
) -> list[Span]:
    """A service does one thing of `own_ms` itself, and in it a call of 5 ms if there is a callee.

    What enters the service takes a millisecond more.
    """
    call_ms = 0 if callee is None else 5
    ms, then = own_ms + call_ms, start_s + 0.0005
    rows = [
        span(trace, "a", "", service, "serve", start_s=start_s, ms=ms + 1),
        span(trace, "b", "a", service, operation, start_s=then, ms=ms),
    ]
    if callee is not None:
        rows.append(span(trace, "c", "b", callee, "leaf", start_s=then + 0.0001, ms=call_ms))
    return rows


def test_slow_is_what_takes_longer_than_others_of_its_kind() -> None:
    """A kind is a service, an operation and whom it calls; each here has a pace of its own."""
    kinds = [
        (service, operation, callee)
        for service, operation in itertools.product(SERVICES, ("get", "list", "put"))
        for callee in (None, *SERVICES)
        if callee != service
    ]
    rows: list[Span] = []
    for place, kind in enumerate(kinds):
        pace = 10 * 1.5**place
        for number in range(30):
            rows += request(f"calm-{place}-{number}", *kind, pace, 100 * place + number)
        rows += request(f"slow-{place}", *kind, 1.25 * pace, LATER_S)
        rows += request(f"same-{place}", *kind, 1.15 * pace, LATER_S)
    found = told(spans(rows))
    for service in SERVICES:
        slow, _, _ = found[service][0]
        expected = {f"slow-{place}" for place, kind in enumerate(kinds) if kind[0] == service}
        assert slow == expected


@pytest.mark.parametrize(("calm", "judged"), [(29, 0), (30, 31)])
def test_thirty_spans_of_a_kind_tell_what_is_slow(calm: int, judged: int) -> None:
    rows = [span(f"t{number}", "a", start_s=number, ms=10) for number in range(calm)]
    rows.append(span("slow", "a", start_s=LATER_S, ms=90))
    questions = told(spans(rows))["shop"]
    asked = questions[0][1] if len(questions) == 2 else 0
    assert asked == judged


def test_a_single_span_can_fail() -> None:
    assert told(spans([span("t", "a", error=True)])) == {"shop": [({"t"}, 1, 0.003)]}


def test_a_failure_that_a_call_explains_is_not_ones_own() -> None:
    rows = [
        span("both", "a", "", "shop", error=True),
        span("both", "b", "a", "store", "get", start_s=0.001, ms=5, error=True),
        span("alone", "a", "", "shop", error=True),
        span("alone", "b", "a", "store", "get", start_s=0.001, ms=5),
    ]
    found = told(spans(rows))
    assert [traces for traces, _, least in found["shop"] if least == 0.003] == [{"alone"}]
    assert [traces for traces, _, least in found["store"] if least == 0.003] == [{"both"}]


def test_short_of_calls_is_who_has_fewer_than_the_median_of_the_calm_time() -> None:
    """Two calls are usual; operations that never call are not asked."""
    rows = []
    for number, calls in enumerate([2] * 6 + [3, 1, 2, 2]):
        trace, start = f"t{number}", 60.0 * number
        rows.append(span(trace, "a", "", "shop", start_s=start, ms=50))
        rows += [
            span(trace, f"b{call}", "a", "store", "get", start_s=start + 0.001, ms=5)
            for call in range(calls)
        ]
    late = span("late", "a", "", "shop", start_s=LATER_S, ms=50)
    found = told(spans([*rows, late]))
    traces, asked, _ = found["shop"][-1]
    assert (traces, asked) == ({"t7", "late"}, 11)
    assert len(found["store"]) == 1  # whether it failed


def test_a_few_in_a_hundred_are_put_as_usual_where_none_was_seen() -> None:
    rows: list[Span] = []
    for number in range(40):
        rows += request(f"t{number}", "shop", "get", "store", 10, number)
    leasts = [least for _, _, least in told(spans(rows))["shop"]]
    assert leasts == [0.02, 0.003, 0.02]  # slow, failed, short

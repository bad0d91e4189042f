"""How a measurement compares with that of another day, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aegis.engine.other_times import OtherTime, to_compare, with_other_times
from aegis.model.diagnosis import Diagnosis, Impact, RootCause
from aegis.model.evidence import Evidence
from aegis.model.telemetry import Matrix
from aegis.model.text import Text
from tests.recordings import between, ns, series

WINDOW = between(30, 36)
YESTERDAY = Text("昨天", "yesterday")
ITEM = Evidence(
    "m1",
    "metrics",
    "latency",
    "cart",
    None,
    "latency_p95_ms",
    "cart:latency",
    WINDOW,
    between(0, 40),
    "0" * 64,
    1.0,
    2.0,
    "ms",
    3.0,
    None,
    Text("慢。", "Slow."),
)


def diagnosis(*items: Evidence) -> Diagnosis:
    cause = RootCause("cart", 0.9, "cpu", 1.0, tuple(one.id for one in items), (), None)
    nothing = Impact(None, None, (), Text("", ""))
    return Diagnosis(WINDOW, None, (cause,), 0.1, items, (), nothing, (), ())


def told(now: float, then: float | None) -> str:
    measured = replace(
        series("cart", "latency", [(ns(n), now if 30 <= n < 36 else 999.0) for n in range(40)]),
        query="cart:latency",
    )
    times = (OtherTime(YESTERDAY, {"cart:latency": then}),)
    found, count = with_other_times(diagnosis(ITEM), Matrix((measured,)), times)
    (item,) = found.evidence
    assert count == (item.statement.en != "Slow.")
    return item.statement.en.removeprefix("Slow.").strip()


@pytest.mark.parametrize(
    ("now", "then", "words"),
    [
        (6.0, 2.0, "That is 3 times as much as at this time yesterday."),
        (0.5, 2.0, "That is 0.25 times as much as at this time yesterday."),
        (500.0, 2.0, "That is 250 times as much as at this time yesterday."),
        (2.5, 2.0, "About as much as at this time yesterday."),
        (2.51, 2.0, "That is 1.3 times as much as at this time yesterday."),
        (1.6, 2.0, "About as much as at this time yesterday."),
        (1.59, 2.0, "That is 0.8 times as much as at this time yesterday."),
        (2.0, 0.0, "At this time yesterday it was 0."),
        (0.0, 2.0, "That is 0 times as much as at this time yesterday."),
        (0.0, 0.0, ""),
        (2.0, None, ""),
        (2.0, -1.0, ""),
    ],
)
def test_ratios_are_told(now: float, then: float | None, words: str) -> None:
    assert told(now, then) == words


def test_only_measured_metrics_of_leading_causes_are_compared_each_query_once() -> None:
    items = (
        ITEM,
        replace(ITEM, id="m2"),
        replace(ITEM, id="m3", query="other"),
        replace(ITEM, id="m4", query="unmeasured", observed=None),
        replace(ITEM, id="t1", source="traces", query="trace"),
    )
    assert [one.query for one in to_compare(diagnosis(*items))] == ["cart:latency", "other"]
    many = [replace(ITEM, id=f"m{n}", query=f"q{n}") for n in range(20)]
    assert len(to_compare(diagnosis(*many))) == 8


def test_a_measurement_without_rows_in_the_window_is_not_compared() -> None:
    times = (OtherTime(YESTERDAY, {"cart:latency": 1.0}),)
    found, count = with_other_times(diagnosis(ITEM), Matrix(), times)
    assert (found.evidence, count) == ((ITEM,), 0)

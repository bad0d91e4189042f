"""How much of a caller's symptoms its callees explain: strength 4 on strength 1.

Unless a test is about it, nobody is central, so a score is what is left of the symptoms ·
(0.75 + 0.25 · share of all symptoms felt at or above a service). Worked out by hand.
"""

from __future__ import annotations

from math import sqrt

import pytest

from aegis.model.evidence import Signal
from tests.engine.worlds import near, scores, sick, world


@pytest.mark.parametrize(
    ("caller", "callee", "explained"),
    [
        ("latency", "latency", 1.05),
        ("latency", "self_time", 1.05),
        ("latency", "call_time", 1.05),
        ("latency", "errors", 0.525),  # 1.05 · 0.5
        ("latency", "cpu", 0.525),  # 1.05 · 0.5, as latency
        ("latency", "saturation", 0.525),
        ("latency", "log_rate", 0.0),
        ("latency", "log_sequence", 0.0),
        ("latency", "traffic", 0.0),
        ("self_time", "latency", 0.6),
        ("self_time", "errors", 1.6375),  # 0.85, and of what is left a quarter, for pauses
        ("self_time", "cpu", 0.3),  # 0.6 · 0.5
        ("self_time", "log_rate", 0.0),
        ("call_time", "latency", 0.0),
        ("call_time", "errors", 0.0),
        ("errors", "errors", 1.64),  # 1.05, and of what is left a fifth
        ("errors", "error_spans", 1.64),  # 1.05, and of what is left a fifth
        ("error_spans", "error_logs", 1.64),  # 1.05, and of what is left a fifth
        ("error_logs", "errors", 1.64),  # 1.05, and of what is left a fifth
        ("errors", "latency", 1.39375),  # 1.05 · 0.5, and of what is left a quarter
        ("errors", "cpu", 0.2625),  # 1.05 · 0.5 · 0.5
        ("errors", "log_rate", 0.84),  # 1.05 · 0.8
        ("errors", "call_structure", 0.84),
        ("errors", "log_sequence", 1.05),
        ("errors", "traffic", 0.0),
        ("log_sequence", "errors", 1.05),
        ("log_sequence", "log_sequence", 1.05),
        ("log_sequence", "log_rate", 0.525),  # 1.05 · 0.5
        ("log_sequence", "latency", 0.525),  # 1.05 · 0.5
        ("log_rate", "errors", 0.85),
        ("log_rate", "log_sequence", 0.85),
        ("log_rate", "log_rate", 0.4),
        ("call_structure", "log_rate", 0.4),
        ("log_rate", "latency", 0.7),
        ("log_rate", "cpu", 0.35),  # 0.7 · 0.5
        ("traffic", "errors", 1.05),
        ("traffic", "latency", 1.05),
        ("traffic", "cpu", 0.525),  # 1.05 · 0.5
        ("traffic", "log_rate", 0.0),
        ("traffic", "log_sequence", 0.0),
        ("cpu", "errors", 0.0),
        ("cpu", "latency", 0.0),
        ("cpu", "cpu", 0.0),
    ],
)
def test_a_callee_explains_part_of_its_caller(
    caller: Signal, callee: Signal, explained: float
) -> None:
    # 4 of the 5 in sum are felt at shop: 0.75 + 0.25 · 4/5 = 0.95
    found = scores(
        {"shop": sick({caller: 4.0}), "db": sick({callee: 1.0})},
        world("shop>db", traced="shop db"),
    )

    assert found["shop"] == near((4.0 - explained) * 0.95)


def test_the_strongest_explanation_counts_and_not_their_sum() -> None:
    # left of the errors: 4 - 1.05 · max(1, 0.5 · 1.5, 0.8 · 0.5), less a fifth; 4 of 7 felt
    found = scores(
        {"shop": sick({"errors": 4.0}), "db": sick({"errors": 1.0, "cpu": 1.5, "log_rate": 0.5})},
        world("shop>db"),
    )

    assert found["shop"] == near(2.95 * 0.8 * (0.75 + 0.25 * 4 / 7))


def test_of_several_callees_the_worst_of_each_kind_explains() -> None:
    # errors left: 4 - 1.05 · 1, of it 1 - 0.25 · 2 - 0.2 · 1; latency left: 4 - 1.05 · 2;
    # 8 of 11 felt
    found = scores(
        {
            "shop": sick({"errors": 4.0, "latency": 4.0}),
            "cart": sick({"errors": 1.0}),
            "db": sick({"latency": 2.0}),
        },
        world("shop>cart shop>db"),
    )

    assert found["shop"] == near((2.95 * 0.3 + 1.9) * (0.75 + 0.25 * 8 / 11))


def test_symptoms_are_never_explained_below_zero() -> None:
    found = scores({"shop": sick({"errors": 1.0}), "db": sick({"errors": 9.0})}, world("shop>db"))

    assert found["shop"] == 0.0


@pytest.mark.parametrize(
    ("calls", "decay"),
    [("shop>db", 1.0), ("shop>a a>db", 0.85), ("shop>a a>b b>db", 0.7225)],
)
@pytest.mark.parametrize(
    ("signal", "at_one_hop"),
    [("latency", 1.05), ("errors", 1.05), ("log_sequence", 1.05), ("log_rate", 0.4)],
)
def test_every_further_hop_explains_a_little_less(
    calls: str, decay: float, signal: Signal, at_one_hop: float
) -> None:
    strained = 0.8 if signal == "errors" and decay == 1.0 else 1.0
    found = scores({"shop": sick({signal: 4.0}), "db": sick({signal: 1.0})}, world(calls))

    assert found["shop"] == near((4.0 - at_one_hop * decay) * strained * 0.95)


def test_a_callee_is_not_explained_by_its_caller() -> None:
    found = scores({"shop": sick({"errors": 4.0}), "db": sick({"errors": 4.0})}, world("shop>db"))

    assert found["db"] == near(4.0)


def test_calls_a_direct_caller_no_longer_makes_explain_the_lines_not_written() -> None:
    # 0.5 · 1; shop and db together are all there is, so all is felt at db
    found = scores(
        {"shop": sick({"call_structure": 1.0}), "db": sick({"log_rate": 4.0})}, world("shop>db")
    )

    assert found["db"] == near(3.5)


def test_of_several_callers_the_one_that_changed_most_explains() -> None:
    # 0.5 · 2
    found = scores(
        {
            "shop": sick({"log_rate": 1.0}),
            "app": sick({"log_rate": 2.0}),
            "db": sick({"log_rate": 4.0}),
        },
        world("shop>db app>db"),
    )

    assert found["db"] == near(3.0)


def test_calls_made_further_up_do_not_explain_missing_lines() -> None:
    found = scores(
        {"app": sick({"log_rate": 1.0}), "db": sick({"log_rate": 4.0})}, world("app>shop shop>db")
    )

    assert found["db"] == near(4.0)


@pytest.mark.parametrize(
    ("signal", "at_full_size"),
    [("errors", 1.05), ("log_sequence", 1.05), ("log_rate", 0.4)],
)
@pytest.mark.parametrize(
    ("mine", "callee", "proportion"),
    [
        (0.4, 0.1, 0.5),  # sqrt(0.1 / 0.4)
        (0.4, 0.4, 1.0),
        (0.1, 0.4, 1.0),  # no more than all of it
        (0.0, 0.4, 1.0),
        (0.4, 0.0, 0.0),
    ],
)
def test_a_callee_that_touches_few_requests_explains_little_of_a_caller_that_touches_many(
    signal: Signal, at_full_size: float, mine: float, callee: float, proportion: float
) -> None:
    found = scores(
        {
            "shop": sick({signal: 4.0}, touched={signal: mine}),
            "db": sick({signal: 1.0}, touched={signal: callee}),
        },
        world("shop>db"),
    )

    strained = 1.0 - 0.2 * proportion if signal == "errors" else 1.0
    assert found["shop"] == near((4.0 - at_full_size * proportion) * strained * 0.95)


@pytest.mark.parametrize(
    ("mine", "callee", "proportion"),
    [
        ({"p95": 0.8}, {"p95": 0.2}, 0.5),  # (0.2 / 0.8)^0.5
        ({"p95": 0.8}, {"p95": 0.8}, 1.0),
        ({"p95": 0.2}, {"p95": 0.8}, 1.0),
        ({"p95": 0.8, "p50": 0.4}, {"p95": 0.2, "p50": 0.04}, 0.5),  # the larger of 1/4 and 1/10
        ({"p95": 0.8}, {"p50": 0.2}, 1.0),  # nothing in common
        ({"p95": 0.0}, {"p95": 0.2}, 1.0),
        ({}, {"p95": 0.2}, 1.0),
    ],
)
def test_a_callee_that_slowed_a_little_explains_little_of_a_caller_that_slowed_a_lot(
    mine: dict[str, float], callee: dict[str, float], proportion: float
) -> None:
    found = scores(
        {
            "shop": sick({"latency": 4.0}, delays=mine),
            "db": sick({"latency": 1.0}, delays=callee),
        },
        world("shop>db"),
    )

    assert found["shop"] == near((4.0 - 1.05 * proportion) * 0.95)


def test_starved_resources_explain_slowness_whatever_the_delays_say() -> None:
    # 1.05 · max(1 · 0, 0.5 · 1); 4 of 6 felt
    found = scores(
        {
            "shop": sick({"latency": 4.0}, delays={"p95": 0.8}),
            "db": sick({"latency": 1.0, "memory": 1.0}, delays={"p95": 0.0}),
        },
        world("shop>db"),
    )

    assert found["shop"] == near((4.0 - 0.525) * (0.75 + 0.25 * 4 / 6))


@pytest.mark.parametrize(
    ("latency", "traced", "left"),
    [
        (0.5, "", 2.6 - 0.3),  # 4 · (1 - 0.7 · 0.5), then less 0.6 · 0.5
        (1.0, "", 1.2 - 0.6),  # 4 · (1 - 0.7)
        (1.2, "", 1.2 - 0.72),  # no surer than certain
        (0.5, "db", 4.0 - 0.3),
    ],
)
def test_a_slow_callee_without_spans_explains_own_time(
    latency: float, traced: str, left: float
) -> None:
    found = scores(
        {"shop": sick({"self_time": 4.0}), "db": sick({"latency": latency})},
        world("shop>db", traced=traced),
    )

    assert found["shop"] == near(left * (0.75 + 0.25 * 4.0 / (4.0 + latency)))


def test_the_slowest_of_several_callees_without_spans_explains_own_time() -> None:
    # 4 · (1 - 0.7 · 0.6) less 0.6 · 0.6; 4 of 5 felt
    found = scores(
        {
            "shop": sick({"self_time": 4.0}),
            "db": sick({"latency": 0.4}),
            "cache": sick({"latency": 0.6}),
        },
        world("shop>db shop>cache"),
    )

    assert found["shop"] == near((2.32 - 0.36) * 0.95)


def test_only_a_direct_callee_explains_own_time_as_a_call() -> None:
    # one hop further only 0.6 · 0.85 · 1 remains
    found = scores(
        {"shop": sick({"self_time": 4.0}), "db": sick({"latency": 1.0})}, world("shop>cart cart>db")
    )

    assert found["shop"] == near((4.0 - 0.51) * 0.95)


def test_own_time_is_the_larger_of_inner_and_outbound() -> None:
    # an alarm may have scaled `self_time`; explaining starts from its two parts
    symptoms = sick({"self_time": 4.0})
    symptoms.inner, symptoms.outbound = 1.0, 3.0

    assert scores({"shop": symptoms}, world(services="shop"))["shop"] == near(3.0)


def test_the_root_in_the_proportion_is_a_square_root() -> None:
    # 1/16 of the requests explains a quarter
    found = scores(
        {
            "shop": sick({"errors": 4.0}, touched={"errors": 0.8}),
            "db": sick({"errors": 1.0}, touched={"errors": 0.05}),
        },
        world("shop>db"),
    )

    assert found["shop"] == near((4.0 - 1.05 * sqrt(1 / 16)) * (1.0 - 0.2 / 4) * 0.95)

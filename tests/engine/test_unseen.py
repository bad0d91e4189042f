"""Blaming what cannot be seen. Strengths worked out as fit · the second strongest caller's."""

from __future__ import annotations

from itertools import permutations
from math import sqrt

import pytest

from aegis.engine.findings import Finding
from aegis.engine.symptoms import Symptoms
from aegis.engine.unseen import credit_unseen
from aegis.engine.world import World
from aegis.model.evidence import Signal
from tests.engine.telemetry import finding
from tests.engine.worlds import near, sick, world


def failing(strength: float) -> Symptoms:
    return sick({"errors": strength})


def credited(found: dict[str, Symptoms], here: World) -> dict[str, float]:
    """Strength of the errors that each credited service got."""
    return {name: found[name].of("errors") for name in credit_unseen(found, here)}


def test_callers_failing_together_point_at_what_they_all_call() -> None:
    # all of the failing call db and all its callers fail: fit 1; the second strongest has 1.5
    found = {"shop": failing(2.0), "app": failing(1.5)}

    assert credited(found, world("shop>db app>db", unseen="db")) == {"db": near(1.5)}


def test_of_three_callers_the_second_strongest_counts() -> None:
    found = {"a": failing(1.3), "b": failing(3.0), "c": failing(2.0)}

    assert credited(found, world("a>db b>db c>db", unseen="db")) == {"db": near(2.0)}


def test_slow_callers_are_credited_as_slow_calls() -> None:
    found = {"shop": sick({"latency": 2.0}), "app": sick({"call_time": 1.5})}

    assert credit_unseen(found, world("shop>db app>db", unseen="db")) == {"db"}
    assert found["db"].by_signal == {"call_time": near(1.5)}


def test_failing_and_slow_callers_are_credited_apart() -> None:
    found = {
        "shop": sick({"latency": 2.0, "errors": 3.0}),
        "app": sick({"latency": 1.5, "errors": 2.5}),
    }

    assert credit_unseen(found, world("shop>db app>db", unseen="db")) == {"db"}
    assert found["db"].by_signal == {"call_time": near(1.5), "errors": near(2.5)}


@pytest.mark.parametrize(("strength", "blamed"), [(1.19, False), (1.2, True), (1.21, True)])
def test_a_caller_is_bad_from_one_and_a_fifth_on(strength: float, blamed: bool) -> None:
    found = {"shop": failing(strength), "app": failing(strength)}

    assert bool(credited(found, world("shop>db app>db", unseen="db"))) == blamed


def test_a_seen_service_is_not_blamed() -> None:
    found = {"shop": failing(2.0), "app": failing(2.0)}

    assert credited(found, world("shop>db app>db")) == {}
    assert set(found) == {"shop", "app"}


def test_the_share_of_the_bad_that_call_it_makes_the_fit() -> None:
    # two of the three bad services call db: 2/3 · 2
    found = {"shop": failing(2.0), "app": failing(2.0), "other": failing(2.0)}

    assert credited(found, world("shop>db app>db", "other", unseen="db")) == {"db": near(4 / 3)}


def test_healthy_callers_speak_against_by_the_root_of_their_share() -> None:
    # two of its three callers are bad: sqrt(2/3) · 2
    found = {"shop": failing(2.0), "app": failing(2.0)}
    here = world("shop>db app>db calm>db", unseen="db")

    assert credited(found, here) == {"db": near(2 * sqrt(2 / 3))}


def test_a_bad_service_above_a_bad_one_is_not_counted_among_the_first_to_fail() -> None:
    # front calls shop, which fails: only shop and app are the frontier
    found = {"front": failing(9.0), "shop": failing(2.0), "app": failing(2.0)}

    here = world("front>shop shop>db app>db", unseen="db")

    assert credited(found, here) == {"db": near(2.0)}


def test_a_caller_that_also_calls_a_bad_service_still_counts_among_the_bad_callers() -> None:
    # frontier: shop and app; all three callers are bad: sqrt(3/3)
    found = {"front": failing(9.0), "shop": failing(2.0), "app": failing(2.0)}

    here = world("front>shop front>db shop>db app>db", unseen="db")

    assert credited(found, here) == {"db": near(2.0)}


@pytest.mark.parametrize("signal", ["errors", "error_logs"])
def test_error_spans_of_a_service_s_own_keep_the_blame_with_it(signal: Signal) -> None:
    found = {"shop": sick({signal: 2.0, "error_spans": 2.0}), "app": sick({signal: 2.0})}
    leafs = {
        "shop": sick({signal: 2.0, "error_spans": 2.0}, failed_outbound=True),
        "app": sick({signal: 2.0}),
    }
    here = world("shop>db app>db", unseen="db")

    assert credited(found, here) == {}
    assert credited(leafs, here) == {"db": near(2.0)}


def test_work_inside_keeps_slowness_with_the_service() -> None:
    inside = {"shop": sick({"self_time": 2.0}), "app": sick({"latency": 2.0})}
    outside = {"shop": sick({"self_time": 2.0}, outbound=2.0), "app": sick({"latency": 2.0})}
    here = world("shop>db app>db", unseen="db")

    assert credit_unseen(inside, here) == frozenset()
    assert credit_unseen(outside, here) == {"db"}


# --- A single caller ------------------------------------------------------------------------------


def test_a_lone_caller_blames_only_by_its_leaf_spans() -> None:
    here = world("shop>db", unseen="db")

    assert credited({"shop": failing(2.0)}, here) == {}
    # 0.6 · 2
    leafs = {"shop": sick({"errors": 2.0}, failed_outbound=True)}
    assert credited(leafs, here) == {"db": near(1.2)}


def test_a_lone_slow_caller_blames_by_the_time_of_its_leaf_spans() -> None:
    found = {"shop": sick({"self_time": 2.0}, outbound=2.0)}

    assert credit_unseen(found, world("shop>db", unseen="db")) == {"db"}
    assert found["db"].of("call_time") == near(1.2)


def test_a_lone_caller_of_several_unseen_services_blames_each_a_little_less() -> None:
    # 0.6 / sqrt(2) · 2 for both: nothing tells them apart
    found = {"shop": sick({"errors": 2.0}, failed_outbound=True)}

    assert credited(found, world("shop>db shop>cache shop>seen", unseen="db cache")) == {
        "db": near(1.2 / sqrt(2)),
        "cache": near(1.2 / sqrt(2)),
    }


# --- Several suspicions ---------------------------------------------------------------------------


@pytest.mark.parametrize(("db", "cache"), list(permutations(["alpha", "omega"])))
def test_the_better_explanation_takes_all_the_blame(db: str, cache: str) -> None:
    # db: 3/3 · 1; cache: 2/3 · 1
    found = {"a": failing(2.0), "b": failing(2.0), "c": failing(2.0)}
    here = world(f"a>{db} b>{db} c>{db} a>{cache} b>{cache}", unseen=f"{db} {cache}")

    assert credited(found, here) == {db: near(2.0)}
    assert cache not in found


@pytest.mark.parametrize(("db", "cache"), list(permutations(["alpha", "omega"])))
def test_between_equal_explanations_the_one_with_symptoms_of_its_own_is_blamed(
    db: str, cache: str
) -> None:
    here = world(f"a>{db} b>{db} a>{cache} b>{cache}", unseen=f"{db} {cache}")
    one = {"a": failing(2.0), "b": failing(2.0), db: sick({"cpu": 0.5})}
    both = {
        "a": failing(2.0),
        "b": failing(2.0),
        db: sick({"cpu": 0.5}),
        cache: sick({"cpu": 0.3, "memory": 0.3}),
    }

    assert credited(one, here) == {db: near(2.0)}
    assert credited(both, here) == {cache: near(2.0)}  # 0.3 + 0.3 > 0.5


def test_bad_symptoms_of_the_unseen_itself_do_not_stop_the_search_above_it() -> None:
    found = {"shop": failing(2.0), "app": failing(2.0), "db": failing(1.5)}

    assert credited(found, world("shop>db app>db", unseen="db")) == {"db": near(2.0)}


def test_stronger_symptoms_of_its_own_stay_as_they_are() -> None:
    found = {"shop": failing(2.0), "app": failing(2.0), "db": failing(2.5)}

    assert credited(found, world("shop>db app>db", unseen="db")) == {}
    assert found["db"].by_signal == {"errors": 2.5}


# --- Whose calls the troubled leaf spans are ---------------------------------------------------


def leaf(service: str, operation: str, surprise: float = 2.0) -> Finding:
    return finding(service, "error_spans", surprise, subject=operation, outbound=True)


def blamed(leaf_users: dict[str, str], *findings: Finding) -> float:
    """Strength that db gets from shop and app, which call it; only app calls cache."""
    found = {
        "shop": sick({"errors": 2.0}, findings=findings, failed_outbound=True),
        "app": sick({"errors": 2.0}, failed_outbound=True),
    }
    here = world("shop>db app>db app>cache", unseen="db", leaf_users=leaf_users)
    return credited(found, here).get("db", 0.0)


@pytest.mark.parametrize(
    ("users", "fit"),
    [
        ("shop app", 1.0),  # exactly its callers
        ("shop", 0.5),  # one of its two callers
        ("shop app other", 0.0),  # other does not call it
        ("other", 0.0),
    ],
)
def test_leaf_spans_in_trouble_speak_by_how_well_their_users_match_the_callers(
    users: str, fit: float
) -> None:
    assert blamed({"SELECT": users}, leaf("shop", "SELECT")) == near(2.0 * fit)


def test_leaf_spans_in_trouble_are_weighed_by_surprise() -> None:
    # (3 · 1 + 1 · 1/2) / 4
    strength = blamed(
        {"SELECT": "shop app", "GET": "shop"}, leaf("shop", "SELECT", 3.0), leaf("shop", "GET", 1.0)
    )

    assert strength == near(2.0 * 0.875)


@pytest.mark.parametrize(
    "other",
    [
        finding("shop", "error_spans", subject="GET"),  # no leaf
        finding("shop", "self_time", subject="GET", outbound=True),  # slow, not failing
        finding("shop", "error_spans", subject="unknown", outbound=True),  # nobody's leaf spans
    ],
)
def test_other_findings_do_not_tell_whose_calls_fail(other: Finding) -> None:
    assert blamed({"GET": "other"}, other) == near(2.0)
    assert blamed({"SELECT": "shop", "GET": "other"}, leaf("shop", "SELECT"), other) == near(1.0)


# --- What comes with the blame --------------------------------------------------------------------


def test_the_blamed_service_touches_what_its_callers_touch() -> None:
    found = {
        "shop": sick({"errors": 2.0}, touched={"errors": 0.2}),
        "app": sick({"errors": 1.5}, touched={"error_logs": 0.4, "latency": 0.9}),
    }

    credit_unseen(found, world("shop>db app>db", unseen="db"))

    assert found["db"].touched == {"errors": 0.4}


@pytest.mark.parametrize(("one", "other"), list(permutations(["alpha", "omega"])))
def test_findings_of_the_callers_come_along_strongest_caller_first(one: str, other: str) -> None:
    errors, logs = finding(one, "errors"), finding(other, "error_logs")
    busy, elsewhere = finding(one, "cpu"), finding("beyond", "errors")
    found = {
        other: sick({"error_logs": 1.5}, findings=[logs]),
        one: sick({"errors": 2.0}, findings=[busy, elsewhere, errors]),
    }

    credit_unseen(found, world(f"{one}>db {other}>db", unseen="db"))

    assert found["db"].findings == [errors, logs]


@pytest.mark.parametrize(("one", "other"), list(permutations(["alpha", "omega"])))
def test_of_equally_strong_callers_the_earlier_comes_first(one: str, other: str) -> None:
    early, late = finding(one, "errors", onset_s=10), finding(other, "errors", onset_s=20)
    found = {
        other: sick({"errors": 2.0}, findings=[late]),
        one: sick({"errors": 2.0}, findings=[early]),
    }

    credit_unseen(found, world(f"{one}>db {other}>db", unseen="db"))

    assert found["db"].findings == [early, late]


def test_without_symptoms_nobody_is_blamed() -> None:
    assert credit_unseen({}, world("shop>db", unseen="db")) == frozenset()

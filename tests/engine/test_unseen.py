"""Blaming what cannot be seen: the credit is 1.1 · fit · the second strongest caller's."""

from __future__ import annotations

from itertools import permutations
from math import sqrt

import pytest

from aegis.engine.symptoms import Symptoms
from aegis.engine.unseen import credit_unseen
from aegis.engine.world import World
from aegis.model.evidence import Signal
from tests.engine.telemetry import finding
from tests.engine.worlds import near, sick, world

CREDIT = 1.1
LONE = 0.8
"""What a single caller's word is worth."""


def failing(strength: float) -> Symptoms:
    return sick({"errors": strength})


def credited(found: dict[str, Symptoms], here: World) -> dict[str, float]:
    """Strength of the errors that each credited service got."""
    return {name: found[name].of("errors") for name in credit_unseen(found, here)}


def test_callers_failing_together_point_at_what_they_all_call() -> None:
    # all of the failing call db and all its callers fail: fit 1; the second strongest has 1.5
    found = {"shop": failing(2.0), "app": failing(1.5)}

    assert credited(found, world("shop>db app>db", unseen="db")) == {"db": near(CREDIT * 1.5)}


def test_of_three_callers_the_second_strongest_counts() -> None:
    found = {"a": failing(1.3), "b": failing(3.0), "c": failing(2.0)}

    assert credited(found, world("a>db b>db c>db", unseen="db")) == {"db": near(CREDIT * 2.0)}


def test_slow_callers_are_credited_as_slow_calls() -> None:
    found = {"shop": sick({"latency": 2.0}), "app": sick({"call_time": 1.5})}

    assert credit_unseen(found, world("shop>db app>db", unseen="db")) == {"db"}
    assert found["db"].by_signal == {"call_time": near(CREDIT * 1.5)}


def test_failing_and_slow_callers_are_credited_apart() -> None:
    found = {
        "shop": sick({"latency": 2.0, "errors": 3.0}),
        "app": sick({"latency": 1.5, "errors": 2.5}),
    }

    assert credit_unseen(found, world("shop>db app>db", unseen="db")) == {"db"}
    assert found["db"].by_signal == {"call_time": near(CREDIT * 1.5), "errors": near(CREDIT * 2.5)}


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

    assert credited(found, world("shop>db app>db", "other", unseen="db")) == {
        "db": near(CREDIT * 4 / 3)
    }


def test_healthy_callers_speak_against_by_the_root_of_their_share() -> None:
    # two of its three callers are bad: sqrt(2/3) · 2
    found = {"shop": failing(2.0), "app": failing(2.0)}
    here = world("shop>db app>db calm>db", unseen="db")

    assert credited(found, here) == {"db": near(CREDIT * 2 * sqrt(2 / 3))}


def test_a_bad_service_above_a_bad_one_is_not_counted_among_the_first_to_fail() -> None:
    # front calls shop, which fails: only shop and app are the frontier
    found = {"front": failing(9.0), "shop": failing(2.0), "app": failing(2.0)}

    here = world("front>shop shop>db app>db", unseen="db")

    assert credited(found, here) == {"db": near(CREDIT * 2.0)}


def test_a_caller_that_also_calls_a_bad_service_still_counts_among_the_bad_callers() -> None:
    # frontier: shop and app; all three callers are bad: sqrt(3/3)
    found = {"front": failing(9.0), "shop": failing(2.0), "app": failing(2.0)}

    here = world("front>shop front>db shop>db app>db", unseen="db")

    assert credited(found, here) == {"db": near(CREDIT * 2.0)}


@pytest.mark.parametrize("signal", ["errors", "error_logs"])
def test_error_spans_of_a_service_s_own_keep_the_blame_with_it(signal: Signal) -> None:
    found = {"shop": sick({signal: 2.0, "error_spans": 0.1}), "app": sick({signal: 2.0})}
    leafs = {
        "shop": sick({signal: 2.0, "error_spans": 0.1}, failed_outbound=True),
        "app": sick({signal: 2.0}),
    }
    here = world("shop>db app>db", unseen="db")

    assert credited(found, here) == {}
    assert credited(leafs, here) == {"db": near(CREDIT * 2.0)}


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
    # 0.8 · 2
    leafs = {"shop": sick({"errors": 2.0}, failed_outbound=True)}
    assert credited(leafs, here) == {"db": near(CREDIT * LONE * 2)}


def test_a_lone_slow_caller_blames_by_the_time_of_its_leaf_spans() -> None:
    found = {"shop": sick({"self_time": 2.0}, outbound=2.0)}

    assert credit_unseen(found, world("shop>db", unseen="db")) == {"db"}
    assert found["db"].of("call_time") == near(CREDIT * LONE * 2)


def test_a_lone_caller_of_several_unseen_services_blames_each_a_little_less() -> None:
    # 0.8 / sqrt(2) · 2 for both: nothing tells them apart
    found = {"shop": sick({"errors": 2.0}, failed_outbound=True)}

    assert credited(found, world("shop>db shop>cache shop>seen", unseen="db cache")) == {
        "db": near(CREDIT * LONE * 2 / sqrt(2)),
        "cache": near(CREDIT * LONE * 2 / sqrt(2)),
    }


# --- Symptoms of its own -----------------------------------------------------------------------


def test_bad_symptoms_of_the_unseen_itself_do_not_stop_the_search_above_it() -> None:
    found = {"shop": failing(2.0), "app": failing(2.0), "db": failing(1.5)}

    assert credited(found, world("shop>db app>db", unseen="db")) == {"db": near(CREDIT * 2.0)}


def test_stronger_symptoms_of_its_own_stay_as_they_are() -> None:
    found = {"shop": failing(2.0), "app": failing(2.0), "db": failing(2.5)}

    assert credited(found, world("shop>db app>db", unseen="db")) == {}
    assert found["db"].by_signal == {"errors": 2.5}


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


def test_only_between_callers_measured_alike_in_everything_does_the_name_decide() -> None:
    for number in range(20):
        one, other = f"a{number}", f"b{number}"
        found = {
            name: sick({"errors": 2.0}, findings=[finding(name, "errors")]) for name in (one, other)
        }

        credit_unseen(found, world(f"{one}>db {other}>db", unseen="db"))

        assert [item.service for item in found["db"].findings] == [other, one]


def test_without_symptoms_nobody_is_blamed() -> None:
    assert credit_unseen({}, world("shop>db", unseen="db")) == frozenset()

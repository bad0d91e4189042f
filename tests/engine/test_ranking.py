"""Which service is the cause: what symptoms amount to, and where they are felt.

Unless a test is about it, nobody is central, so a score is what is left of the symptoms ·
(0.75 + 0.25 · share of all symptoms felt at or above a service). Worked out by hand.
"""

from __future__ import annotations

from itertools import permutations

import pytest

from aegis.engine.ranking import Scored, total
from aegis.model.evidence import Signal
from tests.engine.telemetry import finding
from tests.engine.worlds import near, ranked, scores, sick, world


def test_a_service_without_symptoms_scores_nothing() -> None:
    assert ranked({}, world(services="cart"))["cart"] == Scored("cart", 0.0, 0.0, None)


def test_symptoms_of_different_families_add_up() -> None:
    # latency, errors, flow, sequence, resources, work
    by_signal: dict[Signal, float] = {
        "latency": 1.0,
        "errors": 2.0,
        "call_structure": 4.0,
        "log_sequence": 8.0,
        "cpu": 16.0,
        "traffic": 32.0,
    }

    assert total(by_signal) == near(63.0)


@pytest.mark.parametrize(
    ("by_signal", "expected"),
    [
        ({"latency": 2.0, "self_time": 1.0, "call_time": 0.5}, 2.3),  # 2 + 0.2 · 1.5
        ({"errors": 1.0, "error_spans": 2.0, "error_logs": 0.5}, 2.3),
        ({"call_structure": 1.0, "log_rate": 3.0}, 3.2),
        ({"cpu": 1.0, "memory": 1.0, "disk": 1.0, "network": 1.0, "restarts": 1.0}, 1.8),
        ({"saturation": 5.0, "cpu": 1.0}, 5.2),
        ({}, 0.0),
    ],
)
def test_within_a_family_all_but_the_strongest_count_a_fifth(
    by_signal: dict[Signal, float], expected: float
) -> None:
    assert total(by_signal) == near(expected)


def test_the_raw_strength_is_what_was_there_before_explaining() -> None:
    found = ranked(
        {"shop": sick({"errors": 2.0, "error_logs": 1.0}), "db": sick({"errors": 2.0})},
        world("shop>db"),
    )

    assert found["shop"].raw == near(2.2)
    assert found["db"].raw == near(2.0)


def test_a_service_below_all_symptoms_keeps_its_score_one_beside_them_loses_up_to_a_quarter() -> (
    None
):
    # 2 + 1 of 6 felt at db, 3 of 6 at other
    found = scores(
        {
            "shop": sick({"cpu": 1.0}),
            "db": sick({"cpu": 2.0}),
            "other": sick({"cpu": 3.0}),
        },
        world("shop>db", "other"),
    )

    assert found == {
        "shop": near(1.0 * (0.75 + 0.25 * 1 / 6)),
        "db": near(2.0 * 0.875),
        "other": near(3.0 * 0.875),
    }


def test_symptoms_reach_a_service_from_any_number_of_hops_above() -> None:
    found = scores({"app": sick({"cpu": 1.0}), "db": sick({"cpu": 1.0})}, world("app>shop shop>db"))

    assert found["db"] == near(1.0)


def test_few_and_weak_symptoms_are_shared_out_like_many_strong_ones() -> None:
    # half of all is felt at each, also where all is less than one, and healthy callers add none
    found = scores(
        {"db": sick({"cpu": 0.2}), "other": sick({"cpu": 0.2})}, world("shop>db app>db", "other")
    )

    assert found == {"db": near(0.175), "other": near(0.175), "shop": 0.0, "app": 0.0}


def test_a_central_service_gets_up_to_a_fifth_more() -> None:
    here = world("shop>db", centrality={"shop": 1.0, "db": 0.5})

    assert scores({"db": sick({"cpu": 1.0})}, here) == {"shop": near(0.2), "db": near(1.1)}


@pytest.mark.parametrize(
    ("load", "factor"),
    [
        ({"shop": 1.0, "db": 1.5}, 1.0877444),  # 1 + 0.15 · log2(1.5)
        ({"shop": 2.0, "db": 3.0}, 1.0877444),
        ({"shop": 1.0, "db": 2.0}, 1.15),
        ({"shop": 1.0, "db": 9.0}, 1.15),
        ({"shop": 1.5, "db": 1.0}, 0.9122556),
        ({"shop": 9.0, "db": 1.0}, 0.85),
        ({"shop": 1.0, "app": 2.0, "db": 2.0}, 1.0),  # the busiest caller explains it
        ({"shop": 2.0, "db": 2.0}, 1.0),
        ({"db": 2.0}, 1.0),
        ({"shop": 2.0}, 1.0),
        ({"other": 1.0, "db": 2.0}, 1.0),
        ({}, 1.0),
    ],
)
def test_requests_that_multiply_on_the_way_in_speak_against_a_service_and_the_reverse_for_it(
    load: dict[str, float], factor: float
) -> None:
    here = world("shop>db app>db", "other", load=load)

    assert scores({"db": sick({"cpu": 1.0})}, here)["db"] == near(factor)
    assert scores({"db": sick({"cpu": 1.0})}, here, use_graph=False)["db"] == near(1.0)


def test_a_silent_service_keeps_two_fifths_of_its_score() -> None:
    here = world(services="db", silent="db", centrality={"db": 1.0})

    assert scores({"db": sick({"cpu": 1.0})}, here)["db"] == near(0.48)  # 0.4 · 1.2


def test_a_service_off_the_path_of_traces_keeps_three_tenths() -> None:
    here = world(services="db", off_path="db", centrality={"db": 1.0})

    assert scores({"db": sick({"cpu": 1.0})}, here)["db"] == near(0.36)  # 0.3 · 1.2


def test_silent_and_off_path_multiply() -> None:
    here = world(services="db", silent="db", off_path="db")

    assert scores({"db": sick({"cpu": 1.0})}, here)["db"] == near(0.12)


def test_without_the_graph_nothing_is_explained_weighed_by_place_or_borrowed() -> None:
    # db: 1 · 1.35 + 0.8
    here = world("shop>db", silent="", recency={"db": 1.0}, centrality={"shop": 1.0, "db": 1.0})
    found = ranked(
        {"shop": sick({"errors": 4.0}), "db": sick({"errors": 1.0})}, here, use_graph=False
    )

    assert found["shop"] == Scored("shop", 4.0, 4.0, None)
    assert found["db"].score == near(2.15)


def test_without_the_graph_silence_still_counts() -> None:
    here = world("shop>db", silent="db", off_path="shop")

    found = scores({"shop": sick({"cpu": 1.0}), "db": sick({"cpu": 1.0})}, here, use_graph=False)

    assert found == {"shop": near(0.3), "db": near(0.4)}


@pytest.mark.parametrize("signal", ["latency", "cpu", "errors", "log_sequence"])
def test_a_callee_with_symptoms_explains_its_caller(signal: Signal) -> None:
    found = ranked({"shop": sick({"errors": 4.0}), "db": sick({signal: 1.0})}, world("shop>db"))

    assert found["shop"].explained_by == "db"
    assert found["db"].explained_by is None


@pytest.mark.parametrize("signal", ["log_rate", "traffic"])
def test_a_callee_that_only_writes_or_does_less_explains_nobody(signal: Signal) -> None:
    found = ranked({"shop": sick({"errors": 4.0}), "db": sick({signal: 1.0})}, world("shop>db"))

    assert found["shop"].explained_by is None


def test_a_healthy_caller_is_explained_as_well() -> None:
    assert ranked({"db": sick({"errors": 1.0})}, world("shop>db"))["shop"].explained_by == "db"


@pytest.mark.parametrize(("callee", "further"), list(permutations(["alpha", "omega"], 2)))
def test_the_strongest_of_the_callees_explains_most(callee: str, further: str) -> None:
    here = world(f"shop>{callee} {callee}>{further}")

    # 1.1 one hop further is 0.935; 1.2 is 1.02
    weaker = {callee: sick({"errors": 1.0}), further: sick({"errors": 1.1})}
    stronger = {callee: sick({"errors": 1.0}), further: sick({"errors": 1.2})}

    assert ranked(weaker, here)["shop"].explained_by == callee
    assert ranked(stronger, here)["shop"].explained_by == further


@pytest.mark.parametrize("signal", ["latency", "errors", "log_sequence"])
def test_the_size_of_each_kind_decides_who_explains_most(signal: Signal) -> None:
    found = ranked(
        {"db": sick({signal: 1.0}), "cache": sick({"errors": 0.9})}, world("shop>db shop>cache")
    )

    assert found["shop"].explained_by == "db"


@pytest.mark.parametrize(("one", "other"), list(permutations(["alpha", "omega"], 2)))
def test_equals_are_told_apart_by_all_their_symptoms_then_by_onset_then_by_their_rows(
    one: str, other: str
) -> None:
    here = world(f"shop>{one} shop>{other}")
    early = sick({"errors": 1.0}, findings=[finding(onset_s=60, values=(1, 2))])
    late = sick({"errors": 1.0}, findings=[finding(onset_s=120, values=(3, 4))])
    more = sick({"errors": 1.0, "traffic": 0.5}, findings=late.findings)
    undated = sick({"errors": 1.0}, findings=[finding(values=(5, 6))])
    other_rows = sick({"errors": 1.0}, findings=[finding(values=(7, 8))])

    assert ranked({one: early, other: late}, here)["shop"].explained_by == one
    assert ranked({one: early, other: more}, here)["shop"].explained_by == other
    assert ranked({one: early, other: undated}, here)["shop"].explained_by == one
    chosen = ranked({one: undated, other: other_rows}, here)["shop"].explained_by
    swapped = ranked({other: undated, one: other_rows}, here)["shop"].explained_by
    assert {chosen, swapped} == {one, other}


@pytest.mark.parametrize("names", list(permutations(["app", "mid", "zone"])))
def test_names_do_not_matter(names: tuple[str, str, str]) -> None:
    shop, cart, db = names
    symptoms = {
        shop: sick({"errors": 3.0, "latency": 2.0}),
        cart: sick({"latency": 2.0, "cpu": 0.7}),
        db: sick({"errors": 1.5, "disk": 1.1}),
    }

    found = scores(symptoms, world(f"{shop}>{cart} {cart}>{db}", recency={db: 0.3}))

    by_role = [found[shop], found[cart], found[db]]
    assert by_role == [
        scores(
            {role: symptoms[name] for role, name in zip("sbd", names, strict=True)},
            world("b>d s>b", recency={"d": 0.3}),
        )[role]
        for role in "sbd"
    ]


# --- Where requests multiply -------------------------------------------------------------------


def test_only_between_services_measured_alike_in_everything_does_the_name_decide() -> None:
    # twenty pairs, so that no accident of hashing can get all of them right
    for number in range(20):
        one, other = f"a{number}", f"b{number}"
        same = {name: sick({"errors": 1.0}) for name in (one, other)}

        assert ranked(same, world(f"shop>{one} shop>{other}"))["shop"].explained_by == other

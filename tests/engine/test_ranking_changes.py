"""What a recent change adds to a service and takes from its callers.

Unless a test is about it, nobody is central, so a score is what is left of the symptoms ·
(0.75 + 0.25 · share of all symptoms felt at or above a service). Worked out by hand.
"""

from __future__ import annotations

import pytest

from tests.engine.worlds import near, scores, sick, world


def test_a_change_alone_scores_eight_tenths_of_its_recency() -> None:
    assert scores({}, world(services="db", recency={"db": 0.5}))["db"] == near(0.4)


def test_a_change_lifts_symptoms_of_its_own_by_up_to_a_third() -> None:
    # 2 · (1 + 0.35 · 0.5) + 0.8 · 0.5
    found = scores({"db": sick({"cpu": 2.0})}, world(services="db", recency={"db": 0.5}))

    assert found["db"] == near(2.75)


def test_what_callers_feel_speaks_for_a_changed_service() -> None:
    # felt 2 at the only caller: (0.3 · 1 · 2) · 1.35 + 0.8
    found = scores({"shop": sick({"errors": 2.0})}, world("shop>db", recency={"db": 1.0}))

    assert found["db"] == near(1.61)


def test_callers_feel_slowness_a_little_less_than_errors() -> None:
    # felt 2 + 0.7 · 1: (0.3 · 0.5 · 2.7) · 1.175 + 0.4
    found = scores(
        {"shop": sick({"errors": 2.0, "latency": 1.0})}, world("shop>db", recency={"db": 0.5})
    )

    assert found["db"] == near(0.405 * 1.175 + 0.4)


def test_the_caller_that_feels_most_speaks_and_only_by_the_share_of_callers_that_hurt() -> None:
    # felt 2, 1, 0 at three callers of which two hurt: (0.3 · 2 · 2/3) · 1.35 + 0.8
    found = scores(
        {"a": sick({"errors": 2.0}), "b": sick({"errors": 1.0}), "c": sick({"cpu": 1.0})},
        world("a>db b>db c>db", recency={"db": 1.0}),
    )

    assert found["db"] == near(0.4 * 1.35 + 0.8)


@pytest.mark.parametrize(("felt", "hurt"), [(0.49, 0.5), (0.5, 1.0), (0.51, 1.0)])
def test_a_caller_hurts_from_a_half_on(felt: float, hurt: float) -> None:
    # of two callers one feels 2, the other `felt`: (0.3 · 2 · hurt) · 1.35 + 0.8
    found = scores(
        {"a": sick({"errors": 2.0}), "b": sick({"errors": felt})},
        world("a>db b>db", recency={"db": 1.0}),
    )

    assert found["db"] == near(0.6 * hurt * 1.35 + 0.8)


def test_callers_that_changed_themselves_do_not_speak_for_a_changed_callee() -> None:
    found = scores(
        {"shop": sick({"errors": 2.0})}, world("shop>db", recency={"db": 1.0, "shop": 0.2})
    )

    assert found["db"] == near(0.8)


def test_what_callees_of_the_changed_service_suffer_is_not_laid_at_its_door() -> None:
    # felt 2 above, 0.5 and 1.5 below: (0.3 · (2 - 1.5)) · 1.35 + 0.8
    found = scores(
        {"shop": sick({"errors": 2.0}), "db": sick({"errors": 0.5}), "disk": sick({"errors": 1.5})},
        world("shop>cart cart>db db>disk", recency={"cart": 1.0}),
    )

    assert found["cart"] == near(0.15 * 1.35 + 0.8)


def test_worse_callees_do_not_count_against_a_changed_service() -> None:
    found = scores(
        {"shop": sick({"errors": 2.0}), "db": sick({"errors": 9.0})},
        world("shop>cart cart>db", recency={"cart": 1.0}),
    )

    assert found["cart"] == near(0.8)


def test_a_changed_callee_excuses_its_caller() -> None:
    # 2 · (1 - 0.6 · 0.5), all of it felt at shop
    found = scores({"shop": sick({"errors": 2.0})}, world("shop>db", recency={"db": 0.5}))

    assert found["shop"] == near(1.4)


def test_a_changed_callee_excuses_what_it_leaves_of_every_kind_but_resources() -> None:
    # (4 + 4 + 4) · 0.4 + 4
    found = scores(
        {"shop": sick({"errors": 4.0, "latency": 4.0, "log_rate": 4.0, "cpu": 4.0})},
        world("shop>db", recency={"db": 1.0}),
    )

    assert found["shop"] == near(8.8)


def test_a_changed_callee_excuses_by_the_share_of_its_callers_that_hurt() -> None:
    # one of two callers hurts: 2 · (1 - 0.6 · 1/2)
    found = scores({"shop": sick({"errors": 2.0})}, world("shop>db app>db", recency={"db": 1.0}))

    assert found["shop"] == near(1.4)


def test_the_most_recently_changed_callee_excuses_and_not_all_of_them_together() -> None:
    # 2 · (1 - 0.6 · 0.5)
    found = scores(
        {"shop": sick({"errors": 2.0})},
        world("shop>db shop>cache shop>calm", recency={"db": 0.5, "cache": 0.25}),
    )

    assert found["shop"] == near(1.4)


def test_a_service_that_changed_itself_has_no_excuse() -> None:
    # 2 · (1 + 0.35 · 0.2) + 0.8 · 0.2
    found = scores(
        {"shop": sick({"errors": 2.0})}, world("shop>db", recency={"db": 1.0, "shop": 0.2})
    )

    assert found["shop"] == near(2.3)

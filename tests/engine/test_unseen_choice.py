"""Which of several unseen services is blamed, and when a starved one is.

Unless said otherwise shop and app fail, both call db and cache, and batch calls cache as well:
db fits 1, cache sqrt(2/3) = 0.816.
"""

from __future__ import annotations

from itertools import permutations

import pytest

from aegis.engine.findings import Finding
from aegis.engine.symptoms import Symptoms
from aegis.engine.unseen import credit_unseen
from tests.engine.telemetry import finding
from tests.engine.worlds import near, sick, world

CREDIT = 1.1


def failing(strength: float) -> Symptoms:
    return sick({"errors": strength})


def blamed(
    *findings: Finding,
    leaf_users: dict[str, str] | None = None,
    db: float = 0.0,
    cache: float = 0.0,
) -> set[str]:
    """Who is blamed when shop has these findings; `db` and `cache`: strengths of their own."""
    found = {"shop": sick({"errors": 2.0}, findings=findings), "app": failing(2.0)}
    found |= {"db": sick({"cpu": db})} if db else {}
    found |= {"cache": sick({"cpu": cache})} if cache else {}
    here = world(
        "shop>db app>db shop>cache app>cache batch>cache",
        unseen="db cache",
        leaf_users=leaf_users,
    )
    return set(credit_unseen(found, here))


@pytest.mark.parametrize(("db", "cache"), list(permutations(["alpha", "omega"])))
def test_the_better_explanation_takes_all_the_blame(db: str, cache: str) -> None:
    # all three failing services call the one, two of them the other
    found = {"a": failing(2.0), "b": failing(2.0), "c": failing(2.0)}
    here = world(f"a>{db} b>{db} c>{db} a>{cache} b>{cache}", unseen=f"{db} {cache}")

    assert credit_unseen(found, here) == {db}
    assert found[db].of("errors") == near(CREDIT * 2.0)
    assert cache not in found


def test_equal_explanations_share_the_blame() -> None:
    found = {"a": failing(2.0), "b": failing(2.0)}

    assert credit_unseen(found, world("a>x b>x a>y b>y", unseen="x y")) == {"x", "y"}


@pytest.mark.parametrize(
    ("db", "cache", "expected"),
    [
        (0.0, 0.0, "db"),
        (0.0, 0.22, "db"),  # 0.816 · 1.22 = 0.996
        (0.0, 0.23, "cache"),  # 0.816 · 1.23 = 1.004
        (0.5, 0.83, "db"),  # 1.5 against 1.494
        (0.5, 0.84, "cache"),  # 1.502
        (0.7, 1.0, "db"),  # 1.7 against 1.633
        (0.7, 9.0, "db"),  # no more than one counts
    ],
)
def test_symptoms_of_its_own_make_an_explanation_up_to_twice_as_good(
    db: float, cache: float, expected: str
) -> None:
    assert blamed(db=db, cache=cache) == {expected}


def test_symptoms_of_its_own_add_up() -> None:
    found = {"a": failing(2.0), "b": failing(2.0)}
    found |= {"x": sick({"cpu": 0.5}), "y": sick({"cpu": 0.3, "memory": 0.3})}

    assert credit_unseen(found, world("a>x b>x a>y b>y", unseen="x y")) == {"y"}


# --- Whose calls the troubled leaf spans are ---------------------------------------------------


def leaf(operation: str, surprise: float = 2.0) -> Finding:
    return finding("shop", "error_spans", surprise, subject=operation, outbound=True)


def test_leaf_spans_that_others_have_as_well_are_no_calls_to_it() -> None:
    assert blamed(leaf("GET"), leaf_users={"GET": "shop app batch"}) == {"cache"}
    assert blamed(leaf("GET"), leaf_users={"GET": "shop app"}) == {"db"}


def test_leaf_spans_that_nobody_who_calls_it_has_blame_nobody() -> None:
    assert blamed(leaf("GET"), leaf_users={"GET": "shop stranger"}) == set()


@pytest.mark.parametrize(("surprise", "expected"), [(0.178, "cache"), (0.181, "db")])
def test_leaf_spans_speak_by_surprise_and_by_the_share_of_callers_that_have_them(
    surprise: float, expected: str
) -> None:
    # s of GET against 0.1 of READ: db s, cache 0.816 · (0.1 + s · 2/3), equal at 0.1792
    found = blamed(
        leaf("GET", surprise),
        leaf("READ", 0.1),
        leaf_users={"GET": "shop app", "READ": "shop app batch"},
    )

    assert found == {expected}


@pytest.mark.parametrize(
    "other",
    [
        finding("shop", "error_spans", subject="READ"),  # no leaf
        finding("shop", "self_time", subject="READ", outbound=True),  # slow, not failing
        finding("shop", "error_spans", subject="unknown", outbound=True),  # nobody's leaf spans
    ],
)
def test_other_findings_do_not_tell_whose_calls_fail(other: Finding) -> None:
    assert blamed(other, leaf_users={"READ": "shop app batch"}) == {"db"}


@pytest.mark.parametrize("findings", [[leaf("READ", 1.0)], []])
def test_the_amount_of_surprise_alone_makes_no_better_explanation(findings: list[Finding]) -> None:
    # two pairs of callers, two unseen services; each pair's troubled leaf spans match, if any
    found = {
        "a": sick({"errors": 2.0}, findings=[leaf("GET", 4.0)]),
        "b": failing(2.0),
        "c": sick({"errors": 2.0}, findings=findings),
        "d": failing(2.0),
    }
    here = world("a>x b>x c>y d>y", unseen="x y", leaf_users={"GET": "a b", "READ": "c d"})

    assert credit_unseen(found, here) == {"x", "y"}


# --- Starved ----------------------------------------------------------------------------------


def starved(baseline: float | None, observed: float | None, signal: str = "traffic") -> float:
    """What db is credited where shop (first to fail) and front above it both call db."""
    few = finding(
        "db", "traffic" if signal == "traffic" else "cpu", baseline=baseline, observed=observed
    )
    found = {"front": failing(9.0), "shop": failing(2.0), "db": sick(findings=[few])}
    credit_unseen(found, world("front>shop front>db shop>db", unseen="db"))
    return found["db"].of("errors")


def test_a_starved_service_is_blamed_by_all_its_bad_callers_and_not_only_the_first() -> None:
    # fit 1 of 1 · sqrt(2/2); the second strongest of front and shop
    assert starved(10.0, 4.9) == near(CREDIT * 2.0)


@pytest.mark.parametrize(
    ("baseline", "observed"), [(10.0, 5.0), (10.0, 5.1), (10.0, 20.0), (None, 0.4)]
)
def test_a_service_that_gets_half_its_requests_is_not_starved(
    baseline: float | None, observed: float
) -> None:
    assert starved(baseline, observed) == 0.0


def test_the_bad_who_do_not_call_a_starved_service_still_speak_against_it() -> None:
    # one of the two first to fail calls it: 1/2 · 2
    few = finding("db", "traffic", baseline=10.0, observed=1.0)
    found = {
        "front": failing(9.0),
        "shop": failing(2.0),
        "other": failing(5.0),
        "db": sick(findings=[few]),
    }

    credit_unseen(found, world("front>shop front>db shop>db", "other", unseen="db"))

    assert found["db"].of("errors") == near(CREDIT * 1.0)


def test_a_service_that_gets_no_requests_any_more_is_starved() -> None:
    assert starved(1.0, None) == near(CREDIT * 2.0)


def test_only_requests_that_stay_away_starve() -> None:
    assert starved(10.0, 1.0, "cpu") == 0.0

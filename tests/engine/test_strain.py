"""What a service that is full suffers, and how little of it speaks against the service."""

from __future__ import annotations

from math import sqrt

import pytest

from aegis.engine.strain import kept_under_strain
from aegis.engine.symptoms import ERRORS, FLOW, SEQUENCE, Symptoms
from aegis.model.evidence import Signal
from tests.engine.worlds import near, scores, sick, world

FAILING = sick({"errors": 1.0})


def kept(
    signal: Signal,
    *,
    load: float | None = None,
    away: float | None = None,
    shop: Symptoms = FAILING,
    **callees: Symptoms,
) -> float:
    """How much of shop's signal is kept; it calls these callees, and one that is well."""
    here = world(
        " ".join(f"shop>{name}" for name in ("well", *callees)),
        load={} if load is None else {"shop": load},
        turned_away={} if away is None else {"shop": away},
    )
    return kept_under_strain("shop", {"shop": shop, **callees}, here).get(signal, 1.0)


@pytest.mark.parametrize("signal", sorted(ERRORS))
@pytest.mark.parametrize(
    ("load", "share"),
    [
        (None, 1.0),
        (0.25, 1.0),  # fewer requests strain nobody
        (1.0, 1.0),
        (sqrt(2.0), 0.875),
        (2.0, 0.75),
        (4.0, 0.5),
        (8.0, 0.25),
        (16.0, 0.25),  # no more than three doublings count
    ],
)
def test_every_doubling_of_the_requests_excuses_a_quarter_of_the_errors(
    signal: Signal, load: float | None, share: float
) -> None:
    assert kept(signal, load=load) == near(share)


@pytest.mark.parametrize(
    ("load", "share"), [(None, 1.0), (0.5, 1.0), (2.0, 0.6), (4.0, 0.2), (6.0, 0.0)]
)
def test_every_doubling_of_the_requests_excuses_four_tenths_of_the_latency(
    load: float | None, share: float
) -> None:
    assert kept("latency", load=load) == near(share)


@pytest.mark.parametrize(
    ("signal", "strength", "share"),
    [
        ("latency", 1.0, 0.75),
        ("call_time", 1.0, 0.75),
        ("self_time", 2.0, 0.5),
        ("self_time", 5.0, 0.0),
        ("disk", 1.0, 0.85),
        ("memory", 2.0, 0.7),
        ("cpu", 2.0, 1.0),
        ("network", 2.0, 1.0),
        ("errors", 1.0, 0.8),
        ("error_spans", 2.0, 0.6),
        ("traffic", 2.0, 1.0),
    ],
)
def test_a_slow_full_or_failing_callee_excuses_errors(
    signal: Signal, strength: float, share: float
) -> None:
    assert kept("errors", db=sick({signal: strength})) == near(share)


def test_of_several_callees_the_worst_excuses() -> None:
    slow, slower = sick({"latency": 1.0}), sick({"latency": 2.0})

    assert kept("errors", db=slow, cache=slower) == near(0.5)


def test_what_excuses_errors_adds_up() -> None:
    callee = sick({"latency": 0.8, "disk": 1.0, "errors": 0.5})

    assert kept("errors", load=2.0, db=callee) == near(1.0 - 0.25 - 0.2 - 0.15 - 0.1)


def test_a_callee_that_fails_few_requests_excuses_few_errors() -> None:
    # a sixteenth of the share of requests: a quarter of it
    shop = sick({"errors": 4.0}, touched={"errors": 0.8})
    few = sick({"errors": 2.0}, touched={"errors": 0.05})

    assert kept("errors", shop=shop, db=few) == near(1.0 - 0.2 * 2.0 / 4.0)
    assert kept("errors", shop=shop, db=few, cache=sick({"errors": 1.0})) == near(0.9)


@pytest.mark.parametrize(
    ("signal", "strength", "share"),
    [("errors", 1.0, 0.75), ("error_spans", 2.0, 0.5), ("errors", 5.0, 0.0), ("latency", 2.0, 1.0)],
)
def test_pauses_between_attempts_at_a_failing_callee_are_no_work_of_its_own(
    signal: Signal, strength: float, share: float
) -> None:
    assert kept("self_time", db=sick({signal: strength})) == near(share)


@pytest.mark.parametrize("signal", sorted(FLOW | SEQUENCE))
@pytest.mark.parametrize(("away", "share"), [(None, 1.0), (0.0, 1.0), (0.4, 0.6), (1.0, 0.0)])
def test_requests_turned_away_make_no_calls_and_write_no_lines(
    signal: Signal, away: float | None, share: float
) -> None:
    assert kept(signal, away=away) == near(share)


@pytest.mark.parametrize("signal", sorted(FLOW | SEQUENCE))
def test_requests_answered_fast_without_an_error_are_no_overload(signal: Signal) -> None:
    assert kept(signal, away=1.0, shop=sick({"latency": 1.0})) == 1.0


@pytest.mark.parametrize("signal", ["errors", "latency", "self_time"])
def test_turning_requests_away_excuses_nothing_else(signal: Signal) -> None:
    assert kept(signal, away=1.0) == 1.0


@pytest.mark.parametrize("signal", ["cpu", "memory", "disk", "restarts", "call_time", "traffic"])
def test_resources_are_not_excused_by_strain(signal: Signal) -> None:
    everything = sick({"latency": 3.0, "errors": 3.0, "disk": 3.0})

    assert kept(signal, load=8.0, away=1.0, db=everything) == 1.0


def test_a_service_without_symptoms_is_asked_in_vain() -> None:
    assert kept_under_strain("shop", {}, world("shop>db", turned_away={"shop": 1.0})) == {
        **dict.fromkeys(ERRORS, 1.0),
        "latency": 1.0,
        "self_time": 1.0,
    }


def test_requests_that_callers_repeat_excuse_nothing() -> None:
    here = world(services="db", load={"db": 8.0}, inherited={"db": 2.0})

    assert kept_under_strain("db", {"db": FAILING}, here)["errors"] == near(0.75)
    assert kept_under_strain("db", {"db": FAILING}, here)["latency"] == near(0.6)


def test_strain_lowers_the_score_of_what_is_left() -> None:
    symptoms = {"db": sick({"errors": 4.0})}

    assert scores(symptoms, world(services="db"))["db"] == near(4.0)
    assert scores(symptoms, world(services="db", load={"db": 2.0}))["db"] == near(3.0)


def test_strain_is_part_of_the_graph_step() -> None:
    here = world(services="db", load={"db": 2.0})

    assert scores({"db": sick({"errors": 4.0})}, here, use_graph=False)["db"] == near(4.0)

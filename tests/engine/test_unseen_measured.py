"""What is measured of an unseen service, by itself and by its callers, for and against it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from aegis.engine.findings import Finding
from aegis.engine.symptoms import Symptoms
from aegis.engine.unseen import credit_unseen
from aegis.model.evidence import Signal
from tests.engine.telemetry import finding
from tests.engine.worlds import near, sick, world

CREDIT = 1.1 * 2.0
"""Of a service that explains two callers of strength 2."""


def credit(
    signal: Signal,
    *own: Finding,
    measured: Mapping[str, Signal] | None = None,
    load: Mapping[str, float] | None = None,
) -> float:
    """What db is credited where shop and app, its callers, show this signal."""
    found = {"shop": sick({signal: 2.0}), "app": sick({signal: 2.0})}
    found["db"] = sick(findings=own)
    credit_unseen(found, world("shop>db app>db", unseen="db", measured=measured, load=load))
    return found["db"].of("call_time" if signal == "latency" else "errors")


# --- Slow calls of a service that is as fast as ever -------------------------------------------


def test_a_service_that_finds_itself_fast_is_credited_half_of_the_waiting() -> None:
    assert credit("latency") == near(CREDIT)
    assert credit("latency", measured={"db": "latency"}) == near(CREDIT / 2)


@pytest.mark.parametrize("signal", ["errors", "cpu", "traffic"])
def test_other_measurements_do_not_tell_that_it_is_fast(signal: Signal) -> None:
    assert credit("latency", measured={"db": signal}) == near(CREDIT)


def test_what_others_measure_of_themselves_tells_nothing() -> None:
    assert credit("latency", measured={"shop": "latency"}) == near(CREDIT)


def test_a_service_that_finds_itself_slow_is_credited_in_full() -> None:
    slow = finding("db", "latency")

    assert credit("latency", slow, measured={"db": "latency"}) == near(CREDIT)


@pytest.mark.parametrize(
    "other",
    [
        finding("db", "cpu"),
        finding("db", "latency", peer="db"),  # what a caller measured, credited to it
        finding("shop", "latency"),
    ],
)
def test_only_its_own_latency_says_that_it_is_slow(other: Finding) -> None:
    assert credit("latency", other, measured={"db": "latency"}) == near(CREDIT / 2)


def test_a_service_that_finds_no_errors_may_refuse_its_callers_all_the_same() -> None:
    assert credit("errors", measured={"db": "errors"}) == near(CREDIT)


# --- Requests that get lost on the way ---------------------------------------------------------


@pytest.mark.parametrize(
    ("load", "factor"),
    [
        ({"shop": 1.0, "db": 0.5}, 1.3),  # half of the requests stay away
        ({"shop": 1.0, "db": 0.01}, 1.3),  # no more than that counts
        ({"shop": 2.0, "db": 2.0**0.5}, 1.15),
        ({"shop": 1.0, "db": 1.0}, 1.0),
        ({"shop": 1.0, "db": 4.0}, 1.0),
        ({"db": 0.1}, 1.0),
    ],
)
def test_failing_calls_to_a_service_that_gets_fewer_of_them_point_at_it(
    load: Mapping[str, float], factor: float
) -> None:
    assert credit("errors", load=load) == near(CREDIT * factor)


def test_slow_calls_are_not_explained_by_requests_that_stay_away() -> None:
    assert credit("latency", load={"shop": 1.0, "db": 0.5}) == near(CREDIT)


@pytest.mark.parametrize(
    ("load", "cpu", "expected"),
    [
        ({}, 0.0, {"db", "cache"}),
        ({"shop": 1.0, "db": 0.5}, 0.49, {"db"}),  # 1 + 0.5 against 1.49
        ({"shop": 1.0, "db": 0.5}, 0.51, {"cache"}),
        ({"shop": 1.0, "db": 0.01}, 0.51, {"cache"}),  # no more than half of them counts
        ({"shop": 2.0**0.5, "db": 0.999999}, 0.24, {"db"}),  # half a doubling
        ({"shop": 2.0**0.5, "db": 0.999999}, 0.26, {"cache"}),
        ({"shop": 2.0**0.5, "db": 1.0}, 0.01, {"cache"}),  # it gets as many as before
        ({"shop": 0.5, "db": 0.5}, 0.01, {"cache"}),  # so do its callers
        ({"db": 0.5}, 0.01, {"cache"}),
    ],
)
def test_of_several_the_one_that_failing_requests_stay_away_from_is_blamed(
    load: Mapping[str, float], cpu: float, expected: set[str]
) -> None:
    found = {"shop": sick({"errors": 2.0}), "app": sick({"errors": 2.0})}
    found |= {"cache": sick({"cpu": cpu})}
    here = world("shop>db app>db shop>cache app>cache", unseen="db cache", load=load)

    assert credit_unseen(found, here) == expected


def test_requests_that_stay_away_do_not_choose_who_is_slow() -> None:
    found = {"shop": sick({"latency": 2.0}), "app": sick({"latency": 2.0})}
    here = world(
        "shop>db app>db shop>cache app>cache", unseen="db cache", load={"shop": 1.0, "db": 0.5}
    )

    assert credit_unseen(found, here) == {"db", "cache"}


# --- What callers measure of one callee --------------------------------------------------------


def heard(
    signal: Signal, *callers: str, found_by: str = "", about: str = "db", found: Signal = "errors"
) -> dict[str, float]:
    """Credit where these callers measure db; `found_by` say that `about` shows `found`."""
    symptoms: dict[str, Symptoms] = {}
    for name in ("a", "b", "c", "d"):
        says = [finding(name, found, peer=about)] if name in found_by.split() else []
        symptoms[name] = sick({signal: 2.0}, findings=says)
    here = world(
        "a>db b>db c>db d>db",
        unseen="db",
        heard=[(name, "db", "errors" if signal == "errors" else "latency") for name in callers],
    )
    return {
        name: symptoms[name].of("errors" if signal == "errors" else "call_time")
        for name in credit_unseen(symptoms, here)
    }


@pytest.mark.parametrize(
    ("callers", "found_by", "share"),
    [
        ("", "", 1.0),
        ("a", "a", 1.0),
        ("a b", "a", 0.5),
        ("a b c d", "a b c", 0.75),
        ("a b", "", 0.2),  # nobody's word is the last one
        ("a b c d", "a", 0.25),
        ("a", "b", 0.2),  # b finds something, but of what it does not measure
    ],
)
@pytest.mark.parametrize("signal", ["errors", "latency"])
def test_callers_that_measure_a_callee_and_find_nothing_speak_for_it(
    signal: Signal, callers: str, found_by: str, share: float
) -> None:
    got = heard(signal, *callers.split(), found_by=found_by, found=signal)

    assert got == {"db": near(CREDIT * share)}


def test_what_callers_find_of_another_callee_tells_nothing() -> None:
    assert heard("errors", "a", "b", found_by="a b", about="cache") == {"db": near(CREDIT * 0.2)}


def test_slow_answers_are_no_errors_and_errors_no_slow_answers() -> None:
    assert heard("errors", "a", found_by="a", found="latency") == {"db": near(CREDIT * 0.2)}
    assert heard("latency", "a", found_by="a", found="errors") == {"db": near(CREDIT * 0.2)}


def test_of_two_the_one_that_its_callers_find_failing_is_blamed() -> None:
    found = {
        name: sick({"errors": 2.0}, findings=[finding(name, "errors", peer="db")])
        for name in ("a", "b")
    }
    here = world(
        "a>db b>db a>cache b>cache",
        unseen="db cache",
        heard=[(caller, callee, "errors") for caller in "ab" for callee in ("db", "cache")],
    )

    assert credit_unseen(found, here) == {"db"}


def test_what_callers_find_of_another_callee_is_no_evidence_about_it() -> None:
    mine, other = finding("shop", "errors", peer="db"), finding("shop", "errors", peer="cache")
    whole = finding("shop", "errors")
    found = {
        "shop": sick({"errors": 2.0}, findings=[mine, other, whole]),
        "app": sick({"errors": 2.0}),
    }

    credit_unseen(found, world("shop>db app>db", unseen="db"))

    assert found["db"].findings == [mine, whole]

"""Services with clear symptoms of their own that something else explains."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import pytest

from aegis.engine.candidates import Candidates
from aegis.engine.proof import Docket
from aegis.engine.ranking import Scored
from aegis.engine.symptoms import Symptoms
from aegis.engine.world import World
from aegis.model.diagnosis import RuledOut
from tests.engine.telemetry import finding, observations, window
from tests.engine.worlds import sick, world

ASKED = window(600, 900)
FIRST = Scored("db", 3.0, 3.0, None)


def ruled_out(
    ordered: Sequence[Scored], here: World, symptoms: dict[str, Symptoms] | None = None
) -> tuple[RuledOut, ...]:
    known = {item.service: sick(findings=[finding(item.service)]) for item in ordered}
    candidates = Candidates(
        known | (symptoms or {}), here, (), observations(ASKED), Docket(ASKED), ordered
    )
    return candidates.ruled_out()


def shop(score: float, raw: float, explained_by: str | None = None) -> Scored:
    return Scored("shop", score, raw, explained_by)


def test_a_caller_of_the_first_cause_is_explained_by_it() -> None:
    (found,) = ruled_out([FIRST, shop(0.1, 2.0, "cart")], world("shop>db shop>cart"))

    assert (found.service, found.explained_by) == ("shop", "db")
    assert found.why.en == "shop's symptoms are explained by db."
    assert found.evidence_ids == ("m1",)


def test_a_service_elsewhere_is_explained_by_what_explains_it_most() -> None:
    (found,) = ruled_out([FIRST, shop(0.1, 2.0, "cart")], world("shop>cart", "db"))

    assert found.explained_by == "cart"


def test_a_service_that_nothing_explains_is_not_ruled_out() -> None:
    assert ruled_out([FIRST, shop(0.1, 2.0)], world("", "db shop")) == ()


def test_the_first_cause_is_never_ruled_out() -> None:
    assert ruled_out([Scored("db", 0.1, 3.0, "cart")], world("db>cart")) == ()
    assert ruled_out([], world()) == ()


@pytest.mark.parametrize(("raw", "count"), [(0.99, 0), (1.0, 1), (1.01, 1)])
def test_symptoms_of_a_strength_of_one_are_clear(raw: float, count: int) -> None:
    assert len(ruled_out([FIRST, shop(0.0, raw)], world("shop>db"))) == count


@pytest.mark.parametrize(("score", "count"), [(0.7, 1), (0.71, 0)])
def test_a_service_that_keeps_more_than_35_percent_is_not_ruled_out(
    score: float, count: int
) -> None:
    assert len(ruled_out([FIRST, shop(score, 2.0)], world("shop>db"))) == count


def test_the_strongest_evidence_of_what_was_felt_is_cited() -> None:
    own = sick(findings=[finding("shop", "cpu", 2.0), finding("shop", "errors", 3.0)])
    ordered = [FIRST, shop(0.1, 2.0)]
    here = Candidates(
        {"shop": own}, world("shop>db"), (), observations(ASKED), Docket(ASKED), ordered
    )

    (found,) = here.ruled_out()

    (cited,) = here.docket.evidence()
    assert (found.evidence_ids, cited.signal) == ((cited.id,), "errors")


@pytest.mark.parametrize("names", list(permutations(["alpha", "mid", "omega"])))
def test_the_strongest_symptoms_come_first_and_the_lower_score_among_equals(
    names: tuple[str, str, str],
) -> None:
    one, two, three = names
    ordered = [
        FIRST,
        Scored(one, 0.3, 2.0 + 1e-12, None),
        Scored(two, 0.2, 2.0, None),
        Scored(three, 0.1, 1.5, None),
    ]

    found = ruled_out(ordered, world(f"{one}>db {two}>db {three}>db"))

    assert [item.service for item in found] == [two, one, three]


def test_five_at_most_are_ruled_out() -> None:
    names = [f"s{number}" for number in range(6)]
    ordered = [FIRST, *(Scored(name, 0.0, 6.0 - place, None) for place, name in enumerate(names))]

    found = ruled_out(ordered, world(" ".join(f"{name}>db" for name in names)))

    assert [item.service for item in found] == names[:5]


# --- Through whom ---------------------------------------------------------------------------------


def through(calls: str, symptoms: dict[str, Symptoms] | None = None) -> str:
    (found,) = ruled_out([FIRST, shop(0.1, 2.0)], world(calls), symptoms)
    return found.why.en


@pytest.mark.parametrize(
    ("calls", "between"),
    [
        ("shop>db", ""),
        ("shop>cart cart>db", " (through cart)"),
        ("shop>cart cart>stock stock>db", " (through cart → stock)"),
        ("shop>db shop>cart cart>db", ""),  # a shortest chain
        ("shop>cart cart>db shop>a a>b b>db", " (through cart)"),
        ("shop>cart cart>db shop>elsewhere", " (through cart)"),
    ],
)
def test_the_services_between_are_named(calls: str, between: str) -> None:
    assert through(calls) == f"shop's symptoms are explained by db{between}."


@pytest.mark.parametrize(("one", "other"), list(permutations(["alpha", "omega"])))
def test_of_several_shortest_chains_the_one_through_the_strongest_symptoms(
    one: str, other: str
) -> None:
    calls = f"shop>{one} {one}>db shop>{other} {other}>db"
    strong, weak = sick({"cpu": 1.0, "errors": 0.1}), sick({"errors": 0.9})

    assert f"through {one})" in through(calls, {one: strong, other: weak})
    assert f"through {one})" in through(calls, {one: sick({"cpu": 0.1})})


@pytest.mark.parametrize(("one", "other"), list(permutations(["alpha", "omega"])))
def test_of_equal_chains_the_one_that_began_earlier(one: str, other: str) -> None:
    calls = f"shop>{one} {one}>db shop>{other} {other}>db"
    early = sick({"cpu": 1.0}, findings=[finding(onset_s=610)])
    late = sick({"cpu": 1.0}, findings=[finding(onset_s=620)])

    assert f"through {one})" in through(calls, {one: early, other: late})


def test_only_between_chains_measured_alike_in_everything_does_the_name_decide() -> None:
    for number in range(20):
        one, other = f"a{number}", f"b{number}"

        assert f"through {other})" in through(f"shop>{one} {one}>db shop>{other} {other}>db")

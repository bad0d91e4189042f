"""The evidence for each candidate: what is cited, in which order, and from when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from aegis.engine.candidates import Candidates
from aegis.engine.measured import measured
from aegis.engine.proof import Docket
from aegis.engine.ranking import Scored
from aegis.engine.symptoms import Symptoms
from aegis.engine.world import World
from aegis.model.diagnosis import RootCause
from aegis.model.evidence import Evidence
from aegis.model.telemetry import Change, Matrix, Series
from tests.engine.telemetry import at_ns, finding, moment, observations, window
from tests.engine.worlds import sick, world

ASKED = window(600, 900)


def scored(service: str, score: float = 1.0, explained_by: str | None = None) -> Scored:
    return Scored(service, score, score, explained_by)


def of(
    symptoms: Mapping[str, Symptoms],
    ordered: Sequence[Scored],
    *,
    here: World | None = None,
    metrics: Sequence[Series] = (),
    changes: Sequence[Change] = (),
) -> Candidates:
    names = " ".join(item.service for item in ordered)
    return Candidates(
        symptoms,
        here or world(services=names),
        measured(Matrix(tuple(metrics))),
        observations(ASKED, changes=changes),
        Docket(ASKED),
        ordered,
    )


def causes(candidates: Candidates) -> tuple[RootCause, ...]:
    return candidates.causes({item.service: 0.1 for item in candidates.ordered})


def cited(candidates: Candidates, ids: Sequence[str]) -> list[Evidence]:
    known = {item.id: item for item in candidates.docket.evidence()}
    return [known[name] for name in ids]


def told_for(
    own: Symptoms, *, changes: Sequence[Change] = (), metrics: Sequence[Series] = ()
) -> list[Evidence]:
    """Evidence for the only candidate."""
    here = of({"db": own}, [scored("db")], changes=changes, metrics=metrics)
    return cited(here, causes(here)[0].evidence_ids)


# --- Every service is a candidate -------------------------------------------------------------


def test_causes_come_in_the_order_of_the_scores_with_their_chances() -> None:
    here = of({}, [scored("db", 2.0), scored("shop", 1.0)])

    found = here.causes({"db": 0.7, "shop": 0.2})

    assert [(item.service, item.score, item.probability) for item in found] == [
        ("db", 2.0, 0.7),
        ("shop", 1.0, 0.2),
    ]
    assert {item.family for item in found} == {"code"}


def test_the_family_knows_what_kind_of_change_was_last() -> None:
    own = sick({"errors": 2.0})
    old, new = (Change("db", moment(s), kind) for s, kind in ((0, "deploy"), (300, "config")))
    here = world(services="db", recency={"db": 0.5})

    for changes in ([old, new], [new, old]):
        assert causes(of({"db": own}, [scored("db")], here=here, changes=changes))[0].family == (
            "config"
        )


def test_a_change_of_no_known_kind_says_nothing_of_the_family() -> None:
    here = world(services="db", recency={"db": 0.5})
    changes = [Change("db", moment(0))]

    assert causes(of({"db": sick()}, [scored("db")], here=here, changes=changes))[0].family == (
        "code"
    )


def test_the_first_five_carry_evidence() -> None:
    names = [f"s{number}" for number in range(6)]
    symptoms = {name: sick(findings=[finding(name)]) for name in names}

    found = causes(of(symptoms, [scored(name) for name in names]))

    assert [len(item.evidence_ids) for item in found] == [1, 1, 1, 1, 1, 0]
    assert [len(item.against_ids) for item in found] == [1, 1, 1, 1, 1, 0]


# --- Evidence for -----------------------------------------------------------------------------


def test_the_strongest_evidence_comes_first() -> None:
    # weights: errors log2(3), cpu log2(4), latency 0.7 · log2(8)
    found = told_for(
        sick(
            findings=[
                finding("db", "errors", 2.0),
                finding("db", "cpu", 3.0),
                finding("db", "latency", 7.0),
            ]
        )
    )

    assert [item.signal for item in found] == ["latency", "cpu", "errors"]
    assert [item.id for item in found] == ["m1", "m2", "m3"]


@pytest.mark.parametrize(("surprise", "count"), [(0.109, 0), (0.111, 1)])
def test_evidence_that_weighs_next_to_nothing_is_left_out(surprise: float, count: int) -> None:
    # log2(1.1096) = 0.15
    assert len(told_for(sick(findings=[finding("db", "cpu", surprise)]))) == count


def test_no_more_than_two_of_one_signal_are_shown() -> None:
    cpus = [finding("db", "cpu", surprise) for surprise in (2.0, 3.0, 4.0)]

    found = told_for(sick(findings=[*cpus, finding("db", "errors", 1.0)]))

    assert [(item.signal, item.strength) for item in found] == [
        ("cpu", 4.0),
        ("cpu", 3.0),
        ("errors", 1.0),
    ]


def test_no_more_than_five_are_shown_and_a_change_beside_them() -> None:
    many = [
        finding("db", signal, surprise)
        for signal in ("cpu", "memory", "errors")
        for surprise in (2.0, 3.0)
    ]

    found = told_for(sick(findings=many), changes=[Change("db", moment(0))])

    assert [item.source for item in found] == ["metrics"] * 5 + ["changes"]


def test_equal_evidence_is_told_apart_by_onset_and_then_by_its_rows() -> None:
    late = finding("db", "cpu", onset_s=700)
    early = finding("db", "memory", onset_s=650)
    undated = finding("db", "errors")

    for order in ([late, early, undated], [undated, early, late]):
        assert [item.signal for item in told_for(sick(findings=order))] == [
            "memory",
            "cpu",
            "errors",
        ]


# --- Changes ----------------------------------------------------------------------------------


def test_a_change_is_evidence_with_the_minutes_before_the_window() -> None:
    (found,) = told_for(sick(), changes=[Change("db", moment(480), "deploy", "v2")])

    assert (found.id, found.source, found.signal) == ("c1", "changes", "change")
    assert (found.service, found.peer, found.subject) == ("db", None, "v2")
    assert found.query == 'changes{service="db"}'
    assert (found.baseline, found.observed, found.unit) == (None, 2.0, "min")
    assert (found.strength, found.onset_ns) == (0.0, at_ns(480))


def test_a_change_in_the_window_came_minus_so_many_minutes_before_it() -> None:
    (found,) = told_for(sick(), changes=[Change("db", moment(720), "deploy")])

    assert (found.observed, found.subject) == (-2.0, "")
    # "changed to deploy" would be no version.
    assert found.statement.en == "db was changed, 2 min after the onset."


@pytest.mark.parametrize(
    ("time_s", "count"),
    [
        (600 - 7200, 0),  # two hours before
        (600 - 7199, 1),
        (600, 1),
        (899, 1),
        (900, 0),
    ],
)
def test_a_change_counts_for_two_hours_and_until_the_window_ends(time_s: float, count: int) -> None:
    assert len(told_for(sick(), changes=[Change("db", moment(time_s))])) == count


def test_the_latest_change_of_the_service_is_shown() -> None:
    changes = [
        Change("db", moment(400), version="old"),
        Change("db", moment(500), version="new"),
        Change("db", moment(950), version="later"),
        Change("shop", moment(590), version="other"),
    ]

    assert [item.subject for item in told_for(sick(), changes=changes)] == ["new"]


# --- Onset ------------------------------------------------------------------------------------


def onset(*findings: tuple[float, float | None]) -> int | None:
    """Onset of a candidate with cpu findings of (weight, onset in seconds)."""
    own = sick(findings=[finding("db", "cpu", 2.0**w - 1.0, onset_s=s) for w, s in findings])
    return causes(of({"db": own}, [scored("db")]))[0].onset_ns


def test_the_onset_is_the_earliest_of_the_strong_findings() -> None:
    assert onset((4.0, 700), (3.0, 650), (3.5, 800)) == at_ns(650)


def test_findings_from_half_the_strongest_on_are_strong() -> None:
    assert onset((4.0, 700), (2.0, 650)) == at_ns(650)
    assert onset((4.0, 700), (1.9, 650)) == at_ns(700)


def test_without_a_dated_finding_there_is_no_onset() -> None:
    assert onset() is None
    assert onset((4.0, None)) is None
    assert onset((4.0, None), (3.0, 650)) == at_ns(650)


def test_findings_without_weight_give_no_onset() -> None:
    assert onset((0.0, 650)) is None


def test_weak_findings_may_give_an_onset() -> None:
    assert onset((0.4, 650)) == at_ns(650)

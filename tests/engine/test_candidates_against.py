"""The evidence against each candidate: who explains it better, and what of it is calm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aegis.engine.candidates import Candidates
from aegis.engine.measured import measured
from aegis.engine.proof import Docket
from aegis.engine.ranking import Scored
from aegis.engine.symptoms import Symptoms
from aegis.engine.world import World
from aegis.model.diagnosis import RootCause
from aegis.model.evidence import Evidence
from aegis.model.telemetry import Change, Matrix, Series
from tests.engine.telemetry import finding, observations, series, window
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


# --- Evidence against -------------------------------------------------------------------------


def against(here: Candidates, service: str) -> list[Evidence]:
    found = {item.service: item for item in causes(here)}
    return cited(here, found[service].against_ids)


RIVALS = {
    "db": sick(findings=[finding("db", "cpu", 3.0), finding("db", "errors", 4.0)]),
    "shop": sick(findings=[finding("shop", "latency", 5.0)]),
    "other": sick(findings=[finding("other", "memory", 6.0)]),
}


def test_the_strongest_evidence_of_whom_explains_it_speaks_against_a_service() -> None:
    here = of(RIVALS, [scored("db"), scored("shop", explained_by="db")])

    assert [(item.service, item.signal) for item in against(here, "shop")] == [("db", "errors")]


def test_where_nobody_explains_it_the_best_other_candidate_speaks_against_a_service() -> None:
    here = of(RIVALS, [scored("db"), scored("other"), scored("shop")])

    assert [item.service for item in against(here, "db")] == ["other"]
    assert [item.service for item in against(here, "shop")] == ["db"]


def test_symptoms_that_the_service_would_explain_do_not_speak_against_it() -> None:
    here = of(
        RIVALS,
        [scored("db"), scored("shop"), scored("other")],
        here=world("shop>db", "other"),
    )

    assert [item.service for item in against(here, "db")] == ["other"]


def test_a_candidate_without_a_score_speaks_against_nobody() -> None:
    here = of(RIVALS, [scored("db"), scored("shop", 0.0), scored("other", 0.0)])

    assert against(here, "db") == []


def test_a_candidate_with_a_small_score_speaks_against_the_others() -> None:
    here = of(RIVALS, [scored("db"), scored("shop", 0.1)])

    assert [item.service for item in against(here, "db")] == ["shop"]


def test_a_rival_without_symptoms_has_nothing_to_say() -> None:
    here = of({"db": RIVALS["db"]}, [scored("db"), scored("shop", explained_by="stranger")])

    assert against(here, "db") == against(here, "shop") == []


# --- What is calm -----------------------------------------------------------------------------


def level(service: str, name: str, before: Sequence[float], during: Sequence[float]) -> Series:
    """Samples a minute apart; the window begins at the tenth minute."""
    start = 600 - 60 * len(before)
    return series(service, name, [*before, *during], start=start)


def calm(*metrics: Series, own: Symptoms | None = None) -> list[Evidence]:
    here = of({"db": own} if own else {}, [scored("db")], metrics=metrics)
    return against(here, "db")


def test_a_measurement_that_did_not_move_speaks_against_a_service() -> None:
    (found,) = calm(level("db", "cpu_usage_percent", [20, 30, 40], [31, 33]))

    assert (found.source, found.signal, found.service) == ("metrics", "cpu", "db")
    assert found.peer is None
    assert (found.baseline, found.observed, found.unit) == (30.0, 32.0, "%")
    assert found.subject == "cpu_usage_percent"
    assert found.query == 'cpu_usage_percent{service="db"}'
    assert (found.strength, found.onset_ns) == (0.0, None)


def test_errors_come_before_latency_before_cpu_before_memory() -> None:
    every = {
        "errors": level("db", "error_rate", [0.1, 0.1], [0.1]),
        "latency": level("db", "latency_p95", [1, 1], [1]),
        "cpu": level("db", "cpu_usage", [2, 2], [2]),
        "memory": level("db", "memory_usage", [3, 3], [3]),
    }
    names = list(every)

    for place, name in enumerate(names):
        left = [every[other] for other in reversed(names[place:])]
        assert [item.signal for item in calm(*left)] == [name]


def test_a_signal_that_moved_is_not_calm() -> None:
    own = sick(findings=[finding("db", "errors")])

    found = calm(
        level("db", "error_rate", [0.1, 0.1], [0.1]), level("db", "cpu_usage", [2, 2], [2]), own=own
    )

    assert [item.signal for item in found] == ["cpu"]


def test_only_a_measurement_of_the_service_from_both_sides_is_calm() -> None:
    assert calm(level("shop", "cpu_usage", [2, 2], [2])) == []
    assert calm(level("db", "cpu_usage", [2, 2], [])) == []
    assert calm(level("db", "cpu_usage", [], [2, 2])) == []
    assert calm(level("db", "disk_usage", [2, 2], [2])) == []


def test_of_several_calm_measurements_the_choice_does_not_depend_on_order_or_name() -> None:
    one = level("db", "cpu_usage", [2, 2], [2])
    other = level("db", "cpu_busy", [3, 3], [3])
    renamed = level("db", "cpu_zone", [2, 2], [2])

    ((first,), (second,), (third,)) = calm(one, other), calm(other, one), calm(other, renamed)

    assert (
        first.sha256
        == second.sha256
        == third.sha256
        == min(item.sha256 for item in (calm(one)[0], calm(other)[0]))
    )

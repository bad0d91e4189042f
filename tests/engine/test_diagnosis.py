"""From observations to a diagnosis: one golden shop, its permutations and its ablations."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from math import fsum
from typing import get_args

import pytest

from aegis.engine.diagnosis import ABLATIONS, KINDS_OF_EVIDENCE, diagnose
from aegis.model.diagnosis import Diagnosis
from aegis.model.evidence import EvidenceGap, Signal
from aegis.model.telemetry import Alarm
from aegis.model.text import Text
from tests.engine.shop import ASKED, ROLES, START_S, shop
from tests.engine.telemetry import at_ns, line, logs, observations, series
from tests.engine.worlds import near


def ranking(found: Diagnosis) -> list[tuple[str, float]]:
    return [(cause.service, round(cause.probability, 6)) for cause in found.causes]


def order(found: Diagnosis) -> list[str]:
    return [cause.service for cause in found.causes]


# --- The golden shop ---------------------------------------------------------------------------


def test_the_store_is_the_cause() -> None:
    # cart, 0.899 less 1.05 · half of the 1.493 of the store's heat, 1.918 of 4.931 felt:
    #   0.1155 · (0.75 + 0.25 · 0.389), and 0.2 for being central
    # front, 1.018 less 1.05 · the root of 0.124 / 0.203 · cart's 0.899, 1.018 of 4.931 felt, and
    #   pay's change excuses 0.6 · 0.905: 0.2807 · 0.457 · (0.75 + 0.25 · 0.2065), and 0.2
    found = diagnose(shop())

    told = [
        (item.service, round(item.probability, 6), item.family, round(item.score, 6))
        for item in found.causes
    ]
    assert told == [
        ("store", 0.992176, "cpu", 3.139219),
        ("pay", 0.002813, "code", 1.17861),
        ("front", 0.000127, "network", 0.302856),
        ("cart", 0.000124, "network", 0.29785),
        ("bank", 0.000014, "dependency", 0.050474),
    ]
    assert round(found.none_probability, 6) == 0.004745
    chances = [item.probability for item in found.causes]
    assert fsum([*chances, found.none_probability]) == pytest.approx(1.0, abs=1e-12)


def test_each_candidate_has_its_evidence_for_and_against_and_an_onset() -> None:
    found = diagnose(shop())

    assert [(item.service, item.evidence_ids, item.against_ids) for item in found.causes] == [
        ("store", ("m1", "t1", "l1", "m2"), ()),
        ("pay", ("c1",), ("m1", "m3")),
        ("front", ("m4",), ("m5", "m6")),
        ("cart", ("m5",), ("m1", "m7")),
        ("bank", (), ("m1",)),
    ]
    began = at_ns(START_S)
    assert [item.onset_ns for item in found.causes] == [began, None, began, began, None]


def test_evidence_has_numbers_and_strengths() -> None:
    told = [
        (item.id, item.service, item.signal, item.baseline, item.observed, item.strength)
        for item in diagnose(shop()).evidence
    ]

    assert told == [
        ("m1", "store", "cpu", near(31.818182), near(39.272727), 1.8149),
        ("t1", "store", "error_spans", 0.0, near(4 / 60), 2.2529),  # four of sixty traces
        ("l1", "store", "error_logs", 0.0, near(4 / 60), 2.2529),
        ("m2", "store", "latency", near(0.104545), near(0.168182), 1.6459),
        ("c1", "pay", "change", None, 1.0, 0.0),
        ("m3", "pay", "latency", near(0.054545), near(0.054091), 0.0),
        ("m4", "front", "latency", near(0.204545), near(0.407273), 3.0564),
        ("m5", "cart", "latency", near(0.154545), near(0.278182), 2.4449),
        ("m6", "front", "cpu", near(31.818182), near(31.636364), 0.0),
        ("m7", "cart", "cpu", near(31.818182), near(31.636364), 0.0),
    ]


def test_the_rest_of_the_diagnosis_stands_on_the_same_evidence() -> None:
    found = diagnose(shop())

    assert (found.window, found.alarm) == (ASKED, Alarm("front", "latency"))
    assert [(item.service, item.explained_by, item.evidence_ids) for item in found.ruled_out] == [
        ("pay", None, ("c1",)),
        ("front", "store", ("m4",)),
    ]
    assert (found.impact.service, found.impact.evidence_ids) == ("front", ("m4",))
    assert [(item.source, item.reason, item.service) for item in found.gaps] == [
        ("metrics", "no_data", "bank")
    ]
    began = at_ns(START_S)
    assert found.timeline[0].evidence_id == "c1"
    assert found.timeline[0].time_ns == at_ns(START_S - 60)
    assert {item.evidence_id for item in found.timeline if item.time_ns == began} == {
        "m1",
        "m2",
        "m4",
    }  # of the three leading causes; cart is the fourth
    assert [item.evidence_id for item in found.timeline[-2:]] == ["t1", "l1"]


# --- Order and names -----------------------------------------------------------------------------


def test_the_same_shop_gives_the_same_diagnosis() -> None:
    assert diagnose(shop()) == diagnose(shop())


def test_the_order_of_series_spans_lines_calls_and_services_changes_nothing() -> None:
    assert diagnose(shop(backwards=True)) == diagnose(shop())


@pytest.mark.parametrize("shift", [1, 2, 3, 4])
def test_renaming_every_service_permutes_names_only(shift: int) -> None:
    renamed = dict(zip(ROLES, ROLES[shift:] + ROLES[:shift], strict=True))
    plain, other = diagnose(shop()), diagnose(shop(renamed))

    assert ranking(other) == [(renamed[name], chance) for name, chance in ranking(plain)]
    assert [item.sha256 for item in other.evidence] == [item.sha256 for item in plain.evidence]
    assert [item.strength for item in other.evidence] == [item.strength for item in plain.evidence]
    assert [item.service for item in other.evidence] == [
        renamed[item.service] for item in plain.evidence
    ]
    assert [item.evidence_id for item in other.timeline] == [
        item.evidence_id for item in plain.timeline
    ]


# --- Ablations ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ablation", "chances", "none"),
    [
        (
            "graph",
            {"store": 0.987973, "front": 0.002482, "cart": 0.001705, "pay": 0.00096},
            0.006879,
        ),
        ("metrics", {"store": 0.177612, "pay": 0.169478, "front": 0.009419}, 0.632195),
        ("spans", {"store": 0.994221, "pay": 0.002078, "cart": 0.000091}, 0.003505),
        ("logs", {"store": 0.988338, "pay": 0.004194, "cart": 0.000185}, 0.007073),
        ("changes", {"store": 0.994812, "front": 0.000222, "pay": 0.000071}, 0.004758),
    ],
)
def test_each_kind_of_evidence_can_be_left_out(
    ablation: str, chances: dict[str, float], none: float
) -> None:
    found = diagnose(shop(), ablate={ablation})

    assert {name: dict(ranking(found))[name] for name in chances} == chances
    assert round(found.none_probability, 6) == none


@pytest.mark.parametrize(
    ("ablation", "source"), [("metrics", "metrics"), ("spans", "traces"), ("logs", "logs")]
)
def test_what_is_left_out_is_not_cited(ablation: str, source: str) -> None:
    assert source in {item.source for item in diagnose(shop()).evidence}
    assert source not in {item.source for item in diagnose(shop(), ablate={ablation}).evidence}


def test_everything_can_be_left_out() -> None:
    found = diagnose(shop(), ablate=set(ABLATIONS))

    assert {chance for _, chance in ranking(found)} == {0.0}
    assert found.none_probability == 1.0


def test_an_unknown_ablation_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"^unknown ablation: ghosts, luck$"):
        diagnose(shop(), ablate={"luck", "graph", "ghosts"})


def test_without_the_graph_nobody_measured_from_outside_is_credited() -> None:
    # a probe sees the shop fail: its view counts for the shop only where calls are known
    seen = observations(
        ASKED,
        metrics=[
            series("probe", "error_rate", [*[0.0, 0.001] * 10, *[0.5] * 5]),
            series("shop", "cpu_usage", [*[1.0, 1.1] * 10, *[1.0] * 5]),
        ],
        calls=[("probe", "shop")],
    )

    assert order(diagnose(seen)) == ["shop", "probe"]
    assert order(diagnose(seen, ablate={"graph"})) == ["probe", "shop"]


def test_a_silent_service_is_blamed_for_failing_callers_only_where_calls_are_known() -> None:
    beats = [line(second, name, "beat") for second in range(0, 1500, 5) for name in ("app", "shop")]
    refused = [
        line(START_S + 10.0 * number, name, "refused", "ERROR")
        for number in range(20)
        for name in ("app", "shop")
    ]
    seen = observations(
        ASKED, logs=logs([*beats, *refused]), calls=[("app", "store"), ("shop", "store")]
    )

    blamed, unknown = diagnose(seen), diagnose(seen, ablate={"graph"})

    assert order(blamed)[0] == "store"
    assert blamed.causes[0].family == "dependency"
    # Its callers vouch for it: it counts for more than they do, which a silent one would not.
    assert blamed.causes[0].score > unknown.causes[0].score
    assert [item.service for item in blamed.evidence][:2] == ["shop", "app"]
    assert (order(unknown)[2], unknown.causes[2].score) == ("store", 0.0)


# --- Little to go by -----------------------------------------------------------------------------


def test_from_nothing_nothing_follows() -> None:
    found = diagnose(observations(ASKED))

    parts = (found.causes, found.evidence, found.ruled_out, found.timeline, found.gaps)
    assert not any(parts)
    assert found.none_probability == 1.0
    assert found.impact.service is None


def test_services_without_telemetry_are_candidates_without_a_chance() -> None:
    found = diagnose(observations(ASKED, services=["a", "b"]))

    assert ranking(found) == [("b", 0.0), ("a", 0.0)]
    assert found.none_probability == 1.0


def test_gaps_that_were_already_known_come_first() -> None:
    known = EvidenceGap("logs", "unavailable", None, Text("", ""))

    found = diagnose(observations(ASKED, services=["a"], gaps=[known]))

    assert [gap.reason for gap in found.gaps] == ["unavailable", "no_data"]


# --- Ties are broken by evidence -----------------------------------------------------------------


@pytest.mark.parametrize("names", list(permutations(["alpha", "mid", "omega"])))
def test_services_without_symptoms_are_ordered_by_what_was_measured(
    names: tuple[str, str, str],
) -> None:
    levels = ([20.0, 21.0] * 15, [30.0, 31.0] * 15, [40.0, 41.0] * 15)

    def ordered(called: tuple[str, ...]) -> list[str]:
        metrics = [
            series(name, "cpu_usage", level) for name, level in zip(called, levels, strict=True)
        ]
        return order(diagnose(observations(ASKED, metrics=metrics)))

    first, second, third = (
        ("alpha", "mid", "omega").index(name) for name in ordered(("alpha", "mid", "omega"))
    )

    assert ordered(names) == [names[first], names[second], names[third]]


@pytest.mark.parametrize(("early", "late"), list(permutations(["alpha", "omega"])))
def test_of_two_that_fail_alike_the_first_to_fail_comes_first(early: str, late: str) -> None:
    def errors(service: str, start_s: float) -> list[str]:
        return [f"{service}@{start_s + 10 * number}" for number in range(20)]

    told = [entry.split("@") for entry in (*errors(early, START_S), *errors(late, START_S + 60))]
    beats = [line(second, name, "beat") for second in range(0, 1500, 5) for name in (early, late)]
    refused = [line(float(second), name, "refused", "ERROR") for name, second in told]

    assert order(diagnose(observations(ASKED, logs=logs([*beats, *refused])))) == [early, late]


@pytest.mark.parametrize(("strong", "weak"), list(permutations(["alpha", "omega"])))
def test_of_two_that_score_nothing_the_one_with_the_greater_effect_comes_first(
    strong: str, weak: str
) -> None:
    # both call the store, which fails so much that it explains all: only what they felt differs
    failing = {strong: 0.0095, weak: 0.0075, "store": 0.9}
    metrics = [
        series(name, "error_rate", [*[0.0, 0.001] * 10, *[share] * 5])
        for name, share in failing.items()
    ]
    metrics += [series(name, "cpu_usage", [1.0, 1.1] * 12) for name in failing]
    found = diagnose(
        observations(ASKED, metrics=metrics, calls=[(strong, "store"), (weak, "store")])
    )

    assert order(found) == ["store", strong, weak]
    assert found.causes[1].score == pytest.approx(found.causes[2].score)


@pytest.mark.parametrize("kind", sorted(KINDS_OF_EVIDENCE))
def test_a_kind_of_evidence_that_is_left_out_is_cited_nowhere(kind: str) -> None:
    gone = KINDS_OF_EVIDENCE[kind]
    found = diagnose(shop(), ablate={kind})
    for cause in found.causes:
        assert not gone & {found.evidence_by_id()[one].signal for one in cause.evidence_ids}


def test_each_signal_belongs_to_one_kind_of_evidence() -> None:
    kinds = [signal for signals in KINDS_OF_EVIDENCE.values() for signal in signals]
    assert len(kinds) == len(set(kinds))
    apart = {"change", "alert"}  # a step of its own, and told without changing a rank
    assert {*kinds, *apart} == set(get_args(Signal))


def test_without_the_alarm_it_is_as_if_none_rang() -> None:
    rang = shop()
    assert rang.alarm is not None
    silent = diagnose(replace(rang, alarm=None))
    assert diagnose(rang, ablate={"alarm"}) == silent
    assert diagnose(rang) != silent


def test_what_could_not_be_measured_is_not_said_to_have_had_no_effect() -> None:
    silent = Text("无法读取。", "could not be read.")
    gaps = tuple(
        EvidenceGap(source, "unavailable", None, silent) for source in ("metrics", "traces", "logs")
    )
    dark, calm = observations(ASKED, gaps=gaps), observations(ASKED, gaps=gaps[:2])

    assert diagnose(dark).impact.statement.en == (
        "Whether users were affected between 10:20:00 and 10:25:00 UTC is not known: "
        "there was nothing to compare."
    )
    assert "不得而知" in diagnose(dark).impact.statement.zh
    assert diagnose(calm).impact.statement.en.startswith("No effect on users was measured")

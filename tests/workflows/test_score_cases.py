"""Ranking labelled cases and gathering the scores."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from datetime import datetime

from aegis.agent.monitor import Scene, Sources
from aegis.model.incident import TrueCause
from aegis.model.telemetry import TimeWindow
from aegis.workflows.score_cases.benchmark import (
    Given,
    Task,
    rank_case,
    report,
    report_json,
    shuffle_labels,
)
from aegis.workflows.score_cases.scores import CaseResult
from tests.fakes import FakeTelemetry
from tests.recordings import Recording, SmallShop, at, between


@dataclass(frozen=True)
class HeldCase:
    """A labelled case in memory."""

    recording: Recording = field(default_factory=lambda: SmallShop().recording())
    set_name: str = "shops"

    @property
    def id(self) -> str:
        return self.recording.header.id

    def load(self) -> Task:
        held = FakeTelemetry(self.recording.metrics, self.recording.spans, self.recording.logs)
        header = self.recording.header
        scene = Scene(between(0, 40), header.alarm, header.services, header.calls, header.changes)
        return Task(Sources(held, held, held), scene, header.fault_window)

    def truth(self) -> tuple[TrueCause, ...] | None:
        return self.recording.truth

    def onset(self) -> datetime | None:
        return None


def results_with_truths(*services: str, set_name: str = "s") -> list[CaseResult]:
    return [
        CaseResult(f"{set_name}{place}", set_name, (), None, 1.0, (TrueCause(one, "", None),), 0.0)
        for place, one in enumerate(services)
    ]


def test_the_slow_store_is_ranked_first_and_timed() -> None:
    ranked = asyncio.run(rank_case(HeldCase()))
    assert (ranked.id, ranked.set_name) == ("small-shop", "shops")
    assert ranked.ranking[0][0] == "store"
    assert ranked.hit
    assert ranked.cpu_s > 0


def test_probabilities_of_a_ranking_and_of_none_sum_to_one() -> None:
    ranked = asyncio.run(rank_case(HeldCase()))
    total = sum(share for _, share in ranked.ranking) + ranked.none_probability
    assert abs(total - 1) < 1e-9


def test_the_report_has_each_set_and_all_cases_pooled() -> None:
    shops = asyncio.run(rank_case(HeldCase()))
    quiet = asyncio.run(rank_case(HeldCase(SmallShop(faulty=False).recording("q"), "quiet")))
    printed = json.loads(json.dumps(report_json(report([shops, quiet], failed=1))))
    assert list(printed) == ["sets", "pooled", "per_case", "failed"]
    assert list(printed["sets"]) == ["quiet", "shops"]
    assert printed["sets"]["shops"]["ac1"] == 1.0
    assert printed["sets"]["quiet"]["ac1"] is None
    assert printed["pooled"]["cases"] == 2
    assert printed["failed"] == 1
    one = printed["per_case"][0]
    assert list(one) == ["id", "ranking", "none_probability", "truth", "cpu_s"]
    assert one["truth"] == [{"service": "store", "fault": "cpu stress", "family": "cpu"}]


def test_shuffled_labels_stay_within_their_set() -> None:
    ours = results_with_truths("a", "b", "c", "d", "e", "f")
    theirs = results_with_truths("x", "y", set_name="t")
    shuffled = shuffle_labels([*ours, *theirs], seed=1)
    dealt = [one.truth for one in shuffled[:6]]
    assert dealt != [one.truth for one in ours]
    assert sorted(map(str, dealt)) == sorted(str(one.truth) for one in ours)
    assert {str(one.truth) for one in shuffled[6:]} == {str(one.truth) for one in theirs}


def test_the_same_seed_deals_the_same_labels() -> None:
    ours = results_with_truths("a", "b", "c", "d", "e", "f")
    assert shuffle_labels(ours, 4) == shuffle_labels(ours, 4)
    assert shuffle_labels(ours, 4) != shuffle_labels(ours, 5)


@dataclass(frozen=True)
class AskedCase(HeldCase):
    """The same, of which only a question and a guess of its time are given."""

    window: TimeWindow = field(default_factory=lambda: between(27, 37))
    question: str = "Why is the shop slow?"
    began: datetime | None = field(default_factory=lambda: at(30))

    def load(self) -> Task:
        task = super().load()
        return Task(task.sources, replace(task.scene, alarm=None), self.window, self.question)

    def onset(self) -> datetime | None:
        return self.began


def test_of_an_asked_window_the_onset_is_looked_for_and_compared() -> None:
    ranked = asyncio.run(rank_case(AskedCase()))
    assert ranked.ranking[0][0] == "store"
    assert ranked.onset is not None
    assert ranked.onset.outcome == "ended"
    assert ranked.onset.true == at(30)
    assert ranked.onset.error_s is not None
    assert abs(ranked.onset.error_s) <= 30
    printed = json.loads(json.dumps(report_json(report([ranked]))))
    assert printed["per_case"][0]["onset"] == {
        "outcome": "ended",
        "start": printed["per_case"][0]["onset"]["start"],
        "error_s": ranked.onset.error_s,
    }
    assert printed["pooled"]["onset"]["found"] == 1.0


def test_an_exact_window_is_not_looked_for() -> None:
    ranked = asyncio.run(rank_case(HeldCase()))
    assert ranked.onset is None
    printed = report_json(report([ranked]))
    assert "onset" not in json.dumps(printed)


def test_without_the_onset_step_the_asked_window_is_taken_as_it_is() -> None:
    ranked = asyncio.run(rank_case(AskedCase(), frozenset({"onset"})))
    assert ranked.onset is not None
    assert (ranked.onset.outcome, ranked.onset.found) == ("as_asked", at(27))
    assert ranked.onset.error_s == -180


def test_the_symptom_in_the_question_stands_for_the_alarm() -> None:
    told = asyncio.run(rank_case(AskedCase()))
    unsaid = asyncio.run(rank_case(AskedCase(question="What is going on?")))
    ablated = asyncio.run(rank_case(AskedCase(), frozenset({"alarm"})))
    assert told.ranking != unsaid.ranking
    assert ablated.ranking == unsaid.ranking


def test_the_asked_window_can_be_moved_and_widened() -> None:
    asked = between(25, 40)
    assert Given("asked").window_of(asked) == asked
    assert Given("asked", shift_minutes=-10).window_of(asked) == between(15, 30)
    assert Given("asked", asked_minutes=60).window_of(asked) == between(-20, 40)
    assert Given("asked", 5, 10).window_of(asked) == between(35, 45)

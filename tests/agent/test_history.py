"""The same time on other days is told beside a measurement, and weighs nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from aegis.agent.monitor import Scene, Sources
from aegis.model.errors import SourceRejected, SourceUnavailable
from aegis.model.telemetry import Alarm, TimeWindow
from aegis.workflows.analyze_incident import Analysis, Question, analyze_incident
from tests.fakes import FakeTelemetry
from tests.recordings import SmallShop, between

SHOP = SmallShop().recording()
HELD = FakeTelemetry(SHOP.metrics, SHOP.spans, SHOP.logs)
FAULT = between(30, 36)
DAY = timedelta(days=1)


@dataclass
class Remembering:
    """A MetricHistory that gives the same number for every query, by how many days ago."""

    by_days: dict[int, float | None]
    error: Exception | None = None
    hangs: bool = False
    asked: list[tuple[Sequence[str], TimeWindow]] = field(default_factory=list)

    async def typical(self, queries: Sequence[str], window: TimeWindow) -> tuple[float | None, ...]:
        self.asked.append((queries, window))
        if self.error is not None:
            raise self.error
        if self.hangs:
            await asyncio.Event().wait()
        return tuple(self.by_days[(FAULT.start - window.start).days] for _ in queries)


def asked(history: Remembering | None) -> Analysis:
    scene = Scene(between(0, 40), Alarm("shop", "latency"), (), SHOP.header.calls, ())
    sources = Sources(HELD, HELD, HELD, history=history)
    return asyncio.run(analyze_incident(Question("why slow?", FAULT, "en"), sources, scene))


def said(analysis: Analysis, part: str) -> list[str]:
    return [one.id for one in analysis.diagnosis.evidence if part in one.statement.en]


def test_the_same_window_is_asked_for_a_day_and_a_week_before() -> None:
    history = Remembering({1: 1.0, 7: None})
    asked(history)
    windows = sorted(window for _, window in history.asked)
    assert [FAULT.start - one.start for one in windows] == [7 * DAY, DAY]
    assert {one.end - one.start for one in windows} == {FAULT.end - FAULT.start}
    queries = history.asked[0][0]
    assert 0 < len(queries) == len(set(queries)) <= 8


def test_what_speaks_for_the_leading_causes_is_compared() -> None:
    analysis = asked(Remembering({1: 1e-6, 7: 0.0}))
    by_id = analysis.diagnosis.evidence_by_id()
    own = [by_id[one] for one in analysis.diagnosis.causes[0].evidence_ids]
    compared = said(analysis, "times as much as at this time yesterday")
    assert {one.id for one in own if one.source == "metrics"} <= set(compared)
    assert said(analysis, "At this time last week it was 0.") == compared
    assert not [one for one in compared if by_id[one].source != "metrics"]
    chinese = by_id[compared[0]].statement.zh
    assert "倍。" in chinese
    assert chinese.endswith("上周同一时间为 0。")


def test_nothing_else_of_the_answer_changes() -> None:
    without, with_it = asked(None), asked(Remembering({1: 1.0, 7: 1.0}))
    assert with_it.answer == without.answer
    assert with_it.diagnosis.causes == without.diagnosis.causes
    assert [one.sha256 for one in with_it.diagnosis.evidence] == [
        one.sha256 for one in without.diagnosis.evidence
    ]
    assert [one.tool for one in with_it.steps[: len(without.steps)]] == [
        one.tool for one in without.steps
    ]
    assert with_it.steps[-1].tool == "read_history"
    assert json.loads(with_it.steps[-1].observation)["compared"] > 0


def test_a_day_that_is_not_kept_is_left_unsaid() -> None:
    analysis = asked(Remembering({1: None, 7: None}))
    assert [one.statement for one in analysis.diagnosis.evidence] == [
        one.statement for one in asked(None).diagnosis.evidence
    ]
    assert json.loads(analysis.steps[-1].observation) == {"compared": 0}


@pytest.mark.parametrize(
    "history",
    [
        lambda: Remembering({}, SourceRejected("over the budget")),
        lambda: Remembering({}, SourceUnavailable("down")),
        lambda: Remembering({}, hangs=True),
    ],
)
def test_a_history_that_fails_or_hangs_costs_nothing_but_the_sentence(
    history: Callable[[], Remembering], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aegis.agent.history.DEADLINE_S", 0.01)
    analysis = asked(history())
    assert analysis.answer == asked(None).answer
    assert analysis.diagnosis.gaps == asked(None).diagnosis.gaps

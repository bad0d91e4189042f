"""From a question to an answer with its proof."""

from __future__ import annotations

import asyncio

import pytest

from aegis.agent.monitor import Scene, Sources
from aegis.model.diagnosis import Diagnosis, Impact, RootCause
from aegis.model.text import Language, Text
from aegis.workflows.analyze_incident import (
    Analysis,
    Question,
    analyze_incident,
    listed_causes,
    speaks,
)
from tests.fakes import FakeTelemetry
from tests.recordings import SmallShop, between

SHOP = SmallShop().recording()


def ask(text: str, language: Language, service: str | None = None) -> Analysis:
    held = FakeTelemetry(SHOP.metrics, SHOP.spans, SHOP.logs)
    header = SHOP.header
    scene = Scene(between(0, 40), header.alarm, header.services, header.calls, header.changes)
    question = Question(text, header.fault_window, language, service)
    return asyncio.run(analyze_incident(question, Sources(held, held, held), scene))


def diagnosis_with(*probabilities: float) -> Diagnosis:
    causes = tuple(
        RootCause(f"s{place}", share, "cpu", 1.0, (), (), None)
        for place, share in enumerate(probabilities)
    )
    nothing = Impact(None, None, (), Text("", ""))
    none = 1 - sum(probabilities)
    return Diagnosis(between(0, 1), None, causes, none, (), (), nothing, (), ())


def listed(*probabilities: float) -> list[str]:
    return [cause.service for cause in listed_causes(diagnosis_with(*probabilities))]


def test_the_slow_store_is_named_with_evidence_that_exists() -> None:
    analysis = ask("Why is the shop slow?", "en")
    top = analysis.diagnosis.causes[0]
    assert top.service == "store"
    assert top.evidence_ids
    assert set(top.evidence_ids) <= set(analysis.diagnosis.evidence_by_id())


def test_the_trace_begins_with_the_plan_and_ends_with_the_verdict() -> None:
    analysis = ask("Why is the shop slow?", "en")
    assert [step.tool for step in analysis.steps] == [
        "trace_note",
        "read_metrics",
        "read_traces",
        "read_logs",
        "diagnose",
    ]
    assert analysis.steps[0].tool_input.startswith("Plan:")


def test_a_chinese_question_is_answered_in_chinese() -> None:
    analysis = ask("商店为什么慢？", speaks("商店为什么慢？"))
    assert analysis.answer.language == "zh"
    assert analysis.steps[0].observation == "计划已记录。"
    assert speaks(analysis.answer.summary) == "zh"


def test_the_alarm_may_be_put_on_another_service() -> None:
    alarm = ask("Why?", "en", service="cart").diagnosis.alarm
    assert alarm is not None
    assert alarm.service == "cart"


@pytest.mark.parametrize(
    ("text", "language"),
    [("why is checkout slow?", "en"), ("checkout 为什么慢", "zh"), ("¿por qué?", "en"), ("", "en")],
)
def test_a_question_without_chinese_characters_counts_as_english(
    text: str, language: Language
) -> None:
    assert speaks(text) == language


def test_at_most_three_causes_are_listed() -> None:
    assert listed(0.3, 0.25, 0.2, 0.15) == ["s0", "s1", "s2"]


def test_causes_below_five_percent_are_not_listed() -> None:
    assert listed(0.9, 0.05, 0.04) == ["s0", "s1"]


def test_nothing_is_listed_where_nothing_abnormal_is_likelier_than_every_weak_cause() -> None:
    assert listed(0.19, 0.18, 0.17) == []


def test_a_clear_cause_is_listed_even_where_nothing_abnormal_is_likelier() -> None:
    assert listed(0.2, 0.06) == ["s0", "s1"]


def test_weak_causes_are_listed_where_they_are_likelier_than_nothing_abnormal() -> None:
    assert listed(*[0.15] * 6) == ["s0", "s1", "s2"]

"""Why is this broken? Collect, diagnose, put into words."""

from __future__ import annotations

from dataclasses import dataclass

from aegis.agent.diagnoser import conclude
from aegis.agent.monitor import Scene, Sources, Step, collect, with_alarm
from aegis.engine.narrative import narrate
from aegis.model.diagnosis import Answer, Diagnosis, RootCause
from aegis.model.telemetry import TimeWindow
from aegis.model.text import Language, Text

_PLAN = Text(
    "计划：读取全部服务的指标、调用链和日志，把所问时间段与其余时间比较；"
    "沿调用关系排除由下游引起的症状，再按概率排列根因。",
    "Plan: read the metrics, traces and logs of every service, compare the window asked about "
    "with the rest; along the call graph set aside symptoms that come from downstream, then "
    "rank the causes by probability.",
)
MOST_LISTED = 3
LEAST_PROBABILITY = 0.05
CLEAR_PROBABILITY = 0.2
"""From here on a cause is named even where "nothing abnormal" is more probable."""

_NOTED = Text("计划已记录。", "Plan recorded.")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, about which time. `service` is the one a person says has the alarm."""

    text: str
    window: TimeWindow
    language: Language
    service: str | None = None


@dataclass(frozen=True, slots=True)
class Analysis:
    """The answer with what it stands on; `steps` begins with the plan."""

    question: Question
    diagnosis: Diagnosis
    answer: Answer
    steps: tuple[Step, ...]


def listed_causes(diagnosis: Diagnosis) -> tuple[RootCause, ...]:
    """The causes worth naming, most probable first; empty where nothing stands out."""
    causes = diagnosis.causes[:MOST_LISTED]
    if not causes or causes[0].probability < CLEAR_PROBABILITY:
        causes = tuple(one for one in causes if one.probability >= diagnosis.none_probability)
    return tuple(one for one in causes if one.probability >= LEAST_PROBABILITY)


def speaks(text: str) -> Language:
    """Chinese where the text has a CJK character, else English."""
    return "zh" if any("\u3400" <= char <= "\u9fff" for char in text) else "en"


async def analyze_incident(
    question: Question, sources: Sources, scene: Scene, ablate: frozenset[str] = frozenset()
) -> Analysis:
    """Raises InvalidWindow, UnknownService, or what a source raises for a broken recording."""
    observations, read = await collect(sources, scene, question.window)
    if question.service is not None:
        observations = with_alarm(observations, question.service)
    diagnosis, concluded = conclude(observations, ablate)
    answer = narrate(diagnosis, question.language, question.text)
    plan = Step(
        "trace_note", _PLAN.in_language(question.language), _NOTED.in_language(question.language)
    )
    return Analysis(question, diagnosis, answer, (plan, *read, concluded))

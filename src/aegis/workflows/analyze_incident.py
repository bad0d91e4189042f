"""Why is this broken? Collect, diagnose, put into words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aegis.agent.diagnoser import (
    AskedTime,
    alerted,
    conclude,
    informed,
    look_for_onset,
    with_alerts_told,
)
from aegis.agent.history import with_history
from aegis.agent.monitor import Scene, Sources, collect, with_alarm
from aegis.agent.steps import UNWATCHED, Step, Watch
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
    """What is asked, about which time. `service` is the one a person says has the alarm.

    An exact window is explained as it is. Any other is a person's guess: what it means is
    looked for, around `moment` where the question names a point in time.
    """

    text: str
    window: TimeWindow
    language: Language
    service: str | None = None
    exact: bool = True
    moment: datetime | None = None


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


def state_plan(language: Language, watch: Watch = UNWATCHED) -> Step:
    """The first step of every trace."""
    plan = _PLAN.in_language(language)
    watch.thought(plan)
    return Step("trace_note", plan, _NOTED.in_language(language))


async def analyze_incident(
    question: Question,
    sources: Sources,
    scene: Scene,
    ablate: frozenset[str] = frozenset(),
    before: Sequence[Step] | None = None,
    watch: Watch = UNWATCHED,
) -> Analysis:
    """Raises InvalidWindow, UnknownService, or what a source raises for a broken recording.

    `before` are the steps taken so far, the plan first; None where the plan is still to be
    stated. `watch` hears of every step as it happens.
    """
    taken = [state_plan(question.language, watch)] if before is None else list(before)
    observations, read = await collect(sources, scene, question.window, watch=watch)
    if question.service is not None:
        observations = with_alarm(observations, question.service)
    onset = None
    taken += read
    observations = alerted(observations, question.text)
    if not question.exact:
        observations = informed(observations, question.text)
    if not question.exact and "onset" not in ablate:
        asked = AskedTime(question.window, question.moment)
        observations, onset, looked = look_for_onset(observations, asked, watch)
        taken.append(looked)
    diagnosis, concluded = conclude(observations, ablate, watch, onset)
    answer = narrate(diagnosis, question.language, question.text)
    diagnosis = with_alerts_told(diagnosis, observations)
    diagnosis, compared = await with_history(
        diagnosis, observations.metrics, sources.history, watch
    )
    return Analysis(question, diagnosis, answer, (*taken, concluded, *compared))

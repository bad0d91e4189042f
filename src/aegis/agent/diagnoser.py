"""Concludes from what the monitor collected. The engine ranks; nothing here overrules it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime

from aegis.agent.alerts import alarm_of, of_services
from aegis.agent.steps import UNWATCHED, Step, Watch
from aegis.agent.supervisor import alarm_named
from aegis.engine.alert_evidence import with_alerts
from aegis.engine.diagnosis import diagnose
from aegis.engine.onset import find_onset, focused, with_onset
from aegis.model.diagnosis import Diagnosis, Onset
from aegis.model.incident import Observations
from aegis.model.telemetry import TimeWindow, from_ns, to_ns, utc_text


@dataclass(frozen=True, slots=True)
class AskedTime:
    """The time a question means, which is a person's guess. `moment` where it is a point."""

    window: TimeWindow
    moment: datetime | None = None


def look_for_onset(
    observations: Observations, asked: AskedTime, watch: Watch = UNWATCHED
) -> tuple[Observations, Onset | None, Step]:
    """When what is asked about began, and the observations with that window and baseline.

    The onset is None, and the window stays as asked, where too little was read to tell.
    """
    given: dict[str, object] = {"asked": asked.window.as_text()}
    if asked.moment is not None:
        given["moment"] = utc_text(asked.moment)
    watch.started("find_onset", json.dumps(given))
    moment_ns = None if asked.moment is None else to_ns(asked.moment)
    found = find_onset(observations, asked.window, moment_ns)
    told: dict[str, object] = {"outcome": "too_little_history"}
    if found is not None:
        onset = found.onset
        told = {"outcome": onset.outcome, "window": found.window.as_text()}
        if onset.start_ns is not None:
            told["began"] = utc_text(from_ns(onset.start_ns))
        told["left_out"] = [one.as_text() for one in onset.left_out]
        observations = focused(observations, found)
    step = Step("find_onset", json.dumps(given), json.dumps(told))
    watch.ended(step)
    return observations, None if found is None else found.onset, step


def informed(observations: Observations, question: str) -> Observations:
    """Where no alarm rang, the symptom that a question names stands for it."""
    if observations.alarm is not None:
        return observations
    return replace(observations, alarm=alarm_named(question))


def alerted(observations: Observations, question: str) -> Observations:
    """Where no alarm rang and the question names no symptom, the alerts that fired stand for it,
    if they agree on one."""
    if observations.alarm is not None or alarm_named(question) is not None:
        return observations
    rang = of_services(observations.alerts, observations.services)
    return replace(observations, alarm=alarm_of(rang, observations.window))


def conclude(
    observations: Observations,
    ablate: frozenset[str] = frozenset(),
    watch: Watch = UNWATCHED,
    onset: Onset | None = None,
) -> tuple[Diagnosis, Step]:
    """The diagnosis and how it is told in the trace of an answer.

    `ablate` names evidence the engine must do without (see `engine.diagnosis.ABLATIONS`).
    `onset` is what was found before, where the window was looked for.
    """
    asked: dict[str, object] = {"services": len(observations.services)}
    if ablate:
        asked["without"] = sorted(ablate)
    watch.started("diagnose", json.dumps(asked))
    diagnosis = diagnose(observations, ablate=ablate)
    if onset is not None:
        diagnosis = with_onset(diagnosis, onset)
    found = {
        "ranking": [[cause.service, round(cause.probability, 4)] for cause in diagnosis.causes[:3]],
        "none_probability": round(diagnosis.none_probability, 4),
        "evidence": len(diagnosis.evidence),
    }
    step = Step("diagnose", json.dumps(asked), json.dumps(found, ensure_ascii=False))
    watch.ended(step)
    return diagnosis, step


def with_alerts_told(diagnosis: Diagnosis, observations: Observations) -> Diagnosis:
    """The diagnosis with the alerts of its services; the rank, and what was said of it, stay."""
    rang = of_services(observations.alerts, observations.services)
    return with_alerts(diagnosis, rang)

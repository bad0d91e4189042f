"""Ranks one labelled case, and gathers many into a report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, Protocol

import numpy as np

from aegis.agent.diagnoser import AskedTime, conclude, informed, look_for_onset
from aegis.agent.monitor import Scene, Sources, collect
from aegis.model.diagnosis import Onset
from aegis.model.incident import TrueCause
from aegis.model.telemetry import TimeWindow, utc_text
from aegis.workflows.score_cases.scores import CaseResult, OnsetResult, Scores, score

WindowChoice = Literal["fault", "asked"]


@dataclass(frozen=True, slots=True)
class Given:
    """What the engine is given of a case: its fault window, or what was asked.

    The asked window can be moved, and cut or widened to a length before its end.
    """

    choice: WindowChoice = "fault"
    shift_minutes: float = 0.0
    asked_minutes: float | None = None

    def window_of(self, asked: TimeWindow) -> TimeWindow:
        end = asked.end + timedelta(minutes=self.shift_minutes)
        length = asked.end - asked.start
        if self.asked_minutes is not None:
            length = timedelta(minutes=self.asked_minutes)
        return TimeWindow(end - length, end)


@dataclass(frozen=True, slots=True)
class Task:
    """What to read, what is known, and the window to explain.

    With a question the window is what a person would give, and is looked for; without one it
    is exact.
    """

    sources: Sources
    scene: Scene
    window: TimeWindow
    question: str | None = None


class LabelledCase(Protocol):
    """A recorded incident whose cause is known. Only the benchmark sees the labels."""

    @property
    def id(self) -> str: ...

    @property
    def set_name(self) -> str: ...

    def load(self) -> Task:
        """Open the recording."""
        ...

    def truth(self) -> tuple[TrueCause, ...] | None: ...

    def onset(self) -> datetime | None:
        """When what is asked about began; None where nothing did or nobody says."""
        ...


@dataclass(frozen=True, slots=True)
class Report:
    """Scores of each set and of all cases together; `failed` could not be analysed."""

    sets: dict[str, Scores]
    pooled: Scores
    results: tuple[CaseResult, ...]
    failed: int


async def rank_case(case: LabelledCase, ablate: frozenset[str] = frozenset()) -> CaseResult:
    """Analyse one case and time it: `cpu_s` is process CPU time of reading and diagnosing."""
    started = time.process_time()
    task = case.load()
    observations, _ = await collect(task.sources, task.scene, task.window)
    onset = None
    if task.question is not None:
        observations = informed(observations, task.question)
        if "onset" not in ablate:
            observations, onset, _ = look_for_onset(observations, AskedTime(task.window))
    diagnosis, _ = conclude(observations, ablate, onset=onset)
    cpu_s = time.process_time() - started
    ranked = CaseResult(
        case.id,
        case.set_name,
        tuple((cause.service, cause.probability) for cause in diagnosis.causes),
        diagnosis.causes[0].family if diagnosis.causes else None,
        diagnosis.none_probability,
        case.truth(),
        cpu_s,
    )
    if task.question is None:
        return ranked
    return replace(ranked, onset=_onset_result(onset, diagnosis.window, case.onset()))


def _onset_result(onset: Onset | None, window: TimeWindow, true: datetime | None) -> OnsetResult:
    """Where no onset was looked for, the window's start is taken for one."""
    outcome = "as_asked" if onset is None else onset.outcome
    if outcome == "nothing":
        return OnsetResult(outcome, None, true)
    return OnsetResult(outcome, window.start, true)


def report(results: Sequence[CaseResult], failed: int = 0) -> Report:
    names = sorted({one.set_name for one in results})
    sets = {name: score([one for one in results if one.set_name == name]) for name in names}
    return Report(sets, score(results), tuple(results), failed)


def shuffle_labels(results: Sequence[CaseResult], seed: int) -> list[CaseResult]:
    """Labels dealt anew within each set, to see what the scores are worth by chance."""
    dice = np.random.default_rng(seed)
    shuffled = list(results)
    for name in sorted({one.set_name for one in results}):
        places = [place for place, one in enumerate(results) if one.set_name == name]
        for place, source in zip(places, dice.permutation(places).tolist(), strict=True):
            shuffled[place] = replace(results[place], truth=results[source].truth)
    return shuffled


def report_json(one: Report) -> dict[str, object]:
    """The object that `aegis bench --json` prints."""
    return {
        "sets": {name: scores_json(scores) for name, scores in one.sets.items()},
        "pooled": scores_json(one.pooled),
        "per_case": [_case_json(result) for result in one.results],
        "failed": one.failed,
    }


def scores_json(scores: Scores) -> dict[str, object]:
    told = {name: _rounded(value) for name, value in asdict(scores).items()}
    if scores.onset is None:  # no window was looked for
        del told["onset"]
    return told


def _case_json(result: CaseResult) -> dict[str, object]:
    truth = None if result.truth is None else [asdict(cause) for cause in result.truth]
    told = {
        "id": result.id,
        "ranking": [[service, round(share, 6)] for service, share in result.ranking],
        "none_probability": round(result.none_probability, 6),
        "truth": truth,
        "cpu_s": round(result.cpu_s, 4),
    }
    if result.onset is None:
        return told
    found, error_s = result.onset.found, result.onset.error_s
    onset = {
        "outcome": result.onset.outcome,
        "start": None if found is None else utc_text(found),
        "error_s": None if error_s is None else round(error_s, 3),
    }
    return {**told, "onset": onset}


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    return round(value, 6) if isinstance(value, float) else value

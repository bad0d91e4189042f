"""Ranks one labelled case, and gathers many into a report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal, Protocol

import numpy as np

from aegis.agent.diagnoser import conclude
from aegis.agent.monitor import Scene, Sources, collect
from aegis.model.incident import TrueCause
from aegis.model.telemetry import TimeWindow
from aegis.workflows.score_cases.scores import CaseResult, Scores, score

WindowChoice = Literal["fault", "asked"]


class LabelledCase(Protocol):
    """A recorded incident whose cause is known. Only the benchmark sees the labels."""

    @property
    def id(self) -> str: ...

    @property
    def set_name(self) -> str: ...

    def load(self) -> tuple[Sources, Scene, TimeWindow]:
        """Open the recording: what to read, what is known, the window to explain."""
        ...

    def truth(self) -> tuple[TrueCause, ...] | None: ...


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
    sources, scene, window = case.load()
    observations, _ = await collect(sources, scene, window)
    diagnosis, _ = conclude(observations, ablate)
    cpu_s = time.process_time() - started
    return CaseResult(
        case.id,
        case.set_name,
        tuple((cause.service, cause.probability) for cause in diagnosis.causes),
        diagnosis.causes[0].family if diagnosis.causes else None,
        diagnosis.none_probability,
        case.truth(),
        cpu_s,
    )


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
    return {name: _rounded(value) for name, value in asdict(scores).items()}


def _case_json(result: CaseResult) -> dict[str, object]:
    truth = None if result.truth is None else [asdict(cause) for cause in result.truth]
    return {
        "id": result.id,
        "ranking": [[service, round(share, 6)] for service, share in result.ranking],
        "none_probability": round(result.none_probability, 6),
        "truth": truth,
        "cpu_s": round(result.cpu_s, 4),
    }


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    return round(value, 6) if isinstance(value, float) else value

"""Concludes from what the monitor collected. The engine ranks; nothing here overrules it."""

from __future__ import annotations

import json

from aegis.agent.monitor import UNWATCHED, Step, Watch
from aegis.engine.diagnosis import diagnose
from aegis.model.diagnosis import Diagnosis
from aegis.model.incident import Observations


def conclude(
    observations: Observations,
    ablate: frozenset[str] = frozenset(),
    watch: Watch = UNWATCHED,
) -> tuple[Diagnosis, Step]:
    """The diagnosis and how it is told in the trace of an answer.

    `ablate` names evidence the engine must do without (see `engine.diagnosis.ABLATIONS`).
    """
    asked: dict[str, object] = {"services": len(observations.services)}
    if ablate:
        asked["without"] = sorted(ablate)
    watch.started("diagnose", json.dumps(asked))
    diagnosis = diagnose(observations, ablate=ablate)
    found = {
        "ranking": [[cause.service, round(cause.probability, 4)] for cause in diagnosis.causes[:3]],
        "none_probability": round(diagnosis.none_probability, 4),
        "evidence": len(diagnosis.evidence),
    }
    step = Step("diagnose", json.dumps(asked), json.dumps(found, ensure_ascii=False))
    watch.ended(step)
    return diagnosis, step

"""Changes that are innocent as far as one can see: the service that was changed stays calm.

A deploy shortly before is what everybody suspects first, so that it was looked at is told.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aegis.engine.candidates import Candidates
from aegis.engine.statements import calm_change_statement
from aegis.model.diagnosis import RuledOut
from aegis.model.incident import Observations

MOST_SYMPTOMS = 0.5
MOST_PROBABLE = 0.02
MOST_TOLD = 3


def calm_changes(candidates: Candidates, chances: Mapping[str, float]) -> tuple[RuledOut, ...]:
    """The latest change of each service that shows nothing abnormal, the latest first.

    A service without a row in the window is not calm but unseen.
    """
    docket, found = candidates.docket, []
    for item in candidates.ordered[1:]:
        change = candidates.change_of(item.service)
        strong = item.raw >= MOST_SYMPTOMS or chances[item.service] >= MOST_PROBABLE
        if change is None or strong or not _seen(item.service, candidates.observations):
            continue
        found.append(change)
    found.sort(key=lambda change: -int(change.times_ns[0]))
    return tuple(
        RuledOut(
            change.service,
            None,
            (docket.cite(change),),
            calm_change_statement(
                change.service, change.subject, int(change.times_ns[0]), docket.window
            ),
        )
        for change in found[:MOST_TOLD]
    )


def _seen(service: str, observations: Observations) -> bool:
    window, spans, logs = observations.window, observations.spans, observations.logs
    rows = [one.times_ns for one in observations.metrics.series if one.service == service]
    for names, code, times in (
        (spans.services, spans.service_code, spans.start_ns),
        (logs.services, logs.service_code, logs.time_ns),
    ):
        if service in names:
            rows.append(times[code == names.index(service)])
    return any(bool(np.any(window.contains(times))) for times in rows)

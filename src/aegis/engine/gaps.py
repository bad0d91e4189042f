"""What could not be seen. Absence is not evidence, so it is said instead of used."""

from __future__ import annotations

import numpy as np

from aegis.engine.fell_silent import fell_silent
from aegis.engine.quantities import tidy
from aegis.engine.statements import gap_statement
from aegis.engine.world import World
from aegis.model.evidence import EvidenceGap, GapReason, Source
from aegis.model.incident import Observations
from aegis.model.text import Text

MOST_NAMED = 3


def gaps_of(observations: Observations, world: World) -> tuple[EvidenceGap, ...]:
    """What fell silent, sources without rows in the window or a baseline, unseen services."""
    window = observations.window
    gaps: list[EvidenceGap] = list(fell_silent(observations))
    times = [series.times_ns for series in observations.metrics.series]
    samples = np.concatenate(times) if times else np.zeros(0, dtype=np.int64)
    columns: tuple[tuple[Source, np.ndarray], ...] = (
        ("metrics", samples),
        ("traces", observations.spans.start_ns),
        ("logs", observations.logs.time_ns),
    )
    for source, when in columns:
        inside = int(np.count_nonzero(window.contains(when)))
        if len(when) == 0:
            continue
        if inside == 0:
            gaps.append(_gap(source, "no_data", None))
        elif inside == len(when):
            gaps.append(_gap(source, "no_baseline", None))
    measured = {series.service for series in observations.metrics.series}
    unseen = (world.silent | _dark(observations, world)) - measured
    if len(unseen) > MOST_NAMED:
        gaps.append(EvidenceGap("metrics", "no_data", None, _only_callers_see(len(unseen))))
    else:
        gaps.extend(
            EvidenceGap("metrics", "no_data", name, _only_its_callers_see(name))
            for name in sorted(unseen)
        )
    return tuple(gaps)


def _dark(observations: Observations, world: World) -> set[str]:
    """Called services of which not one row was read, also where others vouch for them."""
    told = {*observations.spans.services, *observations.logs.services}
    return {name for name, callers in world.graph.callers.items() if callers} - told


def _only_callers_see(count: int) -> Text:
    return Text(
        f"{count} 个被调用的服务没有自己的遥测数据，只能从调用方看到。",
        f"{count} called services have no telemetry of their own: only their callers see them.",
    )


def _only_its_callers_see(service: str) -> Text:
    return Text(
        f"{tidy(service)} 没有自己的遥测数据，只能从调用方看到。",
        f"{tidy(service)} has no telemetry of its own: only its callers see it.",
    )


def _gap(source: Source, reason: GapReason, service: str | None) -> EvidenceGap:
    return EvidenceGap(source, reason, service, gap_statement(source, reason, service))

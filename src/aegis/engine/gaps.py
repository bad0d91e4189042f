"""What could not be seen. Absence is not evidence, so it is said instead of used."""

from __future__ import annotations

import numpy as np

from aegis.engine.statements import gap_statement
from aegis.engine.world import World
from aegis.model.evidence import EvidenceGap, GapReason, Source
from aegis.model.incident import Observations
from aegis.model.text import Text

MOST_NAMED = 3


def gaps_of(observations: Observations, world: World) -> tuple[EvidenceGap, ...]:
    """Sources without rows in the window or without a baseline, and unseen services."""
    window = observations.window
    gaps: list[EvidenceGap] = []
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
    unseen = world.silent - {series.service for series in observations.metrics.series}
    if len(unseen) > MOST_NAMED:
        gaps.append(_unseen_services(len(unseen)))
    else:
        gaps.extend(_gap("metrics", "no_data", name) for name in sorted(unseen))
    return tuple(gaps)


def _unseen_services(count: int) -> EvidenceGap:
    return EvidenceGap(
        "metrics",
        "no_data",
        None,
        Text(
            f"{count} 个被调用的服务没有自己的遥测数据，只能从调用方看到。",
            f"{count} called services have no telemetry of their own: "
            "only their callers can be seen.",
        ),
    )


def _gap(source: Source, reason: GapReason, service: str | None) -> EvidenceGap:
    return EvidenceGap(source, reason, service, gap_statement(source, reason, service))

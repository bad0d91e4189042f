"""What a change in traffic explains: more requests, and what they cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aegis.engine.findings import Finding
from aegis.engine.measured import MeasuredSeries
from aegis.model.evidence import Signal
from aegis.model.telemetry import TimeWindow

DRIVEN_BY_LOAD: frozenset[Signal] = frozenset({"cpu", "disk", "network", "saturation"})
STARVED = 0.5
LEAST_SURPRISE = 0.3


def load_ratios(usable: list[MeasuredSeries], window: TimeWindow) -> dict[str, float]:
    """How many times more requests each service got in the window than before.

    From the busiest traffic series of the service itself; services without one are absent.
    """
    busiest: dict[str, tuple[float, float]] = {}
    for item in usable:
        if item.meaning.signal != "traffic" or item.meaning.caller_side:
            continue
        inside = window.contains(item.times_ns)
        if not np.any(inside) or np.all(inside):
            continue
        before, during = (float(np.median(item.values[side])) for side in (~inside, inside))
        if before > 0.0 and during > 0.0:
            this = (before, during / before)
            busiest[item.series.service] = max(this, busiest.get(item.series.service, this))
    return {service: ratio for service, (_, ratio) in busiest.items()}


def beyond_load(finding: Finding, load: float) -> Finding | None:
    """The finding less what the change in traffic explains of it (shares of the logarithm)."""
    before, during = finding.baseline or 0.0, finding.observed or 0.0
    if before <= 0.0 or during <= 0.0:
        return finding
    explained = float(np.log(load) / np.log(during / before))
    surprise = finding.surprise * (1.0 - min(1.0, max(0.0, explained)))
    return replace(finding, surprise=surprise) if surprise > LEAST_SURPRISE else None


def is_starved(finding: Finding) -> bool:
    """Does the finding say that hardly any requests arrive any more?"""
    return finding.signal == "traffic" and (finding.observed or 0.0) < STARVED * (
        finding.baseline or 0.0
    )

"""What a change in traffic explains: more requests, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import fsum

import numpy as np

from aegis.engine.findings import Finding
from aegis.engine.graph import CallGraph
from aegis.engine.measured import MeasuredSeries
from aegis.model.evidence import Signal
from aegis.model.telemetry import TimeWindow

DRIVEN_BY_LOAD: frozenset[Signal] = frozenset({"cpu", "disk", "network", "saturation"})
STARVED = 0.5
LEAST_SURPRISE = 0.3


@dataclass(frozen=True, slots=True)
class Traffic:
    """Median of a service's requests before the window and in it, both above 0."""

    before: float
    during: float

    @property
    def ratio(self) -> float:
        return self.during / self.before


def traffic_of(usable: list[MeasuredSeries], window: TimeWindow) -> dict[str, Traffic]:
    """From the busiest traffic series of each service itself; services without one are absent."""
    busiest: dict[str, Traffic] = {}
    for item in usable:
        if item.meaning.signal != "traffic" or item.meaning.caller_side:
            continue
        inside = window.contains(item.times_ns)
        if not np.any(inside) or np.all(inside):
            continue
        before, during = (float(np.median(item.values[side])) for side in (~inside, inside))
        if before > 0.0 and during > 0.0:
            known = busiest.get(item.series.service)
            if known is None or (before, during / before) > (known.before, known.ratio):
                busiest[item.series.service] = Traffic(before, during)
    return busiest


def load_ratios(traffic: Mapping[str, Traffic]) -> dict[str, float]:
    """How many times more requests each service got in the window than before."""
    return {service: measured.ratio for service, measured in traffic.items()}


def inherited_load(traffic: Mapping[str, Traffic], graph: CallGraph) -> dict[str, float]:
    """How many times more requests reach each service because its callers get more.

    The callers' load, weighed by their requests; at most the service's own, since what is
    above that comes from callers that try again what the service failed. Its own load where no
    caller's is known.
    """
    found = {}
    for service, own in traffic.items():
        above = [traffic[name] for name in graph.callers[service] if name in traffic]
        found[service] = min(own.ratio, together(above)) if above else own.ratio
    return found


def together(measured: list[Traffic]) -> float:
    """How many times more requests these services get, all of them taken together."""
    # fsum: the same sum in whatever order the callers come.
    return fsum(item.during for item in measured) / fsum(item.before for item in measured)


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

"""A surge: far more requests come in from outside, and something runs out.

Then nearly everything is slow and fails at once, and explaining that away along the calls names
whoever happens to be last. What a capacity planner asks is who has the least headroom: the use
of processors or workers before, times the growth of what comes in from outside, over what there
is. Retries inside the system are no part of that growth, since they begin where it fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from aegis.engine.findings import Finding
from aegis.engine.graph import CallGraph
from aegis.engine.measured import MeasuredSeries
from aegis.engine.metric_load import Traffic, together
from aegis.model.telemetry import TimeWindow

LEAST_GROWTH = 1.5
LEAST_OF_EACH = 1.25
LEAST_SHORT = 0.5
"""A service that would still have half of its resources left is not what runs out."""
NEARLY_FULL = 0.7
MOST_USED = 1.2
OVERLOAD_KEEPS = 0.2
RUNS_OUT = 4.0
PERCENT_SEEN = (80.0, 100.0)
"""A metric without a unit whose largest sample, over all services, lies here is a percentage."""


@dataclass(frozen=True, slots=True)
class Surge:
    """`growth`: requests from outside in the window over those before (>= LEAST_GROWTH).

    `entries` receive them. `projected` is the share of its processors (or workers) that each
    service would use for so many more requests, 1 for all of them; services whose use cannot
    be told as a share are absent.
    """

    growth: float
    entries: frozenset[str]
    projected: Mapping[str, float]

    @property
    def nearly_full(self) -> frozenset[str]:
        """Services that could hardly bear the growth alone."""
        return frozenset(name for name, used in self.projected.items() if used >= NEARLY_FULL)

    def rescored(self, service: str, score: float) -> float:
        """The score where overload explains most symptoms, and the least headroom who is first.

        A fifth of the score, and up to 4 (at most 1.4 times that) for the projected use
        beyond one half.
        """
        used = min(MOST_USED, self.projected.get(service, 0.0))
        return OVERLOAD_KEEPS * score + RUNS_OUT * max(0.0, used - LEAST_SHORT) / (
            1.0 - LEAST_SHORT
        )

    def most_telling(self, findings: Iterable[Finding]) -> Finding | None:
        """The clearest finding that an entry gets more requests; None where none stands out."""
        grown = [
            finding
            for finding in findings
            if finding.signal == "traffic"
            and finding.service in self.entries
            and finding.peer is None
            and finding.observed is not None
            and finding.baseline is not None
            and finding.observed > finding.baseline
        ]
        return min(grown, key=lambda item: (-item.surprise, item.digest()), default=None)


def surge_of(
    usable: list[MeasuredSeries],
    traffic: Mapping[str, Traffic],
    graph: CallGraph,
    window: TimeWindow,
) -> Surge | None:
    """The surge, if there is one: every entry whose traffic is known must get clearly more."""
    entries = frozenset(
        name for name in traffic if graph.callees.get(name) and not graph.callers.get(name)
    )
    measured = [traffic[name] for name in entries]
    if not measured or min(item.ratio for item in measured) < LEAST_OF_EACH:
        return None
    growth = together(measured)
    if growth < LEAST_GROWTH:
        return None
    used = _used_before(usable, window)
    return Surge(growth, entries, {name: growth * share for name, share in used.items()})


def _used_before(usable: list[MeasuredSeries], window: TimeWindow) -> dict[str, float]:
    """The largest median share of its processors or workers that each service used before."""
    largest: dict[str, float] = {}
    for item in usable:
        name = item.series.name
        most = float(np.max(item.values, initial=0.0))  # mutate: equivalent far below PERCENT_SEEN
        largest[name] = max(largest.get(name, most), most)
    found: dict[str, float] = {}
    for item in usable:
        whole = _whole(item, largest[item.series.name])
        outside = item.values[~window.contains(item.times_ns)]
        if whole is None or len(outside) == 0:
            continue
        share = float(np.median(outside)) / whole
        found[item.series.service] = max(share, found.get(item.series.service, 0.0))
    return found


def _whole(item: MeasuredSeries, largest: float) -> float | None:
    """The value at which the resource is used up; None where that is not known."""
    meaning = item.meaning
    if meaning.peer is not None or meaning.signal not in ("cpu", "saturation"):
        return None
    if meaning.unit == "share":
        return 1.0
    if meaning.unit == "%":
        return 100.0
    low, high = PERCENT_SEEN
    return (
        100.0 if meaning.signal == "cpu" and not meaning.unit and low <= largest <= high else None
    )

"""A simulated case's metrics, whatever their names, back in the simulator's own terms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from aegis.model.telemetry import Floats, Int64s, Matrix, Series
from lab.simulator.conventions import CONVENTIONS, EXTRAS, Metric

LONGEST_BREAK_STEPS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One quantity over time, in the simulator's unit."""

    times_ns: Int64s
    values: Floats

    def at(self, times_ns: Int64s) -> Floats:
        """The values at other times, straight lines between what is known."""
        out: Floats = np.interp(times_ns, self.times_ns, self.values)
        return out


@dataclass(slots=True)
class ServiceReadings:
    """What was measured of a service, and by it of its peers."""

    own: dict[str, Reading] = field(default_factory=dict)
    peers: dict[str, dict[str, Reading]] = field(default_factory=dict)

    @property
    def times_ns(self) -> Int64s:
        """Every moment at which something was scraped, ascending."""
        readings = [
            *self.own.values(),
            *(one for peer in self.peers.values() for one in peer.values()),
        ]
        return np.unique(np.concatenate([one.times_ns for one in readings]))


@dataclass(frozen=True, slots=True)
class CaseReadings:
    """`step_s` is the usual time between two scrapes."""

    services: Mapping[str, ServiceReadings]
    step_s: float


def read_back(matrix: Matrix) -> CaseReadings:
    """ValueError where the names are not of one of the simulator's conventions."""
    names = {series.name for series in matrix.series}
    known = {
        convention: {**CONVENTIONS[convention], **EXTRAS[convention]} for convention in CONVENTIONS
    }
    fits = {
        convention: sum(
            any(_pattern(one).fullmatch(name) for one in metrics.values()) for name in names
        )
        for convention, metrics in known.items()
    }
    best = max(fits, key=lambda convention: fits[convention])
    if fits[best] < len(names):
        raise ValueError(f"not the simulator's names: {sorted(names)[:5]}")
    services: dict[str, ServiceReadings] = {}
    for series in matrix.series:
        for key, metric in known[best].items():
            found = _pattern(metric).fullmatch(series.name)
            if found:
                of = services.setdefault(series.service, ServiceReadings())
                _keep(of, key, metric, series, found.groupdict().get("peer"))
                break
    steps = np.concatenate([np.diff(series.times_ns) for series in matrix.series])
    return CaseReadings(services, float(np.median(steps)) / 1e9)


def _keep(of: ServiceReadings, key: str, metric: Metric, series: Series, peer: str | None) -> None:
    reading = Reading(series.times_ns, series.values / metric.factor)
    if metric.label is not None:
        peer = dict(series.labels)[metric.label]
    if peer is None:
        of.own[key] = reading
    else:
        of.peers.setdefault(peer, {})[key] = reading


def _pattern(metric: Metric) -> re.Pattern[str]:
    return re.compile(re.escape(metric.name).replace(r"\{peer\}", "(?P<peer>.+)"))

"""Evidence from metrics: which series left their normal spread, and by how much."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from aegis.engine.findings import Finding
from aegis.engine.measured import MeasuredSeries
from aegis.engine.metric_load import (
    DRIVEN_BY_LOAD,
    LEAST_SURPRISE,
    beyond_load,
    load_ratios,
    traffic_of,
)
from aegis.engine.metric_peers import credited_to_peers
from aegis.engine.stats import hypergeometric_tail_decades, robust_scale, surprise_of_z
from aegis.model.evidence import Signal
from aegis.model.telemetry import Alarm, Bools, Floats, TimeWindow

RELATIVE_FLOOR = 0.05
ERROR_FLOOR = 0.0025
PERCENT_FLOOR = 1.0
ALARM_LATENCY_FLOOR = 0.05
SPIKE_PENALTY = 3.0
SPIKE_GRACE = 2.0
RECENT_SAMPLES = 8
LONGEST_BREAK_STEPS = 6.0
LEAST_BASELINE = 5
RISING = ((1.0, 1.0),)
EITHER_WAY: dict[Signal, tuple[tuple[float, float], ...]] = {
    "traffic": ((1.0, 0.7), (-1.0, 1.0)),
    "network": ((1.0, 1.0), (-1.0, 0.6)),
    "disk": ((1.0, 1.0), (-1.0, 0.6)),
}
"""(direction, weight) for signals where both directions mean something; else only rising."""
ONSET_Z = 3.0
LEAST_SCALE = 1e-12


def metric_findings(
    usable: list[MeasuredSeries],
    window: TimeWindow,
    alarm: Alarm | None,
    overloaded: AbstractSet[str] = frozenset(),
) -> list[Finding]:
    """One finding a series that departs from its baseline; peers of a call get a share.

    The load excuses no rise of the processors of `overloaded` services. The order of the
    findings follows the order of the series and carries no meaning.
    """
    floors = _Floors.of(usable, window, alarm)
    load = load_ratios(traffic_of(usable, window))
    findings: list[Finding] = []
    for item in usable:
        finding = _finding(item, window, floors)
        spared = item.meaning.signal == "cpu" and item.series.service in overloaded
        if finding is not None and finding.signal in DRIVEN_BY_LOAD and not spared:
            finding = beyond_load(finding, load.get(finding.service, 1.0))
        if finding is None:
            continue
        findings.append(finding)
    return [*findings, *credited_to_peers(findings, usable)]


@dataclass(frozen=True, slots=True)
class _Floors:
    """What counts as noise, from the world around a series."""

    alarm_latency: dict[str, float]
    traffic: dict[str, float]

    @staticmethod
    def of(usable: list[MeasuredSeries], window: TimeWindow, alarm: Alarm | None) -> _Floors:
        alarm_latency: dict[str, float] = {}
        traffic: dict[str, float] = {}
        for item in usable:
            service = item.series.service
            outside = item.values[~window.contains(item.times_ns)]
            if len(outside) == 0:
                continue
            median = float(np.median(outside))
            if item.meaning.signal == "latency" and alarm and service == alarm.service:
                known = alarm_latency.get(item.series.name, 0.0)
                alarm_latency[item.series.name] = max(known, median)
            if item.meaning.signal == "traffic" and item.meaning.peer is None:
                traffic[service] = max(traffic.get(service, 0.0), median)
        return _Floors(alarm_latency, traffic)

    def for_series(self, item: MeasuredSeries, baseline: Floats) -> float:
        median = abs(float(np.median(baseline)))
        floor = RELATIVE_FLOOR * median
        signal, unit = item.meaning.signal, item.meaning.unit
        if signal == "errors":
            return max(floor, self._errors_floor(item), LEAST_SCALE)
        if signal in ("cpu", "memory") and unit == "%":
            return max(floor, PERCENT_FLOOR)
        if signal == "latency":
            known = self.alarm_latency.get(item.series.name, 0.0)
            return max(floor + ALARM_LATENCY_FLOOR * known, LEAST_SCALE)
        if signal == "traffic" and _whole_numbers(item.values):
            return max(floor, float(np.sqrt(median + 1.0)))
        return max(floor, 0.01 * _smallest_positive(item.values), LEAST_SCALE)

    def failing_share(self, item: MeasuredSeries, increase: float) -> float:
        """Share of the service's requests that newly fail; 1 where that cannot be told."""
        if item.meaning.signal != "errors":
            return 1.0
        if item.meaning.unit in ("%", "share"):
            return min(1.0, increase / (100.0 if item.meaning.unit == "%" else 1.0))
        requests = self.traffic.get(item.series.service, 0.0)
        return min(1.0, increase / requests) if requests > 0.0 else 1.0

    def _errors_floor(self, item: MeasuredSeries) -> float:
        if item.meaning.unit == "%":
            return 100.0 * ERROR_FLOOR
        if item.meaning.unit == "share":
            return ERROR_FLOOR
        least = 0.25 * _smallest_positive(item.values)
        return max(ERROR_FLOOR * self.traffic.get(item.series.service, 0.0), least)


def _smallest_positive(values: Floats) -> float:
    """The smallest step a series seems to make; 1 where it never rises above zero."""
    positive = values[values > 0]
    return float(np.min(positive)) if len(positive) else 1.0


def _whole_numbers(values: Floats) -> bool:
    """Counts an interval: their noise is at least Poisson's, the root of the mean."""
    return bool(np.all(values == np.floor(values)))


def _finding(item: MeasuredSeries, window: TimeWindow, floors: _Floors) -> Finding | None:
    inside = window.contains(item.times_ns)
    baseline, faulty = item.values[~inside], item.values[inside]
    if len(baseline) < LEAST_BASELINE or len(faulty) == 0:
        return None
    scale = robust_scale(baseline, floors.for_series(item, baseline))
    recent = _just_before(item, inside, window)
    most = 2.0 * float(np.log10(1 + len(baseline)))
    departures = []
    for sign, weight in EITHER_WAY.get(item.meaning.signal, RISING):
        before, during = sign * baseline, sign * faulty
        z, level = _robust_z(before, during, sign * recent, scale)
        claimed = min(surprise_of_z(z), most)
        if claimed > 0.0:
            claimed = min(claimed, _chance_decades(before, during, level))
        departures.append((weight * claimed, sign * level))
    surprise, level = max(departures)
    if surprise <= LEAST_SURPRISE:
        return None
    median = float(np.median(baseline))
    share = floors.failing_share(item, level - median)
    return Finding(
        source="metrics",
        signal=item.meaning.signal,
        service=item.series.service,
        peer=item.meaning.peer,
        subject=item.series.name,
        query=item.series.query,
        surprise=surprise,
        baseline=median,
        observed=level,
        unit=item.meaning.unit,
        times_ns=item.times_ns,
        values=item.values,
        share=share,
        outbound=item.meaning.caller_side and item.meaning.peer is None,
        onset_ns=_onset(item, inside, median, scale, up=level >= median),
    )


def _robust_z(
    baseline: Floats, faulty: Floats, recent: Floats, scale: float
) -> tuple[float, float]:
    """The smallest of three z of the second-largest faulty sample, and that sample."""
    ordered = np.sort(faulty)
    level = float(ordered[-2] if len(ordered) >= 2 else ordered[-1])
    median = float(np.median(baseline))
    p98 = float(np.percentile(baseline, 98))
    z = min(
        (level - median) / scale,
        SPIKE_GRACE + SPIKE_PENALTY * (level - p98) / scale,
        (level - float(np.median(recent))) / scale,
    )
    return z, level


def _chance_decades(baseline: Floats, faulty: Floats, level: float) -> float:
    """-log10 of the chance that so many of the high samples fall into the window.

    High is beyond half of the way from the usual to `level`. Of all samples as many as the
    window holds are drawn at random: the upper tail of the hypergeometric distribution.
    Rare errors hit a long window as often as the baseline, however odd each of them looks.
    """
    halfway = (float(np.median(baseline)) + level) / 2.0
    during = int(np.count_nonzero(faulty > halfway))
    high = during + int(np.count_nonzero(baseline > halfway))
    samples = len(baseline) + len(faulty)
    return hypergeometric_tail_decades(during, samples, high, len(faulty))


def _just_before(item: MeasuredSeries, inside: Bools, window: TimeWindow) -> Floats:
    """The last baseline samples before the window, as far back as the recording is unbroken.

    All baseline samples where the recording has none right before the window.
    """
    times, values = item.times_ns[~inside], item.values[~inside]
    before = times < window.start_ns
    times, last = times[before][-RECENT_SAMPLES:], values[before][-RECENT_SAMPLES:]
    step = float(np.median(np.diff(item.times_ns)))
    reach = np.append(times, window.start_ns)
    broken = np.flatnonzero(np.diff(reach) > LONGEST_BREAK_STEPS * step)
    unbroken = last[broken[-1] + 1 :] if len(broken) else last
    return unbroken if len(unbroken) else values


def _onset(
    item: MeasuredSeries, inside: Bools, median: float, scale: float, *, up: bool
) -> int | None:
    """The first sample of the window that is clearly off, None if none is on its own."""
    sign = 1.0 if up else -1.0
    off = inside & (sign * (item.values - median) > ONSET_Z * scale)
    first = np.flatnonzero(off)
    return int(item.times_ns[first[0]]) if len(first) else None

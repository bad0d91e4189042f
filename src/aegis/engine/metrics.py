"""Evidence from metrics: which series left their normal spread, and by how much."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np

from aegis.engine.findings import Finding
from aegis.engine.signals import Meaning, meaning_of
from aegis.engine.stats import robust_scale, surprise_of_z
from aegis.model.evidence import Signal
from aegis.model.telemetry import Alarm, Bools, Floats, Int64s, Matrix, Series, TimeWindow

LEAST_SURPRISE = 0.3
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
DRIVEN_BY_LOAD: frozenset[Signal] = frozenset({"cpu", "disk", "network", "saturation"})
PEER_CREDIT = 0.8
CALM_PEER = 0.5
STARVED = 0.5
ONSET_Z = 3.0
NEARLY_ALL = 99.0
LARGEST_SAMPLE = 1e100
LEAST_SCALE = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredSeries:
    """A series in the engine's sense: higher is worse unless its signal says otherwise."""

    series: Series
    meaning: Meaning
    times_ns: Int64s
    values: Floats


def measured(matrix: Matrix) -> list[MeasuredSeries]:
    """The series whose meaning is known; counters become rates, availability its shortfall."""
    every = [_without_markers(series) for series in matrix.series]
    percentages = _percentages(every)
    found = []
    for series in every:
        if len(series.values) < 2:
            continue
        meaning = meaning_of(series)
        if meaning is None:
            continue
        if meaning.unit == "per_s" and not meaning.counter and series.name in percentages:
            meaning = replace(meaning, unit="%")
        times, values = series.times_ns, series.values
        if meaning.counter:
            times, values = _rate_per_s(times, values)
        if meaning.flipped:
            full = 100.0 if meaning.unit == "%" or float(np.max(values)) > 1.5 else 1.0
            values = np.maximum(full - values, 0.0)
            meaning = replace(meaning, unit="%" if full > 1.0 else "share")
        found.append(MeasuredSeries(series, meaning, times, values))
    return found


def metric_findings(
    usable: list[MeasuredSeries], window: TimeWindow, alarm: Alarm | None
) -> list[Finding]:
    """One finding a series that departs from its baseline; peers of a call get a share.

    The order of the findings follows the order of the series and carries no meaning.
    """
    floors = _Floors.of(usable, window, alarm)
    load = load_ratios(usable, window)
    findings: list[Finding] = []
    for item in usable:
        finding = _finding(item, window, floors)
        if finding is not None and finding.signal in DRIVEN_BY_LOAD:
            finding = _beyond_load(finding, load.get(finding.service, 1.0))
        if finding is None:
            continue
        findings.append(finding)
    return [*findings, *_credited_to_peers(findings, usable)]


def _credited_to_peers(findings: list[Finding], usable: list[MeasuredSeries]) -> list[Finding]:
    """What callers measured of a callee, as findings of the callee.

    Weighed by the share of the callers that agree, and halved where the callee measures the
    same signal itself and finds nothing: then the fault is on the way, or at the caller. (A
    callee that hardly gets requests any more finds nothing because it is not reached.)
    """
    callers: dict[tuple[str, Signal], set[str]] = {}
    measures_itself: set[tuple[str, Signal]] = set()
    for item in usable:
        peer, signal = item.meaning.peer, item.meaning.signal
        if peer is not None:
            callers.setdefault((peer, signal), set()).add(item.series.service)
        elif not item.meaning.caller_side:
            measures_itself.add((item.series.service, signal))
    agreeing: dict[tuple[str, Signal], set[str]] = {}
    found_itself: set[tuple[str, Signal]] = set()
    starved = {
        finding.service
        for finding in findings
        if finding.signal == "traffic"
        and (finding.observed or 0.0) < STARVED * (finding.baseline or 0.0)
    }
    for finding in findings:
        if finding.peer is not None:
            agreeing.setdefault((finding.peer, finding.signal), set()).add(finding.service)
        else:
            found_itself.add((finding.service, finding.signal))
    credited = []
    for finding in findings:
        if finding.peer is None:
            continue
        key = (finding.peer, finding.signal)
        credit = PEER_CREDIT * len(agreeing[key]) / len(callers[key])
        if key in measures_itself and key not in found_itself and finding.peer not in starved:
            credit *= CALM_PEER
        if credit * finding.surprise > LEAST_SURPRISE:
            credited.append(
                replace(finding, service=finding.peer, surprise=credit * finding.surprise)
            )
    return credited


def _without_markers(series: Series) -> Series:
    """The series less samples that nothing can measure, such as ±1.8e308 for "not set"."""
    real = np.abs(series.values) <= LARGEST_SAMPLE
    if np.all(real):
        return series
    return replace(series, times_ns=series.times_ns[real], values=series.values[real])


def _percentages(every: list[Series]) -> frozenset[str]:
    """Names of metrics whose samples, over all services, come up to 100 and never exceed it."""
    most: dict[str, float] = defaultdict(float)
    for series in every:
        if len(series.values):
            most[series.name] = max(most[series.name], float(np.max(series.values)))
    return frozenset(name for name, value in most.items() if NEARLY_ALL <= value <= 100.0)


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


def _beyond_load(finding: Finding, load: float) -> Finding | None:
    """The finding less what the change in traffic explains of it (shares of the logarithm)."""
    before, during = finding.baseline or 0.0, finding.observed or 0.0
    if before <= 0.0 or during <= 0.0:
        return finding
    explained = float(np.log(load) / np.log(during / before))
    surprise = finding.surprise * (1.0 - min(1.0, max(0.0, explained)))
    return replace(finding, surprise=surprise) if surprise > LEAST_SURPRISE else None


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


def _rate_per_s(times_ns: Int64s, values: Floats) -> tuple[Int64s, Floats]:
    """Increase per second of a counter; a fall is a restart, counted from zero."""
    steps = np.diff(values)
    steps = np.where(steps < 0, values[1:], steps)
    seconds = np.maximum(np.diff(times_ns) / 1e9, 1e-9)
    return times_ns[1:], steps / seconds


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
        z, level = _robust_z(sign * baseline, sign * faulty, sign * recent, scale)
        departures.append((weight * min(surprise_of_z(z), most), sign * level))
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

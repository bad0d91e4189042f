"""Signs of trouble over time: each a stream of one service, in units of its own noise.

Nothing here knows a fault window. What is usual is told from the whole recording by medians
and trimmed rates, so incidents in it (up to a quarter of the time of each stream) do not move
it; or from a stretch of it that is held to be calm.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from aegis.engine.log_lines import ReadLines, read_lines
from aegis.engine.measured import MeasuredSeries, measured
from aegis.engine.onset_spans import span_counts
from aegis.engine.stats import IQR_OF_NORMAL, MAD_TO_SIGMA
from aegis.engine.trace_tree import TraceTree
from aegis.model.evidence import Signal
from aegis.model.incident import Observations
from aegis.model.telemetry import UNDATED, Bools, Floats, Int64s, TimeWindow

MINUTE_NS = 60_000_000_000
FINE_NS = 10_000_000_000
FINE_A_MINUTE = MINUTE_NS // FINE_NS
CALM_SHARE = 0.7
"""Of the minutes, the calmest that tell the usual rate of a count."""
OVER_DISPERSION = 1.4
"""Counts of one minute belong together: their roots of deviance are this much too large."""
LEAST_SAMPLES = 10
LEAST_LINES_A_MINUTE = 0.1
RELATIVE_FLOOR = {"latency": 0.07, "traffic": 0.05}
USUAL_FLOOR = 0.1
ERROR_FLOOR = 0.005
DRIVEN_BY_LOAD = ("cpu", "disk", "network")
DRIVEN_WEIGHT = 0.5
LEAST_SCALE = 1e-12


@dataclass(frozen=True, slots=True)
class Grid:
    """Whole minutes from `start_ns`; the last one may reach beyond what was read."""

    start_ns: int
    minutes: int

    @staticmethod
    def over(extent: TimeWindow) -> Grid:
        length = extent.end_ns - extent.start_ns
        return Grid(extent.start_ns, -(-length // MINUTE_NS))

    def minute(self, times_ns: Int64s) -> Int64s:
        """The minute of each time, those outside moved to the nearest."""
        return np.clip((times_ns - self.start_ns) // MINUTE_NS, 0, self.minutes - 1)

    def within(self, window: TimeWindow) -> Bools:
        """Which minutes begin in a window."""
        starts = self.start_ns + np.arange(self.minutes, dtype=np.int64) * MINUTE_NS
        return window.contains(starts)

    def fine(self, times_ns: Int64s) -> Int64s:
        place = (times_ns - self.start_ns) // FINE_NS
        return np.clip(place, 0, self.minutes * FINE_A_MINUTE - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """A metric: `z` of each sample, larger is worse, and when it was felt.

    `signal` as the names of metrics are understood; unknown where nobody said.
    """

    service: str
    times_ns: Int64s
    z: Floats
    signal: Signal | None = None

    def by_minute(self, grid: Grid) -> Floats:
        """Mean z of each minute, NaN without samples."""
        place = grid.minute(self.times_ns)
        number = np.bincount(place, minlength=grid.minutes)
        whole = np.bincount(place, weights=self.z, minlength=grid.minutes)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean: Floats = whole / np.where(number > 0, number, np.nan)
        return mean


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """`hits` among `trials` of each ten seconds, where `usual` of a trial hit."""

    service: str
    hits: Floats
    trials: Floats
    usual: float

    def by_minute(self, grid: Grid) -> Floats:
        """Signed root of the deviance of each minute, NaN without trials."""
        hits, trials = per_minute(self.hits), per_minute(self.trials)
        expected = np.maximum(self.usual * trials, LEAST_SCALE)
        with np.errstate(divide="ignore", invalid="ignore"):
            grown = np.where(hits > 0, hits * np.log(hits / expected), 0.0)
        deviance = np.maximum(2.0 * (grown - (hits - expected)), 0.0)
        z = np.sign(hits - expected) * np.sqrt(deviance) / OVER_DISPERSION
        result: Floats = np.where(trials > 0, z, np.nan)
        return result


Sign = Sampled | Counted


def per_minute(fine: Floats) -> Floats:
    sums: Floats = fine.reshape(len(fine) // FINE_A_MINUTE, FINE_A_MINUTE).sum(axis=1)
    return sums


@dataclass(frozen=True, slots=True, eq=False)
class Telemetry:
    """What the signs are told from, understood once."""

    usable: list[MeasuredSeries]
    tree: TraceTree
    lines: ReadLines

    @staticmethod
    def of(observations: Observations) -> Telemetry:
        tree = TraceTree.of(observations.spans)
        lines = read_lines(observations.logs, tree)
        return Telemetry(measured(observations.metrics), tree, lines)


def signs_of(read: Telemetry, grid: Grid, calm: TimeWindow) -> list[Sign]:
    """Every stream that may tell trouble; `calm` tells what is usual.

    Streams of which too little was read there are missing.
    """
    return [
        *_metric_signs(read.usable, grid, calm),
        *_span_signs(read.tree, grid, calm),
        *_log_signs(read.lines, grid, calm),
    ]


def _metric_signs(usable: list[MeasuredSeries], grid: Grid, calm: TimeWindow) -> Iterator[Sign]:
    everybody = load_of_everybody(usable, grid)
    requests = _requests(usable)
    for item in usable:
        usual = calm.contains(item.times_ns)
        if np.count_nonzero(usual) < LEAST_SAMPLES:
            continue
        load = everybody[grid.minute(item.times_ns)]
        z = _departures(item, usual, load, requests.get(item.series.service, 0.0))
        if z is not None:
            half_step = int(np.median(np.diff(item.times_ns))) // 2
            felt_ns = item.times_ns - half_step
            yield Sampled(item.series.service, felt_ns, z, item.meaning.signal)


def _departures(item: MeasuredSeries, usual: Bools, load: Floats, requests: float) -> Floats | None:
    """z of each sample; None for what says nothing about when trouble begins."""
    signal, values = item.meaning.signal, item.values
    if signal == "errors":
        return _robust_z(values, usual, USUAL_FLOOR, _error_floor(item, requests))
    if signal == "latency":
        return _robust_z(values, usual, RELATIVE_FLOOR["latency"], 0.0)
    if signal in ("saturation", "restarts"):
        return _robust_z(values, usual, USUAL_FLOOR, 0.25 * _smallest_positive(values))
    median = float(np.median(values[usual]))
    if median <= 0.0:
        return None
    against_load = values / median / load
    if signal == "traffic":
        whole = bool(np.all(values == np.floor(values)))
        floor = 1.5 / float(np.sqrt(median + 1.0)) if whole else 0.0
        return -_robust_z(against_load, usual, RELATIVE_FLOOR["traffic"], floor)
    if signal in DRIVEN_BY_LOAD:
        return DRIVEN_WEIGHT * _robust_z(against_load, usual, USUAL_FLOOR, 0.0)
    return None


def _robust_z(values: Floats, usual: Bools, relative_floor: float, floor: float) -> Floats:
    """Distance to the median of the usual samples, in robust standard deviations."""
    p25, p50, p75 = np.percentile(values[usual], (25, 50, 75))
    mad = float(np.median(np.abs(values[usual] - p50)))
    scale = max(
        float(p75 - p25) / IQR_OF_NORMAL,
        MAD_TO_SIGMA * mad,
        relative_floor * abs(float(p50)),
        floor,
        LEAST_SCALE,
    )
    z: Floats = (values - p50) / scale
    return z


def _error_floor(item: MeasuredSeries, requests: float) -> float:
    """Half a percent of the requests, in the unit of the series."""
    if item.meaning.unit in ("%", "share"):
        return ERROR_FLOOR * (100.0 if item.meaning.unit == "%" else 1.0)
    return max(ERROR_FLOOR * requests, 0.5 * _smallest_positive(item.values))


def _requests(usable: list[MeasuredSeries]) -> dict[str, float]:
    """The median traffic of each service that counts it."""
    found: dict[str, float] = {}
    for item in usable:
        if item.meaning.signal == "traffic" and item.meaning.peer is None:
            service, median = item.series.service, float(np.median(item.values))
            found[service] = max(found.get(service, 0.0), median)
    return found


def _smallest_positive(values: Floats) -> float:
    positive = values[values > 0]
    if len(positive) == 0:
        return 1.0  # mutate: equivalent: a stream of zeros is zero in any unit
    return float(np.min(positive))


def load_of_everybody(usable: list[MeasuredSeries], grid: Grid) -> Floats:
    """Traffic of each minute against its usual, the median over all that count it; 1 if none do.

    Daily rhythm and harmless steps move everybody, and cancel against it.
    """
    rows = []
    for item in usable:
        if item.meaning.signal != "traffic" or item.meaning.peer is not None:
            continue
        median = float(np.median(item.values))
        if median > 0.0:
            part = Sampled("", item.times_ns, item.values / median).by_minute(grid)
            rows.append(np.where(np.isnan(part), 1.0, part))
    if not rows:
        return np.ones(grid.minutes)
    load: Floats = np.maximum(np.median(np.array(rows), axis=0), 0.01)
    return load


def _span_signs(tree: TraceTree, grid: Grid, calm: TimeWindow) -> Iterator[Sign]:
    minutes = grid.within(calm)
    for service, rows, flags, least in span_counts(tree, calm):
        place = grid.fine(tree.spans.start_ns[rows])
        size = grid.minutes * FINE_A_MINUTE
        trials = np.bincount(place, minlength=size).astype(np.float64)
        hits = np.bincount(place, weights=flags, minlength=size).astype(np.float64)
        yield Counted(service, hits, trials, max(_calm_rate(hits, trials, minutes), least))


def _log_signs(lines: ReadLines, grid: Grid, calm: TimeWindow) -> Iterator[Sign]:
    """Severe lines of each service in the time in which anybody logged at all."""
    if len(lines.table) == 0:
        return
    severe = np.array([template.severe for template in lines.templates])[lines.template]
    dated = lines.time_ns != UNDATED
    size = grid.minutes * FINE_A_MINUTE
    written = np.bincount(grid.minute(lines.time_ns[dated]), minlength=grid.minutes)
    covered: Floats = np.repeat((written > 0).astype(np.float64) / FINE_A_MINUTE, FINE_A_MINUTE)
    minutes = grid.within(calm)
    for code, service in enumerate(lines.table.services):
        rows = dated & severe & (lines.table.service_code == code)
        if not np.any(rows):
            continue
        hits = np.bincount(grid.fine(lines.time_ns[rows]), minlength=size).astype(np.float64)
        usual = max(_calm_rate(hits, covered, minutes), LEAST_LINES_A_MINUTE)
        yield Counted(service, hits, covered, usual)


def _calm_rate(hits: Floats, trials: Floats, minutes: Bools) -> float:
    """Hits a trial over the calmest of some minutes."""
    hits, trials = per_minute(hits), per_minute(trials)
    tried = np.flatnonzero((trials > 0) & minutes)
    rates = hits[tried] / trials[tried]
    calm = tried[np.argsort(rates, kind="stable")][: max(1, int(CALM_SHARE * len(tried)))]
    return float(hits[calm].sum() / max(float(trials[calm].sum()), LEAST_SCALE))

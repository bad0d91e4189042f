"""Signs of trouble over time: each a stream of one service, in units of its own noise.

Nothing here knows a fault window. What is usual is told from the whole recording by medians
and trimmed rates, so incidents in it (up to about a third of the time) do not move it.
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
from aegis.model.incident import Observations
from aegis.model.telemetry import UNDATED, Floats, Int64s, TimeWindow

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
        return Grid(extent.start_ns, max(1, -(-length // MINUTE_NS)))

    def minute(self, times_ns: Int64s) -> Int64s:
        """The minute of each time, those outside moved to the nearest."""
        return np.clip((times_ns - self.start_ns) // MINUTE_NS, 0, self.minutes - 1)

    def fine(self, times_ns: Int64s) -> Int64s:
        place = (times_ns - self.start_ns) // FINE_NS
        return np.clip(place, 0, self.minutes * FINE_A_MINUTE - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """A metric: `z` of each sample, larger is worse, and when it was felt."""

    service: str
    times_ns: Int64s
    z: Floats

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
    sums: Floats = fine.reshape(-1, FINE_A_MINUTE).sum(axis=1)
    return sums


def signs_of(observations: Observations, grid: Grid) -> list[Sign]:
    """Every stream that may tell trouble; those of sources that were not read are missing."""
    tree = TraceTree.of(observations.spans)
    return [
        *_metric_signs(measured(observations.metrics), grid),
        *_span_signs(tree, grid),
        *_log_signs(read_lines(observations.logs, tree), grid),
    ]


def _metric_signs(usable: list[MeasuredSeries], grid: Grid) -> Iterator[Sign]:
    everybody = _load_of_everybody(usable, grid)
    for item in usable:
        if len(item.values) < LEAST_SAMPLES:
            continue
        z = _departures(item, everybody[grid.minute(item.times_ns)], usable)
        if z is not None:
            half_step = int(np.median(np.diff(item.times_ns))) // 2
            yield Sampled(item.series.service, item.times_ns - half_step, z)


def _departures(item: MeasuredSeries, load: Floats, usable: list[MeasuredSeries]) -> Floats | None:
    """z of each sample; None for what says nothing about when trouble begins."""
    signal, values = item.meaning.signal, item.values
    if signal == "errors":
        return _robust_z(values, USUAL_FLOOR, _error_floor(item, usable))
    if signal == "latency":
        return _robust_z(values, RELATIVE_FLOOR["latency"], 0.0)
    if signal in ("saturation", "restarts"):
        return _robust_z(values, USUAL_FLOOR, 0.25 * _smallest_positive(values))
    median = float(np.median(values))
    if median <= 0.0:
        return None
    against_load = values / median / load
    if signal == "traffic":
        whole = bool(np.all(values == np.floor(values)))
        floor = 1.5 / float(np.sqrt(median + 1.0)) if whole else 0.0
        return -_robust_z(against_load, RELATIVE_FLOOR["traffic"], floor)
    if signal in DRIVEN_BY_LOAD:
        return DRIVEN_WEIGHT * _robust_z(against_load, USUAL_FLOOR, 0.0)
    return None


def _robust_z(values: Floats, relative_floor: float, floor: float) -> Floats:
    p25, p50, p75 = np.percentile(values, (25, 50, 75))
    mad = float(np.median(np.abs(values - p50)))
    scale = max(
        float(p75 - p25) / IQR_OF_NORMAL,
        MAD_TO_SIGMA * mad,
        relative_floor * abs(float(p50)),
        floor,
        LEAST_SCALE,
    )
    z: Floats = (values - p50) / scale
    return z


def _error_floor(item: MeasuredSeries, usable: list[MeasuredSeries]) -> float:
    """Half a percent of the requests, in the unit of the series."""
    if item.meaning.unit in ("%", "share"):
        return ERROR_FLOOR * (100.0 if item.meaning.unit == "%" else 1.0)
    requests = [
        float(np.median(other.values))
        for other in usable
        if other.meaning.signal == "traffic"
        and other.series.service == item.series.service
        and other.meaning.peer is None
        and len(other.values)
    ]
    return max(ERROR_FLOOR * max(requests, default=0.0), 0.5 * _smallest_positive(item.values))


def _smallest_positive(values: Floats) -> float:
    positive = values[values > 0]
    return float(np.min(positive)) if len(positive) else 1.0


def _load_of_everybody(usable: list[MeasuredSeries], grid: Grid) -> Floats:
    """Traffic of each minute against its usual, the median over all that count it; 1 if none do.

    Daily rhythm and harmless steps move everybody, and cancel against it.
    """
    rows = []
    for item in usable:
        if item.meaning.signal != "traffic" or item.meaning.peer is not None:
            continue
        median = float(np.median(item.values)) if len(item.values) else 0.0
        if median > 0.0:
            part = Sampled("", item.times_ns, item.values / median).by_minute(grid)
            rows.append(np.where(np.isnan(part), 1.0, part))
    if not rows:
        return np.ones(grid.minutes)
    load: Floats = np.maximum(np.median(np.array(rows), axis=0), 0.01)
    return load


def _span_signs(tree: TraceTree, grid: Grid) -> Iterator[Sign]:
    for service, rows, flags, least in span_counts(tree):
        place = grid.fine(tree.spans.start_ns[rows])
        size = grid.minutes * FINE_A_MINUTE
        trials = np.bincount(place, minlength=size).astype(np.float64)
        hits = np.bincount(place, weights=flags, minlength=size).astype(np.float64)
        yield Counted(service, hits, trials, max(_calm_rate(hits, trials), least))


def _log_signs(lines: ReadLines, grid: Grid) -> Iterator[Sign]:
    """Severe lines of each service in the time in which anybody logged at all."""
    if len(lines.table) == 0:
        return
    severe = np.array([template.severe for template in lines.templates])[lines.template]
    dated = lines.time_ns != UNDATED
    size = grid.minutes * FINE_A_MINUTE
    written = np.bincount(grid.minute(lines.time_ns[dated]), minlength=grid.minutes)
    covered: Floats = np.repeat((written > 0).astype(np.float64) / FINE_A_MINUTE, FINE_A_MINUTE)
    for code, service in enumerate(lines.table.services):
        rows = dated & severe & (lines.table.service_code == code)
        if not np.any(rows):
            continue
        hits = np.bincount(grid.fine(lines.time_ns[rows]), minlength=size).astype(np.float64)
        usual = max(_calm_rate(hits, covered), LEAST_LINES_A_MINUTE)
        yield Counted(service, hits, covered, usual)


def _calm_rate(hits: Floats, trials: Floats) -> float:
    """Hits a trial over the calmest minutes."""
    hits, trials = per_minute(hits), per_minute(trials)
    tried = np.flatnonzero(trials > 0)
    rates = hits[tried] / trials[tried]
    calm = tried[np.argsort(rates, kind="stable")][: max(1, int(CALM_SHARE * len(tried)))]
    return float(hits[calm].sum() / max(float(trials[calm].sum()), LEAST_SCALE))

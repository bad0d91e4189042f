"""What stays a little worse for long: shifts of which no single minute would be believed.

Each stream is scored in units of its own noise, clipped, less a drift. A run is a stretch over
which the scores sum up; in noise the totals of such runs are distributed exponentially (Karlin
and Altschul, 1990), so the many short runs of a recording tell how rarely it holds one as
large by chance. What the load of everybody explains is taken off before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import log, log10

import numpy as np

from aegis.engine.onset_segments import MOST_SERVICES, Stretch, runs_of
from aegis.engine.onset_signs import DRIVEN_BY_LOAD, Grid, Sampled, Sign
from aegis.engine.stats import IQR_OF_NORMAL
from aegis.model.telemetry import Bools, Floats

DRIFT, HIGHEST = 0.5, 2.0
"""What a minute of a run must exceed, and the most it may say, in standard deviations."""
COOLED = 6.0
"""This much below its top ends a run."""
LEAST_MINUTES_READ, LEAST_RUNS = 30, 5
MOST_TIED = 0.3
"""Share of minutes at the median beyond which a stream has no noise to compare with."""
LEAST_DECADES = 4.0
"""One recording of ten thousand holds such a run by chance."""
SUPPORT_DECADES = 2.0
TOGETHER_MIN = 3
"""Runs that begin so close to the strongest belong to it."""
EDGE_MIN = 10
SHARP = 0.9
"""Share of a run's level that its first minutes are above the last before: drift climbs slowly."""
LEAST_SHIFT = 1.0
"""Mean shift that matters, in the units of the sign, which know what a user would notice."""
LOAD_SMOOTHED_MIN = 5
MOST_EXPLAINED = 3.0
LEAST_VARIATION = 1e-9


@dataclass(frozen=True, slots=True)
class Lasting:
    """A stretch that lasts, and the signs it shows in, in units of their own noise."""

    stretch: Stretch
    witnesses: tuple[Sign, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Shift:
    """One sign: its residual and its score of each minute (NaN unread), and the runs in it."""

    sign: Sign
    residual: Floats
    scores: Floats
    middle: float
    noise: float
    runs: tuple[Stretch, ...]

    @property
    def usual_total(self) -> float:
        """Scale of the exponential distribution of totals, by its median: incidents are few."""
        return float(np.median([run.total for run in self.runs])) / log(2.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Rare:
    shift: _Shift
    run: Stretch
    decades: float


def lasting_of(signs: Sequence[Sign], load: Floats, grid: Grid) -> list[Lasting]:
    """Stretches that last, strongest first; none of them overlap.

    `load` is the traffic of everybody by minute, 1 where it is usual.
    """
    smooth = _smoothed(np.log(load))
    found_shifts = (_shift_of(sign, smooth, grid) for sign in signs)
    shifts = [shift for shift in found_shifts if shift is not None]
    if not shifts:
        return []
    rare = sorted(_rare_runs(shifts), key=lambda one: -round(one.decades, 9))
    found: list[Lasting] = []
    for one in rare:
        if one.decades < LEAST_DECADES:
            break
        if not any(_overlap(one.run, other.stretch) for other in found):
            found.append(_gathered(one, rare))
    return found


def _gathered(strongest: _Rare, rare: Sequence[_Rare]) -> Lasting:
    """The strongest run with all that begin with it; services add up, their signs do not."""
    together = [
        one
        for one in rare
        if abs(one.run.first - strongest.run.first) <= TOGETHER_MIN
        and _overlap(one.run, strongest.run)
    ]
    by_service: dict[str, float] = {}
    for one in together:
        service = one.shift.sign.service
        by_service[service] = max(by_service.get(service, 0.0), one.decades)
    total = sum(sorted(by_service.values(), reverse=True)[:MOST_SERVICES])
    witnesses = tuple(_in_own_noise(one.shift) for one in together)
    return Lasting(replace(strongest.run, total=total), witnesses)


def _in_own_noise(shift: _Shift) -> Sign:
    if not isinstance(shift.sign, Sampled):
        return shift.sign
    return replace(shift.sign, z=(shift.sign.z - shift.middle) / shift.noise)


def _rare_runs(shifts: Sequence[_Shift]) -> Iterator[_Rare]:
    """Runs that all these streams together hardly hold by chance, and that matter."""
    runs = sum(len(one.runs) for one in shifts)
    pooled = float(np.median([one.usual_total for one in shifts]))
    for shift in shifts:
        scale = max(shift.usual_total, pooled)
        for run in shift.runs:
            decades = run.total / scale / log(10.0) - log10(runs)
            if decades >= SUPPORT_DECADES and _matters(shift, run):
                yield _Rare(shift, run, decades)


def _matters(shift: _Shift, run: Stretch) -> bool:
    """Whether a run begins sharply, and is as large as a user would notice."""
    inside = slice(run.first, run.last + 1)
    before = _read(shift.scores[max(0, run.first - EDGE_MIN) : run.first])
    after = _read(shift.scores[run.first : min(run.last + 1, run.first + EDGE_MIN)])
    if len(before) < EDGE_MIN // 2 or len(after) == 0:
        return False
    level = float(np.mean(_read(shift.scores[inside])))
    rise = float(np.mean(after)) - float(np.mean(before))
    return rise >= SHARP * level and float(np.mean(_read(shift.residual[inside]))) >= LEAST_SHIFT


def _shift_of(sign: Sign, log_load: Floats, grid: Grid) -> _Shift | None:
    """None for what drifts on its own, and for what has no noise of its own."""
    if isinstance(sign, Sampled) and sign.signal in DRIVEN_BY_LOAD:
        return None
    z = sign.by_minute(grid)
    read = ~np.isnan(z)
    if np.count_nonzero(read) < LEAST_MINUTES_READ:
        return None
    z = z - _explained(z, read, log_load)
    p25, middle, p75 = np.percentile(z[read], (25, 50, 75))
    noise = float(p75 - p25) / IQR_OF_NORMAL
    if noise <= LEAST_VARIATION or np.mean(z[read] == middle) > MOST_TIED:
        return None
    residual = z - middle
    scores = np.clip(residual / noise, -HIGHEST, HIGHEST)
    runs = tuple(runs_of(np.where(read, scores - DRIFT, 0.0), COOLED))
    if len(runs) < LEAST_RUNS:
        return None
    return _Shift(sign, residual, scores, float(middle), noise, runs)


def _explained(z: Floats, read: Bools, load: Floats) -> Floats:
    """What a line through the load of everybody explains of a sign; large values are clipped."""
    away = load - np.median(load[read])
    squares = float(np.sum(away[read] ** 2))
    if squares <= LEAST_VARIATION:
        return np.zeros(len(z))
    told = np.clip(z[read] - np.median(z[read]), -MOST_EXPLAINED, MOST_EXPLAINED)
    explained: Floats = away * (float(np.sum(away[read] * told)) / squares)
    return explained


def _smoothed(values: Floats) -> Floats:
    padded = np.pad(values, LOAD_SMOOTHED_MIN // 2, mode="edge")
    smooth: Floats = np.convolve(
        padded, np.full(LOAD_SMOOTHED_MIN, 1.0 / LOAD_SMOOTHED_MIN), "valid"
    )
    return smooth


def _read(values: Floats) -> Floats:
    read: Floats = values[~np.isnan(values)]
    return read


def _overlap(one: Stretch, other: Stretch) -> bool:
    return one.first <= other.last and other.first <= one.last

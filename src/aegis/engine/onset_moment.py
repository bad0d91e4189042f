"""The moment a stretch began, finer than a minute.

The strongest signs of its first minutes vote: for each candidate moment the log-likelihood
that everything after it burns and nothing before does, summed over their samples and counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aegis.engine.onset_segments import Stretch, surprise_by_minute
from aegis.engine.onset_signs import FINE_NS, MINUTE_NS, Counted, Grid, Sampled, Sign
from aegis.model.telemetry import Floats, Int64s

BEFORE_MIN, AFTER_MIN = 8, 15
"""Minutes around the first hot one in which the moment is looked for.

As many tell which signs are asked: noise that happens to lie before a stretch is outlasted.
"""
WITNESSES = 8
LEAST_SURPRISE = 0.8
STEP_NS = 5_000_000_000
LOWEST_LEVEL, HIGHEST_LEVEL = 1.0, 6.0
ALIKE = 1e-9
MOST_FOR, MOST_AGAINST = 4.0, 1.0
"""What one sample or ten seconds may say; what is still calm says little: signs lag."""


def moment_of(signs: Sequence[Sign], grid: Grid, stretch: Stretch) -> int:
    """Nanoseconds of the most likely beginning of a stretch, by its strongest signs."""
    return moment_by(_witnesses(signs, grid, stretch), grid, stretch)


def moment_by(witnesses: Sequence[Sign], grid: Grid, stretch: Stretch) -> int:
    """The same, by the signs that are given."""
    begin = max(0, stretch.first - BEFORE_MIN)
    end = min(stretch.last + 1, stretch.first + AFTER_MIN)
    candidates = np.arange(
        grid.start_ns + begin * MINUTE_NS, grid.start_ns + end * MINUTE_NS, STEP_NS, dtype=np.int64
    )
    support = np.zeros(len(candidates))
    for sign in witnesses:
        times_ns, says = _votes(sign, grid, stretch)
        passed = np.searchsorted(candidates, times_ns, side="right")
        told = np.bincount(passed, weights=says, minlength=len(candidates) + 1)
        support += np.cumsum(told[::-1])[::-1][1:]
    # Between two samples every moment is as likely: their middle is wrong by the least.
    best = np.flatnonzero(support >= np.max(support) - ALIKE)
    together = best[best - best[0] == np.arange(len(best))]
    return int(candidates[together[len(together) // 2]])


def _witnesses(signs: Sequence[Sign], grid: Grid, stretch: Stretch) -> list[Sign]:
    """The most surprising signs of the first minutes, strongest first."""
    until = min(stretch.last, stretch.first + AFTER_MIN) + 1
    strength = [
        float(np.mean(surprise_by_minute(sign, grid)[stretch.first : until])) for sign in signs
    ]
    order = np.argsort([-round(one, 9) for one in strength], kind="stable")[:WITNESSES]
    return [signs[place] for place in order if strength[place] >= LEAST_SURPRISE]


def _votes(sign: Sign, grid: Grid, stretch: Stretch) -> tuple[Int64s, Floats]:
    """Times and log-likelihood ratios of burning against calm."""
    if isinstance(sign, Sampled):
        return _of_samples(sign, grid, stretch)
    return _of_counts(sign, grid, stretch)


def _of_samples(sign: Sampled, grid: Grid, stretch: Stretch) -> tuple[Int64s, Floats]:
    minute = grid.minute(sign.times_ns)
    inside = sign.z[(minute >= stretch.first) & (minute <= stretch.last)]
    level = LOWEST_LEVEL
    if len(inside):
        level = float(np.clip(np.median(inside), LOWEST_LEVEL, HIGHEST_LEVEL))
    return sign.times_ns, _bounded(level * sign.z - level * level / 2.0)


def _of_counts(sign: Counted, grid: Grid, stretch: Stretch) -> tuple[Int64s, Floats]:
    per = MINUTE_NS // FINE_NS
    part = slice(stretch.first * per, (stretch.last + 1) * per)
    trials = max(float(sign.trials[part].sum()), 1e-9)
    burning = max(float(sign.hits[part].sum()) / trials, 1.5 * sign.usual)
    # Poisson: k log(b/u) - n (b - u)
    says = sign.hits * np.log(burning / sign.usual) - sign.trials * (burning - sign.usual)
    middle = grid.start_ns + np.arange(len(says), dtype=np.int64) * FINE_NS + FINE_NS // 2
    return middle, _bounded(np.where(sign.trials > 0, says, 0.0))


def _bounded(says: Floats) -> Floats:
    bounded: Floats = np.clip(says, -MOST_AGAINST, MOST_FOR)
    return bounded

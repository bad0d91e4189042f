"""Did it begin before the recording? Then only the calm after it tells that it burned.

What is usual over such a recording is trouble. So the moment is looked for at which all that
tells trouble goes from high to low, by the ranks of its minutes (Mann and Whitney), and what
lies before it is measured against what lies after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from aegis.engine.onset_segments import (
    MOST_DECADES,
    MOST_HEAT,
    MOST_SERVICES,
    UNSURPRISING,
    Stretch,
)
from aegis.engine.onset_signs import (
    DRIVEN_BY_LOAD,
    MINUTE_NS,
    OVER_DISPERSION,
    Grid,
    Sampled,
    Sign,
)
from aegis.model.telemetry import Floats, TimeWindow

AFTERMATH_MIN = 12
"""So long after the asked time it may have ended; people ask before it is over."""
LEAST_SIDE_MIN = 5
NEAR_MIN = 3
LEAST_MINUTES_READ = 15
LEAST_CHANGE = 0.8
"""Decades of the change, over the services that show it most."""
BURNS_MIN, BURNS_ALL_ALONG = 10, 1.5
"""Heat a minute that every ten minutes before the end must reach: none of them was calm."""
SILENT_ABOUT = (*DRIVEN_BY_LOAD, "traffic")
"""Signals that also rise when trouble ends."""


@dataclass(frozen=True, slots=True)
class Relief:
    """The minute from which it was better, and the decades for that and for the opposite."""

    minute: int
    better: float
    worse: float

    @property
    def is_plain(self) -> bool:
        """Whether hardly anything got worse in that minute."""
        return 2.0 * self.worse < self.better


def relief(signs: Sequence[Sign], grid: Grid, asked: TimeWindow) -> Relief | None:
    """The moment around the asked time at which things got better most; None if they did not."""
    first = max(LEAST_SIDE_MIN, (asked.start_ns - grid.start_ns) // MINUTE_NS)
    until = (asked.end_ns - grid.start_ns) // MINUTE_NS + AFTERMATH_MIN
    until = min(grid.minutes - LEAST_SIDE_MIN, until)
    if until <= first:
        return None
    falls, rises = _changes(signs, grid)
    better, worse = _decades(falls), _decades(rises)
    minute = first + int(np.argmax(better[first:until]))
    # The decades of services that only seem to share the change blur it by a minute or two.
    near = slice(max(first, minute - NEAR_MIN), min(until, minute + NEAR_MIN + 1))
    squares = np.round(np.sum(falls[:, near] ** 2, axis=0), 9)
    minute = near.start + int(np.argmax(squares))
    found = Relief(minute + 1, float(better[minute]), float(worse[minute]))
    return found if found.better >= max(LEAST_CHANGE, found.worse) else None


def burned_until(minute: int, heat: Floats) -> Stretch | None:
    """The stretch from the first minute on, by the heat against what came after it.

    None where any ten minutes of it were calm: then it began within the recording.
    """
    heat = np.minimum(heat[:minute], MOST_HEAT)
    sums = np.append(0.0, np.cumsum(heat))
    span = min(BURNS_MIN, minute)
    if np.min(sums[span:] - sums[:-span]) < BURNS_ALL_ALONG * span:
        return None
    return Stretch(0, minute - 1, float(sums[-1]))


def _changes(signs: Sequence[Sign], grid: Grid) -> tuple[Floats, Floats]:
    """(services, minutes): the largest z that what is up to a minute is worse, or better."""
    falls: dict[str, Floats] = {}
    rises: dict[str, Floats] = {}
    nothing = np.zeros(grid.minutes)
    for sign in signs:
        if isinstance(sign, Sampled) and sign.signal in SILENT_ABOUT:
            continue
        by_minute = sign.by_minute(grid)
        if np.count_nonzero(~np.isnan(by_minute)) < LEAST_MINUTES_READ:
            continue
        z = _fall_after(by_minute)
        falls[sign.service] = np.maximum(falls.get(sign.service, nothing), z)
        rises[sign.service] = np.maximum(rises.get(sign.service, nothing), -z)
    services = sorted(falls)
    return (
        np.array([falls[one] for one in services]).reshape(-1, grid.minutes),
        np.array([rises[one] for one in services]).reshape(-1, grid.minutes),
    )


def _decades(by_service: Floats) -> Floats:
    """Of each minute, what the services that show it most say together."""
    decades = np.minimum(2.0 * np.log10(1.0 + by_service**2 / 3.0), MOST_DECADES)
    most = np.sort(decades, axis=0)[::-1][:MOST_SERVICES]
    told: Floats = np.maximum(most - UNSURPRISING, 0.0).sum(axis=0)
    return told


def _fall_after(values: Floats) -> Floats:
    """For each minute the z of the ranks up to it against those after it; NaN was not read."""
    read = ~np.isnan(values)
    number = int(np.count_nonzero(read))
    ranks = rankdata(values[read])
    centred = np.zeros(len(values))
    centred[read] = ranks - (number + 1) / 2.0
    before = np.cumsum(read)
    variance = before * (number - before) / (number - 1) * float(np.var(ranks))
    z = np.cumsum(centred) / np.sqrt(np.maximum(variance, 1e-12)) / OVER_DISPERSION
    enough = (before >= LEAST_SIDE_MIN) & (number - before >= LEAST_SIDE_MIN)
    fall: Floats = np.where(enough, z, 0.0)
    return fall

"""When did anything burn? Signs of all services become stretches of time.

Each minute gets a heat: the excess surprise of the most troubled services, together. A
stretch is a run of minutes that gathers more heat above the usual than chance would pile up:
a cumulative sum that starts with the first hot minute and is cut where it stops to grow, as
BLAST extends an alignment (Altschul et al., 1990).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from aegis.engine.onset_signs import Grid, Sign
from aegis.model.telemetry import Floats

MOST_SERVICES = 6
UNSURPRISING = 0.8
"""Decades that the worst of many streams of a service reach anyway."""
MOST_DECADES = 3.0
USUAL_QUANTILE = 0.6
USUAL_TIMES = 1.6
LEAST_USUAL = 0.4
MOST_HEAT = 5.0
LEAST_TOTAL = 5.0
TIMES_USUAL = 9.0
"""Heat above the usual that a stretch must gather to count, whichever is more."""
CLEARLY_HOT = 3.0
COOLED = 3.5
"""This much heat missing ends a stretch: what restarts again and again is one incident."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Minutes [first, last] of a grid that burn; `total` is their heat above the usual."""

    first: int
    last: int
    total: float


def heat_of(signs: Sequence[Sign], grid: Grid) -> Floats:
    """The heat of each minute; 0 where nothing is out of the ordinary or nothing was read."""
    by_service: dict[str, Floats] = {}
    for sign in signs:
        surprise = surprise_by_minute(sign, grid)
        known = by_service.get(sign.service)
        by_service[sign.service] = surprise if known is None else np.maximum(known, surprise)
    if not by_service:
        return np.zeros(grid.minutes)
    hottest = np.sort(np.array(list(by_service.values())), axis=0)[::-1][:MOST_SERVICES]
    heat: Floats = np.maximum(hottest - UNSURPRISING, 0.0).sum(axis=0)
    return heat


def surprise_by_minute(sign: Sign, grid: Grid) -> Floats:
    """Decades of surprise of the median of three minutes: one spike does not count."""
    z = sign.by_minute(grid)
    padded = np.concatenate([z[:1], z, z[-1:]])
    smooth = _median_of_three(np.stack([padded[:-2], padded[1:-1], padded[2:]]))
    z = np.maximum(np.nan_to_num(smooth, nan=0.0), 0.0)
    surprise: Floats = np.minimum(2.0 * np.log10(1.0 + z * z / 3.0), MOST_DECADES)
    return surprise


def _median_of_three(rows: Floats) -> Floats:
    """Of three rows, column by column, without what is NaN; NaN where all three are.

    `np.nanmedian` does the same, at ten times the cost.
    """
    low, middle, high = np.sort(rows, axis=0)  # NaN comes last
    found: Floats = np.where(np.isnan(high), (low + middle) / 2.0, middle)
    return np.where(np.isnan(middle), low, found)


def stretches_of(heat: Floats, usual_quantile: float = USUAL_QUANTILE) -> list[Stretch]:
    """The stretches that burn, in order of time.

    A run ends at its hottest total once it has cooled by COOLED since, or to nothing. The
    noisier the recording, the more a run must gather to count; the heat of which a share
    `usual_quantile` of the minutes stays below is its noise.
    """
    heat = np.minimum(heat, MOST_HEAT)
    usual = max(LEAST_USUAL, USUAL_TIMES * float(np.quantile(heat, usual_quantile)))
    least = max(LEAST_TOTAL, TIMES_USUAL * usual)
    return [_trimmed(heat, run) for run in runs_of(heat - usual, COOLED) if run.total >= least]


def runs_of(scores: Floats, cooled: float) -> Iterator[Stretch]:
    """Runs over which the scores sum up, each to its top.

    One is cut where its sum is used up, or as much as `cooled` below its top.
    """
    run: Stretch | None = None
    total = 0.0  # mutate: equivalent: whatever begins a run sets it
    for minute, score in enumerate([*scores.tolist(), -np.inf]):
        if run is None:
            if score > 0.0:
                run, total = Stretch(minute, minute, score), score
            continue
        total += score
        if total > run.total:
            run = Stretch(run.first, minute, total)
        elif total <= max(0.0, run.total - cooled):
            yield run
            run = None


def _trimmed(heat: Floats, run: Stretch) -> Stretch:
    """The hottest part of a run, over a third of its hotter minutes: noise beside it goes.

    The part with the largest sum above that level (Kadane's).
    """
    part = np.minimum(heat[run.first : run.last + 1], CLEARLY_HOT)
    sums = np.append(0.0, np.cumsum(part - float(np.quantile(part, 0.75)) / 3.0))
    lowest = np.minimum.accumulate(sums)
    last = int(np.argmax(sums[1:] - lowest[:-1]))
    first = int(np.argmax(sums == lowest[last]))
    return Stretch(run.first + first, run.first + last, run.total)

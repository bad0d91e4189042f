"""Which stretch of trouble a question means, and which others are worth leaving out.

Minutes of a grid, and nothing but arithmetic: what burns is decided before.
"""

from __future__ import annotations

from collections.abc import Sequence

from aegis.engine.onset_segments import Stretch
from aegis.engine.onset_signs import MINUTE_NS, Grid
from aegis.model.telemetry import TimeWindow, from_ns

NEAR_MIN = 12
"""A stretch this many minutes beside the asked time is still meant by it."""
NEAR_TOTAL = 10.0
"""What lies beside the asked time must burn this much to be meant."""
CLEARLY_BURNS = 20.0
"""Heat of a stretch that nobody would take for noise."""
CHANCE_TOTAL = 6.0
"""Heat of a stretch that is as often chance as trouble, on simulated timelines."""
BASELINE_BEARS = 0.25
"""Share of a baseline that may burn: medians and quartiles do not feel it."""


def meant_by(
    stretches: Sequence[Stretch], grid: Grid, asked: TimeWindow, moment_ns: int | None
) -> Stretch | None:
    """The hottest stretch at the asked time, else the nearest beside it; None without any.

    Of a point in time, the stretch whose beginning is nearest.
    """
    touching = [one for one in stretches if touches(one, grid, asked)]
    near = [
        one
        for one in stretches
        if one.total >= NEAR_TOTAL and _distance(one, grid, asked) <= NEAR_MIN
    ]
    if not touching and not near:
        return None
    if moment_ns is not None:
        minute = (moment_ns - grid.start_ns) / MINUTE_NS
        return min([*touching, *near], key=lambda one: (abs(one.first - minute), -one.total))
    if touching:
        return max(touching, key=lambda one: (_heat_within(one, grid, asked), one.first))
    return min(near, key=lambda one: (_distance(one, grid, asked), -one.total))


def together(hot: Sequence[Stretch], lasting: Sequence[Stretch]) -> list[Stretch]:
    """All stretches, in order of time; of those that overlap, the lasting or the hot ones."""
    kept = list(hot)
    for one in lasting:
        covered = [other for other in kept if other.first <= one.last and one.first <= other.last]
        if one.total > sum(other.total for other in covered):
            kept = [other for other in kept if other not in covered] + [one]
    return sorted(kept, key=lambda one: one.first)


def worth_leaving_out(
    stretches: Sequence[Stretch],
    meant: Stretch | None,
    grid: Grid,
    extent: TimeWindow,
    asked: TimeWindow,
) -> tuple[TimeWindow, ...]:
    """Other incidents, where they fill so much of the baseline that its quartiles feel them.

    Below that, losing their rows costs more than their trouble does.
    """
    others = [
        one
        for one in stretches
        if (meant is None or one.last < meant.first or one.first > meant.last)
        and one.total >= CLEARLY_BURNS
        and not touches(one, grid, asked)
    ]
    burning = sum(one.last + 1 - one.first for one in others)
    first, end = _minutes(grid, asked) if meant is None else (meant.first, meant.last + 1)
    if burning <= BASELINE_BEARS * (grid.minutes - (end - first)):
        return ()
    return tuple(window_of(one, grid, extent) for one in others)


def belief_in(meant: Stretch, stretches: Sequence[Stretch]) -> float:
    """How probable it is that trouble is behind a stretch.

    The more stretches of half its heat that nobody would call trouble the recording holds, the
    more often chance brings one as hot. Totals by chance have a long tail (bursts of traffic),
    so that the odds grow with the total itself and not exponentially.
    """
    alike = [
        one
        for one in stretches
        if one is not meant and meant.total / 2.0 <= one.total < CLEARLY_BURNS
    ]
    return meant.total / (meant.total + CHANCE_TOTAL * (1 + len(alike)))


def touches(one: Stretch, grid: Grid, window: TimeWindow) -> bool:
    return _distance(one, grid, window) <= 0.0


def window_of(one: Stretch, grid: Grid, extent: TimeWindow) -> TimeWindow:
    start_ns = grid.start_ns + one.first * MINUTE_NS
    end_ns = min(grid.start_ns + (one.last + 1) * MINUTE_NS, extent.end_ns)
    return TimeWindow(from_ns(start_ns), from_ns(end_ns))


def _distance(one: Stretch, grid: Grid, window: TimeWindow) -> float:
    """Minutes between a stretch and a window; 0 or less where they touch."""
    first, end = _minutes(grid, window)
    return max(one.first - end, first - (one.last + 1))


def _heat_within(one: Stretch, grid: Grid, window: TimeWindow) -> float:
    """About how much of a stretch's heat lies in a window."""
    first, end = _minutes(grid, window)
    shared = min(one.last + 1, end) - max(one.first, first)
    return one.total * shared / (one.last + 1 - one.first)


def _minutes(grid: Grid, window: TimeWindow) -> tuple[float, float]:
    return (
        (window.start_ns - grid.start_ns) / MINUTE_NS,
        (window.end_ns - grid.start_ns) / MINUTE_NS,
    )

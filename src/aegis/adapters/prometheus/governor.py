"""Decides how much of a plan a backend is asked, before anything large is asked of it.

Two budgets hold for a question of the collector: requests (this adapter takes at most
MOST_REQUESTS of the question's 40) and bytes (MOST_BYTES of its 64 MiB, MOST_ANSWER an
answer).
The step grows until the answers fit; then the least important queries are left out. A
backend that is slow to count its series may be part of the incident: it is asked the most
important queries only, at as few points as the engine can use. What is left out is said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aegis.model.errors import InvalidWindow
from aegis.model.telemetry import TimeWindow, from_ns

MIB = 1024 * 1024
MOST_REQUESTS = 16
USUAL_BATCHES = 4
"""As many as are asked at the same time: one more waits for another to end."""
MOST_BATCHES = 5
MOST_COUNTS = 2
COUNTED_MOMENTS = 5
MOST_BYTES = 48 * MIB
MOST_ANSWER = MOST_BYTES // USUAL_BATCHES
"""Here an answer is cut off; answers are planned to be smaller, for series are only estimated."""
PLANNED_ANSWER = 10 * MIB
PLANNED_BYTES = USUAL_BATCHES * PLANNED_ANSWER
MOST_SERVICES = 500
MOST_POINTS = 11_000
LEAST_POINTS = 40
"""A step is not made coarser than this leaves points: the engine needs a spread."""
BYTES_A_SAMPLE = 36
BYTES_A_SERIES = 300
SLOW_S = 2.0
IMPORTANT_SHARE = 0.6
LEAST_SCRAPES_A_RATE = 4
LONGEST_RATE_S = 1200
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Grid:
    """Times of a range query: multiples of the step, so that two windows share theirs."""

    window: TimeWindow
    step_s: int

    @property
    def points(self) -> int:
        first, last = self._ends()
        return (last - first) // self.step_s + 1

    @property
    def closed(self) -> TimeWindow:
        """From the first to the last point; they differ, so that it is a window."""
        first, last = self._ends()
        return TimeWindow(from_ns(first * _NS), from_ns(last * _NS))

    def _ends(self) -> tuple[int, int]:
        """Seconds of the first and the last multiple in the half-open window."""
        first = -(-self.window.start_ns // (self.step_s * _NS)) * self.step_s
        last = (self.window.end_ns - 1) // (self.step_s * _NS) * self.step_s
        if last <= first:
            raise InvalidWindow("window", f"shorter than two samples {self.step_s} s apart")
        return first, last


@dataclass(frozen=True, slots=True)
class Shape:
    """`batches` hold places of queries; each batch is one request.

    Queries without a series when they were counted are in neither: nothing is left out.
    """

    grid: Grid
    batches: tuple[tuple[int, ...], ...]
    left_out: tuple[int, ...]
    is_slow: bool


def moments_of(window: TimeWindow) -> tuple[datetime, datetime, datetime]:
    """When to see what exists: at the end, a little before it, and in the middle.

    What was asked about lies near the end, where telemetry may have stopped with the fault.
    """
    before = min(timedelta(minutes=20), (window.end - window.start) / 4)
    return window.end, window.end - before, window.start + (window.end - window.start) / 2


def counted_at(window: TimeWindow) -> tuple[TimeWindow, int]:
    """From the middle of the window to its end, and the step between the moments to count at.

    Five moments in one request cost a server about what three requests of one moment cost.
    """
    step_s = max(1, int(window.duration_s / 2) // (COUNTED_MOMENTS - 1))
    start = window.end - timedelta(seconds=step_s * (COUNTED_MOMENTS - 1))
    return TimeWindow(start, window.end), step_s


def rate_window_s(slowest_s: int) -> int:
    """A rate needs four scrapes to survive a lost one; 3.0 and later see one less."""
    return min(LONGEST_RATE_S, max(60, LEAST_SCRAPES_A_RATE * slowest_s))


def first_step_s(window: TimeWindow, interval_s: int) -> int:
    """The scrape interval, or the multiple of it that keeps the points below the limit."""
    most = math.ceil(window.duration_s / interval_s / (MOST_POINTS - 1))
    return interval_s * max(1, most)


def shape(
    window: TimeWindow,
    interval_s: int,
    counts: Sequence[int],
    lengths: Sequence[int],
    longest_query: int,
    *,
    is_slow: bool,
    most_batches: int = MOST_BATCHES,
) -> Shape:
    """`counts` are series and `lengths` characters of each query, most important first."""
    # What no step could make small enough must not make the others coarser.
    most_series = PLANNED_ANSWER // (LEAST_POINTS * BYTES_A_SAMPLE + BYTES_A_SERIES)
    asked = [place for place, count in enumerate(counts) if 0 < count <= most_series]
    if is_slow:
        asked = asked[: max(1, math.ceil(len(asked) * IMPORTANT_SHARE))]
    step_s = first_step_s(window, interval_s)
    grid = Grid(window, step_s)
    while is_slow or not _fits(grid, [counts[one] for one in asked]):
        coarser = Grid(window, grid.step_s + step_s)
        if window.duration_s / coarser.step_s < LEAST_POINTS:
            break
        grid = coarser
    most = max(1, min(most_batches, MOST_BATCHES))
    usual = min(most, USUAL_BATCHES)
    batches, kept = _packed(asked, counts, lengths, grid, longest_query, usual)
    if len(kept) < len(asked) and usual < most:
        batches, kept = _packed(asked, counts, lengths, grid, longest_query, most)
    left_out = tuple(one for one, count in enumerate(counts) if count and one not in kept)
    return Shape(grid, batches, left_out, is_slow)


def _fits(grid: Grid, counts: Sequence[int]) -> bool:
    """All together in the budget, and the largest alone in an answer."""
    largest = _bytes(grid, [max(counts, default=0)])
    return largest <= PLANNED_ANSWER and _bytes(grid, counts) <= PLANNED_BYTES


def _bytes(grid: Grid, counts: Sequence[int]) -> int:
    return sum(counts) * (grid.points * BYTES_A_SAMPLE + BYTES_A_SERIES)


def _packed(
    asked: Sequence[int],
    counts: Sequence[int],
    lengths: Sequence[int],
    grid: Grid,
    longest_query: int,
    most_batches: int,
) -> tuple[tuple[tuple[int, ...], ...], frozenset[int]]:
    """Even batches within both limits; what finds no room, the least important, is not kept."""
    loads: list[list[int]] = [[] for _ in range(most_batches)]
    sizes, texts = [0] * most_batches, [0] * most_batches
    whole = 0
    kept = set()
    for one in asked:
        size = _bytes(grid, [counts[one]])
        room = [
            place
            for place in range(most_batches)
            if sizes[place] + size <= PLANNED_ANSWER
            and texts[place] + lengths[one] <= longest_query
        ]
        if not room or whole + size > PLANNED_BYTES:
            continue
        place = min(room, key=lambda place: (sizes[place], texts[place]))
        loads[place].append(one)
        sizes[place] += size
        texts[place] += lengths[one]
        whole += size
        kept.add(one)
    return tuple(tuple(load) for load in loads if load), frozenset(kept)


def text_batches(lengths: Sequence[int], longest_query: int, most: int) -> list[list[int]]:
    """Places in order, cut where the text of a request would get too long; at most `most`."""
    batches: list[list[int]] = [[]]
    size = 0
    for place, length in enumerate(lengths):
        if batches[-1] and size + length > longest_query:
            batches.append([])
            size = 0
        batches[-1].append(place)
        size += length
    return batches[:most]

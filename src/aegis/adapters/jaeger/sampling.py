"""Which searches see as much as possible of all traces, and what share of them was seen.

Jaeger cuts an answer at a number of traces and keeps the newest written: a limit is not a
sample. So the window is cut into slices of equal length and each is searched to the same
depth. The last minutes are a slice of their own, searched as much less deep as they are
shorter: of a time that is over a little more is read than was asked about, and the newest of
a busy slice that ended there would all be of what came after.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from aegis.adapters.jaeger.decoded import Decoded
from aegis.adapters.jaeger.span_rows import SpanRow
from aegis.model.telemetry import TimeWindow

MOST_ENTRIES = 4
TAIL = timedelta(minutes=2)
LEAST_TAILED = 3
"""Fewer slices are too few to spare one of them."""


@dataclass(frozen=True, slots=True)
class Entries:
    """Services through which traces are searched, and those no such search would show.

    `weights` are the calls each of the chosen is known to make.
    """

    chosen: tuple[str, ...]
    unseen: tuple[str, ...]
    weights: tuple[int, ...] = ()


def entries_of(
    services: Sequence[str],
    calls: Mapping[tuple[str, str], int],
    suspects: Collection[str] = (),
    most: int = MOST_ENTRIES,
) -> Entries:
    """Few services that all others are called by, directly or not; suspects are never left out.

    Greedy: the one that reaches most of what is not reached yet; then the one nobody calls,
    then the busiest, then by name.
    """
    callees: dict[str, set[str]] = {}
    for caller, callee in calls:
        callees.setdefault(caller, set()).add(callee)
    called = {callee for _, callee in calls}
    busy: dict[str, int] = {}
    for (caller, callee), count in calls.items():
        busy[caller] = busy.get(caller, 0) + count
        busy[callee] = busy.get(callee, 0) + count
    known = set(services) | set(callees) | called
    reach = {service: _reached(service, callees) for service in known}
    left, chosen = set(known), list[str]()
    while left and len(chosen) < most:
        best = min(
            known - set(chosen),
            key=lambda one: (-len(reach[one] & left), one in called, -busy.get(one, 0), one),
        )
        chosen.append(best)
        left -= reach[best]
    missed = [one for one in sorted(suspects) if one in known and one in left]
    chosen = list(dict.fromkeys([*chosen[: max(1, most - len(missed))], *missed]))
    seen = set().union(*(reach[one] for one in chosen)) if chosen else set()
    made = {one: sum(calls[pair] for pair in calls if pair[0] == one) for one in chosen}
    return Entries(tuple(chosen), tuple(sorted(known - seen)), tuple(made.values()))


def _reached(service: str, callees: Mapping[str, set[str]]) -> set[str]:
    found, waiting = {service}, [service]
    while waiting:
        for callee in callees.get(waiting.pop(), ()):
            if callee not in found:
                found.add(callee)
                waiting.append(callee)
    return found


def dealt(searches: int, weights: Sequence[int]) -> list[int]:
    """`searches` dealt out: one to each, the others one by one to who has most calls a search.

    So a service that Jaeger still knows but that is gone takes one search and no more.
    """
    counts = [1] * len(weights)
    for _ in range(searches - len(weights)):
        best = max(range(len(weights)), key=lambda one: (weights[one] / counts[one], -one))
        counts[best] += 1
    return counts


def slices(window: TimeWindow, count: int) -> tuple[TimeWindow, ...]:
    """`count` windows of equal length that make up `window`, in order."""
    length = (window.end - window.start) / count
    edges = [window.start + length * place for place in range(count)] + [window.end]
    return tuple(TimeWindow(start, end) for start, end in pairwise(edges) if end > start)


def tailed(window: TimeWindow, count: int) -> tuple[tuple[TimeWindow, float], ...]:
    """`count` slices, the tail last; and how long each is, as a share of the longest."""
    if count < LEAST_TAILED or (window.end - window.start) / count <= TAIL:
        return tuple((part, 1.0) for part in slices(window, count))
    tail = TimeWindow(window.end - TAIL, window.end)
    equal = slices(TimeWindow(window.start, tail.start), count - 1)
    return (*((part, 1.0) for part in equal), (tail, tail.duration_s / equal[0].duration_s))


@dataclass(frozen=True, slots=True)
class SliceSeen:
    """What the search of one slice to `depth` brought."""

    window: TimeWindow
    depth: int
    found: Decoded

    @property
    def cut(self) -> bool:
        return self.found.traces >= self.depth

    def there_were(self) -> float:
        """An estimate of the traces in the slice: all found, or as many again as time is left.

        The newest written come first, so a cut answer reaches from the end of the slice back
        for about twice the age of its median trace (a few are written late); earlier parts
        are taken to be as busy. Always more than was found.
        """
        count = float(self.found.traces)
        if not self.cut:
            return count
        starts = sorted(first_starts(self.found))
        reached_ns = 2 * (self.window.end_ns - starts[len(starts) // 2])
        whole_ns = self.window.end_ns - self.window.start_ns
        return max(count + 1, count * whole_ns / max(1, reached_ns))


def first_starts(found: Decoded) -> list[int]:
    """When each trace began, in ns."""
    earliest: dict[str, int] = {}
    for row in found.rows:
        known = earliest.get(row.trace_id)
        if known is None or row.start_ns < known:
            earliest[row.trace_id] = row.start_ns
    return list(earliest.values())


def share_read(seen: Iterable[SliceSeen]) -> float:
    """The share of the recorded traces that was read; 1 where no slice was cut."""
    parts = list(seen)
    were = sum(part.there_were() for part in parts)
    return sum(part.found.traces for part in parts) / were if were else 1.0


def capped(rows: Iterable[SpanRow], most_spans: int) -> tuple[list[SpanRow], float]:
    """Whole traces of at most `most_spans` spans together, and their share of all traces.

    Which ones are kept depends on the random end of their ids alone, not on their time.
    """
    of_trace: dict[str, list[SpanRow]] = {}
    for row in rows:
        of_trace.setdefault(row.trace_id, []).append(row)
    kept: list[SpanRow] = []
    count = 0
    for trace_id in sorted(of_trace, key=lambda one: (one[-8:], one)):
        if len(kept) + len(of_trace[trace_id]) > most_spans:
            break
        kept += of_trace[trace_id]
        count += 1
    return kept, count / len(of_trace) if of_trace else 1.0

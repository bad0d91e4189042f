"""Failed and slow traces, looked for on purpose where not all could be read.

A filter of Jaeger holds where any span of a service meets it, and an old release ignores the
one it does not know: so what a trace is, is read from the trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from aegis.adapters.jaeger.decoded import Decoded
from aegis.adapters.jaeger.query_api import Search
from aegis.adapters.jaeger.sampling import SliceSeen, tailed
from aegis.adapters.jaeger.span_rows import SpanRow
from aegis.model.telemetry import TimeWindow

Kind = Literal["failed", "slow"]
FAILED_TAGS = (("error", "true"),)
PARTS = 2
DEPTH = 100
SLOW_QUANTILE = 0.95


@dataclass(slots=True)
class Cohorts:
    """Traces that are more often in the table than in the world; `sampled` are the even ones."""

    sampled: frozenset[str] = frozenset()
    found: dict[Kind, dict[str, list[SpanRow]]] = field(default_factory=dict)

    def add(self, kind: Kind, search: Search, found: Decoded) -> None:
        """Only what belongs to the cohort and is not there already."""
        of_trace: dict[str, list[SpanRow]] = {}
        for row in found.rows:
            of_trace.setdefault(row.trace_id, []).append(row)
        known = self.sampled | {one for kept in self.found.values() for one in kept}
        for trace_id, rows in of_trace.items():
            if trace_id not in known and _belongs(kind, search, rows):
                self.found.setdefault(kind, {})[trace_id] = rows

    def count(self, kind: Kind) -> int:
        return len(self.found.get(kind, {}))

    def rows(self) -> set[SpanRow]:
        return {row for kept in self.found.values() for rows in kept.values() for row in rows}


def _belongs(kind: Kind, search: Search, rows: Sequence[SpanRow]) -> bool:
    if kind == "failed":
        return any(row.error for row in rows)
    return max(row.duration_ns for row in rows) >= (search.min_duration_ns or 0)


def cohort_searches(
    scope: str | None, through: str, window: TimeWindow, seen: Sequence[SliceSeen]
) -> Iterator[tuple[Kind, Search]]:
    """Each kind in each part of the window; slow is what the slowest in twenty are.

    Where the sample is of all services, `through` is the one whose failures are searched: no
    storage but the smallest searches for tags without a service. The parts end where the tail
    begins, for the same reason as the slices.
    """
    for part, _ in tailed(window, PARTS + 1)[:PARTS]:
        yield "failed", Search(part, DEPTH, scope or through, tags=FAILED_TAGS)
        yield "slow", Search(part, DEPTH, scope, min_duration_ns=_slow_ns(seen))


def _slow_ns(seen: Sequence[SliceSeen]) -> int:
    """Longer than the longest span of nineteen in twenty traces."""
    longest: dict[str, int] = {}
    for part in seen:
        for row in part.found.rows:
            longest[row.trace_id] = max(row.duration_ns, longest.get(row.trace_id, 0))
    ordered = sorted(longest.values())
    return ordered[int(SLOW_QUANTILE * (len(ordered) - 1))] + 1 if ordered else 1

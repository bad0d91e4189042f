"""Findings become Evidence: numbered, hashed, worded, and cited by id."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from aegis.engine.findings import Finding
from aegis.engine.statements import describe
from aegis.model.evidence import Evidence, Source
from aegis.model.telemetry import TimeWindow, from_ns

PREFIX: dict[Source, str] = {
    "metrics": "m",
    "logs": "l",
    "traces": "t",
    "changes": "c",
    "alerts": "a",
}
MICROSECOND_NS = 1000
TREND_POINTS = 24
TREND_REACH = 4


@dataclass(slots=True)
class Docket:
    """Gives every cited finding an id, in the order of first citation."""

    window: TimeWindow
    items: dict[int, Evidence] = field(default_factory=dict)
    kept: list[Finding] = field(default_factory=list)
    counts: dict[Source, int] = field(default_factory=dict)

    def cite(self, finding: Finding) -> str:
        """The id of the finding's Evidence; the same finding always has the same id."""
        known = self.items.get(id(finding))
        if known is not None:
            return known.id
        number = self.counts.get(finding.source, 0) + 1
        self.counts[finding.source] = number
        self.kept.append(finding)
        item = _evidence(f"{PREFIX[finding.source]}{number}", finding, self.window)
        self.items[id(finding)] = item
        return item.id

    def evidence(self) -> tuple[Evidence, ...]:
        return tuple(self.items.values())


def _evidence(name: str, finding: Finding, window: TimeWindow) -> Evidence:
    first = int(np.min(finding.times_ns, initial=window.start_ns))
    after_last = int(np.max(finding.times_ns, initial=window.start_ns)) + MICROSECOND_NS
    return Evidence(
        id=name,
        source=finding.source,
        signal=finding.signal,
        service=finding.service,
        peer=finding.peer,
        subject=finding.subject,
        query=finding.query,
        window=window,
        data_window=TimeWindow(from_ns(first), from_ns(max(after_last, window.end_ns))),
        sha256=finding.digest(),
        baseline=finding.baseline,
        observed=finding.observed,
        unit=finding.unit,
        strength=round(finding.surprise, 4),
        onset_ns=finding.onset_ns,
        statement=describe(
            signal=finding.signal,
            service=finding.service,
            peer=finding.peer,
            subject=finding.subject,
            baseline=finding.baseline,
            observed=finding.observed,
            unit=finding.unit,
        ),
        samples=finding.samples,
        trend=trend_of(finding, window),
    )


def trend_of(finding: Finding, window: TimeWindow) -> tuple[float, ...]:
    """The measurement in even time bins, from a few window lengths before the window to its end.

    Means of measured values; counts where the rows are mere occurrences. Bins without rows
    repeat the bin before, or are 0 for counts. Empty when fewer than two bins have rows.
    """
    end = window.end_ns
    start = window.start_ns - TREND_REACH * (end - window.start_ns)
    near = (finding.times_ns >= start) & (finding.times_ns < end)
    times, values = finding.times_ns[near], finding.values[near]
    # Python's integers, since centuries in nanoseconds times the bins do not fit into 64 bits.
    edges = [start - (start - end) * place // TREND_POINTS for place in range(TREND_POINTS)]
    in_reach = np.array([max(edge, np.iinfo(np.int64).min) for edge in edges], dtype=np.int64)
    place = np.searchsorted(in_reach, times, side="right") - 1
    rows = np.bincount(place, minlength=TREND_POINTS)
    if np.count_nonzero(rows) < 2:
        return ()
    if finding.unit in ("per_trace", "per_min", "per_line") and finding.signal != "log_sequence":
        return tuple(float(count) for count in rows)
    order = np.lexsort((values, place))
    sums = np.bincount(place[order], weights=values[order], minlength=TREND_POINTS)
    first = int(np.flatnonzero(rows)[0])
    points: list[float] = []
    for count, whole in zip(rows[first:], sums[first:], strict=True):
        points.append(float(f"{whole / count:.6g}") if count else points[-1])
    return tuple(points)


def strongest_first(findings: Iterable[Finding], weigh: dict[int, float]) -> list[Finding]:
    """By weight, then earlier onset, then the bytes of the data: never by name."""
    return sorted(
        findings,
        key=lambda item: (
            -round(weigh[id(item)], 9),
            item.onset_ns if item.onset_ns is not None else np.iinfo(np.int64).max,
            item.digest(),
        ),
    )

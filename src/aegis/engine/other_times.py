"""A measurement beside the same one at the same time of another day, in words.

It is told and weighs nothing: what is as high every day at this hour may still be the cause.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from aegis.model.diagnosis import Diagnosis
from aegis.model.evidence import Evidence
from aegis.model.telemetry import Matrix, TimeWindow
from aegis.model.text import Text

ALIKE = 1.25
"""Up to this ratio two times are about alike."""
MOST_COMPARED = 8
CAUSES_COMPARED = 3


@dataclass(frozen=True, slots=True)
class OtherTime:
    """A day to compare with, by its name, and what was measured then (None: nothing)."""

    name: Text
    then: Mapping[str, float | None]


def to_compare(diagnosis: Diagnosis) -> tuple[Evidence, ...]:
    """The metrics that speak for the leading causes, each query once."""
    by_id = diagnosis.evidence_by_id()
    found: dict[str, Evidence] = {}
    for cause in diagnosis.causes[:CAUSES_COMPARED]:
        for item in (by_id[one] for one in cause.evidence_ids):
            if item.source == "metrics" and item.observed is not None:
                found.setdefault(item.query, item)
    return tuple(found.values())[:MOST_COMPARED]


def with_other_times(
    diagnosis: Diagnosis, metrics: Matrix, times: tuple[OtherTime, ...]
) -> tuple[Diagnosis, int]:
    """The same with a sentence more where there is something to compare; and how often."""
    now = _medians(metrics, diagnosis.window, {item.query for item in to_compare(diagnosis)})
    evidence = []
    told = 0
    for item in diagnosis.evidence:
        said = [
            sentence
            for time in times
            if (sentence := _compared(now.get(item.query), time.then.get(item.query), time.name))
        ]
        told += bool(said)
        evidence.append(_with_more(item, said))
    return replace(diagnosis, evidence=tuple(evidence)), told


def _medians(metrics: Matrix, window: TimeWindow, queries: set[str]) -> dict[str, float]:
    """Of the rows in the window, in the unit they came in: only ratios are told."""
    found = {}
    for series in metrics.series:
        if series.query in queries:
            inside = series.values[window.contains(series.times_ns)]
            if inside.size:
                found[series.query] = float(np.median(inside))
    return found


def _compared(now: float | None, then: float | None, day: Text) -> Text | None:
    if now is None or then is None or now < 0 or then < 0 or (now == 0 and then == 0):
        return None
    if then == 0:
        return Text(f"{day.zh}同一时间为 0。", f"At this time {day.en} it was 0.")
    ratio = now / then
    if 1 / ALIKE <= ratio <= ALIKE:
        return Text(f"与{day.zh}同一时间相当。", f"About as much as at this time {day.en}.")
    times = f"{ratio:.2g}" if ratio < 10 else f"{ratio:.0f}"
    return Text(
        f"是{day.zh}同一时间的 {times} 倍。",
        f"That is {times} times as much as at this time {day.en}.",
    )


def _with_more(item: Evidence, said: list[Text]) -> Evidence:
    if not said:
        return item
    zh = item.statement.zh + "".join(one.zh for one in said)
    en = " ".join([item.statement.en, *(one.en for one in said)])
    return replace(item, statement=Text(zh, en))

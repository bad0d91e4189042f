"""Series understood: rates of counters, shortfalls of what should be high."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np

from aegis.engine.signals import Meaning, meaning_of
from aegis.model.telemetry import Floats, Int64s, Matrix, Series

NEARLY_ALL = 99.0
LARGEST_SAMPLE = 1e50
"""Far beyond any instrument, and ratios of ratios of such samples can still be written."""


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredSeries:
    """A series in the engine's sense: higher is worse unless its signal says otherwise."""

    series: Series
    meaning: Meaning
    times_ns: Int64s
    values: Floats


def measured(matrix: Matrix) -> list[MeasuredSeries]:
    """The series whose meaning is known; counters become rates, availability its shortfall."""
    every = [_measurable(series) for series in matrix.series]
    percentages = _percentages(every)
    found = []
    for series in every:
        if len(series.values) < 2:
            continue
        meaning = meaning_of(series)
        if meaning is None:
            continue
        if _may_be_percent(meaning) and series.name in percentages:
            meaning = replace(meaning, unit="%")
        times, values = series.times_ns, series.values
        if meaning.counter:
            times, values = _rate_per_s(times, values)
        if meaning.flipped:
            full = 100.0 if meaning.unit == "%" or float(np.max(values)) > 1.5 else 1.0
            values = np.maximum(full - values, 0.0)
            meaning = replace(meaning, unit="%" if full > 1.0 else "share")
        found.append(MeasuredSeries(series, meaning, times, values))
    return found


def _measurable(series: Series) -> Series:
    """The series less samples that nothing can measure, such as ±1.8e308 for "not set".

    Samples as much too small are zero.
    """
    size = np.abs(series.values)
    real = size <= LARGEST_SAMPLE
    values = np.where(size < 1.0 / LARGEST_SAMPLE, 0.0, series.values)
    return replace(series, times_ns=series.times_ns[real], values=values[real])


def _percentages(every: list[Series]) -> frozenset[str]:
    """Names of metrics whose samples, over all services, come up to 100 and never exceed it."""
    most: dict[str, float] = defaultdict(float)
    for series in every:
        if len(series.values):
            most[series.name] = max(most[series.name], float(np.max(series.values)))
    return frozenset(name for name, value in most.items() if NEARLY_ALL <= value <= 100.0)


def _may_be_percent(meaning: Meaning) -> bool:
    """An error rate whose name tells no unit; a counter counts."""
    return meaning.signal == "errors" and meaning.unit == "" and not meaning.counter


def _rate_per_s(times_ns: Int64s, values: Floats) -> tuple[Int64s, Floats]:
    """Increase per second of a counter; a fall is a restart, counted from zero."""
    steps = np.diff(values)
    steps = np.where(steps < 0, values[1:], steps)
    seconds = np.maximum(np.diff(times_ns) / 1e9, 1e-9)
    return times_ns[1:], steps / seconds

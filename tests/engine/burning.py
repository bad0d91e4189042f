"""Hours of a small shop for tests of the onset: calm but for the minutes that are named.

Everything is computed: noise comes from a fixed seed, so every run sees the same hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aegis.engine.onset import Found, find_onset
from aegis.model.incident import Observations
from aegis.model.telemetry import LogTable, Matrix, SpanTable, TimeWindow, to_ns
from tests.engine.telemetry import at_ns, line, logs, observations, series, span, spans, window

Minutes = tuple[float, float]
HOURS_MIN = 180
STEP_S = 30
STEP_MIN = STEP_S / 60


def minutes(start: float, end: float) -> TimeWindow:
    return window(60 * start, 60 * end)


def asked_for(start: float, end: float, *, extent: Minutes = (0, HOURS_MIN)) -> Observations:
    """Nothing was recorded yet; only what is asked and the hours that can be read."""
    return observations(minutes(start, end), extent=minutes(*extent))


def burns(moment_min: float, burning: Sequence[Minutes]) -> bool:
    return any(start <= moment_min < end for start, end in burning)


def metrics(
    burning: Sequence[Minutes],
    *,
    seed: int = 1,
    until: float = HOURS_MIN,
    drift: float = 0.0,
    silent: Sequence[Minutes] = (),
    store: Sequence[Minutes] = (),
) -> Matrix:
    """Latency, errors and traffic of two services; the shop is hurt, and at times the store.

    A sample tells of the half minute before it, as rates and quantiles of real scrapes do.
    `drift` is how much the latency grows over the whole time, as a share of itself.
    """
    rng = np.random.default_rng(seed)
    every = [
        second for second in range(0, int(until * 60), STEP_S) if not burns(second / 60, silent)
    ]
    found = []
    for name in ("shop", "store"):
        mine = burning if name == "shop" else store
        hurt = [burns((second - STEP_S / 2) / 60, mine) for second in every]
        slower = [1 + drift * second / (until * 60) for second in every]
        noise = rng.normal(0, 0.05, (3, len(every)))
        latency = [
            (0.2 + (0.4 if bad else 0)) * grown * (1 + one)
            for bad, grown, one in zip(hurt, slower, noise[0], strict=True)
        ]
        errors = [
            abs(0.002 + 0.001 * one) + 0.2 * bad for bad, one in zip(hurt, noise[1], strict=True)
        ]
        traffic = [
            50 * (1 + 0.3 * np.sin(s / 3000)) * (1 + one)
            for s, one in zip(every, noise[2], strict=True)
        ]
        times = [float(second) for second in every]
        found += [
            series(name, "request_latency_p90_seconds", latency, times_s=times),
            series(name, "request_error_ratio", errors, times_s=times),
            series(name, "requests_per_second", traffic, times_s=times),
        ]
    return Matrix(tuple(found))


def traces(
    burning: Sequence[Minutes], *, kind: str = "slow", until: float = HOURS_MIN
) -> SpanTable:
    """A request every four seconds through both services; `kind` says how it is hurt."""
    rng = np.random.default_rng(7)
    rows = []
    for second in range(0, int(until * 60), 4):
        hurt = burns(second / 60, burning)
        own, trace = float(rng.uniform(10, 14)), f"{second:032x}"
        slow = 60.0 if hurt and kind == "slow" else 0.0
        failed = hurt and kind == "failed"
        rows.append(span(trace, "a", "", "shop", start_s=second, ms=own + 20 + slow, error=failed))
        if not (hurt and kind == "short"):
            rows.append(span(trace, "b", "a", "store", "get", start_s=second + 0.001, ms=own))
    return spans(rows)


def lines(burning: Sequence[Minutes], *, until: float = HOURS_MIN) -> LogTable:
    """An ordinary line every ten seconds; while it burns, an error too."""
    rows = []
    for second in range(0, int(until * 60), 10):
        rows.append(line(second, "shop", f"served {second}", "INFO"))
        if burns(second / 60, burning):
            rows.append(line(second + 1, "shop", f"order {second} failed", "ERROR"))
    return logs(rows)


def hours(*burning: Minutes, asked: Minutes = (150, 165), drift: float = 0.0) -> Observations:
    """Hours of metrics only, and what is asked about them."""
    return replace(asked_for(*asked), metrics=metrics(burning, drift=drift))


def found(seen: Observations, moment_min: float | None = None) -> Found:
    """The onset; fails where there was too little to tell."""
    told = find_onset(seen, seen.window, None if moment_min is None else at_ns(60 * moment_min))
    assert told is not None
    return told


def minute_of(time_ns: int | None) -> float:
    """Minutes since the recording began, to compare with what was put in."""
    assert time_ns is not None
    return (time_ns - at_ns(0)) / 60e9


def minutes_of(one: TimeWindow) -> Minutes:
    return minute_of(to_ns(one.start)), minute_of(to_ns(one.end))

"""Rates and quantiles of each interval, summed up to the counters and buckets of a process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aegis.model.telemetry import Floats, Int64s
from lab.exposition.readings import LONGEST_BREAK_STEPS, Reading, ServiceReadings

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "peer_p95": 0.95}
UNKNOWN_RATE = 5.0
FASTEST = {0.5: 0.35, 0.9: 0.1, 0.95: 0.08}
"""The fastest request as a share of the lowest quantile known."""
SLOWEST = 1.25
UNKNOWN_LATENCY_S = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Requests:
    """What a process has counted since it began, at each scrape.

    `buckets[b]` are requests that took at most bound b, `failed` is a part of `count`.
    """

    times_ns: Int64s
    count: Floats
    failed: Floats
    total_s: Floats
    buckets: Floats


def intervals_s(times_ns: Int64s, step_s: float) -> Floats:
    """Seconds that each scrape stands for; after a long break only a few steps."""
    gaps = np.diff(times_ns) / 1e9
    first = np.array([step_s])
    out: Floats = np.minimum(np.concatenate([first, gaps]), LONGEST_BREAK_STEPS * step_s)
    return out


def requests_of(
    of: ServiceReadings, bounds_s: Floats, step_s: float, peer: str | None = None
) -> Requests | None:
    """The requests a service answered or, with `peer`, sent there; None where nobody measured."""
    measured = of.own if peer is None else of.peers[peer]
    quantiles = {QUANTILES[key]: measured[key] for key in measured if key in QUANTILES}
    rate = of.own.get("rate") or of.own.get("count")
    if not quantiles and (rate is None or peer is not None):
        return None
    times = np.unique(np.concatenate([one.times_ns for one in measured.values()]))
    lasted = intervals_s(times, step_s)
    per_s = np.full(len(times), UNKNOWN_RATE)
    if rate is not None:
        per_s = rate.at(times) / (step_s if "rate" not in of.own else 1.0)
    count = np.maximum(per_s, 0.0) * lasted
    share = _failing_share(measured, times)
    curve = _curve(quantiles, times)
    below = _shares_below(curve, bounds_s) * count
    mean = measured["mean"].at(times) if "mean" in measured else _mean(curve)
    whole = np.rint(np.cumsum(count))
    return Requests(
        times,
        whole,
        np.minimum(np.rint(np.cumsum(count * share)), whole),
        np.cumsum(count * mean),
        np.minimum(np.rint(np.cumsum(below, axis=1)), whole),
    )


def accumulated(reading: Reading, step_s: float) -> Floats:
    """A counter of which the reading is the rate."""
    out: Floats = np.cumsum(reading.values * intervals_s(reading.times_ns, step_s))
    return out


def _failing_share(measured: dict[str, Reading], times: Int64s) -> Floats:
    for key in ("errors", "peer_errors"):
        if key in measured:
            return np.clip(measured[key].at(times), 0.0, 1.0)
    if "success" in measured:
        return np.clip(1.0 - measured["success"].at(times), 0.0, 1.0)
    return np.zeros(len(times))


def _curve(quantiles: dict[float, Reading], times: Int64s) -> tuple[Floats, Floats]:
    """(shares, seconds by share and scrape): the distribution as straight pieces."""
    if not quantiles:
        level = np.full(len(times), UNKNOWN_LATENCY_S)
        return np.array([0.0, 1.0]), np.stack([0.5 * level, level])
    shares = sorted(quantiles)
    rows = [quantiles[share].at(times) for share in shares]
    known = np.maximum.accumulate(np.stack(rows), axis=0)
    lowest = known[0] * FASTEST.get(shares[0], 0.3)
    return np.array([0.0, *shares, 1.0]), np.stack([lowest, *known, known[-1] * SLOWEST])


def _shares_below(curve: tuple[Floats, Floats], bounds_s: Floats) -> Floats:
    """Share of the requests of each scrape (columns) within each bound (rows)."""
    shares, seconds = curve
    steps = np.arange(len(shares)) * 1e-12  # equal quantiles would make the curve stand still
    columns = [np.interp(bounds_s, column + steps, shares) for column in seconds.T]
    return np.stack(columns, axis=1)


def _mean(curve: tuple[Floats, Floats]) -> Floats:
    shares, seconds = curve
    widths = np.diff(shares)[:, None]
    out: Floats = np.sum(widths * (seconds[1:] + seconds[:-1]) / 2, axis=0)
    return out

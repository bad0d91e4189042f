"""What customers and callers felt: compares the calls before and after a moment."""

from __future__ import annotations

from typing import Literal

import numpy as np

from lab.simulator.requests import Calls
from lab.simulator.topology import Topology

ENOUGH = 20
"""Calls on either side of the moment that a comparison needs."""
ERRORS_OUTWEIGH = 20.0
"""One percent more errors is as loud as a latency 2^0.2 times as long."""


def loudest(
    topology: Topology,
    calls: Calls,
    among: list[int],
    start_s: float,
    between: tuple[float, float] = (-np.inf, np.inf),
) -> tuple[int, Literal["latency", "errors"]]:
    """The service among these that changed most, seen from outside, and in what.

    Compares what was sent before and after `start_s`, both within `between`.
    """
    owner = np.array([op.service for op in topology.operations])[calls.operation]
    best: tuple[float, int, Literal["latency", "errors"]] = (-1.0, among[0], "latency")
    taken = calls.finished - calls.arrived
    for service in among:
        mine = (owner == service) & calls.reached
        mine &= (calls.sent >= between[0]) & (calls.sent < between[1])
        before, after = mine & (calls.sent < start_s), mine & (calls.sent >= start_s)
        if before.sum() < ENOUGH or after.sum() < ENOUGH:
            continue
        slower = float(np.log2(np.quantile(taken[after], 0.9) / np.quantile(taken[before], 0.9)))
        failing = float(calls.callee_failed[after].mean() - calls.callee_failed[before].mean())
        errors = failing * ERRORS_OUTWEIGH
        kind: Literal["latency", "errors"] = "errors" if errors > slower else "latency"
        best = max(best, (max(slower, errors), service, kind))
    return best[1], best[2]

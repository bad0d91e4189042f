"""Canonical order of rows, so that the order in a file means nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from aegis.model.telemetry import Int64s

Order = NDArray[np.intp]


def canonical_order(
    groups: NDArray[np.integer], times: Int64s, tie_key: Callable[[int], object]
) -> Order:
    """Row numbers sorted by group, time and then `tie_key` of the row.

    The key is asked only for rows that share group and time with another, because it costs
    a Python call each.
    """
    order: Order = np.lexsort((times, groups))
    if len(order) < 2:
        return order
    groups, times = groups[order], times[order]
    new_run = np.ones(len(order) + 1, dtype=np.bool_)
    new_run[1:-1] = (groups[1:] != groups[:-1]) | (times[1:] != times[:-1])
    edges = np.flatnonzero(new_run)
    sizes = np.diff(edges)
    for start, size in zip(edges[:-1][sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True):
        tied = order[start : start + size].tolist()
        order[start : start + size] = sorted(tied, key=tie_key)  # type: ignore[arg-type]
    return order

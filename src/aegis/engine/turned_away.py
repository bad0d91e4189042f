"""Requests turned away: answered so fast that no work can have been done on them."""

from __future__ import annotations

import numpy as np

from aegis.engine.stats import group_quantiles
from aegis.engine.trace_tree import TraceTree, operation_groups
from aegis.model.telemetry import Bools, Floats, Int64s

FAST = 0.1
LEAST_BEFORE = 8
LEAST_AFTER = 4


def turned_away(tree: TraceTree, after: Bools) -> dict[str, float]:
    """Share of each service's requests in the window that were, more than before (0..1).

    Such a request takes less than a tenth of the usual median of its operation. Services
    where nothing rose are absent, as are those with too few spans to tell.
    """
    keys, group = operation_groups(tree)
    usual = _usual_ns(tree, after, group, len(keys))
    judged = tree.entry & np.isfinite(usual[group])
    fast = tree.spans.duration_ns < FAST * usual[group]
    services = len(tree.spans.services)
    shares = []
    for side in (judged & ~after, judged & after):
        requests = _count(tree, side, services)
        requests[requests < LEAST_AFTER] = np.nan
        shares.append(_count(tree, side & fast, services) / requests)
    rise = shares[1] - shares[0]
    return {tree.spans.services[code]: float(rise[code]) for code in np.flatnonzero(rise > 0.0)}


def _usual_ns(tree: TraceTree, after: Bools, group: Int64s, groups: int) -> Floats:
    """Median duration of each operation's entry spans before; NaN where those are too few."""
    rows = np.flatnonzero(tree.entry & ~after)
    order = rows[np.lexsort((tree.spans.duration_ns[rows], group[rows]))]
    edges = np.arange(groups + 1)  # mutate: equivalent a group more is one nobody asks for
    offsets = np.searchsorted(group[order], edges).astype(np.int64)
    medians = group_quantiles(tree.spans.duration_ns[order].astype(np.float64), offsets, 0.5)
    return np.where(np.diff(offsets) >= LEAST_BEFORE, medians, np.nan)


def _count(tree: TraceTree, rows: Bools, services: int) -> Floats:
    return np.bincount(tree.spans.service_code[rows], minlength=services).astype(np.float64)

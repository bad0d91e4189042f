"""Spans as yes-or-no questions whose share tells trouble: slow, failed, or short of a call."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aegis.engine.trace_tree import NO_ROW, TraceTree, dense, operation_groups
from aegis.model.telemetry import Bools, Floats, Int64s, TimeWindow

SLOW_QUANTILE = 0.9
CLEARLY = 1.2
"""A span is slow beyond this many times what nine in ten of its kind take."""
LEAST_SPANS = 30
LEAST_SLOW, LEAST_FAILED, LEAST_SHORT = 0.02, 0.003, 0.02
"""Shares below which "usual" is never put: one hit among few trials proves nothing."""


def span_counts(tree: TraceTree, calm: TimeWindow) -> Iterator[tuple[str, Int64s, Floats, float]]:
    """For each service and question: service, rows asked, 1 for each "yes", least usual share.

    What is slow or short is told from the spans that start in `calm`.
    """
    spans = tree.spans
    if len(spans) == 0:
        return
    usual = calm.contains(spans.start_ns)
    limit = _slow_from_ms(tree, usual)
    judged = np.isfinite(limit)
    slow = tree.exclusive_ms > limit
    expected, short = _short_of_calls(tree, usual)
    failed = _own_errors(tree)
    questions: tuple[tuple[Bools, Bools, float], ...] = (
        (slow, judged, LEAST_SLOW),
        (failed, np.ones(len(spans), dtype=np.bool_), LEAST_FAILED),
        (short, expected, LEAST_SHORT),
    )
    for code, service in enumerate(spans.services):
        mine = spans.service_code == code
        for answer, asked, least in questions:
            rows = np.flatnonzero(mine & asked)
            if len(rows):
                yield service, rows, answer[rows].astype(np.float64), least


def _slow_from_ms(tree: TraceTree, usual: Bools) -> Floats:
    """For each row the limit of its (service, operation, callee); infinite where few are."""
    spans = tree.spans
    _, place = operation_groups(tree)
    keys, group = dense(place * (len(spans.services) + 1) + tree.callee)
    slow_from, sizes = _quantiles(group, usual, tree.exclusive_ms, len(keys), SLOW_QUANTILE)
    by_row: Floats = np.where(sizes >= LEAST_SPANS, CLEARLY * slow_from, np.inf)[group]
    return by_row


def _short_of_calls(tree: TraceTree, usual: Bools) -> tuple[Bools, Bools]:
    """Rows of operations that usually have children, and which of them have fewer than usual."""
    names, group = operation_groups(tree)
    children = np.bincount(tree.parent[tree.parent != NO_ROW], minlength=len(group))
    middle, _ = _quantiles(group, usual, children.astype(np.float64), len(names), 0.5)
    return middle[group] > 0, children < middle[group]


def _quantiles(
    group: Int64s, usual: Bools, values: Floats, groups: int, share: float
) -> tuple[Floats, Int64s]:
    """A quantile of the usual values of each group (0 without any), and how many there are."""
    group, values = group[usual], values[usual]
    order = np.lexsort((values, group))
    offsets = np.searchsorted(group[order], np.arange(groups + 1))
    sizes = np.diff(offsets)
    place = offsets[:-1] + (share * sizes).astype(np.int64)
    padded = np.append(values[order], np.nan)
    return np.where(sizes > 0, padded[np.minimum(place, len(values))], 0.0), sizes


def _own_errors(tree: TraceTree) -> Bools:
    """Error spans that no error of a child explains."""
    own = tree.spans.error.copy()
    own[tree.parent[np.flatnonzero(tree.spans.error & (tree.parent != NO_ROW))]] = False
    return own

"""Spans as yes-or-no questions whose share tells trouble: slow, failed, or short of a call."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aegis.engine.trace_tree import NO_ROW, TraceTree, dense, operation_groups
from aegis.model.telemetry import Bools, Floats, Int64s

SLOW_QUANTILE = 0.9
CLEARLY = 1.2
"""A span is slow beyond this many times what nine in ten of its kind take."""
LEAST_SPANS = 30
LEAST_SLOW, LEAST_FAILED, LEAST_SHORT = 0.02, 0.003, 0.02
"""Shares below which "usual" is never put: one hit among few trials proves nothing."""


def span_counts(tree: TraceTree) -> Iterator[tuple[str, Int64s, Floats, float]]:
    """For each service and question: service, rows asked, 1 for each "yes", least usual share."""
    spans = tree.spans
    if len(spans) == 0:
        return
    limit = _slow_from_ms(tree)
    judged = np.isfinite(limit)
    slow = tree.exclusive_ms > limit
    expected, short = _short_of_calls(tree)
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


def _slow_from_ms(tree: TraceTree) -> Floats:
    """For each row the limit of its (service, operation, callee); infinite where few are."""
    spans = tree.spans
    _, place = operation_groups(tree)
    width = len(spans.services) + 1
    keys, group = dense(place * width + tree.callee + 1)
    order = np.lexsort((tree.exclusive_ms, group))
    offsets = np.searchsorted(group[order], np.arange(len(keys) + 1))
    sizes = np.diff(offsets)
    at = offsets[:-1] + (SLOW_QUANTILE * sizes).astype(np.int64)
    limits = CLEARLY * tree.exclusive_ms[order][np.minimum(at, len(order) - 1)]
    by_row: Floats = np.where(sizes >= LEAST_SPANS, limits, np.inf)[group]
    return by_row


def _short_of_calls(tree: TraceTree) -> tuple[Bools, Bools]:
    """Rows of operations that usually have children, and which of them have fewer than usual."""
    names, group = operation_groups(tree)
    children = np.bincount(tree.parent[tree.parent != NO_ROW], minlength=len(group))
    order = np.lexsort((children, group))
    offsets = np.searchsorted(group[order], np.arange(len(names) + 1))
    middle = offsets[:-1] + np.diff(offsets) // 2
    usual = children[order][middle][group]
    return usual > 0, children < usual


def _own_errors(tree: TraceTree) -> Bools:
    """Error spans that no error of a child explains."""
    own = tree.spans.error.copy()
    own[tree.parent[np.flatnonzero(tree.spans.error & (tree.parent != NO_ROW))]] = False
    return own

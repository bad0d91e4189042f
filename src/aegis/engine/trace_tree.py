"""Spans put back into trees: parents, callees, exclusive time, roots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aegis.model.telemetry import Bools, Floats, Ids, Int64s, SpanTable

NO_ROW = -1


@dataclass(frozen=True, slots=True, eq=False)
class TraceTree:
    """Columns derived from a SpanTable, row by row.

    `trace` is a dense trace code; `parent` a row or NO_ROW for a root. `exclusive_ms` is the
    duration less the union of the children's intervals, clipped to the span. `callee` is the
    service code of the only other service that a client span calls directly, else -1: a span
    that enters its service does work of its own beside the call. `entry` marks spans whose
    parent is in another service, or that have none; `leaf` marks spans without children that
    do not enter their service, such as calls to a database without spans.
    """

    spans: SpanTable
    trace: Int64s
    trace_count: int
    parent: Int64s
    exclusive_ms: Floats
    callee: NDArray[np.int32]
    entry: Bools
    leaf: Bools

    @staticmethod
    def of(spans: SpanTable) -> TraceTree:
        """Link the rows; O(n log n) in the number of spans."""
        trace, trace_count = _trace_codes(spans.trace_id)
        parent = _parent_rows(spans, trace)
        child = np.flatnonzero(parent != NO_ROW)
        remote = child[spans.service_code[child] != spans.service_code[parent[child]]]
        entry = parent == NO_ROW
        entry[remote] = True
        leaf = ~entry
        leaf[parent[child]] = False
        return TraceTree(
            spans=spans,
            trace=trace,
            trace_count=trace_count,
            parent=parent,
            exclusive_ms=_exclusive_ms(spans, parent, child),
            callee=np.where(entry, -1, _only_callee(spans, parent, remote)).astype(np.int32),
            entry=entry,
            leaf=leaf,
        )


def _trace_codes(trace_id: Ids) -> tuple[Int64s, int]:
    """Dense codes of ids that come sorted."""
    if len(trace_id) == 0:
        return np.zeros(0, dtype=np.int64), 0
    new = np.ones(len(trace_id), dtype=np.int64)
    new[1:] = trace_id[1:] != trace_id[:-1]
    codes = np.cumsum(new) - 1
    return codes, int(codes[-1]) + 1


def _parent_rows(spans: SpanTable, trace: Int64s) -> Int64s:
    """The row of each span's parent in the same trace, NO_ROW where there is none."""
    rows = len(spans)
    parent = np.full(rows, NO_ROW, dtype=np.int64)
    if rows == 0:
        return parent
    names, code = np.unique(
        np.concatenate([spans.span_id, spans.parent_span_id]), return_inverse=True
    )
    key = trace * len(names) + code[:rows]
    wanted = trace * len(names) + code[rows:]
    order = np.argsort(key, kind="stable")
    position = np.minimum(np.searchsorted(key[order], wanted), rows - 1)
    found = order[position]
    known = (key[found] == wanted) & (found != np.arange(rows))
    parent[known] = found[known]
    return parent


def _exclusive_ms(spans: SpanTable, parent: Int64s, child: Int64s) -> Floats:
    """Duration less the union of the children's intervals, in milliseconds."""
    exclusive = spans.duration_ns.astype(np.float64)
    if len(child):
        owner = parent[child]
        begin = np.maximum(spans.start_ns[child] - spans.start_ns[owner], 0)
        end = spans.start_ns[child] + spans.duration_ns[child] - spans.start_ns[owner]
        end = np.minimum(end, spans.duration_ns[owner])
        order = np.lexsort((begin, owner))
        owner, begin, end = owner[order], begin[order], end[order]
        first = np.append(True, owner[1:] != owner[:-1])
        rank = np.empty(len(end), dtype=np.int64)
        by_end = np.argsort(end, kind="stable")
        rank[by_end] = np.arange(len(end))
        # The largest end so far within each owner: later owners start above all ranks before.
        above = (np.cumsum(first) - 1) * len(end)
        reached = end[by_end[np.maximum.accumulate(rank + above) - above]]
        covered_until = np.where(first, 0, np.append(0, reached[:-1]))
        gain = np.maximum(end - np.maximum(begin, covered_until), 0.0)
        exclusive -= np.bincount(owner, weights=gain, minlength=len(spans))
    return np.maximum(exclusive, 0.0) / 1e6


def _only_callee(spans: SpanTable, parent: Int64s, remote: Int64s) -> NDArray[np.int32]:
    """The one other service that a span calls directly; -1 for none or several."""
    callee = np.full(len(spans), -1, dtype=np.int32)
    owner, service = parent[remote], spans.service_code[remote]
    callee[owner] = service
    several = owner[callee[owner] != service]
    callee[several] = -1
    return callee


def operation_groups(tree: TraceTree) -> tuple[Int64s, Int64s]:
    """Keys of the (service, operation) pairs that occur, and the place of each row's pair.

    A key is service code · number of operations + operation code.
    """
    keys = tree.spans.service_code.astype(np.int64) * len(tree.spans.operations)
    return dense(keys + tree.spans.operation_code)


def leaf_users(tree: TraceTree) -> dict[str, frozenset[str]]:
    """Which services have leaf spans of each operation that do not enter them.

    Such spans may be calls to something without spans: services that share one share it.
    """
    rows = np.flatnonzero(tree.leaf)
    operations = len(tree.spans.operations)
    keys = np.unique(
        tree.spans.service_code[rows].astype(np.int64) * operations
        + tree.spans.operation_code[rows]
    )
    users: dict[str, set[str]] = {}
    for key in keys:
        service, operation = divmod(int(key), operations)
        users.setdefault(tree.spans.operations[operation], set()).add(tree.spans.services[service])
    return {operation: frozenset(found) for operation, found in users.items()}


def dense(keys: Int64s) -> tuple[Int64s, Int64s]:
    """The distinct keys in ascending order, and the place of each row's key among them."""
    names, places = np.unique(keys, return_inverse=True)
    return names, places.astype(np.int64)


def traces_through(tree: TraceTree, after: Bools) -> tuple[Floats, Floats]:
    """Distinct traces through each service: before, and in the window."""
    services = len(tree.spans.services)
    pairs = np.unique(
        (tree.trace * services + tree.spans.service_code) * 2 + after.astype(np.int64)
    )
    side, service = pairs % 2, (pairs // 2) % services
    before = np.bincount(service[side == 0], minlength=services).astype(np.float64)
    during = np.bincount(service[side == 1], minlength=services).astype(np.float64)
    return before, during


def span_query(service: str, operation: str, peer: str | None, *, failed: bool = False) -> str:
    """A TraceQL-like selector; a case answers it, a person can paste its parts."""
    parts = [f'resource.service.name="{service}"', f'name="{operation}"']
    if peer is not None:
        parts.append(f'callee="{peer}"')
    if failed:
        parts.append("status=error")
    return "{" + " && ".join(parts) + "}"

"""Calls no longer made, or newly made: the share of an operation's spans with a given child."""

from __future__ import annotations

import numpy as np

from aegis.engine.findings import Finding
from aegis.engine.stats import share_change_decades
from aegis.engine.trace_tree import (
    NO_ROW,
    TraceTree,
    dense,
    operation_groups,
    span_query,
    traces_through,
)
from aegis.model.telemetry import Bools, Floats, Int64s

LEAST_BEFORE = 8
LEAST_AFTER = 4
LEAST_SHARE_CHANGE = 0.15
MOST_DECADES = 12.0


def structure_findings(tree: TraceTree, after: Bools) -> list[Finding]:
    """Operations that call a given child clearly more or less often than before."""
    spans, operations = tree.spans, len(tree.spans.operations)
    names, group = operation_groups(tree)
    child = np.flatnonzero(tree.parent != NO_ROW)
    pair = np.unique(tree.parent[child] * len(names) + group[child])
    owner, called = pair // len(names), pair % len(names)
    links, link = dense(group[owner] * len(names) + called)
    caller = links // len(names)
    n_before, n_after = _count(group[~after], len(names)), _count(group[after], len(names))
    n_before, n_after = n_before[caller], n_after[caller]
    with_before = _count(link[~after[owner]], len(links))
    with_after = _count(link[after[owner]], len(links))
    with np.errstate(divide="ignore", invalid="ignore"):
        share_before, share_after = with_before / n_before, with_after / n_after
    enough = (n_before >= LEAST_BEFORE) & (n_after >= LEAST_AFTER)
    changed = enough & (np.abs(share_after - share_before) >= LEAST_SHARE_CHANGE)
    decades = share_change_decades(with_before, n_before, with_after, n_after)
    _, through = traces_through(tree, after)
    findings = []
    for index in np.flatnonzero(changed):
        service_code, operation_code = divmod(int(names[caller[index]]), operations)
        child_code, child_operation = divmod(int(names[links[index] % len(names)]), operations)
        service, operation = spans.services[service_code], spans.operations[operation_code]
        peer = spans.services[child_code]
        rows = np.flatnonzero(group == caller[index])
        calls = np.isin(rows, owner[link == index], assume_unique=True)
        delta = float(share_after[index] - share_before[index])
        touched = abs(delta) * float(n_after[index]) / float(through[service_code])
        findings.append(
            Finding(
                source="traces",
                signal="call_structure",
                service=service,
                peer=peer,
                subject=f"{operation} → {spans.operations[child_operation]}",
                query=span_query(service, operation, peer),
                surprise=min(MOST_DECADES, float(decades[index])),
                baseline=float(share_before[index]),
                observed=float(share_after[index]),
                unit="share",
                times_ns=spans.start_ns[rows],
                values=calls.astype(np.float64),
                share=min(1.0, touched),
                onset_ns=_first(spans.start_ns[rows[after[rows] & (calls == (delta > 0))]]),
            )
        )
    return findings


def _count(codes: Int64s, size: int) -> Floats:
    return np.bincount(codes, minlength=size).astype(np.float64)


def _first(times_ns: Int64s) -> int | None:
    return int(np.min(times_ns)) if len(times_ns) else None

"""Errors that begin in a service: error spans without an erroring child."""

from __future__ import annotations

import numpy as np

from aegis.engine.findings import Finding
from aegis.engine.stats import rate_change_decades
from aegis.engine.trace_tree import NO_ROW, TraceTree, dense, span_query, traces_through
from aegis.model.telemetry import Bools, Int64s

MOST_DECADES = 12.0
MOSTLY = 0.5


def error_findings(tree: TraceTree, after: Bools) -> list[Finding]:
    """Operations whose own errors per trace through the service rose."""
    spans = tree.spans
    rows = _own_errors(tree)
    before, during = traces_through(tree, after)
    operations = len(spans.operations)
    keys, group = dense(
        spans.service_code[rows].astype(np.int64) * operations + spans.operation_code[rows]
    )
    service = keys // operations
    count_before = np.bincount(group[~after[rows]], minlength=len(keys)).astype(np.float64)
    count_after = np.bincount(group[after[rows]], minlength=len(keys)).astype(np.float64)
    decades = rate_change_decades(count_before, before[service], count_after, during[service])
    findings = []
    for index in np.flatnonzero(decades > 0.0):
        rate_before = float(count_before[index] / before[service[index]])
        rate_after = float(count_after[index] / during[service[index]])
        if rate_after <= rate_before:
            continue
        mine = rows[group == index]
        name = spans.services[int(service[index])]
        operation = spans.operations[int(keys[index] % operations)]
        findings.append(
            Finding(
                source="traces",
                signal="error_spans",
                service=name,
                peer=None,
                subject=operation,
                query=span_query(name, operation, None, failed=True),
                surprise=min(MOST_DECADES, float(decades[index])),
                baseline=rate_before,
                observed=rate_after,
                unit="per_trace",
                times_ns=spans.start_ns[mine],
                values=np.ones(len(mine)),
                share=min(1.0, rate_after - rate_before),
                onset_ns=int(np.min(spans.start_ns[mine[after[mine]]])),
                outbound=bool(np.mean(tree.leaf[mine]) > MOSTLY),
            )
        )
    return findings


def _own_errors(tree: TraceTree) -> Int64s:
    """Rows of error spans that no error of a child explains."""
    blamed = tree.spans.error.copy()
    passing_on = np.flatnonzero(tree.spans.error & (tree.parent != NO_ROW))
    blamed[tree.parent[passing_on]] = False
    return np.flatnonzero(blamed)

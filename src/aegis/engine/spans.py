"""Evidence from spans: slower code, slower calls, new errors, calls no longer made."""

from __future__ import annotations

from dataclasses import dataclass

from aegis.engine.findings import Finding
from aegis.engine.span_errors import error_findings
from aegis.engine.span_latency import latency_findings
from aegis.engine.span_structure import structure_findings
from aegis.engine.trace_tree import TraceTree
from aegis.model.telemetry import TimeWindow


@dataclass(frozen=True, slots=True, eq=False)
class SpanFindings:
    """Findings, and the (caller, callee) pairs that had enough spans to be judged."""

    findings: tuple[Finding, ...]
    judged_calls: frozenset[tuple[str, str]]


def span_findings(tree: TraceTree, window: TimeWindow) -> SpanFindings:
    """Everything the spans say; empty when there are none."""
    after = window.contains(tree.spans.start_ns)
    latency, judged = latency_findings(tree, after)
    return SpanFindings(
        (*latency, *error_findings(tree, after), *structure_findings(tree, after)), judged
    )

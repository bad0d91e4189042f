"""Who feels what since when: the symptom where users meet the system."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from aegis.engine.findings import Finding
from aegis.engine.graph import CallGraph
from aegis.engine.proof import Docket
from aegis.engine.quantities import numeral
from aegis.engine.statements import impact_statement
from aegis.engine.surge import Surge
from aegis.engine.symptoms import Symptoms
from aegis.engine.trace_tree import NO_ROW, TraceTree
from aegis.model.diagnosis import Impact
from aegis.model.evidence import Signal
from aegis.model.telemetry import Alarm, Floats, Int32s, TimeWindow
from aegis.model.text import Text

USERS_FEEL: tuple[Signal, ...] = ("errors", "error_spans", "error_logs", "latency", "traffic")
LEAST_SURPRISE = 0.5
LEAST_ROOT_SPANS = 8
LEAST_SLOWDOWN = 1.25
ONSET_QUANTILE = 0.98


def impact_of(
    symptoms: Mapping[str, Symptoms],
    graph: CallGraph,
    tree: TraceTree,
    alarm: Alarm | None,
    docket: Docket,
) -> Impact:
    """The strongest user-facing symptom of the alarm's service, else of the outermost one."""
    window = docket.window
    place = alarm.service if alarm is not None else None
    candidates = _felt(symptoms, place)
    whole = _slow_requests(tree, window, place)
    if whole is not None:
        candidates.insert(0, whole)
    if not candidates:
        place = _outermost(symptoms, graph)
        candidates = _felt(symptoms, place)
    if not candidates:
        return Impact(None, None, (), impact_statement(None, None, None, None, "", None, window))
    chosen = candidates[0]
    onsets = [item.onset_ns for item in candidates if item.onset_ns is not None]
    since = chosen.onset_ns if chosen.onset_ns is not None else min(onsets, default=None)
    return Impact(
        service=chosen.service,
        since_ns=since,
        evidence_ids=tuple(docket.cite(item) for item in candidates[:2]),
        statement=impact_statement(
            chosen.service,
            chosen.signal,
            chosen.baseline,
            chosen.observed,
            chosen.unit,
            since,
            window,
        ),
    )


def amid(impact: Impact, surge: Surge, findings: Iterable[Finding], docket: Docket) -> Impact:
    """The same impact, and how many more requests come in from outside."""
    telling = surge.most_telling(findings)
    cited = () if telling is None else (docket.cite(telling),)
    grown = numeral(surge.growth)
    said = impact.statement
    return replace(
        impact,
        evidence_ids=tuple(dict.fromkeys((*impact.evidence_ids, *cited))),
        statement=Text(
            f"{said.zh}从外部进来的请求是之前的 {grown} 倍。",
            f"{said.en} Requests from outside are {grown} times as many as before.",
        ),
    )


def _felt(symptoms: Mapping[str, Symptoms], service: str | None) -> list[Finding]:
    """User-facing findings of a service, most telling first."""
    if service is None or service not in symptoms:
        return []
    felt = [
        finding
        for finding in symptoms[service].findings
        if finding.signal in USERS_FEEL
        and finding.service == service
        and finding.peer is None
        and finding.surprise >= LEAST_SURPRISE
    ]
    return sorted(felt, key=lambda item: (-item.surprise, item.digest()))


def _outermost(symptoms: Mapping[str, Symptoms], graph: CallGraph) -> str | None:
    """The service with symptoms that calls most others, by evidence where several do."""
    ranked = sorted(
        (name for name in symptoms if _felt(symptoms, name)),
        key=lambda name: (len(graph.downstream(name)), symptoms[name].fingerprint()),
        reverse=True,
    )
    return ranked[0] if ranked else None


def _slow_requests(tree: TraceTree, window: TimeWindow, service: str | None) -> Finding | None:
    """Whole requests entering the service (or the system) that take clearly longer."""
    spans = tree.spans
    rows = np.flatnonzero(tree.parent == NO_ROW if service is None else tree.entry)
    if service is not None:
        if service not in spans.services:
            return None
        rows = rows[spans.service_code[rows] == spans.services.index(service)]
    inside = window.contains(spans.start_ns[rows])
    if min(np.count_nonzero(inside), np.count_nonzero(~inside)) < LEAST_ROOT_SPANS:
        return None
    total_ms = spans.duration_ns[rows] / 1e6
    before, during = (float(np.quantile(total_ms[side], 0.95)) for side in (~inside, inside))
    usual = max(before, 1e-9)
    if during < LEAST_SLOWDOWN * usual:
        return None
    limit = np.quantile(total_ms[~inside], ONSET_QUANTILE)
    slow = spans.start_ns[rows][inside & (total_ms > limit)]
    names = spans.services
    place = (
        service if service is not None else names[_most_common(spans.service_code[rows], total_ms)]
    )
    return Finding(
        source="traces",
        signal="latency",
        service=place,
        peer=None,
        subject="p95",
        query=f'{{resource.service.name="{place}" && kind=entry}}',
        surprise=2.0 * float(np.log2(during / usual)),
        baseline=before,
        observed=during,
        unit="ms",
        times_ns=spans.start_ns[rows],
        values=total_ms,
        onset_ns=int(np.min(slow)) if len(slow) else None,
    )


def _most_common(codes: Int32s, total_ms: Floats) -> int:
    """The code that occurs most often, with the most time spent where several do."""
    return int(np.lexsort((np.bincount(codes, weights=total_ms), np.bincount(codes)))[-1])

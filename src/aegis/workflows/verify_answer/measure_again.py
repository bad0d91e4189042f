"""The rows behind a citation, measured anew and without judging them.

The engine keeps only what stands out. Here every group of rows that a query names comes
back, as a Finding of no surprise, so that what has become normal can be told from what is
gone. Baseline and observed are plain: medians, shares, rates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from aegis.engine.alert_evidence import alert_finding, alert_query
from aegis.engine.findings import Finding
from aegis.engine.log_lines import ReadLines
from aegis.engine.measured import MeasuredSeries
from aegis.engine.trace_tree import NO_ROW, TraceTree, dense, operation_groups, span_query
from aegis.model.alert import Alert
from aegis.model.evidence import Signal, Source
from aegis.model.telemetry import UNDATED, Change, Floats, Int64s, to_ns

Queries = AbstractSet[str]


def metric_rows(series: Iterable[MeasuredSeries], queries: Queries) -> Iterator[Finding]:
    for item in series:
        if item.series.query in queries:
            meaning = item.meaning
            yield _rows(
                "metrics",
                meaning.signal,
                item.series.query,
                item.series.service,
                meaning.peer,
                item.series.name,
                meaning.unit,
                item.times_ns,
                item.values,
            )


def change_rows(changes: Sequence[Change], queries: Queries) -> Iterator[Finding]:
    for change in changes:
        query = f'changes{{service="{change.service}"}}'
        if query in queries:
            when = np.array([to_ns(change.time)], dtype=np.int64)
            subject = change.version or ""
            yield _rows(
                "changes", "change", query, change.service, None, subject, "min", when, np.ones(1)
            )


def alert_rows(alerts: Sequence[Alert], queries: Queries) -> Iterator[Finding]:
    for alert in alerts:
        if alert_query(alert) in queries:
            yield alert_finding("", alert)


def span_rows(tree: TraceTree, queries: Queries) -> Iterator[Finding]:
    if len(tree.spans):
        yield from _times(tree, queries)
        yield from _errors(tree, queries)
        yield from _structure(tree, queries)
        yield from _requests(tree, queries)


def log_rows(lines: ReadLines, queries: Queries) -> Iterator[Finding]:
    if len(lines.table):
        yield from _lines(lines, queries)
        yield from _sequences(lines, queries)


def _times(tree: TraceTree, queries: Queries) -> Iterator[Finding]:
    """Exclusive time of each operation, apart for each callee."""
    spans = tree.spans
    own, place = operation_groups(tree)
    reach = len(spans.services) + 1
    keys, group = dense(place * reach + tree.callee + 1)
    for index, key in enumerate(keys.tolist()):
        service, operation = _named(tree, int(own[key // reach]))
        peer = spans.services[key % reach - 1] if key % reach else None
        query = span_query(service, operation, peer)
        if query in queries:
            rows = np.flatnonzero(group == index)
            signal: Signal = "self_time" if peer is None else "call_time"
            values = tree.exclusive_ms[rows]
            yield _rows(
                "traces",
                signal,
                query,
                service,
                peer,
                operation,
                "ms",
                spans.start_ns[rows],
                values,
            )


def _errors(tree: TraceTree, queries: Queries) -> Iterator[Finding]:
    """Error spans that no error of a child explains."""
    spans = tree.spans
    failed = spans.error.copy()
    failed[tree.parent[np.flatnonzero(spans.error & (tree.parent != NO_ROW))]] = False
    own, group = operation_groups(tree)
    for index, key in enumerate(own.tolist()):
        service, operation = _named(tree, key)
        query = span_query(service, operation, None, failed=True)
        if query in queries:
            rows = np.flatnonzero((group == index) & failed)
            times, values = spans.start_ns[rows], np.ones(len(rows))
            yield _rows(
                "traces", "error_spans", query, service, None, operation, "per_min", times, values
            )


def _structure(tree: TraceTree, queries: Queries) -> Iterator[Finding]:
    """For each operation and child operation: which spans made the call."""
    spans = tree.spans
    own, group = operation_groups(tree)
    child = np.flatnonzero(tree.parent != NO_ROW)
    pair = np.unique(tree.parent[child] * len(own) + group[child])
    owner, called = pair // len(own), pair % len(own)
    links, link = dense(group[owner] * len(own) + called)
    for index, key in enumerate(links.tolist()):
        caller = key // len(own)
        service, operation = _named(tree, int(own[caller]))
        peer, peer_operation = _named(tree, int(own[key % len(own)]))
        query = span_query(service, operation, peer)
        if query in queries:
            rows = np.flatnonzero(group == caller)
            calls = np.isin(rows, owner[link == index], assume_unique=True).astype(np.float64)
            subject, times = f"{operation} → {peer_operation}", spans.start_ns[rows]
            yield _rows(
                "traces", "call_structure", query, service, peer, subject, "share", times, calls
            )


def _requests(tree: TraceTree, queries: Queries) -> Iterator[Finding]:
    """Whole requests into a service; those into the system too, under the service's name."""
    spans = tree.spans
    total_ms = spans.duration_ns / 1e6
    for code, service in enumerate(spans.services):
        query = f'{{resource.service.name="{service}" && kind=entry}}'
        if query in queries:
            for chosen in (tree.entry & (spans.service_code == code), tree.parent == NO_ROW):
                rows = np.flatnonzero(chosen)
                times, values = spans.start_ns[rows], total_ms[rows]
                yield _rows("traces", "latency", query, service, None, "p95", "ms", times, values)


def _lines(lines: ReadLines, queries: Queries) -> Iterator[Finding]:
    """Dated lines of each template."""
    dated = lines.time_ns != UNDATED
    for index, template in enumerate(lines.templates):
        service, query = lines.service_of(template), lines.query_of(template)
        if query in queries:
            rows = np.flatnonzero((lines.template == index) & dated)
            signal: Signal = "error_logs" if template.severe else "log_rate"
            times, values = lines.time_ns[rows], np.ones(len(rows))
            yield _rows(
                "logs", signal, query, service, None, template.label, "per_min", times, values
            )


def _sequences(lines: ReadLines, queries: Queries) -> Iterator[Finding]:
    """For each template and the one that follows it in a span: which lines it follows."""
    rows = np.flatnonzero((lines.time_ns != UNDATED) & (lines.span != NO_ROW))
    rows = rows[np.lexsort((rows, lines.time_ns[rows], lines.span[rows]))]
    kinds = len(lines.templates)
    first = lines.template[rows]
    followed = np.full(len(rows), kinds, dtype=np.int64)
    same = lines.span[rows[1:]] == lines.span[rows[:-1]]
    followed[:-1][same] = lines.template[rows[1:]][same]
    for source in np.unique(first).tolist():
        template = lines.templates[source]
        service, query = lines.service_of(template), lines.query_of(template)
        if query not in queries:
            continue
        mine = first == source
        times = lines.time_ns[rows[mine]]
        for target in np.unique(followed[mine]).tolist():
            if target < kinds:
                subject = f"{template.label} → {lines.templates[target].label}"
                follows = (followed[mine] == target).astype(np.float64)
                yield _rows(
                    "logs", "log_sequence", query, service, None, subject, "share", times, follows
                )


def _named(tree: TraceTree, key: int) -> tuple[str, str]:
    service, operation = divmod(key, len(tree.spans.operations))
    return tree.spans.services[service], tree.spans.operations[operation]


def _rows(
    source: Source,
    signal: Signal,
    query: str,
    service: str,
    peer: str | None,
    subject: str,
    unit: str,
    times_ns: Int64s,
    values: Floats,
) -> Finding:
    return Finding(
        source=source,
        signal=signal,
        service=service,
        peer=peer,
        subject=subject,
        query=query,
        surprise=0.0,
        baseline=None,
        observed=None,
        unit=unit,
        times_ns=times_ns,
        values=values,
    )

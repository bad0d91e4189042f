"""Does an answer still stand? Each citation is measured again and compared by its hash."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np

from aegis.agent.joined_names import NameRules
from aegis.agent.monitor import Sources
from aegis.engine.findings import Finding
from aegis.engine.log_lines import read_lines
from aegis.engine.logs import log_findings
from aegis.engine.measured import measured
from aegis.engine.metrics import metric_findings
from aegis.engine.onset_baseline import lines_outside, series_outside, spans_outside
from aegis.engine.spans import span_findings
from aegis.engine.statements import describe
from aegis.engine.trace_tree import TraceTree
from aegis.model.telemetry import Change, TimeWindow
from aegis.model.text import Text
from aegis.workflows.verify_answer.measure_again import (
    alert_rows,
    change_rows,
    log_rows,
    metric_rows,
    span_rows,
)
from aegis.workflows.verify_answer.read_again import NO_SOURCE, Tables, read_again

Verdict = Literal["match", "changed", "gone", "unverifiable"]

_GONE = Text(
    "该查询在这段时间内已经没有任何数据。", "The query finds nothing in that time any more."
)
_ENDED = Text(
    "该告警现在不再触发，告警源也不记得它是否触发过。",
    "The alert fires no more, and its source does not remember whether it did.",
)
_P95 = 0.95


@dataclass(frozen=True, slots=True)
class Citation:
    """One item of evidence as an answer printed it.

    `data_window` is the time of the rows. A source we do not know cannot be asked. `signal`,
    `subject` and `window` (what the statement speaks of) say more precisely what was
    measured; a citation may lack them. Rows in `left_out` were not measured.
    """

    id: str
    source: str
    query: str
    data_window: TimeWindow
    sha256: str
    statement: str
    signal: str | None = None
    subject: str | None = None
    window: TimeWindow | None = None
    left_out: tuple[TimeWindow, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a citation; `statement` is the new one, in both languages.

    A citation that matches keeps its own words, in the language it came in. `sha256` is
    that of the rows there are now, None without rows.
    """

    id: str
    verdict: Verdict
    statement: Text
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Again:
    """The sources read once more; a source that could not be read is None in `tables`."""

    tables: dict[str, list[Finding] | None]
    why_not: dict[str, Text]
    judge: Callable[[TimeWindow], list[Finding]]


def unverifiable(citation: Citation, why: Text = NO_SOURCE) -> Checked:
    return Checked(citation.id, "unverifiable", why, None)


async def verify_answer(
    citations: Sequence[Citation],
    sources: Sources,
    changes: Sequence[Change],
    reach: TimeWindow,
    names: NameRules | None = None,
) -> tuple[Checked, ...]:
    """One verdict a citation, in the order given.

    `reach` is the time to read: spans need the rest of their trace, rates the sample before,
    so it is wider than any citation. A source that cannot be read makes its citations
    unverifiable, never changed. `names` as they were joined for the answer.
    """
    read = await read_again(sources, changes, reach, names)
    again: dict[tuple[TimeWindow, ...], Again] = {}
    for citation in citations:
        if citation.left_out not in again:
            alike = [one for one in citations if one.left_out == citation.left_out]
            again[citation.left_out] = _measure_again(alike, read)
    return tuple(_check(citation, again[citation.left_out]) for citation in citations)


def _measure_again(citations: Sequence[Citation], read: Tables) -> Again:
    """For citations that left out the same rows, which are left out again."""
    left_out = citations[0].left_out
    matrix = series_outside(read.metrics, left_out)
    spans, logs = spans_outside(read.spans, left_out), lines_outside(read.logs, left_out)
    queries: dict[str, set[str]] = {}
    for citation in citations:
        queries.setdefault(citation.source, set()).add(citation.query)
    usable, tree = measured(matrix), TraceTree.of(spans)
    lines = read_lines(logs, tree)
    why_not: dict[str, Text | None] = {
        "metrics": read.no_metrics,
        "traces": read.no_traces,
        # Lines get their spans, and some their time, from the traces.
        "logs": read.no_logs or read.no_traces,
        "changes": None,
        "alerts": read.no_alerts,
    }
    found: dict[str, list[Finding]] = {
        "metrics": list(metric_rows(usable, queries.get("metrics", set()))),
        "traces": list(span_rows(tree, queries.get("traces", set()))),
        "logs": list(log_rows(lines, queries.get("logs", set()))),
        "changes": list(change_rows(read.changes, queries.get("changes", set()))),
        "alerts": list(alert_rows(read.alerts, queries.get("alerts", set()))),
    }

    @lru_cache(maxsize=4)
    def judge(window: TimeWindow) -> list[Finding]:
        return [
            *metric_findings(usable, window, None),
            *span_findings(tree, window).findings,
            *log_findings(lines, tree, window),
        ]

    return Again(
        {source: None if why_not[source] else rows for source, rows in found.items()},
        {source: why for source, why in why_not.items() if why is not None},
        judge,
    )


def _check(citation: Citation, again: Again) -> Checked:
    rows = again.tables.get(citation.source)
    if rows is None:
        return unverifiable(citation, again.why_not.get(citation.source, NO_SOURCE))
    cut = [_within(one, citation.data_window) for one in rows if _answers(one, citation)]
    for one in cut:
        if one.digest() == citation.sha256:
            said = Text(citation.statement, citation.statement)
            return Checked(citation.id, "match", said, citation.sha256)
    left = [one for one in cut if len(one.times_ns)]
    if not left:
        if citation.source == "alerts":
            return unverifiable(citation, _ENDED)
        return Checked(citation.id, "gone", _GONE, None)
    now = max(left, key=lambda one: (one.subject == citation.subject, len(one.times_ns)))
    return Checked(citation.id, "changed", _statement(now, citation, again), now.digest())


def _answers(rows: Finding, citation: Citation) -> bool:
    """Several measurements share a query; the signal tells them apart where it is known."""
    if rows.query != citation.query:
        return False
    if citation.signal is None or citation.source not in ("traces", "logs"):
        return True
    # Whether lines count as errors is a judgement; which lines they are is not.
    alike = {"error_logs": "log_rate"}
    return alike.get(rows.signal, rows.signal) == alike.get(citation.signal, citation.signal)


def _within(rows: Finding, window: TimeWindow) -> Finding:
    inside = window.contains(rows.times_ns)
    return replace(rows, times_ns=rows.times_ns[inside], values=rows.values[inside])


def _statement(now: Finding, citation: Citation, again: Again) -> Text:
    """What is measured now, in the engine's own terms where it still stands out."""
    count = len(now.times_ns)
    if citation.window is None or now.signal in ("change", "alert"):
        return Text(
            f"该查询现在得到 {count:,} 行，内容与引用时不同。",
            f"The query now finds {count:,} rows, not those that were cited.",
        )
    stands_out = [
        one
        for one in again.judge(citation.window)
        if (one.query, one.subject) == (now.query, now.subject)
        and one.signal in (citation.signal or now.signal, now.signal)
    ]
    shown = stands_out[0] if stands_out else _compared(now, citation.window)
    return describe(
        signal=shown.signal,
        service=shown.service,
        peer=shown.peer,
        subject=shown.subject,
        baseline=shown.baseline,
        observed=shown.observed,
        unit=shown.unit,
    )


def _compared(rows: Finding, window: TimeWindow) -> Finding:
    """Before (and after) the window against in it; None where a side has no rows."""
    inside = window.contains(rows.times_ns)
    if rows.unit == "per_min":
        span_ns = int(np.ptp(rows.times_ns)) if len(rows.times_ns) else 0
        outside_min = max(span_ns / 60e9 - window.duration_s / 60.0, 1.0)
        before = float(np.count_nonzero(~inside)) / outside_min
        during = float(np.count_nonzero(inside)) / (window.duration_s / 60.0)
        return replace(rows, baseline=before, observed=during)
    sides = [rows.values[~inside], rows.values[inside]]
    typical = [_typical(side, rows) if len(side) else None for side in sides]
    return replace(rows, baseline=typical[0], observed=typical[1])


def _typical(values: np.ndarray, rows: Finding) -> float:
    if rows.unit == "share" and rows.source != "metrics":
        return float(np.mean(values))
    whole_requests = rows.source == "traces" and rows.signal == "latency"
    return float(np.quantile(values, _P95) if whole_requests else np.median(values))

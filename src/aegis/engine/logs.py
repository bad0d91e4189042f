"""Evidence from logs: new or rising errors, lines that come or go, broken sequences."""

from __future__ import annotations

import numpy as np

from aegis.engine.findings import Finding
from aegis.engine.log_exposure import count, exposures, touched_traces
from aegis.engine.log_lines import ReadLines
from aegis.engine.log_sequence import sequence_findings
from aegis.engine.stats import rate_change_decades
from aegis.engine.trace_tree import TraceTree
from aegis.model.telemetry import UNDATED, Bools, Int64s, TimeWindow

MOST_DECADES = 12.0
LEAST_LOG2_RATIO = 0.8
HALF_A_LINE = 0.5
SAMPLE_LINES = 3
SAMPLE_CHARACTERS = 300


def log_findings(lines: ReadLines, tree: TraceTree, window: TimeWindow) -> list[Finding]:
    """Everything the logs say; empty when there are none."""
    if len(lines.table) == 0:
        return []
    dated = lines.time_ns != UNDATED
    after = window.contains(lines.time_ns)
    return [
        *rate_findings(lines, tree, dated, after, window),
        *sequence_findings(lines, dated, after),
    ]


def rate_findings(
    lines: ReadLines, tree: TraceTree, dated: Bools, after: Bools, window: TimeWindow
) -> list[Finding]:
    kinds = len(lines.templates)
    count_before = count(lines.template[dated & ~after], kinds)
    count_after = count(lines.template[dated & after], kinds)
    exposure_before, exposure_after, unit = exposures(lines, tree, dated, after, window)
    decades = rate_change_decades(count_before, exposure_before, count_after, exposure_after)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate_before, rate_after = count_before / exposure_before, count_after / exposure_after
        ratio = np.log2(
            ((count_after + HALF_A_LINE) / exposure_after)
            / ((count_before + HALF_A_LINE) / exposure_before)
        )
    touched = touched_traces(lines, tree, after, count_after, rate_before * exposure_after)
    findings = []
    for index in np.flatnonzero(decades > 0):
        template = lines.templates[index]
        rising = ratio[index] > 0
        severe = template.severe and bool(rising)
        if not severe and (template.severe or abs(ratio[index]) < LEAST_LOG2_RATIO):
            continue  # an error that stopped is no symptom
        rows = np.flatnonzero((lines.template == index) & dated)
        findings.append(
            Finding(
                source="logs",
                signal="error_logs" if severe else "log_rate",
                service=lines.service_of(template),
                peer=None,
                subject=template.label,
                query=lines.query_of(template),
                surprise=min(MOST_DECADES, float(decades[index])),
                baseline=float(rate_before[index]),
                observed=float(rate_after[index]),
                unit=unit[index],
                times_ns=lines.time_ns[rows],
                values=np.ones(len(rows)),
                share=float(touched[index]),
                onset_ns=_first(lines.time_ns, rows, after) if rising else None,
                samples=_samples(lines, rows, after) if rising else (),
            )
        )
    return findings


def _first(times_ns: Int64s, rows: Int64s, after: Bools) -> int | None:
    inside = rows[after[rows]]
    return int(np.min(times_ns[inside])) if len(inside) else None


def _samples(lines: ReadLines, rows: Int64s, after: Bools) -> tuple[str, ...]:
    """The first lines of the window, cut to a readable length."""
    inside = rows[after[rows]]
    first = inside[np.argsort(lines.time_ns[inside], kind="stable")][:SAMPLE_LINES]
    return tuple(lines.table.body[row][:SAMPLE_CHARACTERS] for row in first)

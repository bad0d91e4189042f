"""Evidence from logs: new or rising errors, lines that come or go, broken sequences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aegis.engine.findings import Finding
from aegis.engine.log_lines import ReadLines
from aegis.engine.spans import MOST_DECADES, traces_through
from aegis.engine.stats import rate_change_decades, share_change_decades
from aegis.engine.trace_tree import NO_ROW, TraceTree
from aegis.model.telemetry import UNDATED, Bools, Floats, Int64s, TimeWindow

LEAST_LOG2_RATIO = 0.8
HALF_A_LINE = 0.5
SEQUENCE_DROP = 0.25
SEQUENCE_SHARE_BEFORE = 0.3
SEQUENCE_LEAST_BEFORE = 8
SEQUENCE_LEAST_AFTER = 3
COVERAGE_BIN_NS = 10_000_000_000
SAMPLE_LINES = 3
SAMPLE_CHARACTERS = 300


def log_findings(lines: ReadLines, tree: TraceTree, window: TimeWindow) -> list[Finding]:
    """Everything the logs say; empty when there are none."""
    if len(lines.table) == 0:
        return []
    dated = lines.time_ns != UNDATED
    after = window.contains(lines.time_ns)
    return [
        *_rate_findings(lines, tree, dated, after, window),
        *_sequence_findings(lines, tree, dated, after),
    ]


def _rate_findings(
    lines: ReadLines, tree: TraceTree, dated: Bools, after: Bools, window: TimeWindow
) -> list[Finding]:
    kinds = len(lines.templates)
    count_before = _count(lines.template[dated & ~after], kinds)
    count_after = _count(lines.template[dated & after], kinds)
    exposure_before, exposure_after, unit = _exposures(lines, tree, dated, after, window)
    decades = rate_change_decades(count_before, exposure_before, count_after, exposure_after)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate_before, rate_after = count_before / exposure_before, count_after / exposure_after
        ratio = np.log2(
            ((count_after + HALF_A_LINE) / exposure_after)
            / ((count_before + HALF_A_LINE) / exposure_before)
        )
    touched = _touched_traces(lines, tree, after, count_after, rate_before * exposure_after)
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
                service=lines.table.services[template.service_code],
                peer=None,
                subject=template.label,
                query=log_query(lines.table.services[template.service_code], template.label),
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


def log_query(service: str, template: str) -> str:
    """A LogQL-like query: the literal pieces of the template, in order."""
    pieces = [piece.strip() for piece in template.split("<*>")]
    longest = max(pieces, key=len, default="")
    escaped = longest.replace("\\", "\\\\").replace('"', '\\"')
    return f'{{service="{service}"}} |= "{escaped}"'


def _count(codes: NDArray[np.int64], size: int) -> Floats:
    return np.bincount(codes, minlength=size).astype(np.float64)


def _exposures(
    lines: ReadLines, tree: TraceTree, dated: Bools, after: Bools, window: TimeWindow
) -> tuple[Floats, Floats, list[str]]:
    """How often each template had the chance to be written, before and in the window.

    Spans of the operation that writes it, where lines name their span; else traces through
    the service; else time covered by the logs, in minutes.
    """
    kinds = len(lines.templates)
    service = np.array([item.service_code for item in lines.templates], dtype=np.int64)
    minutes_before = _covered_minutes(lines.time_ns[dated & ~after])
    minutes_after = max(_covered_minutes(lines.time_ns[dated & after]), window.duration_s / 60.0)
    before = np.full(kinds, minutes_before)
    during = np.full(kinds, minutes_after)
    unit = ["per_min"] * kinds
    if len(tree.spans) == 0:
        return before, during, unit
    span_after = window.contains(tree.spans.start_ns)
    through_before, through_after = traces_through(tree, span_after)
    position = {name: code for code, name in enumerate(tree.spans.services)}
    traced = np.array([position.get(name, -1) for name in lines.table.services])[service]
    linked_share = _count(lines.template[lines.trace != NO_ROW], kinds) / np.maximum(
        _count(lines.template, kinds), 1.0
    )
    use_traces = (traced >= 0) & (linked_share >= 0.5)
    use_traces &= (through_before[traced] > 0) & (through_after[traced] > 0)
    before[use_traces] = through_before[traced[use_traces]]
    during[use_traces] = through_after[traced[use_traces]]
    for index in np.flatnonzero(use_traces):
        unit[index] = "per_trace"
    _use_operation_spans(lines, tree, span_after, before, during, unit)
    return before, during, unit


def _use_operation_spans(
    lines: ReadLines,
    tree: TraceTree,
    span_after: Bools,
    before: Floats,
    during: Floats,
    unit: list[str],
) -> None:
    """Replace the exposure of templates that one operation writes by its span counts."""
    kinds, operations = len(lines.templates), len(tree.spans.operations)
    own = tree.spans.service_code.astype(np.int64) * operations + tree.spans.operation_code
    names, group = np.unique(own, return_inverse=True)
    total_before = _count(group[~span_after], len(names))
    total_after = _count(group[span_after], len(names))
    linked = np.flatnonzero(lines.span != NO_ROW)
    if len(linked) == 0:
        return
    pairs, counts = np.unique(
        lines.template[linked] * len(names) + group[lines.span[linked]], return_counts=True
    )
    all_lines = _count(lines.template, kinds)
    for pair, count in zip(pairs, counts, strict=True):
        kind, operation = divmod(int(pair), len(names))
        if count >= 0.5 * all_lines[kind] and min(total_before[operation], total_after[operation]) > 0:
            before[kind], during[kind] = total_before[operation], total_after[operation]
            unit[kind] = "per_trace"


def _covered_minutes(times_ns: Int64s) -> float:
    """Minutes in which anything at all was logged; a hole in the recording does not count."""
    return len(np.unique(times_ns // COVERAGE_BIN_NS)) * COVERAGE_BIN_NS / 60e9


def _touched_traces(
    lines: ReadLines, tree: TraceTree, after: Bools, count_after: Floats, expected: Floats
) -> Floats:
    """Share of the service's traces in the window that the change touches; 1 if untraced."""
    kinds = len(lines.templates)
    share = np.ones(kinds)
    rows = np.flatnonzero(after & (lines.trace != NO_ROW))
    if len(rows) == 0:
        return share
    traces = max(tree.trace_count, 1)
    pairs = np.unique(lines.template[rows] * traces + lines.trace[rows])
    distinct = _count(pairs // traces, kinds)
    service = np.array([item.service_code for item in lines.templates], dtype=np.int64)
    through = _traces_by_service(lines, after)
    with np.errstate(divide="ignore", invalid="ignore"):
        missing = np.where(expected > 0, (expected - count_after) / expected, 0.0)
        rising = distinct / np.maximum(through[service], 1.0)
    share = np.where(count_after >= expected, rising, missing)
    return np.clip(share, 0.0, 1.0)


def _first(times_ns: Int64s, rows: Int64s, after: Bools) -> int | None:
    inside = rows[after[rows]]
    return int(np.min(times_ns[inside])) if len(inside) else None


def _samples(lines: ReadLines, rows: Int64s, after: Bools) -> tuple[str, ...]:
    """The first lines of the window, cut to a readable length."""
    inside = rows[after[rows]]
    first = inside[np.argsort(lines.time_ns[inside], kind="stable")][:SAMPLE_LINES]
    return tuple(lines.table.body[row][:SAMPLE_CHARACTERS] for row in first)


def _sequence_findings(
    lines: ReadLines, tree: TraceTree, dated: Bools, after: Bools
) -> list[Finding]:
    """After this line, in the same span, that line used to follow and no longer does."""
    rows = np.flatnonzero(dated & (lines.span != NO_ROW))
    if len(rows) == 0:
        return []
    rows = rows[np.lexsort((rows, lines.time_ns[rows], lines.span[rows]))]
    kinds = len(lines.templates)
    first = lines.template[rows]
    followed = np.full(len(rows), kinds, dtype=np.int64)
    same = lines.span[rows[1:]] == lines.span[rows[:-1]]
    followed[:-1][same] = lines.template[rows[1:]][same]
    inside = after[rows]
    total_before, total_after = _count(first[~inside], kinds), _count(first[inside], kinds)
    links, link = np.unique(first * (kinds + 1) + followed, return_inverse=True)
    with_before = _count(link[~inside], len(links))
    with_after = _count(link[inside], len(links))
    source, target = links // (kinds + 1), links % (kinds + 1)
    n_before, n_after = total_before[source], total_after[source]
    with np.errstate(divide="ignore", invalid="ignore"):
        p_before, p_after = with_before / n_before, with_after / n_after
    broken = (
        (target < kinds)
        & (n_before >= SEQUENCE_LEAST_BEFORE)
        & (n_after >= SEQUENCE_LEAST_AFTER)
        & (p_before >= SEQUENCE_SHARE_BEFORE)
        & (p_before - p_after >= SEQUENCE_DROP)
    )
    decades = share_change_decades(with_before, n_before, with_after, n_after)
    through = _traces_by_service(lines, after)
    findings = []
    for index in np.flatnonzero(broken):
        template = lines.templates[source[index]]
        service = lines.table.services[template.service_code]
        mine = rows[first == source[index]]
        follows = (link == index)[first == source[index]]
        drop = float(p_before[index] - p_after[index])
        departing = mine[after[mine] & ~follows]
        findings.append(
            Finding(
                source="logs",
                signal="log_sequence",
                service=service,
                peer=None,
                subject=f"{template.label} → {lines.templates[target[index]].label}",
                query=log_query(service, template.label),
                surprise=min(MOST_DECADES, float(decades[index])),
                baseline=float(p_before[index]),
                observed=float(p_after[index]),
                unit="share",
                times_ns=lines.time_ns[mine],
                values=follows.astype(np.float64),
                share=min(1.0, drop * float(n_after[index]) / max(1.0, through[template.service_code])),
                onset_ns=int(np.min(lines.time_ns[departing])) if len(departing) else None,
            )
        )
    return findings


def _traces_by_service(lines: ReadLines, after: Bools) -> Floats:
    """Distinct traces of the window that each service logged in."""
    rows = np.flatnonzero(after & (lines.trace != NO_ROW))
    services = lines.table.service_code.astype(np.int64)
    width = int(np.max(lines.trace, initial=0)) + 1
    pairs = np.unique(services[rows] * width + lines.trace[rows])
    return _count(pairs // width, len(lines.table.services))

"""How often each log template had the chance to be written, and how many requests it touches."""

from __future__ import annotations

import numpy as np

from aegis.engine.log_lines import ReadLines
from aegis.engine.trace_tree import NO_ROW, TraceTree, operation_groups, traces_through
from aegis.model.telemetry import Bools, Floats, Int64s, TimeWindow

COVERAGE_BIN_NS = 10_000_000_000
MOSTLY = 0.5


def count(codes: Int64s, size: int) -> Floats:
    """Occurrences of each code below `size`, as floats."""
    return np.bincount(codes, minlength=size).astype(np.float64)


def exposures(
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
    linked = count(lines.template[lines.trace != NO_ROW], kinds)
    use_traces = (traced >= 0) & (linked >= MOSTLY * count(lines.template, kinds))
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
    kinds = len(lines.templates)
    names, group = operation_groups(tree)
    total_before = count(group[~span_after], len(names))
    total_after = count(group[span_after], len(names))
    linked = np.flatnonzero(lines.span != NO_ROW)
    if len(linked) == 0:
        return
    pairs, counts = np.unique(
        lines.template[linked] * len(names) + group[lines.span[linked]], return_counts=True
    )
    all_lines = count(lines.template, kinds)
    for pair, written in zip(pairs, counts, strict=True):
        kind, operation = divmod(int(pair), len(names))
        if (
            written >= MOSTLY * all_lines[kind]
            and min(total_before[operation], total_after[operation]) > 0
        ):
            before[kind], during[kind] = total_before[operation], total_after[operation]
            unit[kind] = "per_trace"


def _covered_minutes(times_ns: Int64s) -> float:
    """Minutes in which anything at all was logged; a hole in the recording does not count."""
    return len(np.unique(times_ns // COVERAGE_BIN_NS)) * COVERAGE_BIN_NS / 60e9


def touched_traces(
    lines: ReadLines, tree: TraceTree, after: Bools, count_after: Floats, expected: Floats
) -> Floats:
    """Share of the service's traces in the window that the change touches; 1 if untraced."""
    kinds = len(lines.templates)
    share = np.ones(kinds)
    rows = np.flatnonzero(after & (lines.trace != NO_ROW))
    if len(rows) == 0:
        return share
    pairs = np.unique(lines.template[rows] * tree.trace_count + lines.trace[rows])
    distinct = count(pairs // tree.trace_count, kinds)
    service = np.array([item.service_code for item in lines.templates], dtype=np.int64)
    through = traces_logged_by(lines, after)
    with np.errstate(divide="ignore", invalid="ignore"):
        missing = (expected - count_after) / expected
        rising = distinct / np.maximum(through[service], 1.0)
    return np.where(count_after >= expected, rising, missing)


def traces_logged_by(lines: ReadLines, after: Bools) -> Floats:
    """Distinct traces of the window that each service logged in."""
    rows = np.flatnonzero(after & (lines.trace != NO_ROW))
    services = lines.table.service_code.astype(np.int64)
    width = int(np.max(lines.trace, initial=0)) + 1  # mutate: equivalent any larger one will do
    pairs = np.unique(services[rows] * width + lines.trace[rows])
    return count(pairs // width, len(lines.table.services))

"""Evidence from spans: slower code, slower calls, new errors, calls no longer made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aegis.engine.findings import Finding
from aegis.engine.stats import (
    GroupedSamples,
    group_quantiles,
    rate_change_decades,
    robust_scale,
    share_change_decades,
    surprise_of_z,
)
from aegis.engine.trace_tree import NO_ROW, TraceTree
from aegis.model.telemetry import Bools, Floats, Int64s, TimeWindow

LEAST_BEFORE = 8
LEAST_AFTER = 4
WINSOR_QUANTILE = 0.98
LEAST_EFFECT = 0.4
TAIL_EFFECT_WEIGHT = 0.7
MATERIAL_SHARE_OF_ROOT = 0.1
MOST_DECADES = 12.0
LEAST_SHARE_CHANGE = 0.15
ONSET_QUANTILE = 0.98
MOSTLY = 0.5
BLOCK_NS = 20_000_000_000
BLOCK_FLOOR = 0.05
BLOCK_TRUST = 2.0
LEAST_IN_BLOCK = 3
LEAST_BLOCKS = 6
SPIKE_PENALTY = 3.0
SPIKE_GRACE = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class SpanFindings:
    """Findings, and the calls that had enough spans to be judged (slow or not)."""

    findings: tuple[Finding, ...]
    judged_calls: frozenset[tuple[str, str]]
    slow_calls: frozenset[tuple[str, str]]


def span_findings(tree: TraceTree, window: TimeWindow) -> SpanFindings:
    """Everything the spans say; empty when there are none."""
    if len(tree.spans) == 0:
        return SpanFindings((), frozenset(), frozenset())
    after = window.contains(tree.spans.start_ns)
    latency, judged = _latency_findings(tree, after)
    findings = [*latency, *_error_findings(tree, after), *_structure_findings(tree, after)]
    slow = frozenset(
        (item.service, item.peer) for item in latency if item.peer is not None
    )
    return SpanFindings(tuple(findings), judged, slow)


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


def _dense(keys: Int64s) -> tuple[Int64s, Int64s]:
    names, codes = np.unique(keys, return_inverse=True)
    return names, codes.astype(np.int64)


def _latency_findings(
    tree: TraceTree, after: Bools
) -> tuple[list[Finding], frozenset[tuple[str, str]]]:
    spans = tree.spans
    services, operations = len(spans.services), len(spans.operations)
    keys = (
        spans.service_code.astype(np.int64) * operations + spans.operation_code
    ) * (services + 1) + (tree.callee + 1)
    names, group = _dense(keys)
    sides = GroupedSamples.of(group * 2 + after, tree.exclusive_ms, after, 2 * len(names))
    sizes = np.diff(sides.offsets).astype(np.float64)
    n_before, n_after = sizes[0::2], sizes[1::2]
    enough = (n_before >= LEAST_BEFORE) & (n_after >= LEAST_AFTER)
    medians = group_quantiles(sides.values, sides.offsets, 0.5)
    p90s = group_quantiles(sides.values, sides.offsets, 0.9)
    means = _winsorised_means(sides)
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = np.fmax(
            np.log2(medians[1::2] / medians[0::2]),
            TAIL_EFFECT_WEIGHT * np.log2(p90s[1::2] / p90s[0::2]),
        )
        increase = means[1::2] - means[0::2]
        material = increase / (increase + MATERIAL_SHARE_OF_ROOT * _mean_root_ms(tree, after))
    decades = GroupedSamples.of(group, tree.exclusive_ms, after, len(names)).mann_whitney_decades()
    effect = np.where(np.isfinite(effect), effect, 0.0)
    material = np.where(increase > 0, material, 0.0)
    surprise = (
        np.minimum(MOST_DECADES, decades)
        / 2.0
        * np.minimum(1.0 + material**2, effect / 1.5)
        * material
    )
    judged = set()
    findings = []
    for index in np.flatnonzero(enough):
        callee = int(names[index] % (services + 1)) - 1
        caller_operation = names[index] // (services + 1)
        service = spans.services[int(caller_operation // operations)]
        peer = spans.services[callee] if callee >= 0 else None
        if peer is not None:
            judged.add((service, peer))
        if effect[index] < LEAST_EFFECT or surprise[index] <= 0.0:
            continue
        rows = np.flatnonzero(group == index)
        surprise_here = min(
            float(surprise[index]),
            BLOCK_TRUST * _block_surprise(spans.start_ns[rows], tree.exclusive_ms[rows], after[rows]),
        )
        if surprise_here <= 0.0:
            continue
        operation = spans.operations[int(caller_operation % operations)]
        findings.append(
            Finding(
                source="traces",
                signal="self_time" if peer is None else "call_time",
                service=service,
                peer=peer,
                subject=operation,
                query=span_query(service, operation, peer),
                surprise=surprise_here,
                baseline=float(means[2 * index]),
                observed=float(means[2 * index + 1]),
                unit="ms",
                times_ns=spans.start_ns[rows],
                values=tree.exclusive_ms[rows],
                onset_ns=_first_slow(tree, rows, after),
                outbound=bool(np.mean(tree.leaf[rows]) > MOSTLY),
            )
        )
    return findings, frozenset(judged)


def _block_surprise(times_ns: Int64s, values: Floats, after: Bools) -> float:
    """Surprise of the window against how much the medians of short blocks vary anyway.

    Spans of one moment are slow together, so they are fewer independent samples than rows.
    Unlimited where the baseline has too few blocks to tell.
    """
    block = times_ns // BLOCK_NS * 2 + after
    names, place = np.unique(block, return_inverse=True)
    grouped = GroupedSamples.of(place.astype(np.int64), values, after, len(names))
    medians = group_quantiles(grouped.values, grouped.offsets, 0.5)
    filled = np.diff(grouped.offsets) >= LEAST_IN_BLOCK
    usual, faulty = medians[filled & (names % 2 == 0)], medians[filled & (names % 2 == 1)]
    if len(usual) < LEAST_BLOCKS or len(faulty) == 0:
        return float("inf")
    middle, level = float(np.median(usual)), float(np.median(faulty))
    scale = robust_scale(usual, BLOCK_FLOOR * middle)
    p98 = float(np.percentile(usual, 98))
    return surprise_of_z(
        min((level - middle) / scale, SPIKE_GRACE + SPIKE_PENALTY * (level - p98) / scale)
    )


def span_query(service: str, operation: str, peer: str | None) -> str:
    """A TraceQL-like selector; a case answers it, a person can paste its parts."""
    parts = [f'resource.service.name="{service}"', f'name="{operation}"']
    if peer is not None:
        parts.append(f'callee="{peer}"')
    return "{" + " && ".join(parts) + "}"


def _winsorised_means(sides: GroupedSamples) -> Floats:
    """Mean of each group with values above its own 98th percentile cut to it; NaN if empty."""
    caps = group_quantiles(sides.values, sides.offsets, WINSOR_QUANTILE)
    sizes = np.diff(sides.offsets)
    clipped = np.minimum(sides.values, np.repeat(caps, sizes))
    sums = np.bincount(np.repeat(np.arange(len(sizes)), sizes), weights=clipped, minlength=len(sizes))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(sizes > 0, sums / sizes, np.nan)


def _mean_root_ms(tree: TraceTree, after: Bools) -> float:
    roots = tree.spans.duration_ns[(tree.parent == NO_ROW) & ~after]
    return float(np.mean(roots)) / 1e6 if len(roots) else 0.0


def _first_slow(tree: TraceTree, rows: Int64s, after: Bools) -> int | None:
    """Start of the first span in the window that is slower than nearly all before it."""
    values, inside = tree.exclusive_ms[rows], after[rows]
    limit = np.quantile(values[~inside], ONSET_QUANTILE)
    slow = rows[inside & (values > limit)]
    return int(np.min(tree.spans.start_ns[slow])) if len(slow) else None


def _error_findings(tree: TraceTree, after: Bools) -> list[Finding]:
    """Error spans without an erroring child, as a rate per trace through the service."""
    spans = tree.spans
    if not np.any(spans.error):
        return []
    blamed = spans.error.copy()
    passing_on = np.flatnonzero(spans.error & (tree.parent != NO_ROW))
    blamed[tree.parent[passing_on]] = False
    before, during = traces_through(tree, after)
    operations = len(spans.operations)
    rows = np.flatnonzero(blamed)
    names, group = _dense(
        spans.service_code[rows].astype(np.int64) * operations + spans.operation_code[rows]
    )
    service_of = (names // operations).astype(np.int64)
    count_before = np.bincount(group[~after[rows]], minlength=len(names)).astype(np.float64)
    count_after = np.bincount(group[after[rows]], minlength=len(names)).astype(np.float64)
    decades = rate_change_decades(
        count_before, before[service_of], count_after, during[service_of]
    )
    findings = []
    for index in range(len(names)):
        exposure_before, exposure_after = before[service_of[index]], during[service_of[index]]
        if exposure_after == 0 or exposure_before == 0:
            continue
        rate_before = float(count_before[index] / exposure_before)
        rate_after = float(count_after[index] / exposure_after)
        if rate_after <= rate_before or decades[index] <= 0:
            continue
        mine = rows[group == index]
        service = spans.services[int(service_of[index])]
        operation = spans.operations[int(names[index] % operations)]
        inside = mine[after[mine]]
        findings.append(
            Finding(
                source="traces",
                signal="error_spans",
                service=service,
                peer=None,
                subject=operation,
                query=span_query(service, operation, None)[:-1] + " && status=error}",
                surprise=min(MOST_DECADES, float(decades[index])),
                baseline=rate_before,
                observed=rate_after,
                unit="per_trace",
                times_ns=spans.start_ns[mine],
                values=np.ones(len(mine)),
                share=min(1.0, rate_after - rate_before),
                onset_ns=int(np.min(spans.start_ns[inside])) if len(inside) else None,
            )
        )
    return findings


def _structure_findings(tree: TraceTree, after: Bools) -> list[Finding]:
    """Operations that call a given child clearly more or less often than before."""
    spans = tree.spans
    operations = len(spans.operations)
    own = spans.service_code.astype(np.int64) * operations + spans.operation_code
    names, group = _dense(own)
    total_before = np.bincount(group[~after], minlength=len(names)).astype(np.float64)
    total_after = np.bincount(group[after], minlength=len(names)).astype(np.float64)
    child = np.flatnonzero(tree.parent != NO_ROW)
    pair = np.unique(tree.parent[child] * len(names) + group[child])
    owner, called = pair // len(names), pair % len(names)
    links, link = _dense(group[owner] * len(names) + called)
    caller_group, child_group = links // len(names), links % len(names)
    with_before = np.bincount(link[~after[owner]], minlength=len(links)).astype(np.float64)
    with_after = np.bincount(link[after[owner]], minlength=len(links)).astype(np.float64)
    n_before, n_after = total_before[caller_group], total_after[caller_group]
    with np.errstate(divide="ignore", invalid="ignore"):
        share_before, share_after = with_before / n_before, with_after / n_after
    enough = (n_before >= LEAST_BEFORE) & (n_after >= LEAST_AFTER)
    changed = enough & (np.abs(share_after - share_before) >= LEAST_SHARE_CHANGE)
    decades = share_change_decades(with_before, n_before, with_after, n_after)
    _, through = traces_through(tree, after)
    findings = []
    for index in np.flatnonzero(changed):
        service_code, operation_code = divmod(int(names[caller_group[index]]), operations)
        child_service, child_operation = divmod(int(names[child_group[index]]), operations)
        service, operation = spans.services[service_code], spans.operations[operation_code]
        peer = spans.services[child_service]
        rows = np.flatnonzero(group == caller_group[index])
        calls = np.isin(rows, owner[link == index], assume_unique=True)
        delta = float(share_after[index] - share_before[index])
        touched = abs(delta) * float(n_after[index]) / max(1.0, float(through[service_code]))
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
                onset_ns=_first_departure(tree, rows, calls, after, rising=delta > 0),
            )
        )
    return findings


def _first_departure(
    tree: TraceTree, rows: Int64s, calls: Bools, after: Bools, *, rising: bool
) -> int | None:
    """Start of the first span in the window that does what was rare before."""
    departing = rows[after[rows] & (calls == rising)]
    return int(np.min(tree.spans.start_ns[departing])) if len(departing) else None

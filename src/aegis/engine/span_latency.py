"""Exclusive time of each operation and call, before against in the window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aegis.engine.findings import Finding
from aegis.engine.stats import GroupedSamples, group_quantiles, robust_scale, surprise_of_z
from aegis.engine.trace_tree import NO_ROW, TraceTree, dense, span_query
from aegis.model.telemetry import Bools, Floats, Int64s

LEAST_BEFORE = 8
LEAST_AFTER = 4
WINSOR_QUANTILE = 0.98
LEAST_EFFECT = 0.4
FULL_EFFECT = 1.5
TAIL_EFFECT_WEIGHT = 0.7
MATERIAL_SHARE_OF_ROOT = 0.1
MOST_DECADES = 12.0
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
class _Groups:
    """Spans by (service, operation, callee); `keys` code the three, `group` places rows."""

    tree: TraceTree
    keys: Int64s
    group: Int64s

    @staticmethod
    def of(tree: TraceTree) -> _Groups:
        spans = tree.spans
        own = spans.service_code.astype(np.int64) * len(spans.operations) + spans.operation_code
        keys, group = dense(own * (len(spans.services) + 1) + tree.callee + 1)
        return _Groups(tree, keys, group)

    def name(self, index: int) -> tuple[str, str, str | None]:
        """Service, operation and callee of a group."""
        spans = self.tree.spans
        own, callee = divmod(int(self.keys[index]), len(spans.services) + 1)
        service, operation = divmod(own, len(spans.operations))
        peer = spans.services[callee - 1] if callee > 0 else None
        return spans.services[service], spans.operations[operation], peer


@dataclass(frozen=True, slots=True, eq=False)
class _Comparison:
    """Each group before and in the window; arrays have one entry a group."""

    enough: Bools
    mean_before: Floats
    mean_after: Floats
    surprise: Floats


def latency_findings(
    tree: TraceTree, after: Bools
) -> tuple[list[Finding], frozenset[tuple[str, str]]]:
    """Slower own time and slower calls, and the calls with enough spans to be judged.

    Time of spans that call another service is evidence about the call (the callee's queue
    and the network between), all other exclusive time about the service itself.
    """
    groups = _Groups.of(tree)
    compared = _compare(groups, after)
    judged: set[tuple[str, str]] = set()
    findings = []
    for index in np.flatnonzero(compared.enough):
        service, operation, peer = groups.name(int(index))
        if peer is not None:
            judged.add((service, peer))
        if compared.surprise[index] <= 0.0:
            continue
        rows = np.flatnonzero(groups.group == index)
        times, values = tree.spans.start_ns[rows], tree.exclusive_ms[rows]
        limit = BLOCK_TRUST * block_surprise(times, values, after[rows])
        if limit <= 0.0:
            continue
        findings.append(
            Finding(
                source="traces",
                signal="self_time" if peer is None else "call_time",
                service=service,
                peer=peer,
                subject=operation,
                query=span_query(service, operation, peer),
                surprise=min(float(compared.surprise[index]), limit),
                baseline=float(compared.mean_before[index]),
                observed=float(compared.mean_after[index]),
                unit="ms",
                times_ns=times,
                values=values,
                onset_ns=_first_slow(times, values, after[rows]),
                outbound=bool(np.mean(tree.leaf[rows]) > MOSTLY),
            )
        )
    return findings, frozenset(judged)


def _compare(groups: _Groups, after: Bools) -> _Comparison:
    """s = min(12, decades of Mann-Whitney)/2 · min(1 + m², effect/1.5) · m.

    The effect is the log2 ratio of medians (or a little less of the 90th percentiles); m is
    the increase against itself plus a tenth of a whole request: what users would notice.
    """
    tree, count = groups.tree, len(groups.keys)
    sides = GroupedSamples.of(groups.group * 2 + after, tree.exclusive_ms, after, 2 * count)
    sizes = np.diff(sides.offsets)
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
    effect = np.where(np.isfinite(effect), effect, 0.0)
    material = np.where(increase > 0, material, 0.0)
    decades = GroupedSamples.of(
        groups.group, tree.exclusive_ms, after, count
    ).mann_whitney_decades()
    surprise = (
        np.minimum(MOST_DECADES, decades)
        / 2.0
        * np.minimum(1.0 + material**2, effect / FULL_EFFECT)
        * material
    )
    return _Comparison(
        enough=(sizes[0::2] >= LEAST_BEFORE) & (sizes[1::2] >= LEAST_AFTER),
        mean_before=means[0::2],
        mean_after=means[1::2],
        surprise=np.where(effect >= LEAST_EFFECT, surprise, 0.0),
    )


def block_surprise(times_ns: Int64s, values: Floats, after: Bools) -> float:
    """Surprise of the window against how much the medians of short blocks vary anyway.

    Spans of one moment are slow together, so they are fewer independent samples than rows.
    Unlimited where the baseline has too few blocks to tell.
    """
    block = times_ns // BLOCK_NS * 2 + after  # mutate: equivalent odd numbers beside even ones
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


def _winsorised_means(sides: GroupedSamples) -> Floats:
    """Mean of each group with values above its own 98th percentile cut to it; NaN if empty."""
    caps = group_quantiles(sides.values, sides.offsets, WINSOR_QUANTILE)
    sizes = np.diff(sides.offsets)
    clipped = np.minimum(sides.values, np.repeat(caps, sizes))
    sums = np.bincount(
        np.repeat(np.arange(len(sizes)), sizes), weights=clipped, minlength=len(sizes)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        means: Floats = sums / sizes
    return means


def _mean_root_ms(tree: TraceTree, after: Bools) -> float:
    roots = tree.spans.duration_ns[(tree.parent == NO_ROW) & ~after]
    return float(np.mean(roots)) / 1e6 if len(roots) else 0.0


def _first_slow(times_ns: Int64s, values: Floats, inside: Bools) -> int | None:
    """Start of the first span in the window that is slower than nearly all before it."""
    slow = times_ns[inside & (values > np.quantile(values[~inside], ONSET_QUANTILE))]
    return int(np.min(slow)) if len(slow) else None

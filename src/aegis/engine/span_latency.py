"""Exclusive time of each operation and call, before against in the window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aegis.engine.findings import Finding
from aegis.engine.span_blocks import TAILS, block_surprise
from aegis.engine.stats import GroupedSamples, group_quantiles, share_change_decades
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
BLOCK_TRUST = 2.0


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
    """Each group before and in the window; arrays have one entry a group.

    `typical` is the surprise of spans that all take longer, `tail` that of some that take
    much longer: lost messages sent again and pauses leave most spans as fast as ever.
    """

    enough: Bools
    mean_before: Floats
    mean_after: Floats
    typical: Floats
    tail: Floats


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
        if max(compared.typical[index], compared.tail[index]) <= 0.0:
            continue
        rows = np.flatnonzero(groups.group == index)
        times, values = tree.spans.start_ns[rows], tree.exclusive_ms[rows]
        surprise = _believable(
            float(compared.typical[index]), float(compared.tail[index]), times, values, after[rows]
        )
        if surprise <= 0.0:
            continue
        findings.append(
            Finding(
                source="traces",
                signal="self_time" if peer is None else "call_time",
                service=service,
                peer=peer,
                subject=operation,
                query=span_query(service, operation, peer),
                surprise=surprise,
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


def _believable(
    typical: float, tail: float, times_ns: Int64s, values: Floats, after: Bools
) -> float:
    """The larger surprise, neither more than twice what the blocks of time show.

    A few slow spans need blocks that show them; where too few are filled they say nothing.
    """
    shown = block_surprise(times_ns, values, after)
    typical = typical if shown is None else min(typical, BLOCK_TRUST * shown)
    if tail <= typical:
        return typical
    shown = block_surprise(times_ns, values, after, TAILS)
    return typical if shown is None else max(typical, min(tail, BLOCK_TRUST * shown))


def _compare(groups: _Groups, after: Bools) -> _Comparison:
    """s = min(12, decades)/2 · min(1 + m², effect/1.5) · m; m is what users would notice.

    m is the increase of the mean against itself plus a tenth of a whole request. Typical
    spans: the decades of Mann-Whitney, and for the effect the log2 ratio of medians (or a
    little less of the 90th percentiles). The tail: the decades by which more of them take
    longer than 98 % did, and a little less than the log2 ratio of means.
    """
    tree, count = groups.tree, len(groups.keys)
    sides = GroupedSamples.of(groups.group * 2 + after, tree.exclusive_ms, after, 2 * count)
    sizes = np.diff(sides.offsets)
    means = _winsorised_means(sides)
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = np.fmax(
            _log_ratio(group_quantiles(sides.values, sides.offsets, 0.5)),
            TAIL_EFFECT_WEIGHT * _log_ratio(group_quantiles(sides.values, sides.offsets, 0.9)),
        )
        increase = means[1::2] - means[0::2]
        material = increase / (increase + MATERIAL_SHARE_OF_ROOT * _mean_root_ms(tree, after))
    material = np.where(increase > 0, material, 0.0)
    ranks = GroupedSamples.of(groups.group, tree.exclusive_ms, after, count)
    return _Comparison(
        enough=(sizes[0::2] >= LEAST_BEFORE) & (sizes[1::2] >= LEAST_AFTER),
        mean_before=means[0::2],
        mean_after=means[1::2],
        typical=_surprise(ranks.mann_whitney_decades(), effect, material),
        tail=_surprise(_tail_decades(sides), TAIL_EFFECT_WEIGHT * _log_ratio(means), material),
    )


def _log_ratio(pairs: Floats) -> Floats:
    """log2 of the second over the first of each pair."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Floats = np.log2(pairs[1::2] / pairs[0::2])
    return ratio


def _surprise(decades: Floats, effect: Floats, material: Floats) -> Floats:
    known = np.where(np.isfinite(effect), effect, 0.0)
    surprise = (
        np.minimum(MOST_DECADES, decades)
        / 2.0
        * np.minimum(1.0 + material**2, known / FULL_EFFECT)
        * material
    )
    return np.where(known >= LEAST_EFFECT, surprise, 0.0)


def _tail_decades(sides: GroupedSamples) -> Floats:
    """Decades by which more spans of a group take longer than 98 % did before; 0 if fewer."""
    sizes = np.diff(sides.offsets)
    usual = group_quantiles(sides.values, sides.offsets, WINSOR_QUANTILE)[0::2]
    side = np.repeat(np.arange(len(sizes)), sizes)
    beyond = side[sides.values > usual[side // 2]]
    slow = np.bincount(beyond, minlength=len(sizes)).astype(np.float64)
    spans = np.bincount(side, minlength=len(sizes)).astype(np.float64)
    before, during = spans[0::2], spans[1::2]
    decades = share_change_decades(slow[0::2], before, slow[1::2], during)
    return np.where(slow[1::2] * before > slow[0::2] * during, decades, 0.0)


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

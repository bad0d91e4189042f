"""Robust statistics, vectorised over many small groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, log_ndtr, logsumexp, xlogy

from aegis.model.telemetry import Bools, Floats, Int64s

LN10 = float(np.log(10.0))
IQR_OF_NORMAL = 1.349
MAD_TO_SIGMA = 1.4826
P5_P95_OF_NORMAL = 3.29
OVER_DISPERSION = 2.0


def robust_scale(values: Floats, floor: float) -> float:
    """Spread of a sample in units of a standard deviation, never under `floor`.

    The largest of three estimates that a few outliers cannot inflate: the interquartile
    range, the median absolute deviation and the 5-95 % range, each divided by what it is
    for a normal distribution of unit variance.
    """
    p5, p25, p50, p75, p95 = np.percentile(values, (5, 25, 50, 75, 95))
    mad = float(np.median(np.abs(values - p50)))
    return max(
        float(p75 - p25) / IQR_OF_NORMAL,
        MAD_TO_SIGMA * mad,
        float(p95 - p5) / P5_P95_OF_NORMAL,
        floor,
    )


def surprise_of_z(z: float) -> float:
    """Decades of surprise of a robust z: 2·log10(1 + z²/3), a Student-t-like heavy tail."""
    return 2.0 * float(np.log10(1.0 + z * z / 3.0)) if z > 0 else 0.0


def normal_tail_decades(z: Floats) -> Floats:
    """-log10 P(Z > z) of a standard normal, exact far into the tail; shape as given."""
    decades: Floats = -log_ndtr(-np.asarray(z, dtype=np.float64)) / LN10
    return decades


def hypergeometric_tail_decades(hits: int, population: int, marked: int, drawn: int) -> float:
    """-log10 P(at least `hits` marked among `drawn`), drawing without replacement.

    `population` holds `marked` marked items; 0 where `hits` is no more than certain.
    """
    counts = np.arange(max(hits, drawn + marked - population), min(marked, drawn) + 1)
    logs = (
        _log_choose(marked, counts)
        + _log_choose(population - marked, drawn - counts)
        - _log_choose(population, np.asarray(drawn))
    )
    return max(0.0, -float(logsumexp(logs)) / LN10)


def _log_choose(n: int, k: NDArray[np.int64]) -> Floats:
    logs: Floats = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return logs


def rate_change_decades(
    count_before: Floats, exposure_before: Floats, count_after: Floats, exposure_after: Floats
) -> Floats:
    """How surprising the change of a count's rate is, in decades, for either direction.

    Conditional on the total, the count after is binomial with the share of exposure; twice
    the log-likelihood ratio G is chi-squared. G is halved because counts of real systems
    are over-dispersed about twofold, then read as a normal tail at sqrt(G). Arrays of one
    shape; zero exposure on either side gives 0.
    """
    g = _deviance(count_before, exposure_before, count_after, exposure_after)
    return _decades_of_deviance(g)


def share_change_decades(
    hits_before: Floats, trials_before: Floats, hits_after: Floats, trials_after: Floats
) -> Floats:
    """How surprising the change of a share of trials is, in decades; as for rates."""
    g = _deviance(hits_before, trials_before, hits_after, trials_after) + _deviance(
        trials_before - hits_before, trials_before, trials_after - hits_after, trials_after
    )
    return _decades_of_deviance(g)


def _deviance(
    before: Floats, exposure_before: Floats, after: Floats, exposure_after: Floats
) -> Floats:
    """Twice the log-likelihood ratio of two rates against one common rate; 0 if unknown."""
    total = before + after
    exposure = exposure_before + exposure_after
    with np.errstate(divide="ignore", invalid="ignore"):
        g = 2.0 * (
            xlogy(before, before * exposure / (total * exposure_before))
            + xlogy(after, after * exposure / (total * exposure_after))
        )
    known = (exposure_before > 0) & (exposure_after > 0) & (total > 0)
    return np.where(known, np.maximum(np.nan_to_num(g), 0.0), 0.0)


def _decades_of_deviance(g: Floats) -> Floats:
    halved = g / OVER_DISPERSION
    return np.where(halved > 0, normal_tail_decades(np.sqrt(halved)), 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class GroupedSamples:
    """Many two-sample comparisons at once: rows sorted by (group, value).

    `offsets[g]:offsets[g + 1]` are the rows of group g in `values`.
    """

    values: Floats
    after: Bools
    offsets: NDArray[np.int64]

    @staticmethod
    def of(groups: Int64s, values: Floats, after: Bools, group_count: int) -> GroupedSamples:
        """Sort rows of (group code, value, in the fault window?) into groups."""
        order = np.lexsort((values, groups))
        offsets = np.searchsorted(groups[order], np.arange(group_count + 1))
        return GroupedSamples(values[order], after[order], offsets.astype(np.int64))

    def mann_whitney_decades(self) -> Floats:
        """-log10 of the one-sided p that values after are larger; one number a group.

        Normal approximation with mid-ranks, tie correction and continuity correction.
        """
        group_count = len(self.offsets) - 1
        rows = len(self.values)
        sizes = np.diff(self.offsets)
        group_of_row = np.repeat(np.arange(group_count), sizes)
        if rows == 0:
            return np.zeros(group_count)
        new_value = np.ones(rows, dtype=bool)
        new_value[1:] = (self.values[1:] != self.values[:-1]) | (
            group_of_row[1:] != group_of_row[:-1]
        )
        starts = np.flatnonzero(new_value)
        tie_sizes = np.diff(np.append(starts, rows)).astype(np.float64)
        run_of_row = np.cumsum(new_value) - 1
        within = starts - self.offsets[group_of_row[starts]]
        mid_rank = within + (tie_sizes + 1.0) / 2.0
        rank_sum = np.bincount(
            group_of_row,
            weights=np.where(self.after, mid_rank[run_of_row], 0.0),
            minlength=group_count,
        )
        ties = np.bincount(
            group_of_row[starts], weights=tie_sizes**3 - tie_sizes, minlength=group_count
        )
        n_after = np.bincount(group_of_row, weights=self.after, minlength=group_count)
        n = sizes.astype(np.float64)
        n_before = n - n_after
        with np.errstate(divide="ignore", invalid="ignore"):
            u = rank_sum - n_after * (n_after + 1.0) / 2.0
            variance = n_before * n_after / 12.0 * (n + 1.0 - ties / (n * (n - 1.0)))
            z = (u - n_before * n_after / 2.0 - 0.5) / np.sqrt(variance)
        z = np.where(np.isfinite(z), z, 0.0)
        return np.where(z > 0, normal_tail_decades(z), 0.0)


def group_quantiles(values: Floats, offsets: NDArray[np.int64], q: float) -> Floats:
    """The q-quantile of each sorted group, linearly interpolated; NaN for empty groups."""
    sizes = np.diff(offsets)
    position = offsets[:-1] + q * np.maximum(sizes - 1, 0)
    low = np.floor(position).astype(np.int64)
    high = np.minimum(low + 1, offsets[:-1] + np.maximum(sizes - 1, 0))
    padded = np.append(values, np.nan)
    low = np.minimum(low, len(values))
    high = np.minimum(high, len(values))
    weight = position - low
    result: Floats = padded[low] * (1.0 - weight) + padded[high] * weight
    return np.where(sizes > 0, result, np.nan)

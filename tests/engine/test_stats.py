"""Robust statistics against scipy, NumPy and numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chi2, hypergeom, mannwhitneyu, norm

from aegis.engine.stats import (
    GroupedSamples,
    group_quantiles,
    hypergeometric_tail_decades,
    normal_tail_decades,
    rate_change_decades,
    robust_scale,
    share_change_decades,
    surprise_of_z,
)
from aegis.model.telemetry import Floats

NORMAL_QUANTILES = norm.ppf((np.arange(4001) + 0.5) / 4001)
small_numbers = st.lists(st.integers(0, 6).map(float), min_size=1, max_size=12)


def floats(*values: float) -> Floats:
    return np.array(values, dtype=np.float64)


class TestRobustScale:
    def test_of_a_normal_sample_is_its_standard_deviation(self) -> None:
        assert robust_scale(5.0 + 2.0 * NORMAL_QUANTILES, 0.0) == pytest.approx(2.0, rel=0.002)

    def test_by_quartiles_where_they_are_widest(self) -> None:
        # Quartiles 0 and 10; median deviation 4 · 1.4826 = 5.9; 5-95 % range 10 / 3.29 = 3.0.
        values = floats(0, 0, 0, 4, 4, 10, 10, 10)
        assert robust_scale(values, 0.0) == pytest.approx(10 / 1.349)

    def test_by_the_median_deviation_where_that_is_widest(self) -> None:
        # Deviations from the median 5 are 0 0 4 4 4.5 5 5; quartiles .5 and 7: 6.5 / 1.349 = 4.8.
        values = floats(0, 0, 1, 5, 5, 9, 9.5)
        assert robust_scale(values, 0.0) == pytest.approx(1.4826 * 4.0)

    def test_by_the_range_where_only_the_edges_stray(self) -> None:
        # 100 calm values and 10 strays at either end: quartiles and MAD see nothing.
        values = floats(*[-7.0] * 10, *[0.0] * 100, *[7.0] * 10)
        assert robust_scale(values, 0.0) == pytest.approx(14 / 3.29)

    def test_is_never_under_its_floor(self) -> None:
        assert robust_scale(floats(3, 3, 3, 3), 0.25) == 0.25

    def test_is_not_moved_by_one_outlier(self) -> None:
        calm = np.tile(floats(1, 2, 3), 20)
        assert robust_scale(np.append(calm, 1e9), 0.0) == pytest.approx(
            robust_scale(calm, 0.0), rel=0.1
        )

    @settings(max_examples=40)
    @given(small_numbers, st.integers(-5, 5), st.integers(1, 8))
    def test_ignores_order_and_shift_and_follows_scale(
        self, values: list[float], shift: int, factor: int
    ) -> None:
        expected = factor * robust_scale(floats(*values), 0.0)
        moved = floats(*reversed(values)) * factor + shift
        assert robust_scale(moved, 0.0) == pytest.approx(expected, abs=1e-9)


class TestSurpriseOfZ:
    @pytest.mark.parametrize(
        ("z", "decades"), [(-2.0, 0.0), (0.0, 0.0), (3.0, 2 * math.log10(4)), (27**0.5, 2.0)]
    )
    def test_follows_its_formula(self, z: float, decades: float) -> None:
        assert surprise_of_z(z) == pytest.approx(decades)

    def test_starts_right_above_zero(self) -> None:
        assert surprise_of_z(0.01) > 0.0


class TestNormalTail:
    @pytest.mark.parametrize("z", [-1.5, 0.0, 1.0, 3.0, 6.0])
    def test_is_the_tail_probability_in_decades(self, z: float) -> None:
        assert normal_tail_decades(floats(z))[0] == pytest.approx(-math.log10(norm.sf(z)))

    def test_stays_exact_where_the_probability_underflows(self) -> None:
        # The tail at z is exp(-z²/2)/(z·sqrt(2π)) to a part in z².
        expected = (100**2 / 2 + math.log(100 * math.sqrt(2 * math.pi))) / math.log(10)
        assert normal_tail_decades(floats(100.0))[0] == pytest.approx(expected, rel=1e-7)


class TestHypergeometricTail:
    @pytest.mark.parametrize(
        ("hits", "population", "marked", "drawn", "chance"),
        [
            (2, 5, 2, 2, 1 / 10),  # one of the ten pairs
            (1, 5, 2, 2, 7 / 10),  # that one and the 2 · 3 mixed ones
            (2, 6, 3, 3, 10 / 20),  # 3 · 3 with two and 1 with three
            (3, 6, 3, 3, 1 / 20),
            (2, 5, 2, 4, 6 / 10),  # one is hit anyway: two unless the one left is marked
            (1, 7, 1, 3, 3 / 7),
        ],
    )
    def test_is_the_chance_of_so_many_or_more_in_decades(
        self, hits: int, population: int, marked: int, drawn: int, chance: float
    ) -> None:
        decades = hypergeometric_tail_decades(hits, population, marked, drawn)
        assert decades == pytest.approx(-math.log10(chance))

    @pytest.mark.parametrize(
        ("hits", "population", "marked", "drawn"),
        [
            (0, 5, 2, 2),
            (0, 5, 0, 2),
            (0, 5, 2, 4),  # one of two is hit anyway
            (1, 5, 2, 4),
            (2, 5, 2, 5),
            (3, 5, 5, 3),
        ],
    )
    def test_is_nothing_where_fewer_are_impossible(
        self, hits: int, population: int, marked: int, drawn: int
    ) -> None:
        decades = hypergeometric_tail_decades(hits, population, marked, drawn)
        assert decades == pytest.approx(0.0, abs=1e-12)

    @settings(max_examples=40)
    @given(st.data())
    def test_agrees_with_scipy_and_is_never_negative(self, data: st.DataObject) -> None:
        population = data.draw(st.integers(1, 60))
        marked = data.draw(st.integers(0, population))
        drawn = data.draw(st.integers(0, population))
        hits = data.draw(st.integers(0, min(marked, drawn)))
        decades = hypergeometric_tail_decades(hits, population, marked, drawn)
        chance = float(hypergeom.sf(hits - 1, population, marked, drawn))
        assert decades == pytest.approx(-math.log10(chance), rel=1e-9, abs=1e-9)
        assert decades >= 0.0

    def test_is_never_less_than_nothing_by_a_rounding_error(self) -> None:
        for drawn in range(200):
            assert hypergeometric_tail_decades(0, 200, 90, drawn) >= 0.0

    def test_stays_exact_where_the_probability_underflows(self) -> None:
        # One of 2000 over 1000 halves, 4^1000 / sqrt(1000 · π) of them less a part in 8000.
        expected = 1000 * math.log10(4) - math.log10(1000 * math.pi) / 2 - 1 / 8000 / math.log(10)
        assert hypergeometric_tail_decades(1000, 2000, 1000, 1000) == pytest.approx(
            expected, rel=1e-9
        )


def rate_change(k0: float, t0: float, k1: float, t1: float) -> float:
    return float(rate_change_decades(floats(k0), floats(t0), floats(k1), floats(t1))[0])


def share_change(k0: float, n0: float, k1: float, n1: float) -> float:
    return float(share_change_decades(floats(k0), floats(n0), floats(k1), floats(n1))[0])


def binomial_g(hits: float, trials: float, share: float) -> float:
    """Twice the log-likelihood of the observed share against an expected one."""
    return 2 * float(binom.logpmf(hits, trials, hits / trials) - binom.logpmf(hits, trials, share))


class TestRateChange:
    @pytest.mark.parametrize(
        ("k0", "t0", "k1", "t1"),
        [(10, 100, 30, 100), (50, 10, 60, 30), (0, 600, 8, 60), (40, 60, 0, 60), (7, 3, 9, 2)],
    )
    def test_is_half_the_binomial_likelihood_ratio_as_a_normal_tail(
        self, k0: float, t0: float, k1: float, t1: float
    ) -> None:
        # Conditional on the total, the count after is binomial with the share of exposure.
        g = binomial_g(k1, k0 + k1, t1 / (t0 + t1))
        expected = -math.log10(norm.sf(math.sqrt(g / 2.0)))
        assert rate_change(k0, t0, k1, t1) == pytest.approx(expected, rel=1e-9)

    def test_agrees_with_chi_squared_before_it_is_halved(self) -> None:
        # Were counts not over-dispersed, the two-sided p of G = 2·z² would be chi-squared's.
        decades = rate_change(20, 100, 60, 100)
        g = 2 * 20 * math.log(20 / 40) + 2 * 60 * math.log(60 / 40)
        two_sided = -math.log10(chi2.sf(g / 2, 1))
        assert decades == pytest.approx(two_sided + math.log10(2), rel=1e-9)

    def test_of_the_same_rate_is_nothing(self) -> None:
        assert rate_change(10, 100, 1, 10) == 0.0

    @pytest.mark.parametrize(
        ("k0", "t0", "k1", "t1"), [(0, 10, 0, 10), (5, 0, 5, 10), (5, 10, 5, 0), (0, 0, 0, 0)]
    )
    def test_without_counts_or_exposure_is_nothing(
        self, k0: float, t0: float, k1: float, t1: float
    ) -> None:
        assert rate_change(k0, t0, k1, t1) == 0.0

    def test_looks_at_each_place_of_its_arrays_alone(self) -> None:
        many = rate_change_decades(
            floats(10, 0, 5), floats(100, 0, 50), floats(30, 4, 5), floats(100, 10, 50)
        )
        assert many.tolist() == pytest.approx([rate_change(10, 100, 30, 100), 0.0, 0.0])

    @settings(max_examples=40)
    @given(st.integers(0, 50), st.integers(1, 50), st.integers(0, 50), st.integers(1, 50))
    def test_is_the_same_in_either_direction_and_never_negative(
        self, k0: int, t0: int, k1: int, t1: int
    ) -> None:
        decades = rate_change(k0, t0, k1, t1)
        assert decades >= 0.0
        assert rate_change(k1, t1, k0, t0) == pytest.approx(decades, abs=1e-9)
        assert rate_change(k0, 60 * t0, k1, 60 * t1) == pytest.approx(decades, abs=1e-9)


class TestShareChange:
    @pytest.mark.parametrize(
        ("k0", "n0", "k1", "n1"), [(2, 100, 20, 100), (50, 50, 10, 40), (0, 30, 30, 30)]
    )
    def test_sums_the_likelihood_ratios_of_both_sides(
        self, k0: float, n0: float, k1: float, n1: float
    ) -> None:
        pooled = (k0 + k1) / (n0 + n1)
        g = binomial_g(k0, n0, pooled) + binomial_g(k1, n1, pooled)
        expected = -math.log10(norm.sf(math.sqrt(g / 2.0)))
        assert share_change(k0, n0, k1, n1) == pytest.approx(expected, rel=1e-9)

    def test_of_hits_is_that_of_misses(self) -> None:
        assert share_change(5, 20, 30, 40) == pytest.approx(share_change(15, 20, 10, 40))

    def test_of_the_same_share_is_nothing(self) -> None:
        assert share_change(5, 10, 10, 20) == 0.0

    def test_without_trials_is_nothing(self) -> None:
        assert share_change(0, 0, 3, 9) == 0.0


def decades_of_groups(
    groups: list[int], values: list[float], after: list[bool], count: int
) -> Floats:
    return GroupedSamples.of(
        np.array(groups, dtype=np.int64), floats(*values), np.array(after, dtype=bool), count
    ).mann_whitney_decades()


class TestMannWhitney:
    @settings(max_examples=40)
    @given(small_numbers, small_numbers)
    def test_agrees_with_scipy(self, before: list[float], after: list[float]) -> None:
        decades = decades_of_groups(
            [0] * (len(before) + len(after)),
            before + after,
            [False] * len(before) + [True] * len(after),
            1,
        )[0]
        if len({*before, *after}) == 1:
            assert decades == 0.0
            return
        test = mannwhitneyu(after, before, alternative="greater", method="asymptotic")
        u = test.statistic
        if u - len(before) * len(after) / 2 - 0.5 <= 0:
            assert decades == 0.0  # not larger at all
        else:
            assert decades == pytest.approx(-math.log10(test.pvalue), rel=1e-9)

    def test_judges_each_group_alone_whatever_the_order_of_rows(self) -> None:
        rng = np.random.default_rng(5)
        groups = rng.integers(0, 4, 200)
        values = rng.integers(0, 30, 200).astype(np.float64) + 3.0 * (groups == 2)
        after = rng.random(200) < 0.4
        values[after & (groups == 1)] += 15.0
        order = rng.permutation(200)
        shuffled = GroupedSamples.of(
            groups[order].astype(np.int64), values[order], after[order], 5
        ).mann_whitney_decades()
        assert shuffled[4] == 0.0  # a group without rows
        for group in range(4):
            mine = groups == group
            test = mannwhitneyu(
                values[mine & after],
                values[mine & ~after],
                alternative="greater",
                method="asymptotic",
            )
            expected = -math.log10(test.pvalue) if test.pvalue < 0.5 else 0.0
            assert shuffled[group] == pytest.approx(expected, abs=1e-9)

    def test_keeps_equal_values_of_neighbouring_groups_apart(self) -> None:
        # Group 0 ends with the value that group 1 begins with.
        alone = decades_of_groups([0] * 4, [1, 2, 3, 4], [False, False, True, True], 1)[0]
        both = decades_of_groups(
            [0] * 4 + [1] * 4,
            [1, 2, 3, 4, 4, 5, 6, 7],
            [False, False, True, True] * 2,
            2,
        )
        assert both.tolist() == pytest.approx([alone, alone])
        assert alone > 0.5

    @pytest.mark.parametrize("after", [[False, False, False], [True, True, True]])
    def test_with_one_side_only_says_nothing(self, after: list[bool]) -> None:
        assert decades_of_groups([0, 0, 0], [1, 2, 3], after, 1).tolist() == [0.0]

    def test_of_a_single_row_says_nothing(self) -> None:
        assert decades_of_groups([0], [1.0], [True], 1).tolist() == [0.0]

    def test_of_nothing_is_nothing_for_every_group(self) -> None:
        assert decades_of_groups([], [], [], 3).tolist() == [0.0, 0.0, 0.0]

    def test_no_groups_at_all_are_no_numbers(self) -> None:
        assert decades_of_groups([], [], [], 0).tolist() == []


class TestGroupQuantiles:
    @settings(max_examples=40)
    @given(
        st.lists(st.lists(st.integers(-9, 9).map(float), max_size=7), min_size=1, max_size=4),
        st.sampled_from([0.0, 0.25, 0.5, 0.9, 0.98, 1.0]),
    )
    def test_agree_with_numpy_and_are_nan_for_empty_groups(
        self, groups: list[list[float]], q: float
    ) -> None:
        values = floats(*[value for group in groups for value in sorted(group)])
        offsets = np.cumsum([0, *(len(group) for group in groups)]).astype(np.int64)
        found = group_quantiles(values, offsets, q)
        for group, quantile in zip(groups, found, strict=True):
            if group:
                assert quantile == pytest.approx(np.quantile(group, q), abs=1e-9)
            else:
                assert math.isnan(quantile)

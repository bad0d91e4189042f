"""Findings from metric series: how far is far, in which direction, and since when."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from tests.engine.calm_series import (
    CALM_SAMPLES,
    CAP,
    MINUTE,
    calm_then,
    findings,
    only,
    strength,
    surprise,
)
from tests.engine.telemetry import at_ns, series, window


class TestTheDistance:
    def test_is_told_in_units_of_the_noise_from_the_median(self) -> None:
        one = calm_then("cpu_percent", 10, 13, 13)
        found = only(one)
        assert found.surprise == pytest.approx(surprise(3))
        assert (found.source, found.signal, found.service, found.peer) == (
            "metrics",
            "cpu",
            "cart",
            None,
        )
        assert (found.baseline, found.observed, found.unit) == (10, 13, "%")
        assert (found.subject, found.query) == ("cpu_percent", one.query)
        assert found.values.tolist() == one.values.tolist()
        assert found.times_ns.tolist() == one.times_ns.tolist()
        assert (found.share, found.outbound) == (1.0, False)

    @pytest.mark.parametrize(
        ("faulty", "observed"),
        [((13,), 13), ((13, 12), 12), ((99, 13, 11), 13), ((12, 13, 99), 13)],
    )
    def test_is_that_of_the_second_largest_sample(
        self, faulty: tuple[float, ...], observed: float
    ) -> None:
        assert only(calm_then("cpu_percent", 10, *faulty)).observed == observed

    def test_is_limited_by_how_long_the_baseline_is(self) -> None:
        assert only(calm_then("cpu_percent", 10, 90, 90, 90)).surprise == pytest.approx(CAP)

    @pytest.mark.parametrize(("faulty", "seen"), [(11.11, False), (11.12, True)])
    def test_counts_from_three_tenths_of_a_decade(self, faulty: float, seen: bool) -> None:
        # Surprise 0.3 is z = sqrt(3 · (10^0.15 - 1)) = 1.1118.
        assert bool(findings(calm_then("cpu_percent", 10, faulty, faulty))) is seen

    @pytest.mark.parametrize(("calm", "seen"), [(4, False), (5, True)])
    def test_needs_five_samples_outside_the_window(self, calm: int, seen: bool) -> None:
        one = series("cart", "cpu_percent", [10.0] * calm + [90, 90])
        assert bool(findings(one, within=window(calm * MINUTE, 9 * MINUTE))) is seen

    def test_needs_a_sample_in_the_window(self) -> None:
        assert findings(calm_then("cpu_percent", 10)) == []

    def test_is_judged_by_the_spread_of_the_baseline(self) -> None:
        # 8 and 12 in turn: quartiles 4 / 1.349, deviation 2 · 1.4826, range 4 / 3.29.
        calm = [8.0, 12.0] * 10
        found = only(series("cart", "cpu_percent", [*calm, 16, 16]))
        assert found.surprise == pytest.approx(surprise(6 / (2 * 1.4826)))

    def test_is_three_times_that_above_earlier_spikes_and_two_more(self) -> None:
        # Two spikes in forty samples: p98 is 30, and the spread is still one percent.
        calm = [10.0] * 20 + [30, 30] + [10.0] * 18
        within = window(40 * MINUTE, 50 * MINUTE)
        found = only(series("cart", "cpu_percent", [*calm, 30.5, 30.5]), within=within)
        assert found.surprise == pytest.approx(surprise(2 + 3 * 0.5))

    def test_looks_at_the_window_with_open_end(self) -> None:
        # The last sample lies on the end of the window, and the first of the window is in it.
        one = calm_then("cpu_percent", 10, 13)
        at_start = window(CALM_SAMPLES * MINUTE, CALM_SAMPLES * MINUTE + 1)
        assert only(one, within=at_start).observed == 13
        assert (
            findings(one, within=window((CALM_SAMPLES - 1) * MINUTE, CALM_SAMPLES * MINUTE)) == []
        )

    @pytest.mark.parametrize("order", [(3, 2, 1, 0), (1, 3, 0, 2)])
    def test_never_depends_on_the_order_of_series(self, order: tuple[int, ...]) -> None:
        several = [
            calm_then("cpu_percent", 10, 13, 14),
            calm_then("requests", 99, 150, 160),
            calm_then("client_latency", 1, 2, 2, labels=(("peer", "stock"),)),
            calm_then("latency", 1, 3, 2, service="stock"),
        ]
        digests = [(item.service, item.surprise, item.digest()) for item in findings(*several)]
        shuffled = findings(*(several[place] for place in order))
        again = [(item.service, item.surprise, item.digest()) for item in shuffled]
        assert sorted(again) == sorted(digests)

    @pytest.mark.parametrize("factor", [0.001, 7.0, 1e6])
    def test_of_a_latency_is_the_same_in_any_unit(self, factor: float) -> None:
        base = only(calm_then("latency", 2, 2.4, 2.4)).surprise
        assert only(calm_then("latency", 2 * factor, 2.4 * factor, 2.4 * factor)).surprise == (
            pytest.approx(base)
        )


class TestTheMinutesJustBefore:
    """z is also taken against the last eight samples: a slow drift is no fault."""

    scale = 5 / 3.29  # more than one in twenty samples stray by 5

    def z(self, calm: Sequence[float], times_s: Sequence[float], start_s: float) -> float:
        """The z that the surprise of three samples of 17 right after `start_s` tells."""
        times = [*times_s, start_s, start_s + 1, start_s + 2]
        one = series("cart", "cpu_percent", [*calm, 17, 17, 17], times_s=times)
        found = only(one, within=window(start_s, start_s + 3))
        return math.sqrt(3 * (10 ** (found.surprise / 2) - 1)) * self.scale

    def test_count_as_many_as_eight(self) -> None:
        # Of the last eight samples four are 15: their median is 12.5.
        times = [float(MINUTE * index) for index in range(48)]
        assert self.z([10.0] * 44 + [15.0] * 4, times, 48 * MINUTE) == pytest.approx(17 - 12.5)
        assert self.z([10.0] * 43 + [15.0] * 5, times, 48 * MINUTE) == pytest.approx(17 - 15)

    @pytest.mark.parametrize(("gap_s", "middle"), [(360, 12.5), (361, 15.0)])
    def test_reach_back_to_a_break_of_more_than_six_steps(
        self, gap_s: float, middle: float
    ) -> None:
        before = [float(MINUTE * index) for index in range(44)]
        after = [before[-1] + gap_s + MINUTE * index for index in range(4)]
        z = self.z([10.0] * 44 + [15.0] * 4, before + after, after[-1] + MINUTE)
        assert z == pytest.approx(17 - middle)

    def test_hold_the_very_first_sample_after_a_break(self) -> None:
        before = [float(MINUTE * index) for index in range(50)]
        after = [before[-1] + 1000, before[-1] + 1000 + MINUTE]
        calm = [10.0] * 44 + [15.0] * 6 + [14.0, 16.0]
        assert self.z(calm, before + after, after[-1] + MINUTE) == pytest.approx(17 - 15)

    def test_reach_back_to_the_last_break_of_several(self) -> None:
        before = [float(MINUTE * index) for index in range(42)]
        middle = [before[-1] + 1000 + MINUTE * index for index in range(2)]
        after = [middle[-1] + 1000 + MINUTE * index for index in range(4)]
        z = self.z([10.0] * 44 + [15.0] * 4, before + middle + after, after[-1] + MINUTE)
        assert z == pytest.approx(17 - 15)

    @pytest.mark.parametrize(("gap_s", "middle"), [(360, 15.0), (361, 10.0)])
    def test_are_all_of_the_baseline_where_none_was_recorded(
        self, gap_s: float, middle: float
    ) -> None:
        times = [float(MINUTE * index) for index in range(48)]
        z = self.z([10.0] * 40 + [15.0] * 8, times, times[-1] + gap_s)
        assert z == pytest.approx(17 - middle)

    def test_do_not_come_after_the_window(self) -> None:
        times = [float(MINUTE * index) for index in range(60)]
        calm = [10.0] * 44 + [15.0] * 4
        values = [*calm, 17, 17, *[10.0] * 10]
        found = only(
            series("cart", "cpu_percent", values, times_s=times),
            within=window(48 * MINUTE, 50 * MINUTE),
        )
        scale = robust_range(calm + [10.0] * 10)
        assert found.surprise == pytest.approx(surprise(4.5 / scale))


def robust_range(values: Sequence[float]) -> float:
    """The 5-95 % range in standard deviations, at least the floor of percentages."""
    p5, p95 = np.percentile(values, (5, 95))
    return max(1.0, float(p95 - p5) / 3.29)


class TestDirections:
    @pytest.mark.parametrize(
        ("name", "calm", "faulty", "expected"),
        [
            ("cpu_percent", 10, 7, 0.0),
            ("memory_percent", 10, 7, 0.0),
            ("latency", 1.0, 0.85, 0.0),
            # Whole numbers of requests: the noise of 99 is at least sqrt(100).
            ("requests", 99, 129, 0.7 * surprise(3)),
            ("requests", 99, 69, surprise(3)),
            ("network_bytes", 20, 23, surprise(3)),
            ("network_bytes", 20, 17, 0.6 * surprise(3)),
            ("disk_io", 20, 23, surprise(3)),
            ("disk_io", 20, 17, 0.6 * surprise(3)),
        ],
    )
    def test_matter_by_signal(self, name: str, calm: float, faulty: float, expected: float) -> None:
        assert strength(name, calm, faulty) == pytest.approx(expected)

    def test_a_fall_is_told_by_its_second_smallest_sample(self) -> None:
        found = only(calm_then("requests", 99, 10, 60, 99))
        assert (found.observed, found.baseline) == (60, 99)

    def test_the_more_surprising_one_is_told(self) -> None:
        both = only(calm_then("requests", 99, 129, 129, 69, 69))
        assert both.observed == 69
        assert both.surprise == pytest.approx(surprise(3))
        rising = only(calm_then("network_bytes", 20, 23, 23, 17, 17))
        assert rising.observed == 23
        assert rising.surprise == pytest.approx(surprise(3))


class TestTheOnset:
    def onset(self, name: str, calm: float, *faulty: float) -> int | None:
        return only(calm_then(name, calm, *faulty)).onset_ns

    def test_is_the_first_sample_of_the_window_over_three_spreads(self) -> None:
        third = at_ns((CALM_SAMPLES + 2) * MINUTE)
        assert self.onset("cpu_percent", 10, 12.9, 13.0, 13.1, 19) == third

    def test_is_unknown_where_no_sample_is_so_far_off(self) -> None:
        assert self.onset("cpu_percent", 10, 12, 12) is None

    def test_of_a_fall_is_the_first_sample_so_far_below(self) -> None:
        third = at_ns((CALM_SAMPLES + 2) * MINUTE)
        assert self.onset("requests", 99, 140, 69, 68, 50, 99) == third

    def test_of_a_rise_looks_at_no_fall(self) -> None:
        second = at_ns((CALM_SAMPLES + 1) * MINUTE)
        assert self.onset("network_bytes", 20, 12, 40, 41) == second

    def test_lies_in_the_window(self) -> None:
        calm = [10.0] * 20 + [30, 30] + [10.0] * 18
        within = window(40 * MINUTE, 50 * MINUTE)
        found = only(series("cart", "cpu_percent", [*calm, 60, 60]), within=within)
        assert found.onset_ns == at_ns(40 * MINUTE)

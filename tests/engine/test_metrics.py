"""Findings from metric series: how far is far, and what noise is."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aegis.engine.findings import Finding
from aegis.engine.measured import measured
from aegis.engine.metric_load import is_starved, load_ratios
from aegis.engine.metrics import metric_findings
from aegis.model.telemetry import Alarm, Matrix, Series, TimeWindow
from tests.engine.telemetry import at_ns, series, window

CALM_SAMPLES = 20
MINUTE = 60
WINDOW = window(CALM_SAMPLES * MINUTE, (CALM_SAMPLES + 10) * MINUTE)
CAP = 2 * math.log10(1 + CALM_SAMPLES)
Labels = tuple[tuple[str, str], ...]


def surprise(z: float) -> float:
    return 2 * math.log10(1 + z * z / 3)


def findings(
    *several: Series, within: TimeWindow = WINDOW, alarm: Alarm | None = None
) -> list[Finding]:
    return metric_findings(measured(Matrix(several)), within, alarm)


def only(*several: Series, within: TimeWindow = WINDOW, alarm: Alarm | None = None) -> Finding:
    (found,) = findings(*several, within=within, alarm=alarm)
    return found


def calm_then(
    name: str, calm: float, *faulty: float, service: str = "cart", labels: Labels = ()
) -> Series:
    """Twenty equal samples before the window, then these in it."""
    return series(service, name, [calm] * CALM_SAMPLES + list(faulty), labels=labels)


def strength(name: str, calm: float, faulty: float, *others: Series) -> float:
    """Surprise of a series of cart that rises from `calm` to `faulty`, among others."""
    found = [
        item
        for item in findings(calm_then(name, calm, faulty, faulty), *others)
        if item.subject == name and item.service == "cart"
    ]
    return found[0].surprise if found else 0.0


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
        assert only(calm_then("cpu_percent", 10, 90, 90)).surprise == pytest.approx(CAP)

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
        """The z that the surprise of a rise to 17 right after `start_s` tells."""
        times = [*times_s, start_s, start_s + 1]
        one = series("cart", "cpu_percent", [*calm, 17, 17], times_s=times)
        found = only(one, within=window(start_s, start_s + 2))
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


class TestWhatCountsAsNoise:
    """Each series below is calm to the bit: only the floor keeps the distance finite."""

    @pytest.mark.parametrize(
        ("name", "calm", "scale"),
        [
            ("latency", 1.0, 0.05),
            ("cpu_percent", 10.0, 1.0),
            ("cpu_percent", 60.0, 3.0),
            ("memory_percent", 10.0, 1.0),
            ("cpu_usage", 10.0, 0.5),
            ("disk_percent", 10.0, 0.5),
            ("error_percent", 2.0, 0.25),
            ("error_percent", 20.0, 1.0),
            ("error_ratio", 0.02, 0.0025),
            ("error_ratio", 0.2, 0.01),
            ("errors", 8.0, 2.0),
            ("errors", 0.25, 0.0625),
        ],
    )
    def test_depends_on_the_signal_and_its_unit(self, name: str, calm: float, scale: float) -> None:
        assert strength(name, calm, calm + 3 * scale) == pytest.approx(surprise(3))

    @pytest.mark.parametrize(
        ("calm", "scale"), [(24.0, 5.0), (24.5, 0.05 * 24.5), (10000.0, 500.0)]
    )
    def test_of_whole_numbers_of_requests_is_at_least_their_root(
        self, calm: float, scale: float
    ) -> None:
        assert strength("requests", calm, calm + 3 * scale) == pytest.approx(0.7 * surprise(3))

    def test_of_whole_numbers_is_only_that_of_requests(self) -> None:
        assert strength("queue_length", 24, 24 + 3 * 1.2) == pytest.approx(surprise(3))

    def test_of_errors_grows_with_the_requests_of_the_service(self) -> None:
        # A quarter of a percent of the busiest of its own series, before the window.
        requests = (
            calm_then("requests", 4000, 4000, 9999),
            calm_then("requests_in", 8000, 8000, 8000),
            calm_then("requests_out", 90000, 90000, labels=(("peer", "db"),)),
            calm_then("requests", 70000, 70000, service="stock"),
            calm_then("client_latency", 1.0, 1.0),
        )
        assert strength("errors", 0, 60, *requests) == pytest.approx(surprise(3))

    def test_of_errors_knows_less_than_one_request_too(self) -> None:
        requests = (calm_then("requests", 0.5, 0.5),)
        # 0.25 · smallest error 0.002 < 0.0025 · 0.5
        values = [0.0, 0.002] + [0.0] * 18 + [0.00375, 0.00375]
        found = [
            item
            for item in findings(series("cart", "errors", values), *requests)
            if item.signal == "errors"
        ]
        assert found[0].surprise == pytest.approx(surprise(3))

    def test_takes_a_quarter_of_the_smallest_error_for_one(self) -> None:
        values = [0.0, 4.0] + [0.0] * 18 + [6, 3]
        assert only(series("cart", "errors", values)).surprise == pytest.approx(surprise(4))

    def test_is_a_quarter_where_errors_are_never_above_zero(self) -> None:
        assert strength("errors", -1.0, -0.25) == pytest.approx(surprise(3))

    def test_is_a_hundredth_where_nothing_is_ever_above_zero(self) -> None:
        assert strength("network_bytes", 0.0, -0.03) == pytest.approx(0.6 * surprise(3))

    def test_is_a_hundredth_of_the_smallest_sample_elsewhere(self) -> None:
        values = [-3.0] * CALM_SAMPLES + [0, 0, 100]
        assert only(series("cart", "queue_length", values)).surprise == pytest.approx(surprise(3))

    @pytest.mark.parametrize("name", ["latency", "queue_length", "errors"])
    def test_never_vanishes_however_small_the_numbers(self, name: str) -> None:
        least = 5e-324
        assert findings(calm_then(name, 0.0, least, least)) == []

    def test_of_latency_is_no_more_than_a_trillionth_of_its_unit(self) -> None:
        assert strength("latency", 0.0, 3e-12) == pytest.approx(surprise(3))

    @pytest.mark.parametrize("known", [10.0, 0.5])
    def test_of_latency_grows_with_that_of_the_alarms_service(self, known: float) -> None:
        # A twentieth of the slowest such series of the alarm's service, before the window.
        others = (
            calm_then("latency", known, 1e3, 1e3, service="shop"),
            calm_then("latency", 0.2 * known, 1, service="shop", labels=(("pod", "b"),)),
            calm_then("latency", 1e3, 1e3, service="stock"),
            calm_then("latency_max", 1e3, 1e3, service="shop"),
            calm_then("memory_free", 1e3, 1e3, service="shop"),
        )
        scale = 0.05 * 1.0 + 0.05 * known
        one = calm_then("latency", 1.0, 1.0 + 3 * scale, 1.0 + 3 * scale)
        found = findings(one, *others, alarm=Alarm("shop", "latency"))
        mine = [item.surprise for item in found if item.service == "cart"]
        assert mine == pytest.approx([surprise(3)])

    def test_of_latency_ignores_an_alarm_of_nobody(self) -> None:
        one = calm_then("latency", 1.0, 1.15, 1.15)
        assert only(one, alarm=Alarm(None, None)).surprise == pytest.approx(surprise(3))

    def test_of_other_signals_ignores_the_alarm(self) -> None:
        one = calm_then("cpu_usage", 10.0, 11.5, 11.5)
        found = only(one, alarm=Alarm("cart", "latency"))
        assert found.surprise == pytest.approx(surprise(3))

    def test_is_known_even_where_a_series_lies_in_the_window_alone(self) -> None:
        inside = series("cart", "requests_in", [9e6, 9e6], start=CALM_SAMPLES * MINUTE)
        assert strength("errors", 8.0, 14.0, inside) == pytest.approx(surprise(3))


class TestTheFailingShare:
    def share(self, name: str, calm: float, faulty: float, *others: Series) -> float:
        found = [
            item
            for item in findings(calm_then(name, calm, faulty, faulty), *others)
            if item.subject == name
        ]
        return found[0].share

    def test_is_the_increase_of_a_share_of_errors(self) -> None:
        assert self.share("error_percent", 10, 40) == pytest.approx(0.3)
        assert self.share("error_ratio", 0.1, 0.4) == pytest.approx(0.3)

    def test_is_the_increase_by_the_requests_where_errors_are_counted(self) -> None:
        requests = calm_then("requests", 200, 200)
        assert self.share("errors", 10, 40, requests) == pytest.approx(30 / 200)

    def test_is_never_more_than_all(self) -> None:
        assert self.share("error_percent", 10, 250) == 1.0
        assert self.share("errors", 10, 40, calm_then("requests", 5, 5)) == 1.0

    def test_knows_less_than_one_request(self) -> None:
        assert self.share("errors", 0.01, 0.06, calm_then("requests", 0.5, 0.5)) == (
            pytest.approx(0.1)
        )

    def test_is_all_where_it_cannot_be_told(self) -> None:
        assert self.share("errors", 0.1, 0.5) == 1.0
        assert self.share("errors", 0.1, 0.5, calm_then("requests", 0, 0)) == 1.0
        assert self.share("cpu_percent", 10, 40) == 1.0


class TestLoad:
    def test_is_the_ratio_of_the_medians_of_the_busiest_series_of_its_own(self) -> None:
        several = measured(
            Matrix(
                (
                    calm_then("requests", 10, 5, 30, 90),
                    calm_then("requests_of_probes", 2, 200, 200),
                    calm_then("client_requests", 500, 1, 1),
                    calm_then("cpu_usage", 600, 1, 1),
                    calm_then("requests", 0.25, 0.5, service="stock"),
                    calm_then("requests", 4, service="store"),
                    calm_then("requests", 0, 4, service="idle"),
                    calm_then("requests", 4, 0, service="dead"),
                    series("new", "requests", [3, 3, 3], start=CALM_SAMPLES * MINUTE),
                )
            )
        )
        assert load_ratios(several, WINDOW) == {"cart": 3.0, "stock": 2.0}

    def test_of_equally_busy_series_is_the_larger(self) -> None:
        several = [calm_then("requests", 10, 5), calm_then("requests_in", 10, 20)]
        for order in (several, several[::-1]):
            assert load_ratios(measured(Matrix(tuple(order))), WINDOW) == {"cart": 2.0}

    @pytest.mark.parametrize("name", ["cpu_usage", "disk_io", "network_bytes", "queue_length"])
    def test_explains_its_part_of_what_it_drives(self, name: str) -> None:
        twice = calm_then("requests", 100, 200, 200)
        alone = strength(name, 10, 40)
        assert alone == pytest.approx(CAP)
        # The series rose fourfold: twice the load explains half of its logarithm.
        assert strength(name, 10, 40, twice) == pytest.approx(alone / 2)
        assert strength(name, 10, 18, twice) == 0.0

    def test_explains_what_grows_from_less_than_one(self) -> None:
        twice = calm_then("requests", 100, 200, 200)
        assert strength("cpu_usage", 0.1, 0.4, twice) == pytest.approx(CAP / 2)

    @pytest.mark.parametrize(("beyond", "seen"), [(1.09, False), (1.095, True)])
    def test_leaves_only_what_is_still_a_surprise(self, beyond: float, seen: bool) -> None:
        # log r / log(2 r) of the 2.644 decades is left: 0.3 at r = 1.0928.
        twice = calm_then("requests", 100, 200, 200)
        assert (strength("cpu_usage", 10, 10 * 2 * beyond, twice) > 0) is seen

    @pytest.mark.parametrize("name", ["memory_usage", "latency", "errors"])
    def test_excuses_nothing_else(self, name: str) -> None:
        twice = calm_then("requests", 1e-3, 2e-3, 2e-3)
        assert strength(name, 10, 40, twice) == strength(name, 10, 40)

    def test_that_fell_excuses_no_rise(self) -> None:
        half = calm_then("requests", 100, 50, 50)
        assert strength("cpu_usage", 10, 40, half) == pytest.approx(CAP)

    def test_that_fell_excuses_a_fall(self) -> None:
        half = calm_then("requests", 100, 50, 50)
        assert strength("network_bytes", 40, 10) == pytest.approx(0.6 * CAP)
        assert strength("network_bytes", 40, 10, half) == pytest.approx(0.3 * CAP)

    @pytest.mark.parametrize(("calm", "faulty"), [(0.0, 5.0), (-5.0, 5.0)])
    def test_says_nothing_where_there_is_no_ratio(self, calm: float, faulty: float) -> None:
        twice = calm_then("requests", 100, 200, 200)
        assert strength("cpu_usage", calm, faulty, twice) == pytest.approx(CAP)

    def test_says_nothing_of_a_fall_to_zero(self) -> None:
        half = calm_then("requests", 100, 50, 50)
        assert strength("network_bytes", 40, 0, half) == pytest.approx(0.6 * CAP)

    def test_of_another_service_explains_nothing(self) -> None:
        twice = calm_then("requests", 100, 200, 200, service="stock")
        assert strength("cpu_usage", 10, 40, twice) == pytest.approx(CAP)


@pytest.mark.parametrize(
    ("name", "faulty", "starved"),
    [("requests", 49, True), ("requests", 50, False), ("requests", 0, True), ("disk_io", 1, False)],
)
def test_a_service_with_less_than_half_its_requests_is_starved(
    name: str, faulty: float, starved: bool
) -> None:
    (found,) = findings(calm_then(name, 100, faulty, faulty))
    assert is_starved(found) is starved


def view(service: str, peer: str, *faulty: float, name: str = "client_latency") -> Series:
    """What a caller measures of a peer."""
    return calm_then(name, 1.0, *faulty, service=service, labels=(("peer", peer),))


class TestCallersViews:
    """Latency of 1.15 after 1.0 is z = 3; the callee gets 0.8 of its surprise."""

    def credit(self, *several: Series, service: str = "stock") -> list[float]:
        """Surprise of the findings that callers' views bring to a service."""
        return [
            item.surprise
            for item in findings(*several)
            if item.service == service and item.subject == "client_latency"
        ]

    def test_count_for_the_caller_with_its_peer(self) -> None:
        several = findings(view("cart", "stock", 1.15))
        (found,) = [item for item in several if item.service == "cart"]
        assert found.peer == "stock"
        assert found.surprise == pytest.approx(surprise(3))
        assert not found.outbound

    def test_count_four_fifths_for_the_callee(self) -> None:
        several = findings(view("cart", "stock", 1.15))
        (found,) = [item for item in several if item.service == "stock"]
        assert found.surprise == pytest.approx(0.8 * surprise(3))
        assert found.peer == "stock"

    def test_count_by_the_share_of_callers_that_agree(self) -> None:
        views = view("cart", "stock", 1.15), view("shop", "stock", 1.0)
        assert self.credit(*views) == pytest.approx([0.8 / 2 * surprise(3)])
        both = view("cart", "stock", 1.15), view("shop", "stock", 1.15)
        assert self.credit(*both) == pytest.approx([0.8 * surprise(3)] * 2)

    def test_of_other_peers_and_signals_do_not_matter(self) -> None:
        views = (
            view("cart", "stock", 1.15),
            view("shop", "store", 1.0),
            view("shop", "stock", 1.0, name="client_cpu"),
        )
        assert self.credit(*views) == pytest.approx([0.8 * surprise(3)])

    def test_count_half_where_the_callee_itself_finds_nothing(self) -> None:
        calm = calm_then("latency", 1.0, 1.0, service="stock")
        seen = self.credit(view("cart", "stock", 1.15), calm)
        assert seen == pytest.approx([0.4 * surprise(3)])

    def test_count_whole_where_the_callee_agrees(self) -> None:
        slow = calm_then("latency", 1.0, 1.15, service="stock")
        assert self.credit(view("cart", "stock", 1.15), slow) == pytest.approx([0.8 * surprise(3)])

    def test_count_whole_where_the_callee_hardly_gets_requests_any_more(self) -> None:
        calm = calm_then("latency", 1.0, 1.0, service="stock")
        starved = calm_then("requests", 100, 10, service="stock")
        seen = self.credit(view("cart", "stock", 1.15), calm, starved)
        assert seen == pytest.approx([0.8 * surprise(3)])

    @pytest.mark.parametrize(
        "other",
        [
            calm_then("client_latency_of_all", 1.0, 1.0, service="stock"),
            calm_then("memory_usage", 1.0, 1.0, service="stock"),
            calm_then("latency", 1.0, 1.0, service="cart"),
        ],
    )
    def test_are_contradicted_by_the_callees_own_measurement_only(self, other: Series) -> None:
        assert self.credit(view("cart", "stock", 1.15), other) == pytest.approx([0.8 * surprise(3)])

    @pytest.mark.parametrize(("z", "seen"), [(1.272, False), (1.274, True)])
    def test_count_only_where_enough_is_left(self, z: float, seen: bool) -> None:
        # 0.8 · 2 · log10(1 + z²/3) = 0.3 at z = 1.2727.
        assert bool(self.credit(view("cart", "stock", 1.0 + 0.05 * z))) is seen

    def test_without_a_peer_are_calls_to_someone_unknown(self) -> None:
        found = only(calm_then("client_latency", 1.0, 1.15))
        assert (found.outbound, found.peer) == (True, None)


class TestWhatIsMeasured:
    def values(self, *several: Series) -> list[list[float]]:
        return [item.values.tolist() for item in measured(Matrix(several))]

    def test_leaves_out_what_has_no_meaning_or_no_two_samples(self) -> None:
        several = (
            series("cart", "temperature", [1, 2, 3]),
            series("cart", "latency", [1]),
            series("cart", "latency", []),
            series("cart", "latency", [1, 2]),
        )
        assert self.values(*several) == [[1, 2]]

    def test_turns_counters_into_rates_a_second(self) -> None:
        one = series(
            "cart", "requests_total", [0, 60, 180, 180, 30, 90], times_s=[0, 60, 120, 180, 240, 270]
        )
        (item,) = measured(Matrix((one,)))
        assert item.values.tolist() == [1.0, 2.0, 0.0, 0.5, 2.0]  # after a restart from zero
        assert item.times_ns.tolist() == one.times_ns[1:].tolist()

    def test_survives_two_samples_of_a_counter_at_the_same_time(self) -> None:
        one = series("cart", "requests_total", [0, 60, 60, 120], times_s=[0, 60, 60, 120])
        assert self.values(one) == [[1.0, 0.0, 1.0]]

    @pytest.mark.parametrize(
        ("name", "samples", "shortfall", "unit"),
        [
            ("availability", [0.99, 1.0, 0.75], [0.01, 0.0, 0.25], "share"),
            ("success_rate", [0.5, 1.5], [0.5, 0.0], "share"),
            ("availability", [99.0, 100.0], [1.0, 0.0], "%"),
            ("success_rate", [0.5, 1.6], [99.5, 98.4], "%"),
            ("success_percent", [0.5, 1.0], [99.5, 99.0], "%"),
            ("success_percent", [95.0, 101.0], [5.0, 0.0], "%"),
        ],
    )
    def test_turns_availability_into_its_shortfall(
        self, name: str, samples: list[float], shortfall: list[float], unit: str
    ) -> None:
        (item,) = measured(Matrix((series("cart", name, samples),)))
        assert item.values.tolist() == pytest.approx(shortfall)
        assert item.meaning.unit == unit

    @pytest.mark.parametrize(
        ("elsewhere", "unit"), [(98.9, ""), (99.0, "%"), (100.0, "%"), (100.1, "")]
    )
    def test_error_rates_that_reach_100_anywhere_and_no_more_are_percentages(
        self, elsewhere: float, unit: str
    ) -> None:
        several = (
            series("cart", "error_rate", [1, 2, 3]),
            series("stock", "error_rate", [0, elsewhere, 5]),
            series("store", "error_rate", []),
            series("store", "error_rate", [0, 40, 5]),
            series("store", "cpu_usage", [0, 400, 5]),
        )
        assert measured(Matrix(several))[0].meaning.unit == unit

    def test_other_metrics_up_to_100_keep_their_unit(self) -> None:
        (item,) = measured(Matrix((series("cart", "cpu_usage", [1, 100]),)))
        assert item.meaning.unit == ""

    def test_a_counter_that_stands_at_100_is_no_percentage(self) -> None:
        one = series("cart", "errors_total", [0, 20, 60, 100])
        (item,) = measured(Matrix((one,)))
        assert (item.meaning.counter, item.meaning.unit) == (True, "per_s")


class TestSamplesThatNothingCanMeasure:
    """Exporters write ±1.8e308 for "not set"; arithmetic on them overflows."""

    @pytest.mark.parametrize("marker", [1.7e308, -1.7e308, 1.01e50, -1.01e50])
    @pytest.mark.parametrize(
        "name", ["cpu_percent", "requests_total", "availability", "error_rate"]
    )
    def test_are_as_if_they_had_never_been_recorded(self, name: str, marker: float) -> None:
        clean = [float(index) for index in range(CALM_SAMPLES)] + [60.0, 90.0]
        times = [float(MINUTE * index) for index in range(len(clean))]
        one = series("cart", name, clean, times_s=times)
        marked = series(
            "cart",
            name,
            [*clean[:5], marker, *clean[5:], marker],
            times_s=[*times[:5], times[5] - 1, *times[5:], times[-1] + 1],
        )
        (expected,), (found,) = measured(Matrix((one,))), measured(Matrix((marked,)))
        assert found.values.tolist() == expected.values.tolist()
        assert found.times_ns.tolist() == expected.times_ns.tolist()
        assert found.meaning == expected.meaning

    def test_leave_nothing_where_there_is_nothing_else(self) -> None:
        assert measured(Matrix((series("cart", "latency", [1.7e308, -1.7e308, 4]),))) == []

    @pytest.mark.parametrize("sign", [1, -1])
    def test_are_zero_where_they_are_as_much_too_small(self, sign: int) -> None:
        (item,) = measured(
            Matrix((series("cart", "latency", [1, sign * 0.99e-50, sign * 1e-50, 5e-324]),))
        )
        assert item.values.tolist() == [1, 0, sign * 1e-50, 0]

    @settings(max_examples=25)
    @given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=8, max_size=14))
    def test_never_break_the_analysis(self, values: list[float]) -> None:
        within = window(5 * MINUTE, 7 * MINUTE)
        for name in ("cpu_percent", "errors", "requests", "network_bytes", "error_ratio"):
            for found in findings(series("cart", name, values), within=within):
                assert 0.3 < found.surprise < 3.0

    @pytest.mark.parametrize("largest", [1e50, -1e50])
    def test_begin_above_the_largest_sample(self, largest: float) -> None:
        (item,) = measured(Matrix((series("cart", "latency", [1, largest]),)))
        assert item.values.tolist() == [1, largest]

"""What counts as noise of a metric, and what share of requests newly fails."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from aegis.model.telemetry import Alarm, Series
from tests.engine.calm_series import (
    CALM_SAMPLES,
    MINUTE,
    calm_then,
    findings,
    only,
    strength,
    surprise,
)
from tests.engine.telemetry import series, window


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


class TestChance:
    """High is beyond half of the way to the second-largest sample; by chance, it may be anywhere.

    Twenty calm samples, unless a test is about more: 10 and then 90, so 50 is halfway.
    """

    calm = (10.0,) * 19

    def cpu(self, once: float, *faulty: float) -> float:
        """Surprise of these samples where `once` strays in the baseline."""
        return only(series("cart", "cpu_percent", [once, *self.calm, *faulty])).surprise

    @pytest.mark.parametrize(
        ("faulty", "one_in"),
        [
            ((90,), 21),
            ((90, 90), 231),  # 22 · 21 / 2 pairs
            ((90, 90, 10), 253 / 3),  # 23 · 22 · 21 / 6 triples, 21 of them with both
            ((10, 90, 10, 90, 10), 30),  # 53130 fives, 1771 of them with both
        ],
    )
    def test_limits_what_is_told(self, faulty: tuple[float, ...], one_in: float) -> None:
        assert self.cpu(10, *faulty) == pytest.approx(math.log10(one_in))

    @pytest.mark.parametrize(("third", "one_in"), [(49.9, 30), (50.0, 30), (50.1, 230)])
    def test_counts_the_samples_of_the_window_beyond_halfway(
        self, third: float, one_in: float
    ) -> None:
        # Of 53130 fives 1771 hold both, or 22 · 21 / 2 all three.
        assert self.cpu(10, 90, third, 10, 90, 10) == pytest.approx(math.log10(one_in))

    @pytest.mark.parametrize(("once", "one_in"), [(49.9, 231), (50.0, 231), (50.1, 77)])
    def test_counts_the_samples_of_the_baseline_beyond_halfway(
        self, once: float, one_in: float
    ) -> None:
        # Of 231 pairs one is both, or three are two of the three.
        assert self.cpu(once, 90, 90) == pytest.approx(math.log10(one_in))

    @pytest.mark.parametrize(("once", "fives"), [(50.0, 1771), (50.1, 3 * 1540 + 231)])
    def test_goes_by_the_second_largest_sample(self, once: float, fives: int) -> None:
        # Of 53130 fives 1771 hold both, or 1540 each two of the three and 231 all.
        surprise = self.cpu(once, 999, 90, 10, 10, 10)
        assert surprise == pytest.approx(math.log10(53130 / fives))

    @pytest.mark.parametrize(("once", "one_in"), [(25.1, 231), (25.0, 231), (24.9, 77)])
    def test_limits_a_fall_alike(self, once: float, one_in: float) -> None:
        values = [once] + [40.0] * 19 + [10, 10]
        found = only(series("cart", "network_bytes", values))
        assert found.surprise == pytest.approx(0.6 * math.log10(one_in))

    def errors(self, inside: Sequence[float]) -> list[float]:
        """Surprises after two hundred samples of which every hundredth is an error."""
        values = [*[0.2, *[0.0] * 99] * 2, *inside]
        within = window(200 * MINUTE, (200 + len(inside)) * MINUTE)
        found = findings(series("cart", "error_ratio", values), within=within)
        return [item.surprise for item in found]

    def test_brings_rare_errors_into_a_long_window_as_often_as_into_the_baseline(self) -> None:
        assert self.errors([*[0.0] * 99, 0.2] * 2) == []

    def test_brings_no_errors_into_every_sample_of_the_window(self) -> None:
        # As much as two hundred samples can tell.
        assert self.errors([0.2] * 20) == pytest.approx([2 * math.log10(201)])


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

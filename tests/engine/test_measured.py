"""Series understood: rates, shortfalls, percentages, and samples that nothing can measure."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aegis.engine.measured import measured
from aegis.model.telemetry import Matrix, Series
from tests.engine.calm_series import (
    CALM_SAMPLES,
    MINUTE,
    findings,
)
from tests.engine.telemetry import series, window


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

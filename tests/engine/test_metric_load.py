"""What a change in traffic explains."""

from __future__ import annotations

import pytest

from aegis.engine.graph import CallGraph
from aegis.engine.measured import measured
from aegis.engine.metric_load import Traffic, inherited_load, is_starved, load_ratios, traffic_of
from aegis.model.telemetry import Matrix
from tests.engine.calm_series import (
    CALM_SAMPLES,
    CAP,
    MINUTE,
    WINDOW,
    calm_then,
    findings,
    strength,
)
from tests.engine.telemetry import series
from tests.engine.worlds import calls_of


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
        assert load_ratios(traffic_of(several, WINDOW)) == {"cart": 3.0, "stock": 2.0}

    def test_of_equally_busy_series_is_the_larger(self) -> None:
        several = [calm_then("requests", 10, 5), calm_then("requests_in", 10, 20)]
        for order in (several, several[::-1]):
            assert load_ratios(traffic_of(measured(Matrix(tuple(order))), WINDOW)) == {"cart": 2.0}

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


class TestInheritedLoad:
    GRAPH = CallGraph.of(["idle"], calls_of("shop>db app>db db>disk"))

    def inherited(self, **traffic: tuple[float, float]) -> dict[str, float]:
        known = {name: Traffic(*requests) for name, requests in traffic.items()}
        return inherited_load(known, self.GRAPH)

    def test_is_that_of_the_callers_weighed_by_their_requests(self) -> None:
        found = self.inherited(shop=(30, 60), app=(10, 100), db=(40, 400))
        assert found["db"] == pytest.approx(160 / 40)

    def test_is_no_more_than_its_own(self) -> None:
        assert self.inherited(shop=(10, 40), db=(10, 20))["db"] == 2.0

    def test_is_its_own_where_nothing_is_known_of_its_callers(self) -> None:
        found = self.inherited(shop=(10, 40), disk=(10, 30), idle=(5, 10))
        assert found == {"shop": 4.0, "disk": 3.0, "idle": 2.0}

    def test_leaves_out_callers_whose_traffic_is_not_known(self) -> None:
        assert self.inherited(app=(10, 20), db=(10, 50))["db"] == 2.0

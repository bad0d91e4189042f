"""Far more requests from outside: who runs out of processors or workers first."""

from __future__ import annotations

import pytest

from aegis.engine.findings import Finding
from aegis.engine.graph import CallGraph
from aegis.engine.impact import amid
from aegis.engine.measured import measured
from aegis.engine.metric_load import traffic_of
from aegis.engine.proof import Docket
from aegis.engine.surge import Surge, surge_of
from aegis.model.diagnosis import Impact
from aegis.model.telemetry import Matrix, Series
from aegis.model.text import Text
from tests.engine.calm_series import CALM_SAMPLES, MINUTE, WINDOW, calm_then
from tests.engine.telemetry import finding, series
from tests.engine.worlds import calls_of, near, scores, sick, world

CALLS = "web>cart app>cart cart>db"


def surge(*several: Series, calls: str = CALLS) -> Surge | None:
    usable = measured(Matrix(several))
    graph = CallGraph.of([], calls_of(calls))
    return surge_of(usable, traffic_of(usable, WINDOW), graph, WINDOW)


def requests(service: str, before: float, during: float) -> Series:
    return calm_then("requests", before, during, during, service=service)


def certain(*several: Series) -> Surge:
    """The surge when twice as many requests come in at the web as before."""
    found = surge(requests("web", 50, 100), *several)
    assert found is not None
    return found


class TestWhetherThereIsOne:
    @pytest.mark.parametrize(("during", "growth"), [(75, 1.5), (200, 4.0), (74.9, None)])
    def test_takes_half_as_many_requests_again_from_outside(
        self, during: float, growth: float | None
    ) -> None:
        found = surge(requests("web", 50, during))
        assert (None if found is None else found.growth) == (growth and near(growth))

    def test_counts_all_entries_together_weighed_by_their_requests(self) -> None:
        found = surge(requests("web", 90, 180), requests("app", 10, 15))
        assert found is not None
        assert found.growth == near(1.95)
        assert found.entries == {"web", "app"}

    @pytest.mark.parametrize(("during", "there"), [(12.5, True), (12.4, False)])
    def test_takes_more_requests_at_every_entry(self, during: float, there: bool) -> None:
        """One busy customer, or a batch job, is not the world outside."""
        assert (surge(requests("web", 90, 900), requests("app", 10, during)) is not None) == there

    def test_is_not_told_from_what_services_send_each_other(self) -> None:
        """Retries begin where it fails, not outside."""
        assert surge(requests("cart", 50, 500), requests("db", 50, 500)) is None
        assert surge(requests("web", 50, 50), requests("cart", 50, 500)) is None

    def test_is_not_told_where_no_call_is_known(self) -> None:
        assert surge(requests("web", 50, 500), calls="") is None


class TestWhoRunsOut:
    @pytest.mark.parametrize(
        ("name", "before", "used"),
        [
            ("cpu_percent", 40, 0.8),
            ("process_cpu_utilization_ratio", 0.3, 0.6),
            ("worker_pool_utilization", 0.45, 0.9),
        ],
    )
    def test_is_told_by_its_use_before_times_the_growth(
        self, name: str, before: float, used: float
    ) -> None:
        found = certain(calm_then(name, before, before, service="db"))
        assert found.projected == {"db": near(used)}

    def test_counts_the_scarcest_of_its_resources(self) -> None:
        both = (
            calm_then("cpu_percent", 30, 99, service="db"),
            calm_then("worker_pool_utilization", 0.4, 1.0, service="db"),
        )
        assert certain(*both).projected == certain(*both[::-1]).projected == {"db": near(0.8)}

    def test_is_not_told_from_processors_whose_number_is_not_known(self) -> None:
        assert certain(calm_then("cpu_cores_used", 3, 7, service="db")).projected == {}

    @pytest.mark.parametrize(
        ("most", "told"), [(79.0, False), (80.0, True), (100.0, True), (100.5, False)]
    )
    def test_takes_a_metric_without_a_unit_for_a_percentage_by_its_largest_samples(
        self, most: float, told: bool
    ) -> None:
        """Whoever it is measured of."""
        found = certain(
            calm_then("CPUUtilization", 30, 60, service="db"),
            calm_then("CPUUtilization", 30, most, service="cart"),
        )
        assert found.projected.get("db") == (near(0.6) if told else None)

    def test_counts_nothing_but_processors_and_workers(self) -> None:
        failing = calm_then("error_ratio", 0.4, 0.8, service="db")
        assert certain(failing).projected == {}

    def test_leaves_out_what_was_not_measured_before(self) -> None:
        late = series("db", "cpu_percent", [90, 90, 90], start=CALM_SAMPLES * MINUTE)
        assert certain(late).projected == {}

    def test_has_little_room_from_seven_tenths_on(self) -> None:
        found = certain(
            calm_then("cpu_percent", 35, 70, service="db"),
            calm_then("cpu_percent", 34.9, 70, service="cart"),
        )
        assert found.nearly_full == {"db"}


class TestRanking:
    @pytest.mark.parametrize(
        ("used", "score"),
        [
            (None, 0.2),  # a fifth of what it had
            (0.5, 0.2),
            (0.75, 2.2),
            (1.0, 4.2),
            (1.2, 5.8),
            (3.0, 5.8),
        ],
    )
    def test_puts_the_least_headroom_first(self, used: float | None, score: float) -> None:
        here = world(services="db", surge=Surge(2.0, frozenset(), {"db": used} if used else {}))
        assert scores({"db": sick({"cpu": 1.0})}, here)["db"] == near(score)

    def test_is_part_of_the_graph_step(self) -> None:
        here = world(services="db", surge=Surge(2.0, frozenset(), {"db": 1.0}))
        found = scores({"db": sick({"cpu": 1.0})}, here, use_graph=False)
        assert found["db"] == near(1.0)


class TestTelling:
    SURGE = Surge(1.96, frozenset({"web", "app"}), {})

    def grown(self, service: str = "web", surprise: float = 3.0, observed: float = 9.0) -> Finding:
        return finding(service, "traffic", surprise, baseline=4.0, observed=observed)

    def test_cites_the_entry_that_stands_out_most(self) -> None:
        mild, strong = self.grown("app", 2.0), self.grown("web", 3.0)
        assert self.SURGE.most_telling([mild, strong]) is strong
        assert self.SURGE.most_telling([strong, mild]) is strong

    def test_cites_only_more_requests_of_an_entry_itself(self) -> None:
        others = [
            self.grown("cart"),
            self.grown(observed=3.0),
            self.grown(observed=4.0),
            finding("web", "traffic", 9.0, baseline=None, observed=9.0),
            finding("web", "traffic", 9.0, baseline=1.0, observed=None),
            finding("web", "latency", 9.0, baseline=1.0, observed=9.0),
            finding("web", "traffic", 9.0, baseline=1.0, observed=9.0, peer="cart"),
        ]
        assert self.SURGE.most_telling(others) is None

    def test_says_with_the_impact_how_many_more_requests_come_in(self) -> None:
        docket = Docket(WINDOW)
        impact = Impact("web", 5, (), Text("web 变慢。", "web is slow."))
        told = amid(impact, self.SURGE, [self.grown()], docket)
        assert told.statement == Text(
            "web 变慢。从外部进来的请求是之前的 2 倍。",
            "web is slow. Requests from outside are 2 times as many as before.",
        )
        assert told.evidence_ids == tuple(item.id for item in docket.evidence()) == ("m1",)
        assert (told.service, told.since_ns) == ("web", 5)

    def test_cites_nothing_twice(self) -> None:
        docket, grown = Docket(WINDOW), self.grown()
        impact = Impact("web", None, (docket.cite(grown),), Text("", ""))
        assert amid(impact, self.SURGE, [grown], docket).evidence_ids == ("m1",)
        assert amid(impact, self.SURGE, [], docket).evidence_ids == ("m1",)

"""Every convention's exposition, asked of a real Prometheus, gives the numbers it should."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from aegis.adapters.prometheus.catalog import Catalog, load_catalog
from tests.adapters.catalog.answers import Answers, answers, without_filled_statuses
from tests.adapters.catalog.conftest import LoadedPrometheus
from tests.adapters.catalog.exposition import WINDOW_S, Exposition, every_exposition

CATALOG = load_catalog()
EXPOSITIONS = {one.name: one for one in every_exposition()}
INVENTORIES = {name: one.inventory() for name, one in EXPOSITIONS.items()}
WRITTEN = yaml.safe_load(Path(__file__).with_name("expected.yaml").read_text(encoding="utf-8"))
LATENCIES = ("_p95_seconds", "_p99_seconds", "_mean_seconds")

pytestmark = pytest.mark.loopback


def expected(name: str) -> Answers:
    """The numbers of expected.yaml; a lone number belongs to the service named like the job."""
    return {
        series: {key: float(one) for key, one in value.items()}
        if isinstance(value, dict)
        else {name: float(value)}
        for series, value in WRITTEN[name].items()
    }


def found_in(prometheus: LoadedPrometheus, name: str, catalog: Catalog = CATALOG) -> Answers:
    return answers(prometheus, name, INVENTORIES[name], catalog)


def test_every_exposition_has_its_numbers_and_says_where_it_comes_from() -> None:
    assert set(WRITTEN) == set(EXPOSITIONS)
    assert [one.name for one in EXPOSITIONS.values() if not one.source] == []


@pytest.mark.parametrize("name", sorted(EXPOSITIONS))
def test_an_exposition_comes_out_as_its_numbers(
    name: str, loaded_prometheus: LoadedPrometheus
) -> None:
    found = without_filled_statuses(found_in(loaded_prometheus, name))
    wanted = expected(name)
    assert list(found) == list(wanted)  # the order is that of importance
    for series, values in wanted.items():
        assert found[series] == pytest.approx(values, rel=1e-4), series


@pytest.mark.parametrize("convention", [one.name for one in CATALOG.conventions if one.signals])
def test_every_convention_gives_a_number_from_some_exposition(
    convention: str, loaded_prometheus: LoadedPrometheus
) -> None:
    alone = Catalog(tuple(one for one in CATALOG.conventions if one.name == convention))
    assert any(
        any(values for values in found_in(loaded_prometheus, name, alone).values())
        for name in EXPOSITIONS
    )


@pytest.mark.parametrize(
    ("name", "series", "by_hand"),
    [
        ("redis", "redis_requests_per_second", 208 / WINDOW_S),
        ("redis", "redis_error_share", 1 / 208),
        ("redis", "redis_memory_used_share", 1.158744e06 / 2.097152e07),
        ("redis_down", "redis_availability", 0),
        ("spring", "http_server_error_share", 1 / 5),
        (
            "spring",
            "http_server_duration_mean_seconds",
            (0.020047343 + 0.025162031 + 0.76116395 + 0.163497915) / 5,
        ),
        ("fastapi", "http_server_error_share", 1 / 5),
        ("django", "http_server_requests_per_second", 3 / WINDOW_S),
        ("django", "http_server_error_share", 1 / 3),
        ("nginx", "nginx_requests_per_second", 9 / WINDOW_S),
        ("php_fpm", "php_processes_busy_share", 1 / 2),
        ("kafka_exporter", "kafka_produced_messages_per_second", 50 / WINDOW_S),
        ("mysql", "mysql_connections_used_share", 1 / 151),
        ("blackbox", "probe_duration_seconds", 0.002895833),
    ],
)
def test_captured_numbers_agree_with_arithmetic_on_the_capture(
    name: str, series: str, by_hand: float, loaded_prometheus: LoadedPrometheus
) -> None:
    values = found_in(loaded_prometheus, name)[series]
    assert list(values.values()) == [pytest.approx(by_hand, rel=1e-9)]


class TestErrors:
    def test_read_zero_where_requests_came_and_none_failed(
        self, loaded_prometheus: LoadedPrometheus
    ) -> None:
        found = found_in(loaded_prometheus, "http_no_errors_yet")
        assert found["http_server_error_share"] == {"http_no_errors_yet": 0.0}

    def test_and_latencies_are_absent_where_no_request_came(
        self, loaded_prometheus: LoadedPrometheus
    ) -> None:
        found = found_in(loaded_prometheus, "http_no_traffic")
        assert found.pop("http_server_requests_per_second") == {"http_no_traffic": 0.0}
        assert set(found) >= {"http_server_error_share", "http_server_duration_p95_seconds"}
        assert not any(found.values())

    def test_a_status_that_did_not_occur_reads_zero(
        self, loaded_prometheus: LoadedPrometheus
    ) -> None:
        mix = found_in(loaded_prometheus, "http_status")["http_server_rejected_share"]
        assert mix == {
            f"http_status status={status}": pytest.approx(0.25 if status == 429 else 0.0)
            for status in (400, 401, 403, 404, 429)
        }

    def test_statuses_by_class_are_filled_by_class(
        self, loaded_prometheus: LoadedPrometheus
    ) -> None:
        mix = found_in(loaded_prometheus, "fastapi")["http_server_rejected_share"]
        assert mix == {"fastapi status=4xx": pytest.approx(0.4)}


class TestSeveralSourcesAtOnce:
    def test_copies_of_a_pair_of_servers_count_once(
        self, loaded_prometheus: LoadedPrometheus
    ) -> None:
        found = found_in(loaded_prometheus, "replicas")
        assert found["http_server_requests_per_second"] == {"replicas": pytest.approx(0.4)}

    def test_both_ends_of_a_mesh_call_count_once(self, loaded_prometheus: LoadedPrometheus) -> None:
        traffic = found_in(loaded_prometheus, "istio")["mesh_server_requests_per_second"]
        assert traffic["cart namespace=shop"] == pytest.approx(120 / WINDOW_S)

    def test_a_workload_that_reports_nothing_is_told_by_its_callers(
        self, loaded_prometheus: LoadedPrometheus
    ) -> None:
        errors = found_in(loaded_prometheus, "istio")["mesh_server_error_share"]
        assert errors["dead namespace=shop"] == pytest.approx(0.5)

    @pytest.mark.parametrize("name", ["otel_new", "http_status", "spring", "django", "dotnet"])
    def test_a_service_reads_the_same_beside_all_other_conventions(
        self, name: str, loaded_prometheus: LoadedPrometheus
    ) -> None:
        """The labels of other services make the queries longer, and change no number."""
        everything = Exposition(
            "all",
            "",
            tuple(sample for one in EXPOSITIONS.values() for sample in one.samples),
            {key: kind for one in EXPOSITIONS.values() for key, kind in one.kinds.items()},
        ).inventory()
        found = without_filled_statuses(answers(loaded_prometheus, name, everything, CATALOG))
        alone = expected(name)
        for series in (one for one in alone if one.startswith(("http_", "rpc_", "db_"))):
            if not series.endswith("_mean_seconds"):
                assert found[series] == pytest.approx(alone[series], rel=1e-4), series

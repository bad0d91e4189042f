"""Which queries are planned for what a backend stores."""

from __future__ import annotations

import random

import promql_parser
import pytest

from aegis.adapters.prometheus.catalog import Catalog, load_catalog
from aegis.adapters.prometheus.inventory import Inventory, Kind, MetricInfo
from aegis.adapters.prometheus.plan import GOLDEN, Plan, SignalQuery, plan
from tests.adapters.catalog.exposition import every_exposition

CATALOG = load_catalog()
EXPOSITIONS = every_exposition()


def info(name: str, labels: str = "job", kind: Kind = "unknown") -> MetricInfo:
    return MetricInfo(name, kind, labels={one: frozenset({"x"}) for one in labels.split()})


def histogram(name: str, labels: str = "job") -> list[MetricInfo]:
    return [
        info(f"{name}_bucket", f"{labels} le"),
        info(f"{name}_count", labels),
        info(f"{name}_sum", labels),
    ]


def planned(*metrics: MetricInfo, catalog: Catalog = CATALOG) -> Plan:
    return plan(Inventory({one.name: one for one in metrics}), catalog, 300)


def query(found: Plan, series: str) -> SignalQuery:
    return next(one for one in found.queries if one.series_name == series)


def everything() -> list[MetricInfo]:
    return [one for each in EXPOSITIONS for one in each.inventory().metrics.values()]


def test_unknown_metrics_choose_nothing() -> None:
    found = planned(info("weather_celsius"), info("http_requests_created", "job code"))
    assert found.queries == ()
    assert found.changes == ()
    assert {name for name, _ in found.unused} == {one.name for one in CATALOG.conventions}


def test_the_order_of_the_inventory_is_of_no_meaning() -> None:
    metrics = {one.name: one for one in everything()}
    names = list(metrics)
    wanted = plan(Inventory(metrics), CATALOG, 300)
    for seed in range(5):
        random.Random(seed).shuffle(names)  # noqa: S311 - an order, no secret
        assert plan(Inventory({name: metrics[name] for name in names}), CATALOG, 300) == wanted


def test_every_planned_expression_is_promql() -> None:
    for each in EXPOSITIONS:
        for one in plan(each.inventory(), CATALOG, 300).queries:
            promql_parser.parse(one.promql)
    for one in planned(*everything()).queries:
        promql_parser.parse(one.promql)


def test_a_series_is_asked_for_once_and_golden_signals_come_first() -> None:
    queries = planned(*everything()).queries
    names = [one.series_name for one in queries]
    assert len(names) == len(set(names))
    golden = [one.signal in GOLDEN for one in queries]
    assert golden == sorted(golden, reverse=True)
    assert queries[0].convention.startswith("otel-http-server")


def test_identity_and_labels_kept_are_in_the_result() -> None:
    for one in planned(*everything()).queries:
        assert one.identity, one.series_name
        assert not set(one.identity) & set(one.keep), one.series_name


def test_what_is_not_used_says_what_is_missing() -> None:
    unused = dict(planned(info("http_requests_total", "job")).unused)
    assert unused["http-requests-code"] == "http_requests_total has no label code"
    assert unused["redis"].startswith("no redis_up; no redis_commands_total")
    assert "names a service" in dict(planned(info("redis_up", "cmd")).unused)["redis"]


class TestNamesOfOneService:
    def test_the_best_known_come_first_and_the_job_last(self) -> None:
        found = planned(info("http_requests_total", "job app code namespace"))
        traffic = query(found, "http_server_requests_per_second")
        assert (traffic.identity, traffic.keep) == (("app", "job"), ("namespace",))

    def test_a_pod_gives_the_workload_where_nothing_but_a_job_is_known(self) -> None:
        found = planned(info("http_requests_total", "job pod code namespace"))
        traffic = query(found, "http_server_requests_per_second")
        assert traffic.identity == ("workload", "job")
        assert 'label_replace(rate(http_requests_total{code!=""}[300s]), "workload"' in (
            traffic.promql
        )

    def test_conventions_joined_take_the_best_name_that_any_of_them_has(self) -> None:
        found = planned(
            *histogram("http_server_duration_milliseconds", "job http_status_code"),
            *histogram("http_server_requests_seconds", "job app namespace outcome status"),
        )
        traffic = query(found, "http_server_requests_per_second")
        assert "otel" in traffic.convention
        assert "spring" in traffic.convention
        assert (traffic.identity, traffic.keep) == (("app", "job"), ("namespace",))

    def test_series_that_nothing_names_are_not_asked_for(self) -> None:
        assert planned(info("redis_up", "cmd"), info("istio_requests_total", "job")).queries == ()

    def test_labels_that_a_scrape_moved_aside_come_back(self) -> None:
        name = "kube_pod_container_status_restarts_total"
        labels = "job pod namespace exported_pod exported_namespace exported_container"
        restarts = query(planned(info(name, labels)), "kube_container_restarts")
        assert restarts.identity == ("workload",)
        assert '"pod", "$1", "exported_pod"' in restarts.promql


class TestOpenTelemetryNames:
    @pytest.mark.parametrize(
        ("name", "status"),
        [
            ("http_server_request_duration_seconds", "http_response_status_code"),
            ("http_server_request_duration", "http_response_status_code"),
            ("http.server.request.duration_seconds", "http.response.status_code"),
            ("http.server.request.duration", "http.response.status_code"),
        ],
    )
    def test_are_known_in_all_four_translations(self, name: str, status: str) -> None:
        found = planned(*histogram(name, f"job {status}"))
        errors = query(found, "http_server_error_share").promql
        assert name in errors
        assert status in errors
        promql_parser.parse(errors)

    def test_buckets_of_victoriametrics_have_a_range_each(self) -> None:
        name = "http_server_request_duration_seconds"
        metrics = [info(name + "_count"), info(name + "_sum"), info(name + "_bucket", "vmrange")]
        p95 = query(planned(*metrics), "http_server_duration_p95_seconds").promql
        assert f"sum by (job, le, vmrange) (rate({name}_bucket[300s]))" in p95

    def test_with_dots_are_quoted(self) -> None:
        labels = "service.name http.response.status_code"
        found = planned(*histogram("http.server.request.duration", labels))
        p95 = query(found, "http_server_duration_p95_seconds")
        assert p95.identity == ("service.name",)
        assert p95.promql == (
            '(histogram_quantile(0.95, sum by ("service.name", le)'
            ' (rate({"http.server.request.duration_bucket"}[300s]))) >= 0)'
        )

    def test_old_and_new_of_one_service_are_told_once_the_new_first(self) -> None:
        found = planned(
            *histogram("http_server_duration_milliseconds", "job http_status_code"),
            *histogram("http_server_request_duration_seconds", "job http_response_status_code"),
        )
        traffic = query(found, "http_server_requests_per_second")
        assert traffic.convention == "otel-http-server|otel-http-server-old"
        assert traffic.promql == (
            "(sum by (job) (rate(http_server_request_duration_seconds_count[300s])))"
            " or (sum by (job) (rate(http_server_duration_milliseconds_count[300s])))"
        )

    def test_milliseconds_come_out_as_seconds(self) -> None:
        found = planned(*histogram("http_server_duration_milliseconds"))
        assert query(found, "http_server_duration_p95_seconds").promql.endswith(" * 0.001")
        assert "0.001" not in query(found, "http_server_requests_per_second").promql


class TestHistograms:
    def test_native_ones_have_no_buckets_to_group_by(self) -> None:
        name = "http_server_request_duration_seconds"
        found = planned(info(name, "job http_response_status_code", "native_histogram"))
        assert query(found, "http_server_duration_p99_seconds").promql == (
            f"(histogram_quantile(0.99, sum by (job) (rate({name}[300s]))) >= 0)"
        )
        assert query(found, "http_server_requests_per_second").promql == (
            f"sum by (job) (histogram_count(rate({name}[300s])))"
        )
        assert not any("mean" in one.series_name for one in found.queries)

    def test_a_summary_has_a_mean_and_no_quantile(self) -> None:
        name = "http_request_duration_seconds"
        found = planned(info(f"{name}_count"), info(f"{name}_sum"))
        names = {one.series_name for one in found.queries}
        assert names == {"http_server_requests_per_second", "http_server_duration_mean_seconds"}

    def test_a_mean_is_asked_for_services_without_buckets_only(self) -> None:
        name = "http_request_duration_seconds"
        both = {"job": frozenset({"a", "b"})}
        found = planned(
            MetricInfo(f"{name}_bucket", "unknown", labels={"job": frozenset({"a"})}),
            MetricInfo(f"{name}_count", "unknown", labels=both),
            MetricInfo(f"{name}_sum", "unknown", labels=both),
        )
        mean = query(found, "http_server_duration_mean_seconds").promql
        assert "unless count by (job) (rate(http_request_duration_seconds_bucket" in mean
        assert "mean" not in " ".join(one.series_name for one in planned(*histogram(name)).queries)

    def test_known_by_metadata_alone_are_asked_for_all_the_same(self) -> None:
        found = planned(info("http_request_duration_seconds", "job code", "histogram"))
        assert "job, le" in query(found, "http_server_duration_p95_seconds").promql


class TestTheSameNameWithOtherLabels:
    @pytest.mark.parametrize("label", ["status_code", "status", "code"])
    def test_a_status_is_found_under_its_label(self, label: str) -> None:
        errors = query(
            planned(info("http_requests_total", f"job {label}")), "http_server_error_share"
        )
        assert f'{label}=~"5..' in errors.promql

    def test_requests_without_a_status_have_no_share_of_errors(self) -> None:
        found = planned(info("http_requests_total", "job method"))
        assert [one.series_name for one in found.queries] == ["http_server_requests_per_second"]

    def test_memory_of_a_jvm_is_told_by_area_or_by_type(self) -> None:
        for labels, word in (("job area id", "area"), ("job jvm_memory_type", "jvm_memory_type")):
            limit = "jvm_memory_limit_bytes" if word != "area" else "jvm_memory_max_bytes"
            found = planned(info("jvm_memory_used_bytes", labels), info(limit, labels))
            assert f'{word}="heap"' in query(found, "jvm_memory_heap_used_share").promql

    def test_generic_rules_leave_known_names_alone(self) -> None:
        found = planned(info("redis_commands_processed_total"), info("orders_requests_total"))
        generic = query(found, "generic_requests_per_second")
        assert generic.promql == "sum by (job) (rate(orders_requests_total[300s]))"


def test_recorded_series_are_used_only_where_the_raw_ones_are_missing() -> None:
    recorded = info("node_namespace_pod_container:container_memory_working_set_bytes", "pod")
    raw = info("container_memory_working_set_bytes", "pod container")
    name = "container_memory_working_set_bytes"
    assert query(planned(recorded), name).convention == "cadvisor-recorded"
    assert query(planned(recorded, raw), name).convention == "cadvisor"


def test_discovery_looks_at_what_some_convention_knows() -> None:
    names = ["redis_up", "http_server_request_duration_seconds_bucket", "acme_calls_total", "x"]
    names += ["orders_job_duration_seconds_bucket", "weather_celsius"]
    assert CATALOG.of_interest(names) == set(names) - {"x", "weather_celsius"}

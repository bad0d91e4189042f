"""What discovery finds out about a backend, and how little it asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from aegis.adapters.http_client.budget import Budget
from aegis.adapters.prometheus.api import PrometheusApi
from aegis.adapters.prometheus.discovery import Discovered, discover
from tests.adapters.stand_in import Reply, Seen
from tests.prometheus.speaking import CATALOG, Speaking, asked_for, backend, client_of
from tests.recordings import between

pytestmark = pytest.mark.loopback

SERVER = "http_server_request_duration_seconds"
COUNT = {"__name__": f"{SERVER}_count", "service_name": "web"}


def discovered(answer: Callable[[Seen], Reply], budget: Budget | None = None) -> Discovered:
    found: list[Discovered] = []

    async def ask(url: str) -> None:
        async with client_of(url, budget=budget) as client:
            found.append(await discover(PrometheusApi(client), CATALOG, between(0, 60)))

    with backend(answer) as stand_in:
        asyncio.run(ask(stand_in.url))
    return found[0]


def test_buckets_are_known_by_their_count_and_never_listed() -> None:
    parts = [{**COUNT, "__name__": SERVER + part} for part in ("_count", "_sum", "_bucket")]
    asked: list[str] = []
    speaking = Speaking(parts)

    def answer(seen: Seen) -> Reply:
        asked.append(asked_for(seen, "query"))
        return speaking(seen)

    found = discovered(answer).inventory
    assert set(found.metrics[f"{SERVER}_bucket"].labels) == {"service_name", "le"}
    assert found.metrics[f"{SERVER}_count"].kind == "histogram"
    assert not any("_bucket" in one for one in asked if one.startswith("topk"))


def test_buckets_of_victoriametrics_may_have_ranges() -> None:
    parts = [{**COUNT, "__name__": SERVER + part} for part in ("_count", "_sum", "_bucket")]
    found = discovered(Speaking(parts, buildinfo={"version": "2.24.0"})).inventory
    assert set(found.metrics[f"{SERVER}_bucket"].labels) == {"service_name", "le", "vmrange"}


def test_metadata_tells_kind_and_unit_under_the_name_of_the_family() -> None:
    told = {SERVER: [{"type": "histogram", "unit": "s", "help": ""}]}
    metric = discovered(Speaking([COUNT], metadata=told)).inventory.metrics[COUNT["__name__"]]
    assert (metric.kind, metric.unit) == ("histogram", "s")


NATIVE = {"__name__": "http.server.request.duration", "service.name": "web"}


@pytest.mark.parametrize("kind", ["histogram", "unknown", None])
def test_native_histograms_are_found_with_and_without_metadata(kind: str | None) -> None:
    told = {NATIVE["__name__"]: [{"type": kind, "unit": ""}]} if kind else {}
    server = {"version": "3.5.0"}
    found = discovered(Speaking([COUNT], natives=[NATIVE], metadata=told, buildinfo=server))
    metric = found.inventory.metrics[NATIVE["__name__"]]
    assert metric.kind == "native_histogram"
    assert set(metric.labels) == {"service.name"}
    assert found.silent == ()


def test_each_of_many_native_histograms_is_found_however_many_series_another_has() -> None:
    other = {**NATIVE, "__name__": "rpc.server.duration"}
    loud = [{**NATIVE, "service.name": f"s{place}"} for place in range(600)]
    found = discovered(Speaking([], natives=[*loud, other], buildinfo={"version": "3.5.0"}))
    assert set(found.inventory.metrics) == {NATIVE["__name__"], "rpc.server.duration"}


def test_numbers_under_the_name_of_a_histogram_are_no_native_histogram() -> None:
    found = discovered(Speaking([NATIVE], buildinfo={"version": "3.5.0"}))
    assert found.inventory.metrics[NATIVE["__name__"]].kind == "unknown"


def test_a_server_without_native_histograms_is_read_all_the_same() -> None:
    told = {SERVER: [{"type": "histogram", "unit": ""}]}
    native = {**NATIVE, "__name__": SERVER}
    speaking = Speaking([COUNT | {"__name__": "up"}], natives=[native], metadata=told)
    speaking.broken = "histogram_count"
    found = discovered(speaking)
    assert SERVER in found.silent


def test_what_died_before_the_end_of_the_window_is_looked_for_in_its_middle() -> None:
    speaking, end = Speaking([COUNT]), between(0, 60).end.timestamp()

    def answer(seen: Seen) -> Reply:
        is_at_end = asked_for(seen, "time") == f"{end:.3f}"
        if asked_for(seen, "query").startswith("topk") and is_at_end:
            return Speaking([])(seen)
        return speaking(seen)

    assert COUNT["__name__"] in discovered(answer).inventory.metrics


def test_the_interval_is_told_from_counted_samples() -> None:
    found = discovered(Speaking([COUNT]))
    assert (found.interval_s, found.slowest_s) == (15, 15)


def test_where_the_counting_is_not_understood_the_names_are_listed_all_the_same() -> None:
    found = discovered(Speaking([COUNT], broken="count_over_time"))
    assert (found.interval_s, found.slowest_s) == (60, 60)
    assert COUNT["__name__"] in found.inventory.metrics


def test_a_server_without_buildinfo_and_metadata_is_read_all_the_same() -> None:
    speaking = Speaking([COUNT], buildinfo=None)

    def answer(seen: Seen) -> Reply:
        return Reply(404, b"404 page not found") if "metadata" in seen.path else speaking(seen)

    found = discovered(answer)
    assert found.flavour.program == "unknown"
    assert COUNT["__name__"] in found.inventory.metrics


def test_discovery_asks_four_times_where_everything_is_there() -> None:
    budget = Budget()
    discovered(Speaking([COUNT]), budget)
    assert budget.requests == 4


def test_values_of_labels_are_capped() -> None:
    many = [{**COUNT, "route": f"/{place}"} for place in range(100)]
    found = discovered(Speaking(many)).inventory
    assert len(found.metrics[COUNT["__name__"]].labels["route"]) == 20


def test_names_are_listed_in_two_requests_where_queries_must_be_short() -> None:
    names = sorted(CATALOG.metric_names_of_interest())[:390]
    speaking = Speaking([{"__name__": name} for name in names], buildinfo={"version": "2.24.0"})
    lengths: list[int] = []

    def answer(seen: Seen) -> Reply:
        lengths.append(len(asked_for(seen, "query")))
        return speaking(seen)

    discovered(answer)
    assert max(lengths) < 16 * 1024

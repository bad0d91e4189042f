"""PromQL that somebody else wrote is bounded before it is sent, and its answer is capped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest

from aegis.adapters.http_client.budget import Budget
from aegis.adapters.prometheus.free_query import MOST_SELECTED, PrometheusQuery
from aegis.adapters.prometheus.selectors import lone_selector, selectors_of
from aegis.adapters.prometheus.service_names import PrometheusServices
from aegis.model.errors import InvalidRequest, SourceRejected
from aegis.model.metric_query import MetricListing, MetricRequest, QueriedMetrics
from aegis.model.telemetry import TimeWindow
from tests.adapters.stand_in import Reply, Seen
from tests.prometheus.speaking import (
    CATALOG,
    MARKED,
    Metric,
    Speaking,
    asked_for,
    backend,
    client_of,
    error,
)
from tests.recordings import at, between

pytestmark = pytest.mark.loopback

HOUR = between(0, 60)
CART: Metric = {"__name__": "http_requests_total", "service": "cart", "code": "500"}
SHOP: Metric = {"__name__": "http_requests_total", "service": "shop", "code": "200"}


def query(
    speaking: Speaking, promql: str, window: TimeWindow = HOUR, step_s: int = 60
) -> tuple[QueriedMetrics, list[Seen]]:
    with backend(speaking) as server:

        async def asked() -> QueriedMetrics:
            async with client_of(server.url) as client:
                request = MetricRequest(promql, window, step_s)
                return await PrometheusQuery(client).query_range(request)

        return asyncio.run(asked()), server.seen


def refused(speaking: Speaking, promql: str, step_s: int = 60, window: TimeWindow = HOUR) -> str:
    """The field that is wrong, and how often the backend was asked for the whole."""
    with backend(speaking) as server:

        async def asked() -> None:
            async with client_of(server.url) as client:
                request = MetricRequest(promql, window, step_s)
                await PrometheusQuery(client).query_range(request)

        with pytest.raises(InvalidRequest) as told:
            asyncio.run(asked())
        assert not [one for one in server.seen if one.path.endswith("/query_range")]
    return str(told.value)


def describe(speaking: Speaking, contains: str, most: int = 20) -> MetricListing:
    with backend(speaking) as server:

        async def asked() -> MetricListing:
            async with client_of(server.url) as client:
                return await PrometheusQuery(client).describe(contains, HOUR, most)

        return asyncio.run(asked())


def rows(*found: tuple[Metric, float]) -> Speaking:
    return Speaking([CART, SHOP], lambda _: found)


def test_series_come_by_their_labels_whatever_the_order_of_the_answer() -> None:
    asked = "sum by (service) (rate(http_requests_total[5m]))"
    found, _ = query(rows((SHOP, 2.0), (CART, 1.0)), asked)
    assert [dict(one.labels)["service"] for one in found.series] == ["shop", "cart"]  # 200 < 500
    assert [one.values[0] for one in found.series] == [2.0, 1.0]
    assert len(found.series[0].times_ns) == 60
    assert found.there == 2


def test_what_the_selectors_select_is_counted_first_and_only_once() -> None:
    asked = 'rate(http_requests_total{code="500"}[5m]) / rate(http_requests_total{code="500"}[5m])'
    _, seen = query(rows((CART, 1.0)), asked)
    assert [one.path.rpartition("/")[2] for one in seen] == ["query", "query_range"]
    counted = asked_for(seen[0], "query")
    assert counted.count('count(http_requests_total{code="500"})') == 1
    assert asked_for(seen[1], "query") == asked


def test_an_expression_that_selects_nothing_is_not_counted() -> None:
    _, seen = query(rows(({}, 1.0)), "vector(1)")
    assert [one.path.rpartition("/")[2] for one in seen] == ["query_range"]


def test_too_many_series_are_refused_before_they_are_touched() -> None:
    speaking = Speaking([CART], lambda _: [(CART, 1.0)], series_each=MOST_SELECTED + 1)
    assert "selects 20,001 series" in refused(speaking, "sum(http_requests_total)")


def test_series_times_points_count_too() -> None:
    speaking = Speaking([CART], lambda _: [(CART, 1.0)], series_each=MOST_SELECTED)
    told = refused(speaking, "sum(http_requests_total)", 15)
    assert told.startswith("step: 20,000 series at 241 points are too much")
    query(speaking, "sum(http_requests_total)", step_s=60)


@pytest.mark.parametrize(
    ("promql", "said"),
    [
        ("up{", "promql: "),
        ('{job=~".+"}', "promql: a selector must name its metric"),
        ("max_over_time(up[3y:10s])", "promql: "),
        ("up[5m]", "promql: is no value at a moment"),
        ('"text"', "promql: is no value at a moment"),
        ("(" * 10_000 + "up" + ")" * 10_000, "promql: longer than"),
        ("up offset 90d", "promql: an offset of more than 31 days"),
    ],
)
def test_what_cannot_be_bounded_is_not_sent(promql: str, said: str) -> None:
    with backend(rows((CART, 1.0))) as server:

        async def asked() -> None:
            async with client_of(server.url) as client:
                await PrometheusQuery(client).query_range(MetricRequest(promql, HOUR, 60))

        with pytest.raises(InvalidRequest) as told:
            asyncio.run(asked())
        assert str(told.value).startswith(said)
        assert server.seen == []


def test_a_long_range_needs_a_coarse_step() -> None:
    day = between(0, 24 * 60)
    assert refused(rows((CART, 1.0)), "up", 15, day).startswith("step: must be at least 60 s")
    assert refused(rows((CART, 1.0)), "up", 60, day).startswith("step: 1441 points are too many")
    assert refused(rows((CART, 1.0)), "up", 600, between(0, 8 * 1440)).startswith("range: longer")


def test_of_too_many_series_the_highest_are_given() -> None:
    many: Sequence[tuple[Metric, float]] = [({"pod": f"p{n:03}"}, float(n)) for n in range(250)]
    found, _ = query(rows(*many), "up")
    assert len(found.series) == 200
    assert found.there == 250
    assert found.series[0].labels == (("pod", "p050"),)


def test_an_answer_that_is_too_large_asks_for_less() -> None:
    many: Sequence[tuple[Metric, float]] = [
        ({"pod": f"{n:03}" * 60}, 1.234567890123) for n in range(900)
    ]
    with backend(rows(*many)) as server:

        async def asked() -> None:
            async with client_of(server.url) as client:
                await PrometheusQuery(client).query_range(MetricRequest("up", HOUR, 15))

        with pytest.raises(InvalidRequest, match="promql: gives more than 2 MiB"):
            asyncio.run(asked())


def test_native_histograms_say_how_to_ask_for_them() -> None:
    def answer(seen: Seen) -> Reply:
        if seen.path.endswith("/query_range"):
            data = {"resultType": "matrix", "result": [{"metric": {}, "histograms": []}]}
            return Reply(body=json.dumps({"status": "success", "data": data}).encode())
        return rows((CART, 1.0))(seen)

    with backend(answer) as server:

        async def asked() -> QueriedMetrics:
            async with client_of(server.url) as client:
                return await PrometheusQuery(client).query_range(MetricRequest("up", HOUR, 60))

        (gap,) = asyncio.run(asked()).gaps
    assert "histogram_quantile" in gap.statement.en


def test_a_backend_that_refuses_says_why() -> None:
    async def asked(url: str) -> None:
        async with client_of(url) as client:
            await PrometheusQuery(client).query_range(MetricRequest("up", HOUR, 60))

    with backend(lambda _: error(422, "execution", "query timed out")) as server:
        asking = asked(server.url)
        with pytest.raises(SourceRejected, match="query timed out"):
            asyncio.run(asking)


def test_metrics_are_found_by_name_or_by_what_is_said_of_them() -> None:
    metadata = {
        "http_requests": [{"type": "counter", "help": "Served by the shop", "unit": ""}],
        "other": [{"type": "gauge", "help": "no", "unit": "s"}],
    }
    other: Metric = {"__name__": "other", "pod": "a"}
    speaking = Speaking([CART, SHOP, other], metadata=metadata)
    by_name, by_help = describe(speaking, "HTTP_req"), describe(speaking, "the shop")
    assert [one.name for one in by_name.metrics] == ["http_requests_total"]
    assert by_help.metrics == by_name.metrics
    fact = by_name.metrics[0]
    assert (fact.kind, fact.told) == ("counter", "Served by the shop")
    assert fact.labels == (("code", ("200", "500")), ("service", ("cart", "shop")))
    assert (by_name.there, by_name.known) == (1, 2)


def test_labels_of_native_histograms_are_told_too() -> None:
    native: Metric = {"__name__": "http.server.request.duration", "http.route": "/a"}
    found = describe(Speaking([CART], natives=[native]), "http.server")
    assert [one.name for one in found.metrics] == ["http.server.request.duration"]
    assert found.metrics[0].labels == (("http.route", ("/a",)),)


def test_of_many_metrics_the_rest_is_counted() -> None:
    series = [{"__name__": f"jvm_{n:02}"} for n in range(30)]
    found = describe(Speaking(series), "jvm", most=5)
    assert [one.name for one in found.metrics] == [f"jvm_{n:02}" for n in range(5)]
    assert found.there == 30


def test_one_letter_finds_too_much() -> None:
    with pytest.raises(InvalidRequest, match="contains: must have 2 to 256"):
        describe(Speaking([CART]), " a ")


class Valued(Speaking):
    """Says at one moment what the expressions give, not how many series that is."""

    def _instant(self, query: str) -> Reply:
        if query.startswith("topk by"):
            return self._vector([(one, 1.0) for one in self.series])
        return self._vector(
            [
                ({**metric, "aegis_signal": mark}, value)
                for expression, mark in MARKED.findall(query)
                for metric, value in self.rows(expression)
            ]
        )


def test_services_are_those_with_golden_signals() -> None:
    cart, shop = {"service": "cart"}, {"service": "shop"}
    budget = Budget()
    with backend(Valued([CART, SHOP], lambda _: [(shop, 0.0), (cart, 1.0)])) as server:

        async def asked() -> tuple[str, ...]:
            async with client_of(server.url, budget=budget) as client:
                return await PrometheusServices(client, CATALOG).names(HOUR)

        assert asyncio.run(asked()) == ("cart", "shop")
    assert budget.requests <= 11


def test_selectors_are_written_anew_so_that_nothing_breaks_out_of_them() -> None:
    promql = r'sum(rate(x{a="q\"b\\",b=~"5.."}[5m] offset 1h)) + {"a.b",c!="d"} / x{b!~"y"}'
    assert selectors_of(promql) == (
        r'x{a="q\"b\\",b=~"5.."} offset 3600s',
        '{__name__="a.b",c!="d"}',
        'x{b!~"y"}',
    )


def test_only_a_selector_alone_is_one() -> None:
    assert lone_selector("sum(up)") is None
    alone = lone_selector('up{job="a"}')
    assert alone is not None
    assert (alone.name, alone.matchers) == ("up", (("job", "=", "a"),))


def test_the_window_is_asked_for_at_multiples_of_the_step() -> None:
    _, seen = query(rows((CART, 1.0)), "up", TimeWindow(at(0.2), at(30.2)))
    assert float(asked_for(seen[1], "start")) % 60 == 0

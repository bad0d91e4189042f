"""Reading metrics from a backend: what is asked, what comes out, what is said to be missing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from aegis.adapters.http_client.budget import Budget
from aegis.adapters.http_client.routes import ALLOWED
from aegis.adapters.prometheus.metrics import PrometheusMetrics
from aegis.engine.signals import meaning_of
from aegis.model.errors import SourceError, SourceRejected, SourceUnavailable
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import Matrix, TimeWindow
from tests.adapters.stand_in import Reply, Seen
from tests.prometheus.speaking import CATALOG, Metric, Speaking, backend, client_of, error
from tests.recordings import between

pytestmark = pytest.mark.loopback

HOUR = between(0, 60)
SERVER = "http_server_request_duration_seconds"


def requests_of(service: str) -> list[Metric]:
    labels = {"service_name": service, "http_response_status_code": "200"}
    parts = [{"__name__": SERVER + part, **labels} for part in ("_count", "_sum", "_bucket")]
    return [*parts, {"__name__": "up", "job": service}]


def shop_rows(names: Sequence[str]) -> Callable[[str], list[tuple[Metric, float]]]:
    def rows(promql: str) -> list[tuple[Metric, float]]:
        if "up == 0" in promql or "4.." in promql:
            return []
        value = 0.25 if "5.." in promql else 3.0
        return [({"service_name": name}, value) for name in names]

    return rows


def shop(*names: str) -> Speaking:
    return Speaking([one for name in names for one in requests_of(name)], shop_rows(names))


def read(
    answer: Callable[[Seen], Reply],
    window: TimeWindow = HOUR,
    *,
    timeout_s: float = 5.0,
    budget: Budget | None = None,
    slow_s: float = 5.0,
) -> tuple[Matrix, tuple[EvidenceGap, ...]]:
    found: list[tuple[Matrix, tuple[EvidenceGap, ...]]] = []

    async def ask(url: str) -> None:
        async with client_of(url, timeout_s=timeout_s, budget=budget) as client:
            # Not returned: asyncio.run would write all of it into a message it never shows.
            found.append(await PrometheusMetrics(client, CATALOG, slow_s).read_metrics(window))

    with backend(answer) as stand_in:
        asyncio.run(ask(stand_in.url))
    return found[0]


def said(gaps: Sequence[EvidenceGap]) -> str:
    return "\n".join(gap.statement.en for gap in gaps)


def test_the_golden_signals_of_every_service_come_back_as_the_engine_reads_them() -> None:
    matrix, gaps = read(shop("web", "cart"))
    found = {(one.service, meaning.signal) for one in matrix.series if (meaning := meaning_of(one))}
    assert found >= {
        (name, s) for name in ("web", "cart") for s in ("traffic", "errors", "latency")
    }
    assert gaps == ()


def test_all_samples_lie_in_the_window_on_multiples_of_the_step() -> None:
    matrix, _ = read(shop("web"), between(0.1, 60))
    for series in matrix.series:
        assert HOUR.contains(series.times_ns).all()
        assert (series.times_ns % (15 * 10**9) == 0).all()
        assert len(series.times_ns) == 239


def test_of_victoriametrics_the_half_minute_that_may_still_change_is_not_read() -> None:
    speaking = replace(shop("web"), buildinfo={"version": "2.24.0"})
    newest = {one.times_ns[-1] for one in read(speaking)[0].series}
    assert newest == {HOUR.end_ns - 45 * 10**9}
    newest = {one.times_ns[-1] for one in read(shop("web"))[0].series}
    assert newest == {HOUR.end_ns - 15 * 10**9}


def test_two_windows_that_overlap_share_their_samples() -> None:
    one = read(shop("web"), between(0, 60))[0].series[0].times_ns
    other = read(shop("web"), between(7.03, 67.03))[0].series[0].times_ns
    assert set(other) & set(one) == {time for time in one if between(7.03, 60).contains(time)}


def test_the_number_of_requests_is_the_same_for_two_services_and_for_five_hundred() -> None:
    spent = []
    for count in (2, 500):
        budget = Budget()
        matrix, _ = read(
            shop(*(f"s{place}" for place in range(count))), between(0, 10), budget=budget
        )
        assert len({one.service for one in matrix.series}) == count
        spent.append(budget.requests)
    assert spent[0] == spent[1] <= 16


def test_of_more_than_five_hundred_services_the_busiest_are_kept_and_the_rest_is_told() -> None:
    names = [f"s{place:03d}" for place in range(503)]
    asked = shop(*names)
    quiet = {"s100", "s200", "s300"}
    asked.rows = lambda promql: [
        (metric, 0.001 if metric["service_name"] in quiet else value)
        for metric, value in shop_rows(names)(promql)
    ]
    matrix, gaps = read(asked, between(0, 10))
    assert quiet.isdisjoint(one.service for one in matrix.series)
    assert "the 3 with the least traffic" in said(gaps)


def test_an_expression_that_is_refused_takes_only_itself_away() -> None:
    asked = shop("web")
    asked.broken = "histogram_quantile(0.99"
    matrix, gaps = read(asked)
    names = {one.name for one in matrix.series}
    assert "http_server_error_share" in names
    assert "http_server_duration_p95_seconds" in names
    assert "http_server_duration_p99_seconds" not in names
    assert "1 kinds of metrics could not be read: http_server_duration_p99_seconds" in said(gaps)


def test_what_was_refused_is_not_told_as_never_measured() -> None:
    asked = shop("web")
    asked.broken = "histogram_quantile("
    _, gaps = read(asked)
    assert [gap.reason for gap in gaps] == ["sampled"]
    assert "2 kinds of metrics could not be read" in said(gaps)


def test_where_everything_is_refused_the_source_is_at_fault() -> None:
    asked = shop("web")
    asked.broken = "rate("
    with pytest.raises(SourceRejected, match=r"PROMETHEUS_BASE_URL.*parse error"):
        read(asked)


def test_splitting_stops_at_sixteen_requests() -> None:
    asked = shop("web")
    refused = shop("web")
    refused.broken = "rate("
    budget = Budget()

    def answer(seen: Seen) -> Reply:
        return (refused if seen.path.endswith("query_range") else asked)(seen)

    with pytest.raises(SourceError):
        read(answer, budget=budget)
    assert budget.requests <= 16


def test_warnings_and_partial_answers_are_told() -> None:
    asked = shop("web")
    asked.extra = {"warnings": ["store eu-1 is away", "\u202eevil\nwords"], "isPartial": True}
    _, gaps = read(asked)
    assert "warned: store eu-1 is away" in said(gaps)
    assert "warned: evil words" in said(gaps)
    assert "isPartial" in said(gaps)


def test_no_data_zero_and_target_down_are_three_things() -> None:
    asked = shop("web", "idle")

    def rows(promql: str) -> list[tuple[Metric, float]]:
        if "up == 0" in promql:
            return [({"job": "ns/cart"}, 2.0)]
        if "histogram_quantile" in promql or "_sum" in promql:
            return []
        found = shop_rows(["web", "idle"])(promql)
        return [(who, 0.0 if who["service_name"] == "idle" else value) for who, value in found]

    asked.rows = rows
    _, gaps = read(asked)
    told = {(gap.service, gap.reason) for gap in gaps}
    assert told == {("cart", "no_data"), ("idle", "zero"), ("web", "not_recorded")}
    assert "cart has scrape targets that are down" in said(gaps)
    assert "web has no metric for latency" in said(gaps)


class ComesAndGoes(Speaking):
    """Has series in the hour, but none at the moments at which anybody looks."""

    def _instant(self, query: str) -> Reply:
        if query.startswith("topk by"):
            return self._vector([(one, 1.0) for one in self.series if one["__name__"] == "up"])
        return super()._instant(query)


def test_what_has_no_series_at_the_moments_looked_at_is_told() -> None:
    _, gaps = read(ComesAndGoes(requests_of("web"), shop_rows(["web"])))
    (gap,) = [one for one in gaps if "three moments" in one.statement.en]
    assert (gap.source, gap.reason) == ("metrics", "no_data")
    told = "had no series at the three moments looked at (10:30:00, 10:45:00, 11:00:00 UTC)"
    assert f"{told} and were not read: {SERVER};" in gap.statement.en
    assert SERVER in gap.statement.zh
    _, nothing = read(ComesAndGoes(requests_of("web")[:1], shop_rows(["web"])))
    assert "three moments" in said(nothing)
    assert "three moments" not in said(read(shop("web"))[1])


def test_an_empty_backend_and_one_that_speaks_otherwise_are_told_apart() -> None:
    matrix, gaps = read(Speaking([]))
    assert matrix.series == ()
    assert [gap.reason for gap in gaps] == ["no_data"]
    assert "holds no metric" in said(gaps)
    _, gaps = read(Speaking([{"__name__": "completely_unheard_of"}]))
    assert "holds 1 metrics, but none" in said(gaps)


def test_a_slow_backend_is_asked_less_and_that_is_told() -> None:
    matrix, gaps = read(shop("web"), slow_s=0.0)
    whole, _ = read(shop("web"))
    assert 0 < len(matrix.series) < len(whole.series)
    assert "the backend is slow" in said(gaps)


def test_more_than_the_budget_is_asked_with_a_coarser_step_and_then_left_out() -> None:
    asked = shop("web")
    asked.series_each = 4_000
    matrix, gaps = read(asked)
    assert len(matrix.series[0].times_ns) < 100
    assert gaps == ()
    asked.series_each = 7_000
    matrix, gaps = read(asked)
    assert matrix.series == ()
    assert "4 kinds of metrics were not asked for (they are over the budget)" in said(gaps)


def test_series_that_differ_in_nothing_that_is_kept_become_one() -> None:
    asked = shop("web")
    asked.rows = lambda promql: [
        ({"service_name": "web", "job": "eu/web"}, 2.0),
        ({"service_name": "web", "job": "us/web"}, 3.0),
    ]
    asked.series = [{**one, "job": "x"} for one in asked.series]
    matrix, _ = read(asked)
    by_name = {one.name: one for one in matrix.series}
    assert set(by_name["http_server_requests_per_second"].values) == {5.0}
    assert set(by_name["http_server_error_share"].values) == {3.0}
    assert by_name["http_server_requests_per_second"].query.startswith("sum((")
    assert by_name["http_server_error_share"].query.startswith("max((")


@pytest.mark.parametrize("name", ['a"b', "x\\", 'x"} or up{a="', "\u202eevil", "日本"])
def test_hostile_service_names_stay_names(name: str) -> None:
    import promql_parser

    matrix, _ = read(shop(name))
    assert {one.service for one in matrix.series} == {name}
    for series in matrix.series:
        promql_parser.parse(series.query)
        assert series.query.isprintable()


HTML = Reply(body=b"<!doctype html><html>login</html>", content_type="text/html")


@pytest.mark.parametrize(
    ("reply", "kind", "told"),
    [
        (Reply(401, b"no"), SourceRejected, "AEGIS_PROMETHEUS_BEARER_TOKEN"),
        (Reply(429, b"slow down"), SourceUnavailable, "429"),
        (Reply(500, b"oops"), SourceUnavailable, "500"),
        (HTML, SourceRejected, "HTML"),
        (Reply(body=b'{"status":"success","data":["a'), SourceUnavailable, "half"),
        (Reply(body=b'{"status":"success"}'), SourceRejected, "not of the Prometheus API"),
        (Reply(body=b"[]"), SourceRejected, "not of the Prometheus API"),
        (error(422, "execution", "err-mimir-max-series"), SourceRejected, "err-mimir-max-series"),
        (Reply(body=b"{", length=100), SourceUnavailable, "PROMETHEUS_BASE_URL"),
    ],
)
@pytest.mark.parametrize("place", ["label/__name__/values", "query_range"])
def test_a_backend_that_fails_is_an_error_that_names_the_setting(
    reply: Reply, kind: type[SourceError], told: str, place: str
) -> None:
    fine = shop("web")
    with pytest.raises(kind, match=told):
        read(lambda seen: reply if place in seen.path else fine(seen))


def test_a_backend_that_hangs_costs_its_deadline_and_no_more() -> None:
    with pytest.raises(SourceUnavailable, match=r"PROMETHEUS"):
        read(lambda _: Reply(body=b"{", length=99, hang=True), timeout_s=0.5)


def test_a_backend_that_is_down_is_unavailable() -> None:
    async def ask() -> None:
        async with client_of("http://127.0.0.1:9", timeout_s=2.0) as client:
            await PrometheusMetrics(client, CATALOG).read_metrics(HOUR)

    with pytest.raises(SourceUnavailable, match="PROMETHEUS_BASE_URL"):
        asyncio.run(ask())


def test_only_reads_of_the_allow_list_are_ever_sent() -> None:
    fine = shop("web", 'x"} or up{a="')
    with backend(fine) as stand_in:

        async def ask() -> None:
            async with client_of(stand_in.url) as client:
                await PrometheusMetrics(client, CATALOG).read_metrics(HOUR)

        asyncio.run(ask())
        sent = {(one.method, one.path) for one in stand_in.seen}
    allowed = {
        (route.method, route.template.replace("{name}", "__name__"))
        for route in ALLOWED["prometheus"]
    }
    assert sent <= allowed
    assert ("POST", "/api/v1/query_range") in sent

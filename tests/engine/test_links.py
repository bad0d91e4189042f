"""A link leads to the evidence and nowhere else, whatever the telemetry's names hold."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from aegis.engine.links import link_of
from aegis.engine.log_lines import log_query
from aegis.model.evidence import Evidence
from aegis.model.links import NO_ADDRESSES, ExternalAddresses
from aegis.model.telemetry import LogTable, to_ns
from aegis.model.text import Text
from tests.engine.grafana import DataSource, opened
from tests.recordings import at, between

GRAFANA = ExternalAddresses(grafana="https://grafana.example/g")
OTHERS = ExternalAddresses(prometheus="https://prom.example/p", jaeger="https://jaeger.example")
METRIC = Evidence(
    "m1",
    "metrics",
    "latency",
    "cart",
    None,
    "latency_p95_ms",
    'histogram_quantile(0.95, sum by (le) (rate(x_bucket{service="cart"}[5m])))',
    between(30, 40),
    between(0, 40),
    "0" * 64,
    1.0,
    2.0,
    "ms",
    3.0,
    None,
    Text("慢", "slow"),
)
TRACE = replace(METRIC, source="traces", signal="self_time", subject="GET /a → GET /b", query="{}")
LOG = replace(METRIC, source="logs", signal="error_logs", query='{service="cart"} |= "boom"')
ALERT = replace(METRIC, source="alerts", signal="alert", subject="CartSlow", query='{a="b"}')
CHANGE = replace(METRIC, source="changes", signal="change")


def pane(item: Evidence, to: ExternalAddresses = GRAFANA) -> dict[str, Any]:
    """What Explore is asked to show; the address is checked to hold that and nothing else."""
    link = link_of(item, to)
    assert link is not None
    parts = urlsplit(link)
    assert (parts.scheme, parts.netloc) == ("https", "grafana.example")
    assert (parts.path, parts.fragment) == ("/g/explore", "")
    asked = parse_qs(parts.query, strict_parsing=True)
    assert set(asked) == {"schemaVersion", "panes"}
    assert asked["schemaVersion"] == ["1"]
    (shown,) = json.loads(asked["panes"][0]).values()
    assert isinstance(shown, dict)
    return shown


def test_metrics_are_shown_with_time_before_and_after() -> None:
    shown = pane(METRIC)
    (query,) = shown["queries"]
    assert query["expr"] == METRIC.query
    assert shown["datasource"] == "prometheus"
    assert shown["range"] == {
        "from": str(to_ns(at(25)) // 1_000_000),
        "to": str(to_ns(at(45)) // 1_000_000),
    }


def test_data_sources_have_the_uid_of_the_settings() -> None:
    named = replace(GRAFANA, uids={"prometheus": "mimir-eu"})
    assert pane(METRIC, named)["datasource"] == "mimir-eu"
    assert pane(LOG, named)["datasource"] == "loki"


CONFIGURED = (
    DataSource("default-uid", "something else", "tempo"),
    DataSource("PBFA97CFB590B2093", "prometheus", "prometheus"),
    DataSource("P8E80F9AEF21F6940", "loki", "loki"),
    DataSource("jaeger", "Traces of the shop", "jaeger"),
)


@pytest.mark.parametrize(
    ("item", "kind", "query"),
    [
        (METRIC, "prometheus", {"expr": METRIC.query, "range": True}),
        (ALERT, "prometheus", {"expr": 'ALERTS{alertname="CartSlow"}', "range": True}),
        (LOG, "loki", {"expr": '{service_name="cart"} |= "boom"'}),
        (TRACE, "jaeger", {"queryType": "search", "service": "cart", "limit": 20}),
    ],
)
@pytest.mark.parametrize("by", ["uid", "name"])
def test_grafana_opens_the_query_on_its_data_source_however_that_is_named(
    item: Evidence, kind: str, query: dict[str, object], by: str
) -> None:
    (source,) = [one for one in CONFIGURED if one.kind == kind]
    uids: dict[Any, str] = {kind: source.uid if by == "uid" else source.name}
    shown = opened(link_of(item, replace(GRAFANA, uids=uids)) or "", CONFIGURED)
    assert shown.data_source == source
    (run,) = shown.queries
    assert run["datasource"] == {"uid": source.uid}
    assert query.items() <= run.items()
    assert (shown.start, shown.end) == (
        str(to_ns(at(25)) // 1_000_000),
        str(to_ns(at(45)) // 1_000_000),
    )
    assert not shown.made_up_id


def test_logs_are_asked_for_by_the_label_of_this_loki() -> None:
    assert pane(LOG)["queries"][0]["expr"] == '{service_name="cart"} |= "boom"'
    labelled = replace(GRAFANA, log_selector='{{cluster="eu",app="shop/{service}"}}')
    assert pane(LOG, labelled)["queries"][0]["expr"] == '{cluster="eu",app="shop/cart"} |= "boom"'


def test_a_query_that_names_streams_as_loki_does_is_shown_as_it_is() -> None:
    own = replace(LOG, query='{app="Cart"} |= "boom"')
    labelled = replace(GRAFANA, log_selector='{{other="{service}"}}')
    assert pane(own, labelled)["queries"][0]["expr"] == own.query


def test_traces_are_searched_by_service_and_operation() -> None:
    (query,) = pane(TRACE)["queries"]
    assert (query["service"], query["operation"]) == ("cart", "GET /a")
    assert query["queryType"] == "search"
    assert "tags" not in query
    (failed,) = pane(replace(TRACE, signal="error_spans"))["queries"]
    assert failed["tags"] == "error=true"
    (whole,) = pane(replace(TRACE, signal="latency", subject="p95"))["queries"]
    assert "operation" not in whole


def test_alerts_are_shown_as_the_series_of_their_name() -> None:
    assert pane(ALERT)["queries"][0]["expr"] == 'ALERTS{alertname="CartSlow"}'


def test_without_grafana_prometheus_and_jaeger_show_what_is_theirs() -> None:
    graph = urlsplit(link_of(METRIC, OTHERS) or "")
    assert (graph.netloc, graph.path) == ("prom.example", "/p/graph")
    assert dict(parse_qsl(graph.query)) == {
        "g0.expr": METRIC.query,
        "g0.tab": "0",
        "g0.range_input": "1200s",
        "g0.end_input": "2026-03-01 10:45:00",
    }
    search = urlsplit(link_of(TRACE, OTHERS) or "")
    assert (search.netloc, search.path) == ("jaeger.example", "/search")
    asked = dict(parse_qsl(search.query))
    assert (asked["service"], asked["operation"], asked["lookback"]) == ("cart", "GET /a", "custom")
    assert asked["start"] == str(to_ns(at(30)) // 1000)
    whole = link_of(replace(TRACE, signal="latency", subject="p95"), OTHERS)
    assert "operation" not in (whole or "")
    assert link_of(LOG, OTHERS) is None


def test_grafana_comes_first() -> None:
    everything = replace(OTHERS, grafana="https://grafana.example/g")
    for item in (METRIC, TRACE, LOG, ALERT):
        assert (link_of(item, everything) or "").startswith("https://grafana.example/g/explore?")


def test_where_nothing_is_set_and_for_changes_there_is_none() -> None:
    for item in (METRIC, TRACE, LOG, ALERT, CHANGE):
        assert link_of(item, NO_ADDRESSES) is None
    assert link_of(CHANGE, GRAFANA) is None


HOSTILE = (
    '"}]}}&orgId=2#x',
    "https://evil.example/?a=b&c",
    "../../admin",
    "a\r\nHost: evil.example",
    "@evil.example",
    "\u202egnp.exe",
    "half \ud800 of a pair",
    "{service}{0}{label_key.__class__}",
    "%2e%2e%2f\\",
    "<script>alert(1)</script>",
)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("source", ["metrics", "traces", "logs", "alerts"])
def test_no_name_breaks_out_of_its_place(name: str, source: str) -> None:
    items = {"metrics": METRIC, "traces": TRACE, "logs": LOG, "alerts": ALERT}
    query = f'{{service="{name}"}} |= "x"' if source == "logs" else name
    item = replace(items[source], service=name, subject=name, query=query)
    pane(item)  # checks the address
    for to, host in ((OTHERS, ("prom.example", "jaeger.example")), (GRAFANA, ("grafana.example",))):
        link = link_of(item, to)
        if link is not None:
            parts = urlsplit(link)
            assert parts.netloc in host
            assert parts.fragment == ""
            assert link.isascii()
            assert not set(link) & set(" \r\n\"'<>\\{}")


def test_a_hostile_service_stays_a_value_of_its_matcher() -> None:
    name = 'x"} or {a="'
    item = replace(LOG, service=name, query=log_query(LogTable.empty(), name, "boom"))
    assert pane(item)["queries"][0]["expr"] == '{service_name="x\\"} or {a=\\""} |= "boom"'


def test_a_link_nobody_could_open_is_none() -> None:
    assert link_of(replace(METRIC, query="x" * 9000), GRAFANA) is None

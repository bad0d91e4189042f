"""`aegis tools`: what a model may ask, asked by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.jaeger_server import JaegerServer
from tests.adapters.loki_server import HeldLoki, stored
from tests.adapters.stand_in import Reply, standing_in
from tests.cli.commands import Aegis
from tests.prometheus.speaking import Speaking
from tests.recordings import SmallShop, lines_of, spans_of

BACKENDS = ("PROMETHEUS_BASE_URL", "LOKI_BASE_URL", "JAEGER_BASE_URL", "ALERTMANAGER_BASE_URL")
WHEN = ("--argument", "start=2026-03-01T10:00Z", "--argument", "end=2026-03-01T10:40Z")


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in BACKENDS:
        monkeypatch.delenv(name, raising=False)


def test_the_list_names_every_tool_and_argument(aegis: Aegis) -> None:
    told = aegis("tools", "list").out
    assert "prometheus_query_range" in told
    assert "promql  (needed) one expression" in told
    tools = aegis("tools", "list", "--json").json()["tools"]
    assert len(tools) == 7
    assert tools[-1]["arguments"]["properties"]["promql"]["maxLength"] == 1024


def test_a_tool_is_asked_of_a_case(aegis: Aegis, tmp_path: Path) -> None:
    case = str(SmallShop().recording().write(tmp_path / "shop"))
    told = aegis("tools", "call", "list_changes", *WHEN, "--case", case, "--json").json()
    assert [one["service"] for one in told["changes"]] == ["cart"]
    assert '"changes"' in aegis("tools", "call", "list_changes", *WHEN, "--case", case).out


def test_an_error_is_printed_and_is_an_exit_code(aegis: Aegis, tmp_path: Path) -> None:
    case = str(SmallShop().recording().write(tmp_path / "shop"))
    wrong = aegis("tools", "call", "list_changes", "--argument", "start=noon", "--case", case)
    assert (wrong.code, '"invalid_datetime"' in wrong.out) == (3, True)
    unknown = aegis("tools", "call", "list_ponies", "--case", case, "--json")
    assert (unknown.code, unknown.json()["error"]) == (3, "unknown_tool")
    lacking = aegis("tools", "call", "list_alerts", "--case", case, "--json")
    assert (lacking.code, lacking.json()["error"]) == (2, "not_configured")


@pytest.mark.parametrize("pair", ["promql", "=up"])
def test_an_argument_is_a_name_and_a_value(aegis: Aegis, pair: str) -> None:
    assert aegis("tools", "call", "list_changes", "--argument", pair).code == 2
    twice = ("--argument", "start=now", "--argument", "start=now")
    assert aegis("tools", "call", "list_changes", *twice).code == 2


def test_without_a_backend_it_says_what_to_set(aegis: Aegis) -> None:
    ran = aegis("tools", "call", "list_changes")
    assert (ran.code, ran.err.startswith("error: PROMETHEUS_BASE_URL: not set")) == (2, True)


@pytest.mark.loopback
def test_tools_are_asked_of_running_backends(aegis: Aegis, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = SmallShop().recording()
    loki = HeldLoki(stored(lines_of(shop.logs)))
    jaeger = JaegerServer(spans_of(shop.spans)[3:])  # an id of zeros is no id
    prometheus = Speaking([{"__name__": "up", "job": "cart"}], lambda _: [({"job": "cart"}, 1.0)])
    with (
        standing_in(loki.answer) as logs,
        standing_in(jaeger) as traces,
        standing_in(prometheus) as metrics,
        standing_in(lambda _: Reply(500)) as alerts,
    ):
        monkeypatch.setenv("LOKI_BASE_URL", logs.url)
        monkeypatch.setenv("JAEGER_BASE_URL", traces.url)
        monkeypatch.setenv("PROMETHEUS_BASE_URL", metrics.url)
        asked = ("--argument", "keywords=", "--argument", "status_codes=")
        lines = aegis("tools", "call", "loki_collect_evidence", *WHEN, *asked, "--json").json()
        of_cart = ("--argument", "service=cart", "--argument", "limit=3")
        found = aegis("tools", "call", "jaeger_query_traces", *WHEN, *of_cart, "--json").json()
        up = aegis("tools", "call", "prometheus_query_range", *WHEN, "--argument", "promql=up")
        names = aegis("tools", "call", "list_services", *WHEN, "--json").json()
        kept = aegis("tools", "call", "list_alerts", "--json").json()
        monkeypatch.setenv("ALERTMANAGER_BASE_URL", alerts.url)
        down = aegis("tools", "call", "list_alerts", "--json")
        monkeypatch.delenv("ALERTMANAGER_BASE_URL")
        monkeypatch.delenv("PROMETHEUS_BASE_URL")
        none = aegis("tools", "call", "list_alerts", "--json")
    assert sum(lines["matching_lines"].values()) == len(shop.logs)
    assert len(found["traces"]) == 3
    assert (up.code, up.json()["series"][0]["labels"]) == (0, {"job": "cart"})
    assert {one["name"] for one in names["services"]} >= {"cart", "shop", "store"}
    assert [one["labels"] for one in kept["alerts"]] == [{"job": "cart"}]  # Prometheus' own
    assert (none.code, none.json()["message"]) == (2, "ALERTMANAGER_BASE_URL is not set")
    assert (down.code, down.json()["error"]) == (4, "alertmanager_request_failed")

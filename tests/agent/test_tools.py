"""What each tool answers, asked of a recorded case: the production adapters stand behind it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from aegis.adapters.cases.recorded import RecordedCase
from aegis.agent.tools import metrics, surroundings
from aegis.agent.tools.shown import shown, shown_labels
from aegis.agent.tools.times import Times
from aegis.agent.tools.toolbox import Toolbox
from aegis.bootstrap.tools import case_tools, describe_tools
from aegis.model.alert import Alert
from aegis.model.errors import SourceError, SourceUnavailable
from aegis.model.evidence import EvidenceGap, Source
from aegis.model.metric_query import MetricListing, MetricRequest, QueriedMetrics, QueriedSeries
from aegis.model.redaction import REDACTED
from aegis.model.telemetry import Change, TimeWindow
from aegis.ports import ServiceNames
from tests.fakes import FakeAlerts, FakeClock
from tests.recordings import SmallShop, at, series

SHANGHAI = ZoneInfo("Asia/Shanghai")
NAMES = (
    "jaeger_query_traces",
    "list_alerts",
    "list_changes",
    "list_services",
    "loki_collect_evidence",
    "metrics_metadata_lookup",
    "prometheus_query_range",
)
WHOLE = {"start": "2026-03-01T10:00:00Z", "end": "2026-03-01T10:40:00Z"}


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> RecordedCase:
    folder = tmp_path_factory.mktemp("case") / "shop"
    return RecordedCase.open(SmallShop().recording().write(folder))


def ask(case: RecordedCase, name: str, **given: object) -> dict[str, Any]:
    return dict(asyncio.run(case_tools(case, SHANGHAI).call(name, given)))


def test_every_tool_tells_its_arguments_as_a_schema() -> None:
    tools = {str(one["name"]): one for one in describe_tools()}
    assert tuple(tools) == NAMES
    for one in tools.values():
        schema = one["arguments"]
        assert isinstance(schema, dict)
        assert schema["type"] == "object"
        assert schema["additionalProperties"] is False
        assert one["description"]
    told = tools["prometheus_query_range"]["arguments"]
    assert isinstance(told, dict)
    assert set(told["properties"]) == {"promql", "start", "end", "step"}
    assert told["required"] == ["promql"]


def test_a_selector_gives_the_recorded_series(case: RecordedCase) -> None:
    promql = 'cpu_usage_percent{service="store"}'
    told = ask(case, "prometheus_query_range", promql=promql, **WHOLE, step=60)
    (one,) = told["series"]
    assert one["labels"] == {"__name__": "cpu_usage_percent", "service": "store"}
    assert (one["points"], one["max"] > 80, one["min"]) == (40, True, 20.0)
    assert one["values"][0] == ["2026-03-01T10:00:00Z", 20.0]
    assert "10:30" <= one["max_at"][11:16] < "10:36"
    assert told["step"] == "60s"
    assert "incomplete" not in told


def test_what_a_case_cannot_evaluate_is_unsupported_and_not_empty(case: RecordedCase) -> None:
    for promql in ("rate(cpu_usage_percent[5m])", 'cpu_usage_percent{service=~"s.*"}'):
        told = ask(case, "prometheus_query_range", promql=promql, **WHOLE)
        assert told["error"] == "unsupported"
        assert told["promql"] == promql


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"promql": "up{", **WHOLE}, "invalid_promql"),
        ({"promql": '{job=~".+"}', **WHOLE}, "invalid_promql"),
        ({"promql": "up", **WHOLE, "step": "soon"}, "invalid_step"),
        ({"promql": "up", **WHOLE, "step": "1s"}, "invalid_step"),
        ({"promql": "up", "start": "2026-01-01", "end": "2026-03-01"}, "invalid_time_range"),
    ],
)
def test_what_cannot_be_asked_says_which_part(
    case: RecordedCase, given: dict[str, str], error: str
) -> None:
    told = ask(case, "prometheus_query_range", **given)
    assert (told["error"], told["promql"]) == (error, given["promql"])
    assert told["message"]


def test_a_time_that_is_none_comes_back_as_it_was_written(case: RecordedCase) -> None:
    told = ask(case, "prometheus_query_range", promql="up", start="noonish", end="10:30")
    assert told == {
        "error": "invalid_datetime",
        "message": "'noonish' is not a time such as 2026-11-02T10:15+08:00",
        "promql": "up",
        "start_raw": "noonish",
        "end_raw": "10:30",
    }


@pytest.mark.parametrize(
    ("start", "end", "window"),
    [
        ("2026-03-01T18:00", "2026-03-01T18:15", ("10:00", "10:15")),  # in Asia/Shanghai
        ("now-30m", "now", ("10:10", "10:40")),
        ("NOW - 1h", "2026-03-01T10:40:00+00:00", ("09:40", "10:40")),
        ("1772359200", "1772359260", ("10:00", "10:01")),
    ],
)
def test_times_are_read_as_people_and_models_write_them(
    start: str, end: str, window: tuple[str, str]
) -> None:
    times = Times(FakeClock(at(40)), SHANGHAI)
    read = times.window(metrics.RangeArguments(promql="up", start=start, end=end))
    assert isinstance(read, TimeWindow)
    assert (f"{read.start:%H:%M}", f"{read.end:%H:%M}") == window


def test_an_end_before_the_start_is_told() -> None:
    times = Times(FakeClock(at(40)), SHANGHAI)
    told = times.window(metrics.RangeArguments(promql="up", start="now", end="now-1m"))
    assert isinstance(told, dict)
    assert told["error"] == "invalid_time_range"


def test_metrics_are_found_by_a_part_of_their_name(case: RecordedCase) -> None:
    told = ask(case, "metrics_metadata_lookup", contains="CPU", **WHOLE)
    (one,) = told["metrics"]
    assert one["name"] == "cpu_usage_percent"
    assert one["labels"] == {"service": ["cart", "shop", "store"]}
    assert told["known"] == 2


def test_traces_tell_their_slowest_spans_by_own_time(case: RecordedCase) -> None:
    told = ask(case, "jaeger_query_traces", service="cart", min_duration_ms=300, limit=5, **WHOLE)
    assert len(told["traces"]) == 5
    assert [one["start"] for one in told["traces"]] == sorted(
        one["start"] for one in told["traces"]
    )
    first = told["traces"][0]
    assert first["telling_spans"][0]["service"] == "store"
    assert first["services"] == ["cart", "shop", "store"]
    assert first["root"] == "shop: GET /"
    assert told["incomplete"] == ["5 of 60 traces are given, evenly over the time."]


def test_one_trace_comes_with_all_its_spans(case: RecordedCase) -> None:
    trace_id = f"{17:032x}"
    (one,) = ask(case, "jaeger_query_traces", trace_id=trace_id)["traces"]
    assert (one["trace_id"], one["spans"], len(one["telling_spans"])) == (trace_id, 3, 3)
    assert ask(case, "jaeger_query_traces", trace_id="f" * 32)["traces"] == []
    assert ask(case, "jaeger_query_traces", trace_id="../api")["error"] == "invalid_arguments"


def test_traces_need_a_service_or_an_id(case: RecordedCase) -> None:
    assert ask(case, "jaeger_query_traces", **WHOLE)["error"] == "invalid_arguments"


def test_logs_come_counted_and_grouped(case: RecordedCase) -> None:
    told = ask(case, "loki_collect_evidence", keywords="", status_codes="", **WHOLE)
    assert sum(told["matching_lines"].values()) > 0
    assert {one["service"] for one in told["groups"]} <= set(told["matching_lines"])
    few = ask(case, "loki_collect_evidence", keywords="", status_codes="", limit=5, **WHOLE)
    assert sum(one["lines"] for one in few["groups"]) == 5
    assert few["incomplete"][0].startswith("5 of ")


def test_lists_may_come_as_text(case: RecordedCase) -> None:
    by_text = ask(case, "loki_collect_evidence", services="cart, shop", keywords="", **WHOLE)
    by_list = ask(case, "loki_collect_evidence", services=["cart", "shop"], keywords=[], **WHOLE)
    assert by_text == by_list


def test_services_say_who_knows_them(case: RecordedCase) -> None:
    told = ask(case, "list_services", **WHOLE)
    assert [one["name"] for one in told["services"]] == ["cart", "shop", "store"]
    assert set(told["services"][0]["seen_in"]) >= {"metrics", "traces"}


def test_changes_come_latest_first(case: RecordedCase) -> None:
    told = ask(case, "list_changes", **WHOLE)
    assert told["changes"] == [
        {
            "service": "cart",
            "time": "2026-03-01T10:05:00Z",
            "kind": "deploy",
            "version": "v2",
            "title": None,
            "url": None,
        }
    ]
    assert ask(case, "list_changes", service="shop", **WHOLE)["changes"] == []
    assert ask(case, "list_changes", start="2026-03-01T10:06:00Z", end="now")["changes"] == []


def test_a_case_says_that_it_keeps_no_alerts(case: RecordedCase) -> None:
    told = ask(case, "list_alerts")
    assert told["error"] == "not_configured"
    assert "case" in told["message"]


@dataclass(frozen=True)
class Names:
    answer: tuple[str, ...] | SourceError

    async def names(self, window: TimeWindow) -> tuple[str, ...]:
        if isinstance(self.answer, SourceError):
            raise self.answer
        return self.answer


def services(**sources: Names) -> dict[str, Any]:
    named: dict[Source, ServiceNames] = {}
    for kind, source in sources.items():
        if kind == "metrics" or kind == "logs":
            named["metrics" if kind == "metrics" else "logs"] = source
    tool = surroundings.list_services(named, Times(FakeClock(at(40)), SHANGHAI))
    return dict(asyncio.run(Toolbox.of([tool]).call("list_services", {})))


def test_one_service_under_two_names_is_one() -> None:
    told = services(metrics=Names(("shop/Cart", "pay")), logs=Names(("cart",)))
    assert told["services"] == [
        {"name": "cart", "seen_in": {"logs": "cart", "metrics": "shop/Cart"}},
        {"name": "pay", "seen_in": {"metrics": "pay"}},
    ]


def test_a_source_that_fails_leaves_the_others_alone() -> None:
    down = Names(SourceUnavailable("nobody home"))
    told = services(metrics=down, logs=Names(("cart",)))
    assert [one["name"] for one in told["services"]] == ["cart"]
    assert told["incomplete"] == ["metrics could not be read: nobody home"]
    assert services(metrics=down, logs=down)["error"] == "list_services_failed"


@dataclass(frozen=True)
class Changes:
    rows: tuple[Change, ...]

    async def read_changes(
        self, window: TimeWindow
    ) -> tuple[tuple[Change, ...], tuple[EvidenceGap, ...]]:
        return self.rows, ()


def test_a_change_that_was_told_has_its_title_and_address_without_secrets() -> None:
    told = Change(
        *("cart", at(3), "deploy", "v3"),
        "Faster cart\u202e password=hunter2hunter2",
        "https://ci.example.com/run/7",
    )
    tool = surroundings.list_changes(Changes((told,)), Times(FakeClock(at(40)), SHANGHAI))
    changes = asyncio.run(Toolbox.of([tool]).call("list_changes", {}))["changes"]
    assert isinstance(changes, list)
    (change,) = changes
    assert change["title"] == f"Faster cart  password={REDACTED}"
    assert change["url"] == "https://ci.example.com/run/7"


def test_alerts_come_latest_first_without_secrets() -> None:
    slow = Alert((("alertname", "Slow"), ("service", "shop/cart")), (), at(3))
    down = Alert(
        (("alertname", "Down"), ("token", "s3cr3t-value-1")), (("note", "a\u202eb"),), at(9)
    )
    tool = surroundings.list_alerts(FakeAlerts((slow, down)), Times(FakeClock(at(40)), SHANGHAI))
    box = Toolbox.of([tool])
    told = asyncio.run(box.call("list_alerts", {}))
    alerts = told["alerts"]
    assert isinstance(alerts, list)
    assert [one["name"] for one in alerts] == ["Down", "Slow"]
    assert alerts[0]["labels"] == {"alertname": "Down", "token": REDACTED}
    assert alerts[0]["annotations"]["note"] == "a b"
    of_cart = asyncio.run(box.call("list_alerts", {"service": "cart"}))["alerts"]
    assert isinstance(of_cart, list)
    assert [one["name"] for one in of_cart] == ["Slow"]


@dataclass(frozen=True)
class ManySeries:
    """A MetricQuery that gives the same long series many times."""

    count: int
    points: int

    async def query_range(self, asked: MetricRequest) -> QueriedMetrics:
        long = series("a", "b", [(n, float(n)) for n in range(self.points)])
        found = tuple(
            QueriedSeries((("pod", f"{n:03}"),), long.times_ns, long.values)
            for n in range(self.count)
        )
        return QueriedMetrics(found, self.count + 7)

    async def describe(self, contains: str, window: TimeWindow, most: int) -> MetricListing:
        return MetricListing((), 0, 0)


def test_many_points_are_thinned_evenly_and_that_is_said() -> None:
    tool = metrics.query_range(ManySeries(100, 500), Times(FakeClock(at(40)), SHANGHAI))
    told: dict[str, Any] = dict(
        asyncio.run(Toolbox.of([tool]).call("prometheus_query_range", {"promql": "up"}))
    )
    values = told["series"][0]["values"]
    assert len(values) == 20
    assert [values[0][1], values[-1][1]] == [0.0, 499.0]
    assert told["series"][0]["max"] == 499.0
    assert told["incomplete"] == [
        "7 more series: these have the highest values",
        "20 of 500 points of a series are shown, evenly; ask for fewer series",
    ]


def test_text_of_others_is_shown_on_one_line_and_cut() -> None:
    assert shown("a\nb\x1b[31mc\u200bd") == "a b [31mc d"
    assert len(shown("x" * 5000)) == 501
    assert shown_labels([("password", "hunter2"), ("job", "cart")]) == {
        "password": "[redacted]",
        "job": "cart",
    }

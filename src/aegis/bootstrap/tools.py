"""The tools of a question, on running backends or on a recorded case."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aegis.adapters.cases.questions import CaseQuestions, CaseServices
from aegis.adapters.cases.recorded import RecordedCase
from aegis.adapters.http_client.budget import MIB, Budget
from aegis.adapters.jaeger.trace_search import JaegerSearch
from aegis.adapters.loki.search import LokiSearch
from aegis.adapters.prometheus.free_query import PrometheusQuery
from aegis.adapters.prometheus.service_names import PrometheusServices
from aegis.adapters.system_clock import SystemClock
from aegis.agent.tools import logs, metrics, surroundings, traces
from aegis.agent.tools.times import Times
from aegis.agent.tools.tool import Result, Tool
from aegis.agent.tools.toolbox import Raw, Toolbox, Unavailable
from aegis.bootstrap.live import Backends, OpenBackends
from aegis.bootstrap.running import run_to_end
from aegis.model.backend import BackendName, setting
from aegis.model.evidence import Source
from aegis.ports import Clock, ServiceNames
from aegis.settings import Settings

MOST_REQUESTS = 60
MOST_BYTES = 24 * MIB
"""What all tool calls of a question may cost together: twelve calls, 2 MiB an answer."""

_NEEDS: dict[str, BackendName] = {
    "prometheus_query_range": "prometheus",
    "metrics_metadata_lookup": "prometheus",
    "list_changes": "prometheus",
    "loki_collect_evidence": "loki",
    "jaeger_query_traces": "jaeger",
    "list_alerts": "alertmanager",
}
_NO_ALERTS = "a recorded case keeps no alerts; its alarm is in case.json"


def describe_tools() -> list[Mapping[str, object]]:
    """Name, description and JSON Schema of the arguments of every tool, by name."""
    times = Times(SystemClock(), ZoneInfo("UTC"))
    nobody: Any = None  # they are only described
    tools: list[Tool[Any]] = [
        metrics.query_range(nobody, times),
        metrics.metadata_lookup(nobody, times),
        logs.collect_evidence(nobody, times),
        traces.query_traces(nobody, times),
        surroundings.list_services({}, times),
        surroundings.list_alerts(nobody, times),
        surroundings.list_changes(nobody, times),
    ]
    told: list[Mapping[str, object]] = [
        {"name": one.name, "description": one.description, "arguments": one.schema()}
        for one in sorted(tools, key=lambda one: one.name)
    ]
    return told


def call_live(settings: Settings, name: str, arguments: Raw) -> Result:
    """Raises ConfigurationError where no backend has an address; else everything is a result."""

    async def asked() -> Result:
        async with live_tools(Backends.of(settings), settings.timezone, SystemClock()) as toolbox:
            return await toolbox.call(name, arguments)

    return run_to_end(asked())


def call_recorded(folder: Path, timezone: ZoneInfo, name: str, arguments: Raw) -> Result:
    """`now` is when the recording ended. Raises InvalidCase where the folder is none."""
    return run_to_end(case_tools(RecordedCase.open(folder), timezone).call(name, arguments))


@asynccontextmanager
async def live_tools(
    backends: Backends, timezone: ZoneInfo, clock: Clock
) -> AsyncIterator[Toolbox]:
    """The tools of one question, with a budget apart from that of the fixed plan."""
    async with backends.opened(Budget(MOST_REQUESTS, MOST_BYTES)) as open_:
        yield Toolbox.of([*_live(open_, Times(clock, timezone), clock)])


def _live(open_: OpenBackends, times: Times, clock: Clock) -> list[Tool[Any] | Unavailable]:
    clients, backends = open_.clients, open_.backends
    named: dict[Source, ServiceNames] = {}
    found: list[Tool[Any] | Unavailable] = []
    if "prometheus" in clients:
        query = PrometheusQuery(clients["prometheus"])
        found += [metrics.query_range(query, times), metrics.metadata_lookup(query, times)]
        named["metrics"] = PrometheusServices(clients["prometheus"], backends.catalog)
    if "loki" in clients:
        search = LokiSearch(clients["loki"], backends.selector)
        found.append(logs.collect_evidence(search, times))
        named["logs"] = search
    if "jaeger" in clients:
        traced = JaegerSearch(clients["jaeger"])
        found.append(traces.query_traces(traced, times))
        named["traces"] = traced
    if (changes := open_.changes()) is not None:
        found.append(surroundings.list_changes(changes, times))
    if (alerts := open_.alerts(clock)) is not None:
        found.append(surroundings.list_alerts(alerts, times))
    found.append(surroundings.list_services(named, times))
    there = {one.name for one in found}
    return found + [
        Unavailable(name, f"{setting(backend, 'base_url')} is not set")
        for name, backend in _NEEDS.items()
        if name not in there
    ]


def case_tools(case: RecordedCase, timezone: ZoneInfo) -> Toolbox:
    """The same names and arguments; alerts are not recorded, and PromQL only where simple."""
    questions, times = CaseQuestions(case), Times(case, timezone)
    kinds: tuple[Source, ...] = ("metrics", "traces", "logs")
    named: dict[Source, ServiceNames] = {kind: CaseServices(case, kind) for kind in kinds}
    return Toolbox.of(
        [
            metrics.query_range(questions, times),
            metrics.metadata_lookup(questions, times),
            logs.collect_evidence(questions, times),
            traces.query_traces(questions, times),
            surroundings.list_services(named, times),
            surroundings.list_changes(questions, times),
            Unavailable("list_alerts", _NO_ALERTS),
        ]
    )

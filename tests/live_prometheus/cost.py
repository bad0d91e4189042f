"""`python -m tests.live_prometheus.cost`: what a question costs, by backend and number of services.

Prometheus is real. Loki and Jaeger are stand-ins, or real ones where
AEGIS_LIVE_LOKI_URL and AEGIS_LIVE_JAEGER_URL (with AEGIS_LIVE_JAEGER_OTLP_URL) name them.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import httpx
import typer
from rich.console import Console

from aegis.adapters.http_client.budget import Budget
from aegis.adapters.system_clock import SystemClock
from aegis.bootstrap import Asked
from aegis.bootstrap.live import Backends, answer
from aegis.model.backend import BACKENDS, BackendConfig
from aegis.settings import Settings
from aegis.workflows.analyze_incident import Analysis
from tests.adapters.jaeger_server import JaegerServer
from tests.adapters.loki_server import HeldLoki, stored
from tests.adapters.otlp import otlp
from tests.adapters.stand_in import Reply, closed_port, standing_in
from tests.fakes import FakeClock
from tests.live_backends import LOGS, TRACES_IN, TRACES_OUT, live_url, url_if_named
from tests.live_prometheus.large_shop import LargeShop
from tests.live_prometheus.server import backfill, prometheus

UTC = ZoneInfo("UTC")
QUESTION = "what is going on?"
SCOPE = uuid.uuid4().hex
"""Lines of other runs may be in the same Loki. A real Jaeger is to be empty at the start."""


@dataclass(frozen=True)
class Cost:
    """What one question cost; `by_backend` counts requests, `cpu_s` is of this process."""

    analysis: Analysis
    budget: Budget
    took_s: float
    cpu_s: float

    @property
    def by_backend(self) -> Counter[str]:
        return Counter(one.request.backend for one in self.budget.log)


def asked_of(backends: Backends, shop: LargeShop) -> Cost:
    """The shop's question, over the time in which it burns."""
    budget, found = Budget(), list[Analysis]()

    async def ask() -> None:
        asked = Asked(QUESTION, "en", UTC, shop.fault)
        found.append(await answer(backends, asked, FakeClock(shop.end), budget=budget))

    began, cpu = time.monotonic(), time.process_time()
    asyncio.run(ask())
    return Cost(found[0], budget, time.monotonic() - began, time.process_time() - cpu)


@contextmanager
def shop_of(services: int, folder: Path) -> Iterator[tuple[LargeShop, str]]:
    """A shop and the address of a Prometheus that holds its metrics."""
    end = SystemClock().now().replace(second=0, microsecond=0) - timedelta(minutes=5)
    shop = LargeShop(services, end)
    folder.mkdir(parents=True, exist_ok=True)
    exposition = folder / "exposition.txt"
    shop.write_exposition(exposition)
    backfill(exposition, folder / "tsdb")
    exposition.unlink()
    with prometheus(folder) as url:
        yield shop, url


@contextmanager
def logs_and_traces(shop: LargeShop) -> Iterator[tuple[str, str]]:
    """Addresses of a Loki and a Jaeger that hold the shop's."""
    with ExitStack() as stack:
        if (logs := url_if_named(LOGS)) is not None:
            _push_lines(logs, shop, SCOPE)
        else:
            logs = stack.enter_context(standing_in(HeldLoki(stored(shop.log_lines())).answer)).url
        if (traces := url_if_named(TRACES_OUT)) is not None:
            _push_spans(live_url(TRACES_IN), shop)
        else:
            traces = stack.enter_context(standing_in(JaegerServer(shop.spans()))).url
        yield logs, traces


def _push_lines(url: str, shop: LargeShop, mark: str) -> None:
    streams: dict[str, list[list[object]]] = {}
    for line in stored(shop.log_lines()):
        values = streams.setdefault(line.stream["app"], [])
        values.append([str(line.time_ns), line.body, dict(line.metadata)])
    for name, values in streams.items():
        pushed = {"streams": [{"stream": {"app": name, "run": mark}, "values": values}]}
        httpx.post(f"{url}/loki/api/v1/push", json=pushed, timeout=60).raise_for_status()


def _push_spans(url: str, shop: LargeShop) -> None:
    spans = shop.spans()
    for first in range(0, len(spans), 2_000):
        pushed = otlp(spans[first : first + 2_000])
        httpx.post(f"{url}/v1/traces", json=pushed, timeout=60).raise_for_status()


def backends_at(**urls: str) -> Backends:
    configs = tuple(BackendConfig(name, urls[name]) for name in BACKENDS if name in urls)
    template = f'{{{{run="{SCOPE}", {{label_key}}="{{service}}"}}}}'
    if url_if_named(LOGS) is None:
        return Backends.of(Settings("en", UTC, backends=configs))
    settings = Settings("en", UTC, backends=configs, loki_service_label_key="app")
    return Backends.of(replace(settings, loki_selector_template=template))


def firing(shop: LargeShop) -> Reply:
    """Alertmanager's answer: one alert, of the service that burns."""
    labels = {"alertname": "HighLatency", "service": shop.broken}
    alert = {"labels": labels, "annotations": {}, "startsAt": shop.fault.start.isoformat()}
    return Reply(body=json.dumps([{**alert, "status": {"state": "active"}}]).encode())


def measure(services: int, folder: Path) -> Iterator[tuple[str, Cost]]:
    with (
        shop_of(services, folder) as (shop, metrics),
        logs_and_traces(shop) as (logs, traces),
        standing_in(lambda _: firing(shop)) as alerts,
    ):
        there = {"prometheus": metrics, "loki": logs, "jaeger": traces}
        yield "all answer", asked_of(backends_at(**there, alertmanager=alerts.url), shop)
        nobody = f"http://127.0.0.1:{closed_port()}"
        yield "no Alertmanager", asked_of(backends_at(**there, alertmanager=nobody), shop)


def main(
    services: Annotated[list[int], typer.Argument()] = [8, 50, 500],  # noqa: B006
    verbose: Annotated[bool, typer.Option(help="List every request.")] = False,
) -> None:
    """Ask one question of shops of several sizes."""
    console = Console(width=160)
    for count in services:
        with tempfile.TemporaryDirectory() as name:
            for case, cost in measure(count, Path(name)):
                spent = ", ".join(f"{who} {n}" for who, n in sorted(cost.by_backend.items()))
                first = cost.analysis.diagnosis.causes[:1]
                named = first[0].service if first else "nobody"
                console.print(
                    f"{count} services, {case}: {cost.budget.requests} requests ({spent}), "
                    f"{cost.budget.read_bytes / 1e6:.1f} MB, {cost.took_s:.1f} s "
                    f"({cost.cpu_s:.1f} s CPU of ours); {named}"
                )
                for one in cost.budget.log if verbose else ():
                    told = " ".join(f"{key}={value[:90]}" for key, value in one.request.parameters)
                    path = f"{one.request.backend} {one.request.path}"
                    console.print(f"  {one.status} {one.took_s:.2f}s {one.size:>8} {path} {told}")


if __name__ == "__main__":
    typer.run(main)

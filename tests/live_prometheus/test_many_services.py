"""The cost of a question on a real Prometheus, from a few services to five hundred."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import numpy as np
import pytest

from aegis.adapters.http_client.budget import Budget
from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.prometheus.catalog import load_catalog
from aegis.adapters.prometheus.metrics import PrometheusMetrics
from aegis.model.backend import BackendConfig
from aegis.model.telemetry import Matrix, Series
from lab.exposition.case import write_exposition
from tests.live_prometheus.large_shop import QUANTITIES, STEP_S
from tests.live_prometheus.server import backfill, prometheus
from tests.recordings import between, ns

LONGEST_S = 5.0


def measured(services: int) -> Matrix:
    times = np.arange(ns(0), ns(60), STEP_S * 10**9)
    return Matrix(
        tuple(
            Series(f"s{place:03d}", name, (), times, np.full(len(times), value), "")
            for place in range(services)
            for name, value in QUANTITIES.items()
        )
    )


def asked(services: int, folder: Path) -> tuple[Budget, Matrix, float]:
    folder.mkdir()
    exposition = folder / "exposition.txt"
    write_exposition(measured(services), "otel", exposition)
    backfill(exposition, folder / "tsdb")
    budget = Budget()
    found: list[Matrix] = []

    async def read(url: str) -> None:
        async with BackendClient(BackendConfig("prometheus", url), budget) as client:
            matrix, _ = await PrometheusMetrics(client, catalog).read_metrics(between(0, 60))
            found.append(matrix)

    catalog = load_catalog(None)
    with prometheus(folder) as url:
        began = time.monotonic()
        asyncio.run(read(url))
        took = time.monotonic() - began
    return budget, found[0], took


@pytest.mark.slow
def test_eight_fifty_and_five_hundred_services_cost_the_same_requests(tmp_path: Path) -> None:
    requests = set()
    for services in (8, 50, 500):
        budget, matrix, took = asked(services, tmp_path / str(services))
        assert len({one.service for one in matrix.series}) == services
        requests.add(budget.requests)
        print(f"{services}: {budget.requests} requests, {took:.2f} s")  # noqa: T201
        if services <= 50:
            assert took <= LONGEST_S
    assert len(requests) == 1
    assert max(requests) <= 16

"""Simulated incidents, answered once from the case and once with metrics from a Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from aegis.adapters.cases.recorded import RecordedCase
from aegis.adapters.http_client.budget import Budget
from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.prometheus.catalog import load_catalog
from aegis.adapters.prometheus.metrics import PrometheusMetrics
from aegis.agent.diagnoser import conclude
from aegis.agent.monitor import Scene, Sources, collect
from aegis.model.backend import BackendConfig
from aegis.model.diagnosis import Diagnosis
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import LogTable, Matrix, SpanTable
from lab.exposition.case import write_exposition
from lab.simulator.world import record_seed
from tests.live_prometheus.server import backfill, prometheus


@dataclass(frozen=True)
class Incident:
    """A case on disk and the Prometheus that holds its metrics."""

    case: RecordedCase
    url: str


@dataclass(frozen=True)
class Answered:
    """What the engine concluded, what was read for it and what that cost."""

    diagnosis: Diagnosis
    metrics: Matrix
    gaps: tuple[EvidenceGap, ...]
    budget: Budget

    @property
    def first(self) -> str | None:
        causes = self.diagnosis.causes
        return causes[0].service if causes else None


@contextmanager
def incident(seed: int, convention: str, folder: Path) -> Iterator[Incident]:
    """The incident of a seed, exposed in a convention and backfilled."""
    recorded = record_seed(seed, no_fault_share=0.0)
    recorded.write(folder / "case")
    exposition = folder / "exposition.txt"
    write_exposition(recorded.metrics, convention, exposition)
    backfill(exposition, folder / "tsdb")
    exposition.unlink()
    with prometheus(folder) as url:
        yield Incident(RecordedCase.open(folder / "case"), url)


def from_case(case: RecordedCase, *, only_metrics: bool = False) -> Answered:
    return _answered(Sources(case, case, case), case, Budget(), only_metrics=only_metrics)


def from_prometheus(here: Incident, *, only_metrics: bool = False) -> Answered:
    budget = Budget()
    found: list[tuple[Matrix, tuple[EvidenceGap, ...]]] = []

    async def read() -> None:
        config = BackendConfig("prometheus", here.url)
        async with BackendClient(config, budget) as client:
            metrics = PrometheusMetrics(client, load_catalog(None))
            found.append(await metrics.read_metrics(here.case.extent))

    asyncio.run(read())
    held = _Held(*found[0])
    sources = Sources(held, here.case, here.case)
    return _answered(sources, here.case, budget, only_metrics=only_metrics)


@dataclass(frozen=True)
class _Held:
    """Metrics that were read before."""

    matrix: Matrix
    gaps: tuple[EvidenceGap, ...]

    async def read_metrics(self, window: object) -> tuple[Matrix, tuple[EvidenceGap, ...]]:
        return self.matrix, self.gaps


def _answered(
    sources: Sources, case: RecordedCase, budget: Budget, *, only_metrics: bool
) -> Answered:
    header = case.header
    scene = Scene(case.extent, header.alarm, header.services, header.calls, header.changes)
    observations, _ = asyncio.run(collect(sources, scene, case.fault_window()))
    if only_metrics:
        observations = replace(observations, spans=SpanTable.empty(), logs=LogTable.empty())
    diagnosis, _ = conclude(observations, frozenset())
    return Answered(diagnosis, observations.metrics, observations.gaps, budget)

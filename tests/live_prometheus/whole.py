"""Simulated incidents with all there is to know: telemetry, alerts that ring, rollouts.

Prometheus and Alertmanager are real; Loki and Jaeger are the stand-ins.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from aegis.bootstrap.live import Backends
from aegis.model.backend import BackendConfig
from aegis.model.incident import CaseHeader
from aegis.model.telemetry import Matrix
from aegis.settings import Settings
from lab.exposition.case import exposed
from lab.exposition.openmetrics import Exposition
from lab.simulator.world import Recording, record_seed
from tests.adapters.jaeger_server import JaegerServer
from tests.adapters.loki_server import HeldLoki, stored
from tests.adapters.stand_in import standing_in
from tests.fakes import FakeClock
from tests.live_alertmanager.processes import alertmanagers, ask, until
from tests.live_prometheus.server import backfill, prometheus
from tests.recordings import lines_of, spans_of

UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class Running:
    """An incident, the backends that saw it, and the moment at which it is asked about."""

    header: CaseHeader
    backends: Backends
    clock: FakeClock
    rolled_out: str


@contextmanager
def running_incident(seed: int, convention: str, folder: Path) -> Iterator[Running]:
    recorded = record_seed(seed, no_fault_share=0.0)
    header = recorded.header
    # Jaeger has no place for a span without an id.
    spans = [one for one in spans_of(recorded.spans) if int(one.trace_id, 16)]
    loki = HeldLoki(stored(lines_of(recorded.logs)))
    rolled_out = header.services[seed % len(header.services)]
    with (
        _metrics(recorded, convention, folder, rolled_out) as metrics,
        _alerts(header, folder) as alerts,
        standing_in(loki.answer) as logs,
        standing_in(JaegerServer(spans)) as traces,
    ):
        configs = (
            BackendConfig("loki", logs.url),
            BackendConfig("prometheus", metrics),
            BackendConfig("jaeger", traces.url),
            BackendConfig("alertmanager", alerts),
        )
        backends = Backends.of(Settings("en", UTC, backends=configs))
        yield Running(header, backends, FakeClock(header.fault_window.end), rolled_out)


@contextmanager
def _metrics(recorded: Recording, convention: str, folder: Path, rolled_out: str) -> Iterator[str]:
    out = exposed(recorded.metrics, convention)
    _roll_out(out, recorded.metrics, recorded.header, rolled_out)
    path = folder / "exposition.txt"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(out.lines())
    backfill(path, folder / "tsdb")
    path.unlink()
    with prometheus(folder) as url:
        yield url


def _roll_out(out: Exposition, metrics: Matrix, header: CaseHeader, service: str) -> None:
    """A new generation of the service, a minute before the fault."""
    times = np.unique(np.concatenate([one.times_ns for one in metrics.series]))
    late = times >= header.fault_window.start_ns - 60 * 10**9
    labels = {"namespace": "shop", "deployment": service}
    generation = np.where(late, 8.0, 7.0)
    out.gauge("kube_deployment_metadata_generation", labels, times, generation)
    out.gauge("kube_deployment_spec_replicas", labels, times, np.full(len(times), 2.0))


@contextmanager
def _alerts(header: CaseHeader, folder: Path) -> Iterator[str]:
    """An Alertmanager in which the alarm of the incident fires."""
    with alertmanagers(folder, 1, []) as (server,):
        alarm = header.alarm
        if alarm is not None and alarm.service is not None:
            name = "HighErrorRate" if alarm.kind == "errors" else "HighLatency"
            began = header.fault_window.start + timedelta(seconds=30)
            alert = {
                "labels": {"alertname": name, "service": alarm.service},
                "startsAt": began.isoformat(),
                "endsAt": "2100-01-01T00:00:00Z",
            }
            ask(f"{server.url}/api/v2/alerts", [alert])
            until(lambda: bool(ask(f"{server.url}/api/v2/alerts")), 10, "the alert to fire")
        yield server.url

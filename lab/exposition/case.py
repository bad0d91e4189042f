"""A whole case as OpenMetrics, in one convention for requests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from aegis.model.telemetry import Matrix
from lab.exposition.accumulating import requests_of
from lab.exposition.openmetrics import Exposition
from lab.exposition.readings import read_back
from lab.exposition.requests import NAMESPACE, REQUEST_CONVENTIONS, write_requests
from lab.exposition.resources import write_resources


def exposed(metrics: Matrix, convention: str) -> Exposition:
    """What the services of a simulated case would have exposed; KeyError: no such convention."""
    how = REQUEST_CONVENTIONS[convention]
    bounds = np.array(how.bounds_s)
    readings = read_back(metrics)
    out = Exposition()
    for service, of in sorted(readings.services.items()):
        answered = requests_of(of, bounds, readings.step_s)
        if answered is not None:
            write_requests(out, how.server, how.bounds_s, how.server.named(service, ""), answered)
        for peer in sorted(of.peers) if how.client is not None else ():
            sent = requests_of(of, bounds, readings.step_s, peer)
            if sent is not None and how.client is not None:
                write_requests(out, how.client, how.bounds_s, how.client.named(service, peer), sent)
        write_resources(out, service, of.own, readings.step_s)
        times = of.times_ns
        target = {"job": f"{NAMESPACE}/{service}", "instance": f"{service}:8080"}
        out.gauge("up", target, times, np.ones(len(times)))
    return out


def write_exposition(metrics: Matrix, convention: str, path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(exposed(metrics, convention).lines())

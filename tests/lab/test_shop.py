"""The demo incident in the package is the one the simulator makes."""

from __future__ import annotations

import asyncio
import json
from functools import cache
from pathlib import Path

import numpy as np

from aegis.adapters.cases.recorded import RecordedCase
from aegis.adapters.cases.validation import validate
from lab.simulator.shop import DEPLOY_S, START_S, record_shop, shop_topology
from lab.simulator.symptoms import loudest
from lab.simulator.world import Recording

BUNDLED = Path(__file__).parents[2] / "src/aegis/data/demo-incident"


@cache
def shop() -> Recording:
    return record_shop()


def test_the_bundled_incident_is_made_by_the_documented_command() -> None:
    case, made = RecordedCase.open(BUNDLED), shop()
    assert case.header == made.header
    spans, _ = asyncio.run(case.read_spans(case.extent))
    assert np.array_equal(np.sort(spans.span_id), np.sort(made.spans.span_id))
    assert np.array_equal(np.sort(spans.duration_ns), np.sort(made.spans.duration_ns))
    logs, _ = asyncio.run(case.read_logs(case.extent))
    assert sorted(logs.body) == sorted(made.logs.body)
    metrics, _ = asyncio.run(case.read_metrics(case.extent))
    values = {(s.service, s.name): s.values for s in metrics.series}
    assert len(values) == len(made.metrics.series)
    for series in made.metrics.series:  # processors differ in the last bit of exp and log
        kept = values[series.service, series.name]
        assert np.allclose(kept, series.values, rtol=1e-9, atol=0.0)


def test_the_bundled_incident_is_a_small_valid_case_with_a_question() -> None:
    assert not validate(BUNDLED)
    assert sum(file.stat().st_size for file in BUNDLED.iterdir()) < 2_000_000
    asked = json.loads((BUNDLED / "case.json").read_text())["asked"]
    assert asked["question"] == "why is checkout slow?"


def test_the_story_has_an_innocent_deploy_and_the_loudest_service_is_not_the_cause() -> None:
    made = shop()
    (cause,) = made.truth
    (deploy,) = made.header.changes
    assert (cause.service, cause.family, deploy.service) == ("inventory", "cpu", "payment")
    assert DEPLOY_S < START_S
    topology = shop_topology()
    everyone = list(range(len(topology.services)))
    service, kind = loudest(topology, made.calls, everyone, START_S)
    assert kind == "latency"
    assert topology.services[service].name != cause.service

"""A real Prometheus leads to the same first cause as the recording it was filled from."""

from __future__ import annotations

from pathlib import Path

import pytest

from aegis.engine.signals import meaning_of
from lab.exposition.requests import REQUEST_CONVENTIONS
from tests.live_prometheus.incidents import from_case, from_prometheus, incident

FIRST_SEED, SEEDS_EACH = 40, 5
"""Twenty incidents, each once: the same five in each would count an odd one four times."""
LEAST_ALIKE = 0.9


@pytest.mark.slow
def test_in_every_convention_the_first_cause_is_the_recordings(tmp_path: Path) -> None:
    alike = []
    for number, convention in enumerate(sorted(REQUEST_CONVENTIONS)):
        first = FIRST_SEED + number * SEEDS_EACH
        for seed in range(first, first + SEEDS_EACH):
            folder = tmp_path / f"{convention}-{seed}"
            folder.mkdir()
            with incident(seed, convention, folder) as here:
                live, recorded = from_prometheus(here), from_case(here.case)
            alike.append(live.first == recorded.first)
            assert live.first is not None
            assert live.budget.requests <= 16
    assert len(alike) == 20
    assert sum(alike) / len(alike) >= LEAST_ALIKE


@pytest.mark.parametrize("convention", sorted(REQUEST_CONVENTIONS))
def test_each_convention_brings_traffic_errors_and_latency_of_every_service(
    convention: str, tmp_path: Path
) -> None:
    with incident(5, convention, tmp_path) as here:
        live, recorded = from_prometheus(here), from_case(here.case)
    wanted = {"traffic", "errors", "latency", "cpu", "memory"}
    assert {s.service for s in live.metrics.series} == {s.service for s in recorded.metrics.series}
    signals: dict[str, set[str]] = {}
    idle: set[str] = set()
    for one in live.metrics.series:
        meaning = meaning_of(one)
        assert meaning is not None, one.name
        signals.setdefault(one.service, set()).add(meaning.signal)
        if meaning.signal == "traffic" and one.values.max() == 0:
            idle.add(one.service)
    complete = {service for service, found in signals.items() if found >= wanted}
    assert complete >= set(signals) - idle
    assert len(complete) > len(idle)

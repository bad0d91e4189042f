"""What is recorded from a real Prometheus leads to the answer that it led to itself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from aegis import bootstrap
from aegis.bootstrap import Asked
from aegis.bootstrap.live import Backends, answer, record
from aegis.model.backend import BackendConfig
from aegis.settings import Settings
from aegis.workflows.analyze_incident import Analysis
from tests.fakes import FakeClock
from tests.live_prometheus.incidents import incident

UTC = ZoneInfo("UTC")


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "convention"), [(3, "spring"), (5, "istio")])
def test_recorded_and_replayed_the_ranking_is_the_same(
    seed: int, convention: str, tmp_path: Path
) -> None:
    with incident(seed, convention, tmp_path) as here:
        backends = Backends.of(
            Settings("en", UTC, backends=(BackendConfig("prometheus", here.url),))
        )
        asked = Asked("why is it slow?", "en", UTC, here.case.fault_window())
        clock = FakeClock(here.case.extent.end)
        live = asyncio.run(answer(backends, asked, clock, exact=True))
        folder = tmp_path / "recorded"
        recorded = asyncio.run(record(backends, asked, folder, 50_000_000, clock))
    assert recorded.kept.samples > 0
    assert recorded.kept.left_out == ()
    replayed = bootstrap.analyze_case(bootstrap.open_case(folder), "why is it slow?", "en")
    assert ranking(live)
    assert ranking(replayed) == ranking(live)
    assert [one for one in bootstrap.validate(folder) if one.severity == "error"] == []


def ranking(analysis: Analysis) -> list[tuple[str, float]]:
    return [(one.service, round(one.probability, 6)) for one in analysis.diagnosis.causes]

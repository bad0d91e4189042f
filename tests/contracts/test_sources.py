"""What every metric source promises; each test runs on each implementation."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aegis.adapters.cases.recorded import RecordedCase
from aegis.agent.monitor import Sources
from aegis.model.telemetry import LogTable, Matrix, SpanTable, TimeWindow
from tests.contracts.metric_promises import check_metric_source
from tests.fakes import FakeTelemetry
from tests.recordings import Recording, SmallShop, at, between, ns, series

EVERYTHING = between(-60, 120)
LOADED = (
    series("b", "load", [(ns(1), 1.0), (ns(2), 2.0), (ns(3), 3.0)]),
    series("a", "load", [(ns(2), 5.0)], (("pod", "a-1"),)),
    series("a", "load", [(ns(2), 6.0)], (("pod", "a-2"),)),
)


@pytest.fixture(params=["in memory", "case folder"])
def sources(request: pytest.FixtureRequest, tmp_path: Path) -> Sources:
    header = replace(SmallShop().recording().header, fault_window=between(1, 3))
    recording = Recording(header, Matrix(LOADED), SpanTable.empty(), LogTable.empty())
    if request.param == "case folder":
        case = RecordedCase.open(recording.write(tmp_path))
        return Sources(case, case, case)
    held = FakeTelemetry(recording.metrics, recording.spans, recording.logs)
    return Sources(held, held, held)


def load_in(sources: Sources, window: TimeWindow) -> dict[tuple[str, str], list[float]]:
    matrix, _ = asyncio.run(sources.metrics.read_metrics(window))
    return {
        (one.service, dict(one.labels).get("pod", "")): one.values.tolist() for one in matrix.series
    }


def test_metrics_keep_what_every_metric_source_promises(sources: Sources) -> None:
    check_metric_source(sources.metrics, between(0, 4), between(50, 60))


def test_series_are_told_apart_by_their_labels(sources: Sources) -> None:
    assert load_in(sources, EVERYTHING) == {
        ("a", "a-1"): [5.0],
        ("a", "a-2"): [6.0],
        ("b", ""): [1.0, 2.0, 3.0],
    }


def test_samples_outside_the_window_are_cut_off_and_its_end_is_outside(sources: Sources) -> None:
    assert load_in(sources, between(1, 2)) == {("b", ""): [1.0]}


def test_samples_ascend_in_time(sources: Sources) -> None:
    matrix, _ = asyncio.run(sources.metrics.read_metrics(EVERYTHING))
    assert all((np.diff(one.times_ns) > 0).all() for one in matrix.series)


def test_nothing_in_the_window_is_an_empty_answer_and_no_error(sources: Sources) -> None:
    window = TimeWindow(at(50), at(60))
    assert asyncio.run(sources.metrics.read_metrics(window))[0].series == ()

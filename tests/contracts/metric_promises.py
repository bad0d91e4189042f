"""What every metric source promises, as one check that runs on fakes, cases and real servers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import numpy as np

from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import Matrix, TimeWindow
from aegis.ports import MetricSource

Key = tuple[str, str, tuple[tuple[str, str], ...]]


def check_metric_source(source: MetricSource, recorded: TimeWindow, silent: TimeWindow) -> None:
    """`recorded` holds samples in its first half, `silent` holds none."""
    middle = recorded.start + (recorded.end - recorded.start) / 2
    halves = TimeWindow(recorded.start, middle), TimeWindow(middle, recorded.end)
    whole, _ = _read(source, recorded)
    assert whole.series
    for window, matrix in ((recorded, whole), *((half, _read(source, half)[0]) for half in halves)):
        _check_rows(matrix, window)
    again, _ = _read(source, recorded)
    assert _samples(again) == _samples(whole)
    nothing, _ = _read(source, silent)
    assert nothing.series == ()


def _check_rows(matrix: Matrix, window: TimeWindow) -> None:
    keys: list[Key] = [(one.service, one.name, one.labels) for one in matrix.series]
    assert len(keys) == len(set(keys))
    for one in matrix.series:
        assert one.service
        assert one.query
        assert len(one.times_ns) == len(one.values) > 0
        assert window.contains(one.times_ns).all()
        assert (np.diff(one.times_ns) > 0).all()
        assert np.isfinite(one.values).all()


def _samples(matrix: Matrix) -> dict[Key, list[tuple[int, float]]]:
    def pairs() -> Iterator[tuple[Key, list[tuple[int, float]]]]:
        for one in matrix.series:
            rows = zip(one.times_ns.tolist(), one.values.tolist(), strict=True)
            yield (one.service, one.name, one.labels), list(rows)

    return dict(pairs())


def _read(source: MetricSource, window: TimeWindow) -> tuple[Matrix, tuple[EvidenceGap, ...]]:
    found: list[tuple[Matrix, tuple[EvidenceGap, ...]]] = []

    async def read() -> None:
        found.append(await source.read_metrics(window))

    asyncio.run(read())
    return found[0]

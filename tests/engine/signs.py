"""The signs of one hour, for tests of how trouble is told from noise."""

from __future__ import annotations

from aegis.engine.onset_signs import Grid, Sign, Telemetry, signs_of
from aegis.model.telemetry import LogTable, Series, SpanTable
from tests.engine.burning import minutes
from tests.engine.telemetry import observations

HOUR = minutes(0, 60)
GRID = Grid.over(HOUR)
CALM_MIN = 40
CALM = minutes(0, CALM_MIN)
"""What is usual is told from the first forty of sixty minutes."""


def signs(
    *metrics: Series, spans: SpanTable | None = None, logs: LogTable | None = None
) -> list[Sign]:
    seen = observations(HOUR, metrics=metrics, spans=spans, logs=logs)
    return signs_of(Telemetry.of(seen), GRID, CALM)

"""What single series measured at another time: a few numbers in one request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.prometheus.api import PrometheusApi
from aegis.adapters.prometheus.batches import OVERHEAD, apart, joined
from aegis.adapters.prometheus.flavour import LONGEST_QUERY
from aegis.adapters.prometheus.governor import Grid
from aegis.model.telemetry import TimeWindow

POINTS = 20
LEAST_STEP_S = 15
MOST_BYTES = 512 * 1024
LONGEST_TEXT = min(LONGEST_QUERY.values())
SPARED_REQUESTS = 2
"""Left for whoever else still asks: this is worth less than any of them."""


@dataclass(frozen=True, slots=True)
class PrometheusHistory:
    """A MetricHistory on the entered client of a question."""

    client: BackendClient

    async def typical(self, queries: Sequence[str], window: TimeWindow) -> tuple[float | None, ...]:
        """Medians; queries that no longer fit into one request are not asked."""
        asked: dict[int, str] = {}
        left = LONGEST_TEXT
        for place, query in enumerate(queries):
            if len(query) + OVERHEAD <= left:
                asked[place] = query
                left -= len(query) + OVERHEAD
        found: list[float | None] = [None] * len(queries)
        if not asked or self.client.budget.requests_left <= SPARED_REQUESTS:
            return tuple(found)
        step_s = max(LEAST_STEP_S, int(window.duration_s) // POINTS)
        grid = Grid(window, step_s)
        result = await PrometheusApi(self.client).over(
            joined(asked), grid.closed, step_s, MOST_BYTES
        )
        for place, rows in apart(result.rows).items():
            values = [row.values for row in rows if row.values.size]
            if place in asked and values:
                found[place] = float(np.median(np.concatenate(values)))
        return tuple(found)

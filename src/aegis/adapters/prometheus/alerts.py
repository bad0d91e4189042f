"""Alerts as Prometheus keeps them itself: the series `ALERTS`, which remember the past."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from aegis.adapters.http_client.answers import storable
from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.prometheus.answers import Row
from aegis.adapters.prometheus.api import PrometheusApi
from aegis.adapters.prometheus.governor import Grid
from aegis.model.alert import Alert, Labels
from aegis.model.errors import AnswerTooLarge
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import Int64s, TimeWindow, from_ns
from aegis.model.text import Text

FIRING = 'ALERTS{alertstate="firing"}'
BEFORE = timedelta(hours=2)
"""How far back the beginning of an alert is looked for."""
LEAST_STEP_S = 60
MOST_POINTS = 240
MOST_BYTES = 4 * 1024 * 1024
MOST_ALERTS = 2000
LONGEST_TEXT = 4096
_NOT_OF_THE_RULE = ("__name__", "alertstate")


@dataclass(frozen=True, slots=True)
class PrometheusAlerts:
    """An AlertSource with a memory; one request. It has neither annotations nor silences.

    An alert fired in a window where a point of it lies in there, and began where the last
    run of points began: at most BEFORE the window, and to the step exactly.
    """

    client: BackendClient

    async def read_alerts(
        self, window: TimeWindow
    ) -> tuple[tuple[Alert, ...], tuple[EvidenceGap, ...]]:
        reach = TimeWindow(window.start - BEFORE, window.end)
        step_s = max(1, -(-int(reach.duration_s) // (MOST_POINTS * LEAST_STEP_S))) * LEAST_STEP_S
        grid = Grid(reach, step_s)
        try:
            result = await PrometheusApi(self.client).over(FIRING, grid.closed, step_s, MOST_BYTES)
        except AnswerTooLarge:
            return (), (_too_many(),)
        found = {
            one.fingerprint: one
            for row in result.rows
            if (one := _alert(row, window, step_s)) is not None
        }
        ordered = sorted(found.values(), key=lambda one: (one.starts_at, one.fingerprint))
        return tuple(ordered[-MOST_ALERTS:]), ()


def _alert(row: Row, window: TimeWindow, step_s: int) -> Alert | None:
    inside = window.contains(row.times_ns)
    if not inside.any():
        return None
    last = int(np.flatnonzero(inside)[-1])
    begins = _begin(row.times_ns[: last + 1], step_s * 1_000_000_000)
    return Alert(_labels(row.labels), (), from_ns(begins))


def _begin(times_ns: Int64s, step_ns: int) -> int:
    """The first point of the last run in which no point is missing."""
    breaks = np.flatnonzero(np.diff(times_ns) > step_ns)
    return int(times_ns[breaks[-1] + 1]) if len(breaks) else int(times_ns[0])


def _labels(labels: Mapping[str, str]) -> Labels:
    kept = [(name, value) for name, value in labels.items() if name not in _NOT_OF_THE_RULE]
    return tuple(
        sorted(
            (storable(name, LONGEST_TEXT), storable(value, LONGEST_TEXT)) for name, value in kept
        )
    )


def _too_many() -> EvidenceGap:
    said = Text(
        "Prometheus 的 ALERTS 序列过多，没有读取告警。",
        "Too many series of ALERTS in Prometheus: its alerts were not read.",
    )
    return EvidenceGap("alerts", "sampled", None, said)

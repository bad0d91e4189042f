"""What fired in a past window, from the series that Prometheus keeps of its alerts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from aegis.adapters.prometheus.alerts import PrometheusAlerts
from aegis.model.alert import Alert
from aegis.model.errors import SourceRejected
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import TimeWindow
from tests.adapters.stand_in import Reply, Seen
from tests.prometheus.speaking import asked_for, backend, client_of, error
from tests.recordings import at, between, ns

pytestmark = pytest.mark.loopback

FAULT = between(30, 36)
Firing = tuple[Mapping[str, str], Sequence[float]]


def read(
    *firing: Firing, window: TimeWindow = FAULT
) -> tuple[tuple[Alert, ...], tuple[EvidenceGap, ...], list[Seen]]:
    """`firing`: labels and the minutes at which the alert has a point."""

    def answer(_: Seen) -> Reply:
        rows: list[dict[str, Any]] = [
            {
                "metric": {"__name__": "ALERTS", "alertstate": "firing", **labels},
                "values": [[ns(minute) / 1e9, "1"] for minute in minutes],
            }
            for labels, minutes in firing
        ]
        data = {"resultType": "matrix", "result": rows}
        return Reply(body=json.dumps({"status": "success", "data": data}).encode())

    with backend(answer) as server:

        async def asked() -> tuple[tuple[Alert, ...], tuple[EvidenceGap, ...]]:
            async with client_of(server.url) as client:
                return await PrometheusAlerts(client).read_alerts(window)

        alerts, gaps = asyncio.run(asked())
        return alerts, gaps, server.seen


SLOW = {"alertname": "Slow", "service": "cart"}
DOWN = {"alertname": "Down"}


def test_an_alert_began_where_its_last_run_began() -> None:
    minutes = [1, 2, 3, 28, 29, 30, 31, 32]
    (alert,), gaps, _ = read((SLOW, minutes))
    assert alert == Alert((("alertname", "Slow"), ("service", "cart")), (), at(28))
    assert gaps == ()


def test_only_what_fired_in_the_window_is_told_by_start() -> None:
    alerts, _, _ = read((SLOW, [34, 35, 36, 37]), (DOWN, [33]), ({"alertname": "Old"}, [28, 29]))
    assert [(one.name, one.starts_at) for one in alerts] == [("Down", at(33)), ("Slow", at(34))]


def test_a_later_run_is_not_of_the_window() -> None:
    alerts, _, _ = read((SLOW, [31, 32, 38, 39]))
    assert [one.starts_at for one in alerts] == [at(31)]


def test_one_request_reads_two_hours_before_in_few_points() -> None:
    _, _, seen = read()
    (one,) = seen
    assert asked_for(one, "query") == 'ALERTS{alertstate="firing"}'
    assert float(asked_for(one, "start")) * 1e9 == ns(-90)
    assert asked_for(one, "step") == "60"
    _, _, seen = read(window=between(0, 24 * 60))
    asked = seen[0]
    start, end, step = (float(asked_for(asked, name)) for name in ("start", "end", "step"))
    assert (end - start) / step <= 240


def test_a_flood_of_alerts_is_a_gap() -> None:
    flood = [({"alertname": "A" * 4000, "n": str(n)}, [31.0]) for n in range(1100)]
    alerts, (gap,), _ = read(*flood)
    assert alerts == ()
    assert (gap.source, gap.reason) == ("alerts", "sampled")


def test_a_refusal_is_raised() -> None:
    async def asked(url: str) -> None:
        async with client_of(url) as client:
            await PrometheusAlerts(client).read_alerts(FAULT)

    with backend(lambda _: error(422, "execution", "no")) as server:
        asking = asked(server.url)
        with pytest.raises(SourceRejected):
            asyncio.run(asking)

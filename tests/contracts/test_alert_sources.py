"""What every alert source promises; each test runs on each implementation."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from aegis.adapters.alertmanager.alerts import AlertmanagerAlerts
from aegis.adapters.http_client.budget import Budget
from aegis.adapters.http_client.client import BackendClient
from aegis.model.alert import Alert
from aegis.model.backend import BackendConfig
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import TimeWindow
from aegis.ports import AlertSource
from tests.adapters.stand_in import Reply, standing_in
from tests.fakes import FakeAlerts, FakeClock
from tests.recordings import at, between

pytestmark = pytest.mark.loopback

DISK = Alert((("alertname", "DiskFull"), ("service", "db")), (), at(-90), "suppressed")
SLOW = Alert((("alertname", "Slow"),), (("summary", "p95 支付"),), at(3))
DOWN = Alert((("alertname", "Down"),), (), at(1))


@dataclass(frozen=True)
class ReadingAlertmanager:
    """One question a read, at minute 10."""

    url: str

    async def read_alerts(
        self, window: TimeWindow
    ) -> tuple[tuple[Alert, ...], tuple[EvidenceGap, ...]]:
        async with BackendClient(BackendConfig("alertmanager", self.url), Budget()) as client:
            return await AlertmanagerAlerts(client, FakeClock(at(10))).read_alerts(window)


@pytest.fixture(params=["in memory", "Alertmanager"])
def alerts(request: pytest.FixtureRequest) -> Iterator[AlertSource]:
    firing = (SLOW, DISK, DOWN)
    if request.param == "in memory":
        yield FakeAlerts(firing)
        return
    told = [
        {
            "labels": dict(one.labels),
            "annotations": dict(one.annotations),
            "startsAt": one.starts_at.isoformat(),
            "status": {"state": one.state},
        }
        for one in firing
    ]
    with standing_in(lambda _: Reply(body=json.dumps(told).encode())) as stand_in:
        yield ReadingAlertmanager(stand_in.url)


def test_alerts_come_by_start_with_all_their_fields(alerts: AlertSource) -> None:
    assert asyncio.run(alerts.read_alerts(between(0, 10))) == ((DISK, DOWN, SLOW), ())


def test_an_alert_that_begins_at_the_end_of_the_window_is_not_of_it(alerts: AlertSource) -> None:
    found, _ = asyncio.run(alerts.read_alerts(between(0, 3)))
    assert found == (DISK, DOWN)


def test_none_is_an_empty_answer(alerts: AlertSource) -> None:
    assert asyncio.run(alerts.read_alerts(between(-200, -190)))[0] == ()

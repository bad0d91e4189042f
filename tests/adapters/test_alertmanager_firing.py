"""What fires now, with the receivers it is routed to, and since when Alertmanager knows it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from aegis.adapters.alertmanager.firing import AlertmanagerFiring
from aegis.adapters.http_client.budget import MIB, Budget
from aegis.adapters.http_client.client import BackendClient
from aegis.model.backend import BackendConfig
from aegis.model.errors import SourceError, SourceRejected
from aegis.model.ledger import FiringNow
from tests.adapters.captured import capture
from tests.adapters.stand_in import Reply, Seen, standing_in

pytestmark = pytest.mark.loopback

ALERTS = capture("alertmanager/0.25_alerts")["body"]
STATUS = {"uptime": "2026-11-21T07:00:00.123Z", "versionInfo": {"version": "0.25.0"}}


def read(alerts: Any = ALERTS, status: Any = STATUS, too_large: bool = False) -> FiringNow:
    def answer(seen: Seen) -> Reply:
        if seen.path.endswith("/status"):
            return Reply(body=json.dumps(status).encode())
        if too_large and seen.one("silenced") != "false":
            return Reply(body=b" " * (17 * MIB))
        return Reply(body=json.dumps(alerts).encode())

    with standing_in(answer) as stand_in:
        config = BackendConfig("alertmanager", stand_in.url)
        source = AlertmanagerFiring(lambda: BackendClient(config, Budget()))
        return asyncio.run(source.read_firing())


def test_a_real_answer_is_read_whole() -> None:
    found = read()
    assert len(found.alerts) == len(ALERTS)
    assert {one.fingerprint for one in found.alerts} == {one["fingerprint"] for one in ALERTS}
    told = {one["fingerprint"]: [each["name"] for each in one["receivers"]] for one in ALERTS}
    assert {one.fingerprint: list(one.receivers) for one in found.alerts} == told
    assert found.complete
    assert found.began_at == datetime(2026, 11, 21, 7, 0, 0, 123_000, UTC)


def test_of_too_many_the_suppressed_ones_are_left_out_and_that_is_told() -> None:
    found = read(too_large=True)
    assert len(found.alerts) == len(ALERTS)
    assert not found.complete


@pytest.mark.parametrize(
    "bad", [{"labels": {}}, 7, {"labels": {"a": "x" * 5000}, "startsAt": "2026-11-21T07:00:00Z"}]
)
def test_one_that_cannot_be_read_is_left_out_and_that_is_told(bad: Any) -> None:
    found = read([*ALERTS, bad])
    assert len(found.alerts) == len(ALERTS)
    assert not found.complete


@pytest.mark.parametrize("receivers", [None, 7, [7], [{}], [{"name": 7}]])
def test_receivers_may_be_anything(receivers: Any) -> None:
    (one,) = read([{**ALERTS[0], "receivers": receivers}]).alerts
    assert set(one.receivers) <= {""}


@pytest.mark.parametrize("status", [{}, [], {"uptime": 7}, {"uptime": "soon"}])
def test_something_that_is_no_alertmanager_is_refused(status: Any) -> None:
    with pytest.raises(SourceRejected, match="does not answer as Alertmanager does"):
        read(status=status)


def test_alerts_that_are_none_are_refused() -> None:
    with pytest.raises(SourceError):
        read({"alerts": []})

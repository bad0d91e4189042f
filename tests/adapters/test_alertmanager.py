"""Alerts that fire, as a real Alertmanager 0.25 told them and as broken ones might."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aegis.adapters.alertmanager.alerts import MOST_ALERTS, AlertmanagerAlerts
from aegis.adapters.http_client.budget import MIB, Budget
from aegis.adapters.http_client.client import BackendClient
from aegis.model.alert import Alert
from aegis.model.backend import BackendConfig
from aegis.model.errors import SourceError, SourceRejected, SourceUnavailable
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import TimeWindow
from tests.adapters.captured import capture, captured_reply
from tests.adapters.stand_in import Reply, Seen, closed_port, standing_in
from tests.fakes import FakeClock

pytestmark = pytest.mark.loopback

ALERTS = capture("alertmanager/0.25_alerts")["body"]
NOW = datetime.fromisoformat(ALERTS[0]["updatedAt"])


def last_minutes(minutes: float, until: datetime = NOW) -> TimeWindow:
    return TimeWindow(until - timedelta(minutes=minutes), until)


def read(
    url: str, window: TimeWindow | None = None, timeout_s: float = 5.0
) -> tuple[tuple[Alert, ...], tuple[EvidenceGap, ...]]:
    async def once() -> tuple[tuple[Alert, ...], tuple[EvidenceGap, ...]]:
        config = BackendConfig("alertmanager", url, timeout_s=timeout_s)
        async with BackendClient(config, Budget()) as client:
            source = AlertmanagerAlerts(client, FakeClock(NOW))
            return await source.read_alerts(window or last_minutes(15))

    return asyncio.run(once())


def read_reply(
    reply: Reply, window: TimeWindow | None = None
) -> tuple[tuple[Alert, ...], tuple[EvidenceGap, ...]]:
    with standing_in(lambda _: reply) as stand_in:
        found = read(stand_in.url, window)
    assert [(one.method, one.raw_path) for one in stand_in.seen] == [("GET", "/api/v2/alerts")]
    return found


def telling(*alerts: Any) -> Reply:
    return Reply(body=json.dumps(alerts).encode())


def alert(**changes: Any) -> dict[str, Any]:
    start = (NOW - timedelta(minutes=3)).isoformat()
    return {"labels": {"alertname": "Slow"}, "startsAt": start, **changes}


def test_alerts_come_by_start_with_labels_annotations_and_state() -> None:
    found, gaps = read_reply(captured_reply("alertmanager/0.25_alerts"))
    assert [(one.name, one.state) for one in found] == [
        ("DiskFull", "suppressed"),
        ("NodeDown", "active"),
        ("CheckoutSlow", "active"),
        ("PodSlow", "suppressed"),
    ]
    assert dict(found[2].labels) == {
        "alertname": "CheckoutSlow",
        "service": "checkout",
        "severity": "critical",
    }
    assert dict(found[2].annotations)["summary"] == "p95 über 2 s 支付"
    assert found[2].starts_at == datetime.fromisoformat(ALERTS[1]["startsAt"]).astimezone(UTC)
    assert gaps == ()


def test_an_alert_is_known_by_its_labels_as_alertmanager_knows_it() -> None:
    found, _ = read_reply(captured_reply("alertmanager/0.25_alerts"))
    assert {one.fingerprint for one in found} == {one["fingerprint"] for one in ALERTS}


def test_what_began_after_the_window_is_not_of_it() -> None:
    then = last_minutes(15, NOW - timedelta(minutes=10))
    found, gaps = read_reply(captured_reply("alertmanager/0.25_alerts"), then)
    assert [one.name for one in found] == ["DiskFull", "NodeDown", "CheckoutSlow"]
    assert [(gap.source, gap.reason) for gap in gaps] == [("alerts", "not_recorded")]
    assert "keeps no history" in gaps[0].statement.en


def test_no_alert_is_an_empty_answer() -> None:
    assert read_reply(telling()) == ((), ())


UNREADABLE: list[Any] = [
    7,
    None,
    alert(labels={}),
    alert(labels=None),
    alert(startsAt="soon"),
    alert(startsAt=None),
    alert(startsAt="2026-11-25T13:00:00"),
    alert(startsAt="0001-01-01T00:00:00+14:00"),
]


@pytest.mark.parametrize("broken", UNREADABLE)
def test_one_broken_alert_does_not_hide_the_others(broken: Any) -> None:
    found, gaps = read_reply(telling(broken, alert()))
    assert [one.name for one in found] == ["Slow"]
    assert [gap.reason for gap in gaps] == ["unavailable"]


def test_odd_texts_are_kept_and_unknown_states_are_active() -> None:
    hostile = alert(
        labels={"alertname": "\ud800<b>@all</b>", "标签 a.b/c": "..", "n": 7},
        annotations=None,
        status={"state": ["new"]},
        startsAt="0001-01-01T00:00:00Z",
    )
    (found,), gaps = read_reply(telling(hostile))
    assert found.labels == (("alertname", "?<b>@all</b>"), ("n", ""), ("标签 a.b/c", ".."))
    assert (found.annotations, found.state, gaps) == ((), "active", ())


def test_in_a_storm_the_latest_are_kept_and_the_loss_is_told() -> None:
    storm = [
        alert(labels={"alertname": "Slow", "pod": f"p{number}"}, startsAt=starts.isoformat())
        for number in range(MOST_ALERTS + 500)
        for starts in [NOW - timedelta(seconds=number + 1)]
    ]
    found, gaps = read_reply(telling(*storm))
    assert len(found) == MOST_ALERTS
    assert dict(found[-1].labels)["pod"] == "p0"
    assert [gap.reason for gap in gaps] == ["sampled"]


def test_a_storm_that_is_too_large_is_asked_for_without_the_suppressed() -> None:
    def storm(seen: Seen) -> Reply:
        if seen.one("silenced") == seen.one("inhibited") == "false":
            return telling(alert())
        return Reply(body=(b" " * MIB for _ in range(30)))

    with standing_in(storm) as stand_in:
        found, gaps = read(stand_in.url)
    assert [one.name for one in found] == ["Slow"]
    assert [gap.reason for gap in gaps] == ["sampled"]


FAILURES = [
    (Reply(401), SourceRejected, "set AEGIS_ALERTMANAGER_BEARER_TOKEN"),
    (Reply(500), SourceUnavailable, "answered 500"),
    (captured_reply("alertmanager/0.25_index"), SourceRejected, "an HTML page"),
    (captured_reply("alertmanager/0.25_bad_filter"), SourceRejected, "bad matcher format"),
    (Reply(body=b'[{"labels": {'), SourceUnavailable, "half an answer"),
    (Reply(body=b"{}"), SourceRejected, "does not answer as Alertmanager does"),
]


@pytest.mark.parametrize(("reply", "kind", "told"), FAILURES)
def test_a_failure_is_told(reply: Reply, kind: type[SourceError], told: str) -> None:
    with pytest.raises(kind, match=told):
        read_reply(reply)


def test_an_alertmanager_that_is_down_or_hangs_is_told() -> None:
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        read(f"http://127.0.0.1:{closed_port()}")
    with (
        standing_in(lambda _: Reply(body=b"[", length=9, hang=True)) as stand_in,
        pytest.raises(SourceUnavailable, match=r"within 0.3 s"),
    ):
        read(stand_in.url, timeout_s=0.3)

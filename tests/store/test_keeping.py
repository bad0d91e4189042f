"""What is kept of a call: its bytes, the episodes, and what is to be told to whom."""

from __future__ import annotations

import json
import zlib
from datetime import timedelta

import pytest
from sqlalchemy import select

from aegis.adapters.store.alerts import StoredAlerts
from aegis.adapters.store.database import Database
from aegis.adapters.store.tables import outbox, quarantine, webhook_body
from aegis.model.episode import Episode
from aegis.model.ledger import Arrival, Kept, LedgerQuery
from aegis.workflows.receive_alerts.reading import read_webhook
from tests.store.alerts import NOW, arrival, by_team, count, keep, to_nobody, told, with_store
from tests.webhook.bodies import ALL, alert, captured, resolved

LATER = NOW + timedelta(minutes=5)


def episodes(database: Database) -> list[Episode]:
    async def asking(store: StoredAlerts) -> list[Episode]:
        return [one.episode for one in (await store.page(LedgerQuery())).entries]

    return with_store(database, asking)


def test_a_firing_alert_opens_an_episode_and_waits_to_be_told(database: Database) -> None:
    (kept,) = keep(database, arrival(alert()))
    (episode,) = episodes(database)
    assert (episode.number, episode.name, episode.severity) == (1, "DiskFull", "critical")
    assert (episode.first_seen, episode.last_seen) == (NOW, NOW)
    assert episode.is_open
    assert told(database) == [("oc_ops", episode.fingerprint, 1, "opened")]
    assert kept.chats == ("oc_ops",)
    (row,) = kept.waiting
    assert (row.chat_id, row.not_before) == ("oc_ops", None)
    with database.reading() as connection:
        (kept_row,) = connection.execute(select(outbox)).all()
    assert kept_row.id == row.id
    assert kept_row.state == "waiting"
    assert kept_row.group_key == '{}:{alertname="DiskFull"}'
    assert kept_row.group_labels == (("alertname", "DiskFull"),)


def test_a_heartbeat_is_remembered_and_told_to_nobody(database: Database) -> None:
    _, kept = keep(database, arrival(alert()), arrival(alert(), at=LATER))
    (episode,) = episodes(database)
    assert (episode.first_seen, episode.last_seen) == (NOW, LATER)
    assert kept == Kept(("oc_ops",))
    assert len(told(database)) == 1
    assert count(database, "webhook_body") == 2


def test_the_end_of_an_episode_closes_it(database: Database) -> None:
    keep(database, arrival(alert()), arrival(resolved(), at=LATER))
    (episode,) = episodes(database)
    assert episode.resolved_at == NOW - timedelta(minutes=20)
    assert [one[3] for one in told(database)] == ["opened", "closed"]


def test_an_end_in_the_future_is_the_time_it_arrived(database: Database) -> None:
    keep(database, arrival(alert()), arrival(resolved(until="2031-01-01T00:00:00Z"), at=LATER))
    assert episodes(database)[0].resolved_at == LATER


def test_what_fires_again_is_a_new_episode_with_its_own_words(database: Database) -> None:
    again = alert(startsAt="2026-11-21T12:20:00Z", annotations={"summary": "again"})
    keep(database, arrival(alert()), arrival(resolved()), arrival(again, at=LATER))
    new, old = episodes(database)
    assert (new.number, old.number) == (2, 1)
    assert dict(new.annotations)["summary"] == "again"
    assert new.is_open
    assert not old.is_open


def test_a_part_of_a_group_may_end_before_the_rest(database: Database) -> None:
    one, other = {"pod": "a"}, {"pod": "b"}
    keep(
        database,
        arrival(alert(labels=one), alert(labels=other)),
        arrival(alert(labels=one), resolved(labels=other), at=LATER),
    )
    states = {dict(one.labels)["pod"]: one.is_open for one in episodes(database)}
    assert states == {"a": True, "b": False}
    assert count(database, "outbox") == 2


def test_each_chat_has_a_row_of_its_own(database: Database) -> None:
    alerts = [
        alert(labels={"n": str(n), "team": team}) for n, team in enumerate(["a", "a", "b", "a+b"])
    ]
    (kept,) = keep(database, arrival(*alerts), route=by_team)
    assert kept.chats == ("oc_a", "oc_b")
    assert len(kept.waiting) == 2
    assert [one[0] for one in told(database)].count("oc_a") == 3
    assert [one[0] for one in told(database)].count("oc_b") == 2


def test_what_waits_for_the_end_of_quiet_hours_has_a_row_of_its_own(database: Database) -> None:
    quiet = alert("Quiet", labels={"quiet": "yes"})
    (kept,) = keep(database, arrival(alert(), quiet), route=by_team)
    assert [row.not_before for row in kept.waiting] == [None, NOW + timedelta(hours=1)]


def test_the_end_of_an_episode_is_routed_by_when_it_opened(database: Database) -> None:
    labels = {"quiet": "yes"}
    kept = keep(
        database,
        arrival(alert(labels=labels)),
        arrival(resolved(labels=labels), at=NOW + timedelta(minutes=59)),
        route=by_team,
    )
    assert [row.not_before for one in kept for row in one.waiting] == [NOW + timedelta(hours=1)] * 2


def test_without_a_chat_an_alert_is_kept_all_the_same(database: Database) -> None:
    (kept,) = keep(database, arrival(alert()), route=to_nobody)
    assert kept == Kept(())
    assert len(episodes(database)) == 1
    assert told(database) == []


def test_the_bytes_of_a_call_are_kept_as_they_came(database: Database) -> None:
    raw = b"\x00\xff not json \xf0\x9f\x94\xa5"
    keep(database, Arrival(NOW, raw, read_webhook(raw, NOW)))
    with database.reading() as connection:
        (row,) = connection.execute(select(webhook_body)).all()
    assert zlib.decompress(row.body) == raw
    assert (row.alerts, row.quarantined) == (0, 1)


def test_what_is_no_alert_is_kept_with_the_reason(database: Database) -> None:
    keep(database, arrival(alert(), 17, {"x": "\0 \ud800"}))
    with database.reading() as connection:
        rows = connection.execute(select(quarantine).order_by(quarantine.c.position)).all()
    assert [(row.position, row.reason) for row in rows] == [
        (1, "is no JSON object"),
        (2, "labels: there are none"),
    ]
    assert len(episodes(database)) == 1


def test_text_of_every_kind_is_kept_as_it_is_shown(database: Database) -> None:
    strange = {"集群.a/b c": "实验室 🔥 \u200b\u202e", "nul": "a\0b", "quote": "'\"\\\n\t;--"}
    keep(database, arrival(alert(labels=strange, annotations={"long": "火" * 100_000})))
    (episode,) = episodes(database)
    assert dict(episode.labels).items() >= {**strange, "nul": "a\ufffdb"}.items()
    assert len(dict(episode.annotations)["long"]) == 100_000


def test_names_longer_than_a_column_are_kept_in_the_labels(database: Database) -> None:
    keep(
        database, arrival(alert("名" * 5000, labels={"severity": "s" * 5000}), groupKey="k" * 9000)
    )
    (episode,) = episodes(database)
    assert episode.name == "名" * 5000
    assert episode.severity == "s" * 5000


def test_years_one_and_9999_are_kept(database: Database) -> None:
    odd = alert(startsAt="0002-01-01T00:00:00Z")
    keep(
        database,
        arrival(odd),
        arrival({**odd, "status": "resolved", "endsAt": "9999-12-31T23:59:59Z"}),
    )
    (episode,) = episodes(database)
    assert episode.starts_at.year == 2
    assert not episode.is_open


def test_thousands_of_alerts_fit_in_one_call(database: Database) -> None:
    many = [alert(labels={"n": str(n)}) for n in range(3000)]
    kept = keep(
        database,
        arrival(*many),
        arrival(*many),
        arrival(*(resolved(labels={"n": str(n)}) for n in range(3000))),
    )
    assert len(kept[0].waiting) == 1
    assert count(database, "episode") == 3000
    assert len(told(database)) == 6000


@pytest.mark.parametrize("twice", [False, True])
def test_replayed_captures_tell_each_episode_once(database: Database, twice: bool) -> None:
    """All that was recorded, each call perhaps sent again, as by the other half of a pair."""
    calls = [captured(name) for name in ALL for _ in range(1 + twice)]
    keep(database, *(Arrival(NOW, raw, read_webhook(raw, NOW)) for raw in calls))
    found = told(database)
    assert len(set(found)) == len(found)
    fingerprints = {one["fingerprint"] for raw in calls for one in json.loads(raw)["alerts"]}
    assert {one[1] for one in found} == fingerprints
    pair = {
        one["fingerprint"]
        for name in ALL
        if "prom_restart" in name
        for one in json.loads(captured(name))["alerts"]
    }
    assert len(pair) == 2
    for print_ in pair:
        assert [one[2:] for one in found if one[1] == print_] == [(1, "opened"), (1, "closed")]
    resolve = json.loads(captured("am0.25.0_resolve_3_refired"))["alerts"][0]["fingerprint"]
    assert [one[2:] for one in found if one[1] == resolve] == [
        (1, "opened"),
        (1, "closed"),
        (2, "opened"),
    ]

"""What is old and over is forgotten; what is open or untold never is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from aegis.adapters.store import retention
from aegis.adapters.store.database import Database
from aegis.adapters.store.retention import forget
from aegis.adapters.store.tables import card, change, message, outbox
from tests.store.alerts import NOW, arrival, count, keep, to_nobody, told
from tests.webhook.bodies import alert, resolved

LATER = NOW + timedelta(days=31)
TABLES = (
    "webhook_body",
    "quarantine",
    "alert",
    "episode",
    "outbox",
    "outbox_item",
    "message",
    "card",
)


def old(database: Database, before: datetime = LATER, most: int = 10**9) -> int:
    return forget(database, before, most, lambda: False)


def counts(database: Database) -> dict[str, int]:
    return {table: count(database, table) for table in TABLES}


def deliver(database: Database, state: str = "sent", closed: bool = True) -> None:
    """Everything is covered by one message on one card."""
    with database.writing() as connection:
        at = NOW if closed else None
        row = {"id": "c1", "chat_id": "oc_ops", "opened_at": NOW, "closed_at": at}
        connection.execute(insert(card).values(**row))
        fields: dict[str, Any] = {"operation": "create", "kind": "interactive", "content": "{}"}
        fields |= {
            "id": "m1",
            "uuid": "u1",
            "chat_id": "oc_ops",
            "card_id": "c1",
            "created_at": NOW,
        }
        connection.execute(insert(message).values(state=state, **fields))
        connection.execute(update(outbox).values(state="covered", message_id="m1"))


def test_an_alert_that_is_over_and_told_is_forgotten_whole(database: Database) -> None:
    keep(database, arrival(alert(), 17), arrival(resolved()))
    deliver(database)
    old(database)
    assert set(counts(database).values()) == {0}
    keep(database, arrival(alert(), at=LATER))
    assert [one[2:] for one in told(database)] == [(1, "opened")]


def test_what_is_not_old_is_kept(database: Database) -> None:
    keep(database, arrival(alert(), 17), arrival(resolved()))
    deliver(database)
    before = counts(database)
    assert old(database, NOW - timedelta(days=1)) == 0
    assert counts(database) == before


def test_an_open_episode_is_kept_with_its_card(database: Database) -> None:
    keep(database, arrival(alert()))
    deliver(database, closed=False)
    old(database)
    kept = counts(database)
    assert kept.pop("webhook_body") == 0
    assert kept.pop("quarantine") == 0
    assert set(kept.values()) == {1}


@pytest.mark.parametrize("state", ["ready", None])
def test_what_was_not_told_is_kept(database: Database, state: str | None) -> None:
    keep(database, arrival(alert()), arrival(resolved()))
    if state is not None:
        deliver(database, state)
    old(database)
    assert count(database, "episode") == 1
    assert len(told(database)) == 2


def test_an_episode_nobody_heard_of_is_forgotten(database: Database) -> None:
    keep(database, arrival(alert()), arrival(resolved()), route=to_nobody)
    old(database)
    assert set(counts(database).values()) == {0}


def test_an_old_episode_of_an_alert_that_fires_again_leaves_its_number(database: Database) -> None:
    keep(database, arrival(alert()), arrival(resolved()), route=to_nobody)
    again = alert(startsAt="2026-12-22T12:00:00Z")
    keep(database, arrival(again, at=LATER), route=to_nobody)
    old(database)
    assert count(database, "episode") == 1
    with database.reading() as connection:
        found = connection.exec_driver_sql("SELECT number FROM episode").scalar()
    assert found == 2


def test_bodies_take_no_more_than_they_may(database: Database) -> None:
    calls = [arrival(alert(f"A{n}"), at=NOW + timedelta(minutes=n)) for n in range(100)]
    keep(database, *calls)
    with database.reading() as connection:
        size = connection.exec_driver_sql("SELECT sum(stored_bytes) FROM webhook_body").scalar()
    assert size is not None
    old(database, NOW - timedelta(days=1), int(size) // 2)
    left = count(database, "webhook_body")
    assert 100 // 2 - retention.FEW <= left <= 100 // 2
    with database.reading() as connection:
        ids = connection.exec_driver_sql("SELECT min(received_at) FROM webhook_body").scalar()
    assert ids is not None
    assert count(database, "episode") == 100


def test_old_changes_are_forgotten(database: Database) -> None:
    with database.writing() as connection:
        for number, at in enumerate((NOW, LATER)):
            words = dict.fromkeys(("service", "kind", "title", "url", "version", "source"), "x")
            row = {"id": str(number), "time": at, "received_at": at, **words}
            connection.execute(insert(change).values(**row))
    assert old(database, LATER) == 1
    assert count(database, "change") == 1


def test_thousands_go_in_batches_that_let_others_write(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MANY", 50)
    many = [resolved(labels={"n": str(n)}) for n in range(220)]
    keep(database, arrival(*many), route=to_nobody)
    stops: list[int] = []
    stop_after = 3

    def stopping() -> bool:
        stops.append(count(database, "episode"))
        return len([one for one in stops if one < 220]) >= stop_after

    forget(database, LATER, 10**9, stopping)
    assert 0 < count(database, "episode") < 220
    old(database)
    assert count(database, "episode") == count(database, "alert") == 0

"""Every episode can be found again, with who was told of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from aegis.adapters.store import ledger
from aegis.adapters.store.database import Database
from aegis.adapters.store.tables import message, outbox
from aegis.model.errors import InvalidRequest
from aegis.model.ledger import LedgerPage, LedgerQuery
from tests.store.alerts import NOW, arrival, by_team, keep, to_nobody
from tests.webhook.bodies import alert, resolved


def page(database: Database, **query: Any) -> LedgerPage:
    with database.reading() as connection:
        return ledger.page_of(connection, LedgerQuery(**query))


def names(found: LedgerPage) -> list[str]:
    return [one.episode.name for one in found.entries]


@pytest.fixture
def kept(database: Database) -> Database:
    """A to E, a minute apart; B is over, D is of another group, E of another severity and team."""
    calls = [
        arrival(alert("A", labels={"team": "ops"})),
        arrival(resolved("B"), at=NOW + timedelta(minutes=1)),
        arrival(alert("C"), at=NOW + timedelta(minutes=2)),
        arrival(alert("D"), at=NOW + timedelta(minutes=3), groupKey="other"),
        arrival(
            alert("E", labels={"severity": "info", "team": "pay+web"}),
            at=NOW + timedelta(minutes=4),
        ),
    ]
    keep(database, *calls, route=by_team)
    return database


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "EDCBA"),
        ({"state": "open"}, "EDCA"),
        ({"state": "resolved"}, "B"),
        ({"severity": "info"}, "E"),
        ({"name": "C"}, "C"),
        ({"group_keys": ("other",)}, "D"),
        ({"group_keys": ("other", "none")}, "D"),
        ({"chat_id": "oc_web"}, "E"),
        ({"chat_id": "oc_ops"}, "DCBA"),
        ({"chat_id": "oc_nobody"}, ""),
        ({"state": "open", "chat_id": "oc_ops", "severity": "critical"}, "DCA"),
    ],
)
def test_episodes_are_listed_newest_first(
    kept: Database, query: dict[str, Any], expected: str
) -> None:
    assert "".join(names(page(kept, **query))) == expected


def test_pages_follow_each_other_without_gap_or_repeat(database: Database) -> None:
    """All of one call have the same time."""
    keep(database, arrival(*(alert(f"A{n}") for n in range(25))))
    keep(database, arrival(*(alert(f"B{n}") for n in range(25)), at=NOW + timedelta(hours=1)))
    found: list[str] = []
    after, pages = None, 0
    while True:
        part = page(database, limit=7, after=after)
        found += names(part)
        after, pages = part.next, pages + 1
        if after is None:
            break
    assert pages == 8
    assert sorted(found) == sorted(f"{x}{n}" for x in "AB" for n in range(25))
    assert {name[0] for name in found[:25]} == {"B"}


def test_the_last_page_says_so_even_when_it_is_full(database: Database) -> None:
    keep(database, arrival(alert("A"), alert("B")))
    assert page(database, limit=2).next is None
    assert page(database, limit=1).next is not None


@pytest.mark.parametrize("after", ["", "x", "1-2-3", "9" * 40, "1-0123456789abcdef-1; DROP", "1"])
def test_a_place_that_no_page_gave_is_refused(database: Database, after: str) -> None:
    with pytest.raises(InvalidRequest, match="cursor"):
        page(database, after=after)


def test_both_transitions_of_each_chat_are_shown(database: Database) -> None:
    labels = {"team": "pay+web"}
    keep(database, arrival(alert(labels=labels)), arrival(resolved(labels=labels)), route=by_team)
    (entry,) = page(database).entries
    told = [(one.chat_id, one.transition, one.state) for one in entry.deliveries]
    assert sorted(told) == [
        (chat, transition, "waiting")
        for chat in ("oc_pay", "oc_web")
        for transition in ("closed", "opened")
    ]


def test_an_episode_nobody_hears_of_has_no_deliveries(database: Database) -> None:
    keep(database, arrival(alert()), route=to_nobody)
    assert page(database).entries[0].deliveries == ()


def cover(database: Database, **how: Any) -> None:
    """A message covers everything that waits."""
    with database.writing() as connection:
        fields = {
            "chat_id": "oc_ops",
            "operation": "create",
            "kind": "interactive",
            "content": "{}",
        }
        told = {"id": "m1", "uuid": "u1", "created_at": NOW, **fields, **how}
        connection.execute(insert(message).values(**told))
        connection.execute(update(outbox).values(state="covered", message_id="m1"))


@pytest.mark.parametrize(
    ("how", "undelivered"),
    [
        ({"state": "ready", "attempts": 3, "code": 99991400, "error": "too often"}, True),
        ({"state": "refused", "attempts": 1, "code": 230002, "error": "not in the chat"}, True),
        ({"state": "sent", "attempts": 1, "sent_at": NOW + timedelta(seconds=2)}, False),
        ({"state": "ready", "attempts": 9, "doubtful": True}, True),
    ],
)
def test_how_a_message_stands_is_told(
    database: Database, how: dict[str, Any], undelivered: bool
) -> None:
    keep(database, arrival(alert()))
    cover(database, **how)
    (delivery,) = page(database).entries[0].deliveries
    assert (delivery.state, delivery.attempts) == (how["state"], how["attempts"])
    assert (delivery.code, delivery.error) == (how.get("code"), how.get("error"))
    assert delivery.sent_at == how.get("sent_at")
    assert delivery.doubtful is how.get("doubtful", False)
    with database.reading() as connection:
        found = ledger.undelivered(connection, 10)
    assert [one.delivery for one in found] == ([delivery] if undelivered else [])


def test_what_waits_is_undelivered_oldest_first(kept: Database) -> None:
    with kept.reading() as connection:
        found = ledger.undelivered(connection, 3)
        everything = ledger.undelivered(connection, 100)
    assert [one.episode.name for one in found] == ["A", "B", "C"]
    assert len(everything) == 6


def test_the_quarantine_is_listed_newest_first(database: Database) -> None:
    keep(database, arrival(1, 2), arrival(3, at=NOW + timedelta(minutes=1)))
    with database.reading() as connection:
        found = ledger.quarantined(connection, 2)
    assert [one.raw for one in found] == ["3", "2"]
    assert found[0].reason == "is no JSON object"


def test_what_failed_before_a_message_was_sent_is_not_told_beside_sent(database: Database) -> None:
    keep(database, arrival(alert()))
    cover(database, state="sent", attempts=2, code=99991400, error="too often", doubtful=True)
    (delivery,) = page(database).entries[0].deliveries
    assert (delivery.state, delivery.code, delivery.error) == ("sent", None, None)
    assert delivery.doubtful


def test_answers_that_were_not_delivered_are_listed_too(database: Database) -> None:
    fields = {"chat_id": "oc_a", "operation": "create", "kind": "text", "content": "{}"}
    with database.writing() as connection:
        for place, state in enumerate(("sent", "refused", "ready", "withdrawn")):
            told = {"id": f"m{place}", "uuid": f"u{place}", "created_at": NOW, "state": state}
            connection.execute(insert(message).values(**fields, **told))
    with database.reading() as connection:
        found = ledger.undelivered_answers(connection, 10)
    assert [(one.chat_id, one.state) for one in found] == [("oc_a", "refused"), ("oc_a", "ready")]

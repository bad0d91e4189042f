"""An alert that Alertmanager had and has no longer is closed; one of another is left alone."""

from __future__ import annotations

from datetime import datetime, timedelta

from aegis.adapters.store.alerts import StoredAlerts
from aegis.adapters.store.database import Database
from aegis.model.ledger import LedgerQuery, Settled
from tests.store.alerts import NOW, arrival, by_team, keep, told, with_store
from tests.webhook.bodies import alert, resolved


def prints(database: Database) -> list[str]:
    return [one[1] for one in told(database)]


def settle(database: Database, *rounds: list[str], at: datetime = NOW) -> list[Settled]:
    async def settling(store: StoredAlerts) -> list[Settled]:
        return [await store.settle(listed, at) for listed in rounds]

    return with_store(database, settling, by_team)


def states(database: Database) -> list[bool]:
    async def asking(store: StoredAlerts) -> list[bool]:
        return [one.episode.is_open for one in (await store.page(LedgerQuery())).entries]

    return with_store(database, asking)


def test_what_was_listed_and_is_gone_for_two_rounds_is_closed_and_told(database: Database) -> None:
    keep(database, arrival(alert(labels={"team": "a+b"})), route=by_team)
    (key, _) = prints(database)
    later = NOW + timedelta(minutes=5)
    found = settle(database, [key], [], [], [], at=later)
    assert [one.closed for one in found] == [0, 0, 1, 0]
    assert sorted(row.chat_id for row in found[2].waiting) == ["oc_a", "oc_b"]
    assert [one[2:] for one in told(database)] == [(1, "opened")] * 2 + [(1, "closed")] * 2
    assert states(database) == [False]


def test_what_comes_back_after_one_round_stays_open(database: Database) -> None:
    keep(database, arrival(alert()))
    (key,) = prints(database)
    found = settle(database, [key], [], [key], [], [key], [])
    assert [one.closed for one in found] == [0] * 6
    assert states(database) == [True]


def test_what_was_never_listed_is_anothers_and_stays_open(database: Database) -> None:
    keep(database, arrival(alert()))
    assert [one.closed for one in settle(database, [], [], [])] == [0, 0, 0]


def test_a_webhook_in_between_begins_the_count_anew(database: Database) -> None:
    keep(database, arrival(alert()))
    (key,) = prints(database)
    settle(database, [key], [])
    keep(database, arrival(alert(), at=NOW + timedelta(minutes=1)))
    assert [one.closed for one in settle(database, [], [])] == [0, 0]


def test_what_was_closed_like_this_may_fire_on_and_its_late_end_is_not_told(
    database: Database,
) -> None:
    keep(database, arrival(alert()))
    (key,) = prints(database)
    settle(database, [key], [], [])
    keep(database, arrival(alert(), at=NOW + timedelta(minutes=9)))
    assert [one[2:] for one in told(database)] == [(1, "opened"), (1, "closed"), (2, "opened")]


def test_the_end_that_is_told_after_all_is_told_once(database: Database) -> None:
    keep(database, arrival(alert()))
    (key,) = prints(database)
    settle(database, [key], [], [])
    keep(database, arrival(resolved(), at=NOW + timedelta(minutes=9)))
    assert [one[2:] for one in told(database)] == [(1, "opened"), (1, "closed")]


def test_the_group_of_the_end_is_that_of_the_beginning(database: Database) -> None:
    keep(database, arrival(alert(), groupKey="the group", groupLabels={"a": "b"}))
    (key,) = prints(database)
    settle(database, [key], [], [])
    with database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT group_key, group_labels FROM outbox").all()
    assert len({tuple(row) for row in rows}) == 1


def test_thousands_are_closed_at_once(database: Database) -> None:
    keep(database, arrival(*(alert(labels={"n": str(n)}) for n in range(1200))))
    listed = prints(database)
    found = settle(database, listed, [], [])
    assert found[-1].closed == 1200
    assert len(found[-1].waiting) == 1


def test_receivers_that_have_called_are_known(database: Database) -> None:
    keep(database, arrival(alert(), receiver="aegis"), arrival(alert(), receiver="other"))

    async def asking(store: StoredAlerts) -> frozenset[str]:
        return await store.receivers()

    assert with_store(database, asking) == {"aegis", "other"}

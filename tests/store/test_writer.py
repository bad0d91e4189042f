"""A call is answered after it is committed, or nothing of it is there."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event

from aegis.adapters.store import writer
from aegis.adapters.store.alerts import StoredAlerts
from aegis.adapters.store.database import Database, open_database
from aegis.adapters.store.keeping import take_turn
from aegis.adapters.store.migrating import upgrade
from aegis.model.alert import Labels
from aegis.model.errors import StoreUnavailable
from aegis.model.ledger import Arrival, Kept
from aegis.model.routing import Target
from tests.store.alerts import arrival, count, store_of, to_one_chat, told, with_store
from tests.webhook.bodies import alert, resolved

Outcome = Kept | StoreUnavailable


async def outcome(store: StoredAlerts, one: Arrival) -> Outcome:
    try:
        return await store.keep(one)
    except StoreUnavailable as error:
        return error


async def all_at_once(store: StoredAlerts, *arrivals: Arrival) -> list[Outcome]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(outcome(store, one)) for one in arrivals]
    return [task.result() for task in tasks]


def numbered(count_: int) -> list[Arrival]:
    return [arrival(alert(labels={"n": str(n)})) for n in range(count_)]


def test_calls_that_come_together_are_committed_together(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = counted(monkeypatch)
    found = with_store(database, lambda store: all_at_once(store, *numbered(300)))
    assert all(isinstance(one, Kept) for one in found)
    assert count(database, "episode") == count(database, "webhook_body") == 300
    assert commits() < 100


def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    turns: list[None] = []

    def counting(connection: Connection) -> None:
        turns.append(None)
        take_turn(connection)

    monkeypatch.setattr(writer, "take_turn", counting)
    return lambda: len(turns)


def test_each_call_is_answered_with_its_own_rows(database: Database) -> None:
    found = with_store(database, lambda store: all_at_once(store, *numbered(50)))
    rows = [one.waiting[0].id for one in found if isinstance(one, Kept)]
    assert len(set(rows)) == 50


def test_the_same_alert_in_calls_that_come_together_is_told_once(database: Database) -> None:
    calls = [arrival(alert()), arrival(alert()), arrival(resolved()), arrival(resolved())] * 10
    with_store(database, lambda store: all_at_once(store, *calls))
    assert [one[2:] for one in told(database)] == [(1, "opened"), (1, "closed")]


def test_two_replicas_tell_an_alert_once(url: str, database: Database) -> None:
    other = open_database(url)
    stores = [store_of(database), store_of(other)]
    calls = [arrival(alert(labels={"n": str(n % 20)})) for n in range(100)]

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            for place, one in enumerate(calls):
                group.create_task(outcome(stores[place % 2], one))

    asyncio.run(both())
    for store in stores:
        store.stop()
    other.dispose()
    found = told(database)
    assert len(found) == len(set(found)) == 20
    assert count(database, "webhook_body") == 100


# --- What may go wrong ----------------------------------------------------------------------


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> float:
    """Seconds that a call waits for a lock here."""
    monkeypatch.setattr(writer, "LOCK_PATIENCE_S", 0.3)
    monkeypatch.setattr(writer, "BEGUN_WITHIN_S", 0.5)
    return 0.5


@contextmanager
def locked(database: Database) -> Iterator[None]:
    """Meanwhile another connection lets nobody write."""
    is_held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with database.writing() as connection:
            take_turn(connection)
            is_held.set()
            release.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert is_held.wait(10)
    try:
        yield
    finally:
        release.set()
        thread.join()


def test_a_locked_database_is_told_in_time_and_recovers_by_itself(
    database: Database, patience: float
) -> None:
    async def use(store: StoredAlerts) -> list[Outcome]:
        with locked(database):
            began = time.monotonic()
            refused = await all_at_once(store, *numbered(5))
            assert time.monotonic() - began < 4 * patience
        return [*refused, await outcome(store, arrival(alert("After")))]

    *refused, kept = with_store(database, use)
    assert all(isinstance(one, StoreUnavailable) for one in refused)
    assert isinstance(kept, Kept)
    assert count(database, "webhook_body") == count(database, "episode") == 1


def test_the_real_patience_ends_within_five_seconds() -> None:
    """A call waits for the batch before its own at most as long as for its own."""
    assert writer.LOCK_PATIENCE_S < writer.BEGUN_WITHIN_S
    assert writer.BEGUN_WITHIN_S + 1 <= 5


def test_a_call_that_was_given_up_is_not_written_later(
    database: Database, patience: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LOCK_PATIENCE_S", 2.0)

    async def use(store: StoredAlerts) -> None:
        with locked(database):
            first = asyncio.create_task(outcome(store, arrival(alert("First"))))
            await asyncio.sleep(0.2)
            second = await outcome(store, arrival(alert("Second")))
            assert isinstance(second, StoreUnavailable)
        await first
        assert isinstance(await outcome(store, arrival(alert("Third"))), Kept)

    with_store(database, use)
    with database.reading() as connection:
        names = set(connection.exec_driver_sql("SELECT alertname FROM episode").scalars())
    assert names - {"First"} == {"Third"}


def test_nothing_is_taken_in_while_stopping_and_what_waits_is_written(database: Database) -> None:
    async def use(store: StoredAlerts) -> list[Outcome]:
        waiting = [asyncio.create_task(outcome(store, one)) for one in numbered(20)]
        await asyncio.sleep(0)
        await asyncio.to_thread(store.stop)
        late = await outcome(store, arrival(alert("Late")))
        return [*[await one for one in waiting], late]

    *kept, late = with_store(database, use)
    assert all(isinstance(one, Kept) for one in kept)
    assert str(late) == "shutting down"
    assert count(database, "episode") == 20


@pytest.mark.parametrize("limit", ["MOST_WAITING", "MOST_WAITING_BYTES"])
def test_more_than_can_be_written_is_refused_at_once(
    database: Database, patience: float, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, limit, 4 if limit == "MOST_WAITING" else 4000)

    async def use(store: StoredAlerts) -> list[Outcome]:
        with locked(database):
            return await all_at_once(store, *numbered(40))

    found = with_store(database, use)
    assert any("calls wait to be written" in str(one) for one in found)


def test_a_call_that_cannot_be_kept_does_not_cost_the_others(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake of ours: the call is in the quarantine, and is not sent for ever."""

    def fails_for_one(labels: Labels, opened_at: datetime) -> tuple[Target, ...]:
        if dict(labels)["n"] == "7":
            raise KeyError("no route")
        return to_one_chat(labels, opened_at)

    found = with_store(
        database, lambda store: all_at_once(store, *numbered(20)), route=fails_for_one
    )
    assert all(isinstance(one, Kept) for one in found)
    assert count(database, "webhook_body") == 20
    assert count(database, "episode") == 19
    with database.reading() as connection:
        (reason,) = connection.exec_driver_sql("SELECT reason FROM quarantine").scalars()
    assert "could not keep this call" in reason


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(1, 400))
def test_wherever_a_write_breaks_off_nothing_is_half_written(
    tmp_path_factory: pytest.TempPathFactory, statements: int
) -> None:
    """The disk is full after so many pages: SQLite's own limit says when."""
    file = tmp_path_factory.mktemp("full") / "aegis.db"
    database = open_database(f"sqlite:///{file}")
    upgrade(database)
    pages = limit_pages(database, statements)

    async def use(store: StoredAlerts) -> tuple[list[Outcome], Outcome]:
        found = [await outcome(store, one) for one in big_calls()]
        check_whole(database, sum(isinstance(one, Kept) for one in found))
        pages.clear()
        return found, await outcome(store, big_calls()[0])

    found, after = with_store(database, use)
    assert isinstance(after, Kept)
    if statements < 50:
        assert any("full" in str(one) for one in found)
    database.dispose()


def big_calls() -> list[Arrival]:
    """Five calls of 20 alerts with 2 kB of text that does not compress well."""
    text = "".join(chr(0x4E00 + n * 7919 % 20000) for n in range(700))
    return [
        arrival(
            *(
                alert(labels={"n": f"{call}-{n}"}, annotations={"text": f"{call}-{n} {text}"})
                for n in range(20)
            )
        )
        for call in range(5)
    ]


def limit_pages(database: Database, more: int) -> list[int]:
    """No more than so many pages than now; none while the list is empty."""
    with database.reading() as connection:
        now: int = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    limits = [now + more]

    def limit(connection: Connection, *_: object) -> None:
        most = limits[0] if limits else 2**31 - 2
        connection.exec_driver_sql(f"PRAGMA max_page_count={most}").all()

    event.listen(database.engine, "begin", limit)
    return limits


def check_whole(database: Database, calls: int) -> None:
    assert count(database, "webhook_body") == calls
    assert count(database, "outbox") == calls
    for table in ("alert", "episode", "outbox_item"):
        assert count(database, table) == 20 * calls

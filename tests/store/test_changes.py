"""Changes are kept once and read by time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from aegis.adapters.store.changes import MOST_READ, StoredChanges
from aegis.adapters.store.database import Database
from aegis.model.errors import SourceUnavailable, StoreUnavailable
from aegis.model.telemetry import Change, ReportedChange, TimeWindow
from tests.fakes import FakeClock

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
DAY = TimeWindow(NOON - timedelta(hours=12), NOON + timedelta(hours=12))


def reported(key: str, minutes: float = 0, service: str = "cart") -> ReportedChange:
    time = NOON + timedelta(minutes=minutes)
    return ReportedChange(key, "api", Change(service, time, "deploy", key, "a title", None))


def keep(store: StoredChanges, *changes: ReportedChange) -> int:
    return asyncio.run(store.keep_changes(changes))


def read(store: StoredChanges, window: TimeWindow = DAY) -> tuple[Change, ...]:
    found, gaps = asyncio.run(store.read_changes(window))
    assert gaps == ()
    return found


@pytest.fixture
def store(database: Database) -> StoredChanges:
    return StoredChanges(database, FakeClock(NOON))


def test_what_was_kept_is_read_as_it_was_in_order_of_time(store: StoredChanges) -> None:
    late, early = reported("b", 5), reported("a", -5)
    assert keep(store, late, early) == 2
    assert read(store) == (early.change, late.change)


def test_of_one_key_the_first_stays(store: StoredChanges) -> None:
    assert keep(store, reported("a", 0), reported("a", 1)) == 1
    assert keep(store, reported("a", 2), reported("b", 3)) == 1
    assert [one.time for one in read(store)] == [NOON, NOON + timedelta(minutes=3)]


def test_only_the_window_is_read_its_end_excluded(store: StoredChanges) -> None:
    keep(store, *(reported(str(number), number) for number in range(4)))
    window = TimeWindow(NOON + timedelta(minutes=1), NOON + timedelta(minutes=3))
    assert [one.version for one in read(store, window)] == ["1", "2"]


def test_of_too_many_the_latest_are_read(store: StoredChanges) -> None:
    keep(store, *(reported(str(number), number / 100) for number in range(MOST_READ + 5)))
    found = read(store)
    assert len(found) == MOST_READ
    assert found[-1].version == str(MOST_READ + 4)


def test_nothing_to_keep_asks_nothing(empty: Database) -> None:
    assert keep(StoredChanges(empty, FakeClock(NOON))) == 0


def test_without_tables_nothing_is_kept_or_read(empty: Database) -> None:
    if empty.file is not None:
        empty.file.parent.mkdir()
    store = StoredChanges(empty, FakeClock(NOON))
    with pytest.raises(StoreUnavailable):
        keep(store, reported("a"))
    with pytest.raises(SourceUnavailable):
        read(store)

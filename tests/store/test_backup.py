"""A copy of the database while it is written to."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from aegis.adapters.store.backup import back_up
from aegis.adapters.store.database import Database, open_database
from aegis.model.errors import ConfigurationError, InvalidRequest, StoreUnavailable
from tests.store.alerts import arrival, count, keep
from tests.webhook.bodies import alert


def test_a_copy_holds_what_was_committed_and_nothing_half_done(
    database: Database, tmp_path: Path
) -> None:
    if not database.is_sqlite:
        pytest.skip("SQLite only")
    keep(database, arrival(alert("Kept")))
    target = tmp_path / "copy.db"
    with database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM outbox_item")
        size = back_up(database, target)
        connection.rollback()
    assert size == target.stat().st_size
    copy = open_database(f"sqlite:///{target}")
    assert count(copy, "episode") == count(copy, "outbox_item") == 1
    copy.dispose()
    assert target.stat().st_mode & 0o077 == 0
    raw = sqlite3.connect(target)
    assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    raw.close()


def test_what_is_there_is_not_overwritten(database: Database, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("precious")
    with pytest.raises((InvalidRequest, ConfigurationError)):
        back_up(database, target)
    assert target.read_text() == "precious"


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "aegis.db"
    file.write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreUnavailable, match="could not be written"):
        back_up(open_database(f"sqlite:///{file}"), tmp_path / "copy.db")
    assert [one.name for one in tmp_path.iterdir()] == ["aegis.db"]


def test_a_folder_that_is_not_there_is_told(database: Database, tmp_path: Path) -> None:
    with pytest.raises((StoreUnavailable, ConfigurationError)):
        back_up(database, tmp_path / "no" / "copy.db")


def test_of_postgresql_it_says_how_without_the_password(tmp_path: Path) -> None:
    database = open_database("postgresql://aegis:hunter2@db.example/aegis")
    with pytest.raises(ConfigurationError, match="pg_dump") as told:
        back_up(database, tmp_path / "copy.db")
    assert "hunter2" not in str(told.value)
    assert "postgresql://aegis@db.example/aegis" in str(told.value)

"""What `aegis doctor` finds out about the database, without changing or making anything."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, text, update

from aegis.adapters.store import examine
from aegis.adapters.store.database import Database, open_database
from aegis.adapters.store.migrating import upgrade
from aegis.adapters.store.tables import message
from aegis.model.health import BackendHealth
from tests.delivery.worlds import NOON, MovingClock, World


def found(database: Database, after: timedelta = timedelta(0)) -> BackendHealth:
    examination = examine.Examination(database, MovingClock(NOON + after))
    if examination.look():
        asyncio.run(examination.count())
    return examination.health()


def told(health: BackendHealth) -> dict[str, tuple[str, str]]:
    return {one.name: (one.state, one.said.en) for one in health.findings}


def test_one_that_is_well_is_described(database: Database) -> None:
    health = found(database)
    assert health.condition == "answers"
    assert health.address == database.address
    assert told(health)["reachable"] == ("ok", "can be reached")
    assert told(health)["schema"][1].endswith(", current")
    assert told(health)["writable"] == ("ok", "can be written")
    assert told(health)["size"][0] == "ok"
    assert told(health)["backlog"] == ("ok", "nothing waits to be told")
    assert "refused" not in told(health)


def test_what_waits_is_told_with_its_age_and_what_was_refused(database: Database) -> None:
    world = World(database)
    world.tell("f-1")
    world.tell("f-2")
    assert told(found(database, timedelta(minutes=1)))["backlog"][0] == "ok"
    state, said = told(found(database, timedelta(minutes=90)))["backlog"]
    assert state == "warn"
    assert said == "2 wait to be told, the oldest for 90 min; see aegis alerts undelivered"
    with database.writing() as connection:
        row = {"id": "m", "chat_id": "oc_a", "operation": "create", "kind": "text", "uuid": "u"}
        connection.execute(insert(message).values(content="x", created_at=NOON, **row))
        connection.execute(update(message).values(state="refused"))
    assert told(found(database))["refused"][0] == "warn"


def test_a_database_without_tables_is_no_mistake(empty: Database) -> None:
    if empty.file is not None:
        empty.file.parent.mkdir()
        sqlite3.connect(empty.file).close()
    health = found(empty)
    assert told(health)["schema"] == ("ok", "no tables yet: aegis serve makes them")
    assert "backlog" not in told(health)


@pytest.mark.parametrize(
    ("version", "state", "said"), [("9999", "fail", "a newer Aegis"), ("0001", "warn", "upgrades")]
)
def test_another_shape_is_told(database: Database, version: str, state: str, said: str) -> None:
    with database.writing() as connection:
        asked = text("UPDATE alembic_version SET version_num = :version")
        connection.execute(asked, {"version": version})
    health = found(database)
    assert told(health)["schema"][0] == state
    assert said in told(health)["schema"][1]
    assert "backlog" not in told(health)


def test_looking_makes_no_file(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'state' / 'aegis.db'}")
    health = found(database)
    assert health.condition == "answers"
    assert told(health) == {"schema": ("ok", "not there yet: aegis serve makes it")}
    assert list(tmp_path.iterdir()) == []


def test_a_place_where_no_file_can_be_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    health = found(open_database(f"sqlite:///{tmp_path / 'file' / 'aegis.db'}"))
    assert health.condition == "wrong_setting"
    state, said = told(health)["writable"]
    assert state == "fail"
    assert "AEGIS_DATA_DIR or AEGIS_DB_URL" in said


def test_one_that_cannot_be_written_now_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examine, "PATIENCE_S", 0.1)
    database = open_database(f"sqlite:///{tmp_path / 'aegis.db'}")
    upgrade(database)
    with closing(sqlite3.connect(tmp_path / "aegis.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        state, said = told(found(database))["writable"]
    database.dispose()
    assert state == "fail"
    assert "database is locked" in said


def test_one_that_cannot_be_reached_is_told_with_the_setting() -> None:
    health = found(open_database("postgresql://u:hunter2@/d?host=/no/such/place"))
    assert health.condition == "no_answer"
    state, said = told(health)["reachable"]
    assert state == "fail"
    assert "AEGIS_DB_URL" in said
    assert "hunter2" not in said


def test_a_standby_cannot_be_written(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("about PostgreSQL")
    name = database.engine.url.database
    try:
        with database.writing() as connection:
            connection.exec_driver_sql(
                f"ALTER DATABASE {name} SET default_transaction_read_only = on"
            )
        database.dispose()
        assert told(found(database))["writable"][0] == "fail"
    finally:
        with database.engine.connect() as connection:
            connection.exec_driver_sql("SET default_transaction_read_only = off")
            connection.commit()
            connection.exec_driver_sql(f"ALTER DATABASE {name} RESET ALL")
            connection.commit()

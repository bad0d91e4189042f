"""The shape of the database, and the steps that lead to it."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from aegis.adapters.store.database import Database, open_database
from aegis.adapters.store.locks import cannot_use, only_process
from aegis.adapters.store.migrating import shape, upgrade
from aegis.adapters.store.tables import metadata
from aegis.model.errors import ConfigurationError, StoreUnavailable


def test_the_steps_lead_to_the_tables_that_are_declared(empty: Database) -> None:
    upgrade(empty)
    with empty.reading() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []


def test_a_second_start_changes_nothing(empty: Database) -> None:
    assert upgrade(empty).current is None
    assert upgrade(empty).is_current
    assert shape(empty).is_current


def test_two_that_start_at_once_migrate_once(empty: Database) -> None:
    found: list[bool] = []
    other = Database(empty.engine)
    threads = [
        threading.Thread(target=lambda one=one: found.append(upgrade(one).is_current))
        for one in (empty, other)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(found) == [False, True]


def test_a_database_of_a_newer_program_is_left_alone(empty: Database) -> None:
    upgrade(empty)
    with empty.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigurationError, match="'9999' of a newer Aegis"):
        upgrade(empty)


def test_a_step_that_fails_leaves_nothing_behind(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError("power cut")

    monkeypatch.setattr("alembic.op.create_index", fails)
    with pytest.raises(OSError, match="power cut"):
        upgrade(empty)
    assert shape(empty).current is None
    monkeypatch.undo()
    upgrade(empty)
    assert shape(empty).is_current


def test_a_file_is_for_its_owner_only(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'aegis.db'}")
    upgrade(database)
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE x (y int)")
        modes = {one.name: one.stat().st_mode & 0o077 for one in tmp_path.iterdir()}
    database.dispose()
    assert "aegis.db-wal" in modes
    assert set(modes.values()) == {0}


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    database = open_database(f"sqlite:///{tmp_path / 'file' / 'aegis.db'}")
    with pytest.raises(ConfigurationError, match=r"aegis\.db: Not a directory|File exists"):
        upgrade(database)


def test_one_process_at_a_time_has_a_sqlite_file(tmp_path: Path) -> None:
    file = tmp_path / "aegis.db"
    second = only_process(file)
    with only_process(file), pytest.raises(ConfigurationError, match="another Aegis serves with"):
        second.__enter__()
    with only_process(file):
        pass


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:hunter2@h/d",
        "sqlite://",
        "sqlite:///:memory:",
        "nonsense",
        "postgresql+asyncpg://u:hunter2@h/d",
        "postgresql://u:hunter2@hunter2@h/d",
        "postgresql://u:@hunter2@h/d",
        "postgresql://u:hunter2@h:hunter2/d",
    ],
)
def test_an_address_that_is_none_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="AEGIS_DB_URL") as refused:
        open_database(url)
    assert "hunter2" not in str(refused.value)


def test_an_unescaped_at_sign_is_told_how_to_write() -> None:
    with pytest.raises(ConfigurationError, match="%40"):
        open_database("postgresql://u:p@ss@h/d")
    open_database("postgresql://u:p%40ss@h/d?application_name=a@b").dispose()


def test_an_address_is_shown_without_a_password_wherever_it_stands() -> None:
    database = open_database("postgresql://u@h/d?password=hunter2&sslmode=require")
    assert database.address == "postgresql://u@h/d?sslmode=require"
    database.dispose()


def test_what_a_driver_says_is_told_with_the_setting_and_without_the_password() -> None:
    for url in (
        "postgresql://u:hunter2@/d?host=/no/hunter2",
        "postgresql://u@/d?host=/no/hunter2&password=hunter2",
    ):
        database = open_database(url)
        with pytest.raises(StoreUnavailable) as told, database.reading():
            pass
        database.dispose()
        assert str(told.value).startswith("AEGIS_DB_URL: the database: ")
        assert "/no/***" in str(told.value)
        assert "hunter2" not in str(told.value)


def test_what_may_not_be_done_now_is_no_mistake_of_ours(empty: Database) -> None:
    """PostgreSQL calls a missing grant a wrong statement; somebody grants it, and it works."""
    if empty.is_sqlite:
        pytest.skip("about PostgreSQL")
    with empty.writing() as connection:
        connection.exec_driver_sql("DROP ROLE IF EXISTS guest")
        connection.exec_driver_sql("CREATE ROLE guest LOGIN")
    guest = Database(create_engine(empty.engine.url.set(username="guest")))
    with pytest.raises(StoreUnavailable, match=r"permission denied|no schema"):
        upgrade(guest)
    guest.dispose()


def test_what_may_pass_is_no_wrong_setting(tmp_path: Path) -> None:
    file = tmp_path / "aegis.db"
    full = cannot_use(file, OSError(errno.ENOSPC, "No space left on device"))
    assert isinstance(full, StoreUnavailable)
    assert str(full) == f"AEGIS_DATA_DIR or AEGIS_DB_URL: {file} cannot be used: " + (
        "No space left on device"
    )
    assert isinstance(cannot_use(file, PermissionError(errno.EACCES, "no")), ConfigurationError)

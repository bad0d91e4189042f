"""Brings the database to the shape that this program writes, and says which one it has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from aegis.adapters.store.database import Database
from aegis.adapters.store.locks import cannot_use, make_folder, only_migration
from aegis.model.errors import ConfigurationError

_LONGEST_WAIT_S = 60.0
_LOCK = 0x41656769  # "Aegi": the advisory lock of migrations in PostgreSQL
_SCRIPTS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Shape:
    """`current` is None for a database without our tables."""

    current: str | None
    newest: str
    is_newer: bool = False
    """A newer Aegis wrote it."""

    @property
    def is_current(self) -> bool:
        return self.current == self.newest


def shape(database: Database) -> Shape:
    with database.reading() as connection:
        return _shape(connection)


def upgrade(database: Database, patience_s: float = _LONGEST_WAIT_S) -> Shape:
    """The shape it had before. One process at a time; all steps in one transaction.

    `patience_s` is how long another process is waited for, and another transaction again.

    ConfigurationError for a database that a newer Aegis wrote: this one would damage it.
    """
    _make_file(database)
    with _alone(database, patience_s), database.writing(patience_s) as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        before = _shape(connection)
        config = _config()
        if before.is_newer:
            raise ConfigurationError(
                f"AEGIS_DB_URL: the database has the shape {before.current!r} of a newer Aegis; "
                f"this one knows {before.newest!r} at most"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return before


def _make_file(database: Database) -> None:
    """For its owner only; SQLite's own files beside it get the same rights."""
    if database.file is not None:
        make_folder(database.file)
        try:
            os.close(os.open(database.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise cannot_use(database.file, error) from None


@contextmanager
def _alone(database: Database, patience_s: float) -> Iterator[None]:
    if database.file is None:
        yield
        return
    with only_migration(database.file, patience_s):
        yield


def _config() -> Config:
    config = Config()
    # A percent sign in a path would be read as an interpolation.
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config


def _shape(connection: Connection) -> Shape:
    scripts = ScriptDirectory.from_config(_config())
    newest = scripts.get_current_head()
    assert newest is not None  # noqa: S101
    current = MigrationContext.configure(connection).get_current_revision()
    known = {one.revision for one in scripts.walk_revisions()}
    return Shape(current, newest, current is not None and current not in known)

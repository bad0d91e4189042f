"""The database of alerts for the command line: looked at, upgraded, copied; no server needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from aegis.adapters.store import ledger
from aegis.adapters.store.backup import back_up
from aegis.adapters.store.database import Database, opened
from aegis.adapters.store.migrating import Shape, shape, upgrade
from aegis.model.errors import ConfigurationError, InvalidRequest
from aegis.model.ledger import LedgerPage, LedgerQuery, Quarantined, Undelivered, UndeliveredAnswer
from aegis.settings import Settings

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """`address` without a password. `size_bytes` is None where it is not a file."""

    address: str
    shape: Shape
    size_bytes: int | None


def page_of(settings: Settings, query: LedgerQuery) -> LedgerPage:
    return _ask(settings, lambda connection: ledger.page_of(connection, query))


def quarantined(settings: Settings, limit: int) -> tuple[Quarantined, ...]:
    return _ask(settings, lambda connection: ledger.quarantined(connection, limit))


def undelivered(settings: Settings, limit: int) -> tuple[Undelivered, ...]:
    return _ask(settings, lambda connection: ledger.undelivered(connection, limit))


def undelivered_answers(settings: Settings, limit: int) -> tuple[UndeliveredAnswer, ...]:
    return _ask(settings, lambda connection: ledger.undelivered_answers(connection, limit))


def status_of(settings: Settings) -> DatabaseStatus:
    with _opened(settings) as database:
        return _status(database, shape(database))


def upgrade_database(settings: Settings) -> tuple[Shape, DatabaseStatus]:
    """The shape before, and what is there now. A database is made where there is none."""
    with _opened(settings, must_exist=False) as database:
        before = upgrade(database)
        return before, _status(database, shape(database))


def back_up_database(settings: Settings, target: Path) -> int:
    """Bytes of the copy."""
    with _opened(settings) as database:
        return back_up(database, target)


def _ask(settings: Settings, read: Callable[[Connection], Result]) -> Result:
    with _opened(settings) as database:
        found = shape(database)
        if not found.is_current:
            mend = "a newer Aegis wrote it" if found.is_newer else "run aegis db upgrade"
            raise ConfigurationError(
                f"AEGIS_DB_URL: the database has the shape {found.current}, this Aegis reads "
                f"{found.newest}; {mend}"
            )
        with database.reading() as connection:
            return read(connection)


@contextmanager
def _opened(settings: Settings, must_exist: bool = True) -> Iterator[Database]:
    """InvalidRequest where a SQLite file is not there yet: looking must not make one."""
    with opened(settings.db_url) as database:
        if must_exist and not database.is_there:
            told = (
                f"there is no database at {database.file} yet; aegis serve or db upgrade makes it"
            )
            raise InvalidRequest("AEGIS_DB_URL", told)
        yield database


def _status(database: Database, found: Shape) -> DatabaseStatus:
    size = database.file.stat().st_size if database.file is not None else None
    return DatabaseStatus(database.address, found, size)

"""The way into the database: one engine, transactions that read, transactions that write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from aegis.model.errors import ConfigurationError, StoreUnavailable

PATIENCE_S = 30.0
"""How long a transaction waits for a lock unless it is told otherwise."""
CONNECT_S = 5
_WRITES = "aegis_writes"
_PASSING_STATES = frozenset({"08", "25", "3D", "3F", "40", "53", "55", "57", "58"})
"""Classes of SQLSTATE: connection, transaction, no such database, no such schema, rollback,
resources, locks, operator, system."""
_NOT_ALLOWED = "42501"
"""Until somebody grants it; this one alone of the class of wrong statements."""
_SECRET_OPTIONS = ("password", "sslpassword", "passfile")
"""Of a connection, as libpq knows them: they may stand in the query of an address."""
_LEAST_SECRET = 3
"""Shorter ones are parts of ordinary words."""
_LARGEST_LEFT_LOG = 64 * 1024 * 1024
_POSTGRESQL_LIMITS = "-c statement_timeout=30000 -c idle_in_transaction_session_timeout=15000"
"""A replica that hangs in a transaction must not keep the others waiting."""


@dataclass(frozen=True, slots=True)
class Database:
    """SQLite in a file, or PostgreSQL. Every error that may pass is StoreUnavailable."""

    engine: Engine

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @property
    def file(self) -> Path | None:
        """Of SQLite."""
        name = self.engine.url.database
        return Path(name) if self.is_sqlite and name else None

    @property
    def address(self) -> str:
        """Without a password, wherever it stands, and as people write it."""
        url = self.engine.url.difference_update_query(_SECRET_OPTIONS)
        name = "sqlite" if self.is_sqlite else "postgresql"
        return url._replace(drivername=name, password=None).render_as_string()

    @property
    def is_there(self) -> bool:
        """False where the file of SQLite was not made yet; of PostgreSQL only asking tells."""
        return self.file is None or self.file.is_file()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database."""
        with self._told_simply(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self, patience_s: float = PATIENCE_S) -> Iterator[Connection]:
        """A transaction that may write; it waits at most `patience_s` for a lock.

        On SQLite it takes the write lock at once: one that read first could not wait for it.
        """
        with self._told_simply(), self.engine.connect() as connection:
            wait_ms = round(patience_s * 1000)
            if self.is_sqlite:
                raw: Any = connection.connection.dbapi_connection
                raw.execute(f"PRAGMA busy_timeout={wait_ms}")
            with connection.execution_options(**{_WRITES: True}).begin():
                if not self.is_sqlite:
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {wait_ms}")
                yield connection

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An insertion that may say what to do where the row is there already."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def dispose(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _told_simply(self) -> Iterator[None]:
        """Locked, full, down, too slow: StoreUnavailable. What is our own mistake stays."""
        try:
            yield
        except (OperationalError, InterfaceError) as error:
            raise self._unavailable(_first_line(error.orig)) from error
        except NoConnectionFree:
            raise self._unavailable("no connection was free in time") from None
        except DBAPIError as error:
            if not _may_pass(error):
                raise
            raise self._unavailable(_first_line(error.orig)) from error

    def _unavailable(self, why: str) -> StoreUnavailable:
        """Names the setting; what a driver says is told without the password."""
        for secret in secrets_of(self.engine.url):
            why = why.replace(secret, "***")
        return StoreUnavailable(f"AEGIS_DB_URL: the database: {why}")


def open_database(url: str) -> Database:
    """Connects to nothing yet. ConfigurationError for an address that is none of ours."""
    parsed = parse(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(
            parsed, pool_size=5, max_overflow=5, pool_timeout=CONNECT_S, hide_parameters=True
        )
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        engine = create_engine(
            parsed,
            pool_size=5,
            max_overflow=5,
            pool_timeout=CONNECT_S,
            pool_pre_ping=True,
            hide_parameters=True,  # what an alert says is nothing for a log
            connect_args={
                "connect_timeout": CONNECT_S,
                "application_name": "aegis",
                "options": _POSTGRESQL_LIMITS,
            },
        )
    return Database(engine)


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """Its connections end with it."""
    database = open_database(url)
    try:
        yield database
    finally:
        database.dispose()


def parse(url: str) -> URL:
    """No password ever becomes part of a message."""
    wrong = ConfigurationError(
        "AEGIS_DB_URL: must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"
    )
    _, _, place = url.partition("?")[0].partition("://")
    if place.count("@") > 1:
        raise ConfigurationError(
            "AEGIS_DB_URL: has more than one @; write one in a user or password as %40"
        )
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise wrong from None
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername in ("sqlite", "sqlite+pysqlite") and parsed.database not in (
        None,
        "",
        ":memory:",
    ):
        return parsed.set(drivername="sqlite+pysqlite")
    raise wrong


def secrets_of(url: URL) -> tuple[str, ...]:
    """Longest first."""
    found = [url.password or ""]
    for name in _SECRET_OPTIONS:
        given = url.query.get(name, ())
        found += [given] if isinstance(given, str) else given
    return tuple(sorted({one for one in found if len(one) >= _LEAST_SECRET}, key=len, reverse=True))


def _set_up_sqlite(raw: Any, record: object) -> None:
    """An acknowledged row survives a power cut (FULL); readers and the writer do not wait."""
    raw.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
    for pragma in (
        f"busy_timeout={round(CONNECT_S * 1000)}",  # the next ones may have to wait already
        "auto_vacuum=INCREMENTAL",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"journal_size_limit={_LARGEST_LEFT_LOG}",
    ):
        raw.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _may_pass(error: DBAPIError) -> bool:
    """Broken connections, standbys that cannot write, damaged files; not what we wrote wrong."""
    state = getattr(error.orig, "sqlstate", None) or ""
    damaged = type(error) is DatabaseError
    passes = state[:2] in _PASSING_STATES or state == _NOT_ALLOWED
    return error.connection_invalidated or damaged or passes


def _first_line(error: object) -> str:
    return str(error).strip().partition("\n")[0][:200]

"""Where the durable engine keeps its own tables, and the connections to them.

On SQLite that is a second file beside Aegis's own, on PostgreSQL a schema of the same database.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event

from aegis.model.errors import ConfigurationError
from aegis.ports import Clock

SCHEMA = "aegis_durable"
BUSY_TIMEOUT_MS = 30_000
CONNECT_TIMEOUT_S = 5
POOL_TIMEOUT_S = 30
POSTGRESQL_CONNECTIONS = 8
_KNOWS_UNIXEPOCH = (3, 42)


def engine_url(db_url: str) -> sa.URL:
    """The address of the durable tables. ConfigurationError where there can be none."""
    try:
        url = sa.make_url(db_url)
    except sa.exc.ArgumentError:
        raise ConfigurationError("AEGIS_DB_URL: is no database address") from None
    backend = url.get_backend_name()
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite" or not url.database or url.database == ":memory:":
        raise ConfigurationError("AEGIS_DB_URL: must be sqlite:///FILE or postgresql://…")
    file = Path(url.database)
    return sa.URL.create("sqlite", database=str(file.with_name(f"{file.stem}-durable.db")))


def is_sqlite(url: sa.URL) -> bool:
    return url.get_backend_name() == "sqlite"


def open_engine(url: sa.URL, clock: Clock, connections: int = POSTGRESQL_CONNECTIONS) -> sa.Engine:
    """SQLite gets one connection whatever is asked for: it has one writer."""
    if is_sqlite(url):
        engine = sa.create_engine(url, pool_size=1, max_overflow=0, pool_timeout=POOL_TIMEOUT_S)
        _prepare_sqlite(engine, clock)
        return engine
    return sa.create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_S,
        pool_pre_ping=True,
        connect_args={
            "application_name": "aegis-durable",
            "connect_timeout": CONNECT_TIMEOUT_S,
            # A frozen process must not hold locks, and a vanished machine must be noticed.
            "options": "-c idle_in_transaction_session_timeout=60000 "
            "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3",
        },
    )


def _prepare_sqlite(engine: sa.Engine, clock: Clock) -> None:
    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        # A reader that becomes a writer half-way is refused at once, whatever the timeout;
        # so every transaction begins as a writer.
        connection.isolation_level = "IMMEDIATE"
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        if sqlite3.sqlite_version_info < _KNOWS_UNIXEPOCH:
            connection.create_function(
                "unixepoch", -1, lambda *_: clock.now().timestamp(), deterministic=False
            )

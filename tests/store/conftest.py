"""Databases to test on: SQLite, or PostgreSQL with --database=postgresql."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from aegis.adapters.store.database import Database, open_database, parse
from aegis.adapters.store.migrating import upgrade
from tests.store.postgresql import cluster, programs

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a PostgreSQL; empty where SQLite is tested."""
    if request.config.getoption("--database") == "sqlite":
        yield ""
    elif programs() is None:
        pytest.skip("needs the Debian package postgresql")
    else:
        with cluster() as url:
            yield url


@pytest.fixture
def url(server: str, tmp_path: Path) -> str:
    """The address of a database without tables."""
    if not server:
        return f"sqlite:///{tmp_path / 'state' / 'aegis.db'}"
    name = f"test_{next(_NUMBERS)}"
    engine = create_engine(parse(server), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture
def empty(url: str) -> Iterator[Database]:
    """A database without tables."""
    database = open_database(url)
    try:
        yield database
    finally:
        database.dispose()


@pytest.fixture
def database(empty: Database) -> Database:
    """A database with its tables."""
    upgrade(empty)
    return empty

"""Databases to test on: SQLite, or PostgreSQL with --database=postgresql."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from aegis.adapters.store.database import Database, open_database, parse
from aegis.adapters.store.migrating import upgrade
from tests.store.postgresql import cluster, programs


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL only what needs a database is run: the rest is about files."""
    if config.getoption("--database") == "postgresql":
        ours = [one for one in items if "tests/store" in one.nodeid]
        items[:] = [one for one in items if one not in ours or "server" in _fixtures(one)]


def _fixtures(item: pytest.Item) -> list[str]:
    return list(getattr(item, "fixturenames", ()))


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
    engine = create_engine(parse(server))
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()
    return server


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

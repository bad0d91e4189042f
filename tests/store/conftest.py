"""Databases to test on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aegis.adapters.store.database import Database, open_database
from aegis.adapters.store.migrating import upgrade


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Database]:
    """A database without tables."""
    database = open_database(f"sqlite:///{tmp_path / 'state' / 'aegis.db'}")
    try:
        yield database
    finally:
        database.dispose()


@pytest.fixture
def database(empty: Database) -> Database:
    """A database with its tables."""
    upgrade(empty)
    return empty

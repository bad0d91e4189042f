"""A world of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aegis.adapters.store.database import open_database
from aegis.adapters.store.migrating import upgrade
from tests.delivery.worlds import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = open_database(f"sqlite:///{tmp_path / 'aegis.db'}")
    upgrade(database)
    try:
        yield World(database)
    finally:
        database.dispose()

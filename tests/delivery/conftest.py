"""A world of its own for each test, on SQLite, or on PostgreSQL with --database=postgresql."""

from __future__ import annotations

import pytest

from aegis.adapters.store.database import Database
from tests.delivery.worlds import World
from tests.store.conftest import database, empty, server, url

__all__ = ["database", "empty", "server", "url", "world"]


@pytest.fixture
def world(database: Database) -> World:
    return World(database)

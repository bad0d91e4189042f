"""Changes that were reported to the server, for whoever answers a question."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aegis.adapters.store.changes import StoredChanges
from aegis.adapters.store.database import opened
from aegis.ports import ChangeSource, Clock


@contextmanager
def reported_changes(db_url: str, clock: Clock) -> Iterator[ChangeSource | None]:
    """None where there is no store yet, so nobody can have told of anything.

    It reads only, beside the server, and makes no file.
    """
    with opened(db_url) as database:
        yield StoredChanges(database, clock) if database.is_there else None

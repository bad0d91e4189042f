"""A copy of a SQLite database while it is written to."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from aegis.adapters.store.database import Database
from aegis.model.errors import ConfigurationError, InvalidRequest, StoreUnavailable

_PAGES = 1000
_WAIT_S = 30.0


def back_up(database: Database, target: Path) -> int:
    """Bytes of the copy, which is whole or is not there. InvalidRequest where something is."""
    source = database.file
    if source is None:
        raise ConfigurationError(
            "AEGIS_DB_URL: PostgreSQL is backed up by its own tools: "
            f"pg_dump --format=custom --file={target} '{database.address}'"
        )
    if not source.is_file():
        raise InvalidRequest("AEGIS_DB_URL", f"there is no database at {source}")
    if target.exists():
        raise InvalidRequest("file", f"{target} exists already")
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise StoreUnavailable(f"{target.parent}: {error.strerror or error}") from None
    os.close(descriptor)
    try:
        with (
            closing(sqlite3.connect(source, timeout=_WAIT_S)) as ours,
            closing(sqlite3.connect(name)) as copy,
        ):
            ours.backup(copy, pages=_PAGES)
        Path(name).replace(target)
    except (OSError, sqlite3.Error) as error:
        Path(name).unlink(missing_ok=True)
        raise StoreUnavailable(f"{target}: could not be written: {error}") from None
    return target.stat().st_size

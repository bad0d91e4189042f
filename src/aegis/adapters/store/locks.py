"""Locks that end with the process that holds them, however it ends."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aegis.model.errors import AegisError, ConfigurationError, StoreUnavailable

_POLL_S = 0.05
_WRONG_PLACE = frozenset(
    {
        *(errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR, errno.EISDIR),
        *(errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT),
    }
)


@contextmanager
def only_process(database: Path) -> Iterator[None]:
    """Held while a server uses a SQLite file; ConfigurationError where another holds it."""
    descriptor = _open(_beside(database, ".lock"))
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                f"AEGIS_DB_URL: another Aegis serves with {database}; SQLite is for one process: "
                "stop the other, or set AEGIS_DB_URL to a PostgreSQL for several"
            ) from None
        yield
    finally:
        os.close(descriptor)


@contextmanager
def only_migration(database: Path, patience_s: float) -> Iterator[None]:
    """Waits for another migration to end; StoreUnavailable where that takes too long."""
    descriptor = _open(_beside(database, ".migration.lock"))
    try:
        until = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    told = f"another process migrates {database} since {patience_s:g} s"
                    raise StoreUnavailable(told) from None
                time.sleep(_POLL_S)
        yield
    finally:
        os.close(descriptor)


def _beside(database: Path, ending: str) -> Path:
    return database.with_name(database.name + ending)


def _open(file: Path) -> int:
    try:
        return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise cannot_use(file, error) from None


def make_folder(database: Path) -> None:
    """Of a SQLite file, for its owner only; see `cannot_use` where it cannot be."""
    try:
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_use(database.parent, error) from None


def cannot_use(file: Path, error: OSError) -> AegisError:
    """Names the settings that say where the file is: ConfigurationError where they are wrong,
    StoreUnavailable where it may pass, as a full disk does."""
    why = error.strerror or error
    kind = ConfigurationError if error.errno in _WRONG_PLACE else StoreUnavailable
    return kind(f"AEGIS_DATA_DIR or AEGIS_DB_URL: {file} cannot be used: {why}")

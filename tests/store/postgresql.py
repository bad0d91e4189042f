"""A PostgreSQL of the tests' own, behind a Unix socket, where Debian's package is installed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = "nobody"
"""PostgreSQL refuses to run as root."""


def programs() -> Path | None:
    """The folder of initdb and pg_ctl, newest version first; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    return found[0].parent if found else None


@contextmanager
def cluster(database: str = "postgres") -> Iterator[str]:
    """The address of a fresh cluster."""
    bin_ = programs()
    assert bin_ is not None
    # Not in pytest's folder: the path of a socket has 107 bytes, and nobody may enter there.
    with tempfile.TemporaryDirectory(prefix="aegis-pg-") as name:
        folder = Path(name)
        if os.getuid() == 0:
            shutil.chown(folder, NOBODY)
        data, control = str(folder / "data"), str(bin_ / "pg_ctl")
        _run(str(bin_ / "initdb"), "-D", data, "-U", "aegis", "-A", "trust", "-E", "UTF8", "-N")
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        _run(control, "-D", data, "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield f"postgresql://aegis@/{database}?host={folder}"
        finally:
            _run(control, "-D", data, "-w", "-m", "immediate", "stop")


def _run(*command: str) -> None:
    subprocess.run(  # noqa: S603
        command,
        check=True,
        user=pwd.getpwnam(NOBODY).pw_uid if os.getuid() == 0 else None,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

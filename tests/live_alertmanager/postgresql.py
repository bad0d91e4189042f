"""A PostgreSQL of Debian's package, started on loopback and thrown away."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from tests.live_prometheus.server import free_port

READY_WITHIN_S = 30.0
_OWNER = "postgres"
_PACKAGED = Path("/usr/lib/postgresql")


def programs() -> Path | None:
    """The folder with the newest packaged server; None where there is none."""
    found = sorted(_PACKAGED.glob("*/bin/initdb"), key=lambda one: float(one.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of an empty database named aegis."""
    bin_ = programs()
    assert bin_ is not None
    folder = Path(mkdtemp(prefix="aegis-pg-"))
    as_owner: list[str] = []
    if os.geteuid() == 0:  # the server refuses to be run by root
        shutil.chown(folder, _OWNER, pwd.getpwnam(_OWNER).pw_gid)
        as_owner = ["runuser", "-u", _OWNER, "--"]
    data, port = folder / "data", free_port()
    make = [*as_owner, str(bin_ / "initdb"), "-D", str(data), "-A", "trust", "-U", "aegis"]
    subprocess.run(  # noqa: S603
        [*make, "--no-sync", "-E", "UTF8", "--locale=C"], check=True, capture_output=True, cwd="/"
    )
    # Nothing here outlives a power cut, so nothing has to wait for the disk.
    options = ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", f"port={port}"]
    sockets = ["-c", f"unix_socket_directories={folder}", "-c", "max_connections=80"]
    with (folder.parent / f"{folder.name}.log").open("wb") as log:
        server = subprocess.Popen(  # noqa: S603
            [*as_owner, str(bin_ / "postgres"), "-D", str(data), *options, *sockets],
            stdout=log,
            stderr=log,
            cwd="/",
        )
    try:
        _make_database(bin_, port, server)
        yield f"postgresql://aegis@127.0.0.1:{port}/aegis"
    finally:
        server.terminate()
        server.wait(timeout=20)
        shutil.rmtree(folder, ignore_errors=True)
        Path(log.name).unlink()


def _make_database(bin_: Path, port: int, server: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + READY_WITHIN_S
    command = [str(bin_ / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "aegis", "aegis"]
    while True:
        made = subprocess.run(command, capture_output=True, check=False, cwd="/")  # noqa: S603
        if made.returncode == 0:
            return
        if server.poll() is not None or time.monotonic() > give_up:
            raise RuntimeError(f"PostgreSQL did not start: {made.stderr.decode()[-300:]}")
        time.sleep(0.1)

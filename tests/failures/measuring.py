"""What an answer costs in time and memory, by a command and by a server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.failures.broken import WINDOW
from tests.http.server import PATIENCE_S, Server, family

QUESTION = "what is wrong?"
_RUN = (
    "import sys; sys.path[:] = {path!r}; "
    "from aegis.entrypoints.cli.app import main; sys.argv[0] = 'aegis'; main()"
)


@dataclass(frozen=True)
class Measured:
    """`told` is the answer, or None with `wrong` saying what came in its place."""

    took_s: float
    most_kib: int
    told: dict[str, Any] | None
    wrong: str = ""


def grown_mib(usual: Measured, measured: Measured) -> float:
    return (measured.most_kib - usual.most_kib) / 1024


def analyzed_by_command(settings: Mapping[str, str]) -> Measured:
    """`aegis analyze` in a process of its own, which ends with it."""
    line = ["analyze", QUESTION, "--start", WINDOW["start"], "--end", WINDOW["end"], "--json"]
    command = [sys.executable, "-c", _RUN.format(path=sys.path), *line]
    with tempfile.TemporaryDirectory(prefix="aegis-") as folder:
        environment = {"AEGIS_DATA_DIR": folder, "PATH": os.defpath, **settings}
        out, err = Path(folder) / "out", Path(folder) / "err"
        began = time.monotonic()
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(  # noqa: S603
                command, stdout=stdout, stderr=stderr, env=environment
            )
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        took_s = time.monotonic() - began
        if process.returncode:
            said = err.read_text(encoding="utf-8")[-300:]
            return Measured(took_s, used.ru_maxrss, None, f"exit {process.returncode}: {said}")
        return Measured(took_s, used.ru_maxrss, json.loads(out.read_bytes()))


def analyzed_by_server(server: Server) -> Measured:
    """Over HTTP; the memory is that of the analyst, a process below the server's own."""
    over = threading.Event()
    most = [0]

    def watch() -> None:
        while not over.wait(0.01):
            below = family(server.process.pid)[1:]
            most[0] = max([most[0], *(_peak_kib(pid) for pid in below)])

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    began = time.monotonic()
    answer = httpx.post(
        f"{server.url}/api/ops/analyze",
        json={"description": QUESTION, "time_range": WINDOW},
        timeout=PATIENCE_S,
    )
    took_s = time.monotonic() - began
    over.set()
    watcher.join()
    if answer.status_code != 200:
        return Measured(took_s, most[0], None, f"{answer.status_code}: {answer.text[:300]}")
    return Measured(took_s, most[0], answer.json())


def _peak_kib(pid: int) -> int:
    """The most a process ever held (Linux); 0 where it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)

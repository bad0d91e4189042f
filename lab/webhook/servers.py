"""Starts a server in a process of its own, on a free port of this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 60.0
MIB = 1024
"""In the kB that Linux tells memory in."""

_AEGIS = "import sys; from aegis.entrypoints.cli.app import main; sys.argv[0] = 'aegis'; main()"


@dataclass(frozen=True, slots=True)
class Server:
    pid: int
    url: str

    def memory_mib(self, what: str = "VmRSS") -> float:
        """VmRSS: now; VmHWM: the most since it started."""
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{what}:"):
                return int(line.split()[1]) / MIB
        raise ValueError(what)

    def cpu_s(self) -> float:
        """Of the process, all its threads, since it started."""
        fields = (
            Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        )
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def aegis(folder: Path, settings: Mapping[str, str]) -> Iterator[Server]:
    """`aegis serve`, with its database in `folder`."""
    command = [sys.executable, "-c", _AEGIS, "serve", "--port", "{port}"]
    with _served(command, "/healthz", {"AEGIS_DATA_DIR": str(folder), **settings}) as server:
        yield Server(server.pid, f"{server.url}/alertmanager/webhook")


@contextmanager
def echo() -> Iterator[Server]:
    command = [sys.executable, "-m", "uvicorn", "lab.webhook.echo:app", "--port", "{port}"]
    with _served([*command, "--no-access-log"], "/openapi.json", {}) as server:
        yield Server(server.pid, f"{server.url}/")


@contextmanager
def _served(command: Sequence[str], probe: str, settings: Mapping[str, str]) -> Iterator[Server]:
    port = _free_port()
    environment = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path), **settings}
    with subprocess.Popen(  # noqa: S603
        [part.format(port=port) for part in command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        server = Server(process.pid, f"http://127.0.0.1:{port}")
        try:
            _wait(process, server.url + probe)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode} before it answered")
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"no answer from {url} within {PATIENCE_S:g} s")


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

"""A real server: `aegis serve` in a process of its own, on a free port of this machine."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

PATIENCE_S = 60.0
_SERVE = (
    "import sys; sys.path[:] = {path!r}; "
    "from aegis.entrypoints.cli.app import main; sys.argv[0] = 'aegis'; main()"
)


@dataclass(frozen=True)
class Server:
    """A running server."""

    process: subprocess.Popen[bytes]
    url: str

    def post(self, path: str, body: Any) -> httpx.Response:
        return httpx.post(f"{self.url}{path}", json=body, timeout=PATIENCE_S)

    def cpu_s(self) -> float:
        """CPU seconds of the server and of all processes below it that still run."""
        return sum(_cpu_s(pid) for pid in family(self.process.pid))

    def processes(self) -> int:
        return len(family(self.process.pid))

    def stop(self) -> float:
        """Seconds from SIGTERM to the end."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)
        return time.monotonic() - began


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", _SERVE.format(path=sys.path), "serve", *arguments]


@contextmanager
def serving(case_dir: Path, **settings: str) -> Iterator[Server]:
    """A server with these settings (AEGIS_WORKERS="1") and no others."""
    with running_server(settings, "--case-dir", str(case_dir)) as server:
        yield server


@contextmanager
def running_server(settings: Mapping[str, str], *arguments: str) -> Iterator[Server]:
    port = free_port()
    line = command("--port", str(port), *arguments)
    with (
        TemporaryDirectory(prefix="aegis-") as folder,
        subprocess.Popen(  # noqa: S603
            line, stderr=subprocess.DEVNULL, env={"AEGIS_DATA_DIR": folder} | dict(settings)
        ) as process,
    ):
        try:
            server = Server(process, f"http://127.0.0.1:{port}")
            _wait_until_warm(server)
            yield server
        finally:
            process.kill()


def events(response: httpx.Response) -> Iterator[dict[str, Any]]:
    for line in response.iter_lines():
        yield json.loads(line)


def _wait_until_warm(server: Server) -> None:
    """Until it has answered, so that the imports of its processes are done."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        assert server.process.poll() is None, "the server ended before it answered"
        try:
            server.post("/api/ops/verify", {"evidence": []}).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not start")


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def family(pid: int) -> list[int]:
    """The process and all below it (Linux)."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        fields = _stat(path)
        if fields is not None and fields[0] != "Z":
            parents[int(path.parent.name)] = int(fields[1])
    found = [pid]
    for member in found:
        found += [child for child, parent in parents.items() if parent == member]
    return found


def _cpu_s(pid: int) -> float:
    fields = _stat(Path(f"/proc/{pid}/stat"))
    return 0.0 if fields is None else (int(fields[11]) + int(fields[12])) / 100


def _stat(path: Path) -> list[str] | None:
    """State, parent and the rest; None for a process that is gone."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None

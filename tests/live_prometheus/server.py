"""A real Prometheus on loopback, filled with the metrics of a case."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

READY_WITHIN_S = 30.0
PROGRAMS = ("prometheus", "promtool")
_CONFIG = "global:\n  scrape_interval: 15s\n"


def is_installed() -> bool:
    return all(shutil.which(name) for name in PROGRAMS)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def backfill(exposition: Path, tsdb: Path) -> None:
    """Load OpenMetrics text as blocks, each up to two hours long."""
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(exposition), str(tsdb)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603


@contextmanager
def prometheus(folder: Path) -> Iterator[str]:
    """The base URL of a Prometheus on the blocks in `folder`/tsdb; it ends with the block."""
    config = folder / "prometheus.yml"
    config.write_text(_CONFIG, encoding="utf-8")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        "--storage.tsdb.retention.time=50y",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603
    try:
        _wait_until_ready(url, process, folder / "log")
        yield url
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < give_up:
        if process.poll() is not None:
            raise RuntimeError(f"prometheus ended: {log.read_text(encoding='utf-8')[-500:]}")
        try:
            with urllib.request.urlopen(f"{url}/-/ready", timeout=1) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise RuntimeError("prometheus did not get ready")

"""A real Prometheus on this machine, filled with the history of every fixture."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.adapters.catalog.exposition import every_exposition

FIRST_END_S = 1_790_000_000
APART_S = 7200
STARTING_S = 60.0


@dataclass(frozen=True, slots=True)
class LoadedPrometheus:
    """Every fixture's history ends at a time of its own, so that none sees another's."""

    client: httpx.Client
    ends: dict[str, int]

    def query(self, promql: str, time_s: int) -> list[tuple[dict[str, str], float]]:
        """The instant vector of the expression, labels and value."""
        answer = self.client.post("/api/v1/query", data={"query": promql, "time": str(time_s)})
        body = answer.json()
        assert body["status"] == "success", (promql, body)
        return [(one["metric"], float(one["value"][1])) for one in body["data"]["result"]]


@pytest.fixture(scope="session")
def loaded_prometheus(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[LoadedPrometheus]:
    server, tool = shutil.which("prometheus"), shutil.which("promtool")
    if server is None or tool is None:
        pytest.skip("prometheus and promtool are not installed (Debian package prometheus)")
    folder = tmp_path_factory.mktemp("prometheus")
    expositions = every_exposition()
    ends = {one.name: FIRST_END_S + place * APART_S for place, one in enumerate(expositions)}
    lines = [line for one in expositions for line in one.history(ends[one.name])]
    history = folder / "history.txt"
    history.write_text("\n".join([*lines, "# EOF", ""]), encoding="utf-8")
    data = folder / "data"
    subprocess.run(  # noqa: S603 - promtool on a file of ours
        [tool, "tsdb", "create-blocks-from", "openmetrics", str(history), str(data)],
        check=True,
        capture_output=True,
        timeout=300,
    )
    (folder / "prometheus.yml").write_text("global: {}\n", encoding="utf-8")
    port = _free_port()
    log = (folder / "log").open("wb")
    process = subprocess.Popen(  # noqa: S603 - the Debian package's server
        [
            server,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={data}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stdout=log,
        stderr=log,
    )
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30.0, trust_env=False)
    try:
        _wait_until_ready(client, process, folder / "log")
        yield LoadedPrometheus(client, ends)
    finally:
        client.close()
        process.terminate()
        process.wait(timeout=30)
        log.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    began = time.monotonic()
    while time.monotonic() - began < STARTING_S:
        assert process.poll() is None, log.read_text(encoding="utf-8")[-2000:]
        try:
            if client.get("/-/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"Prometheus is not ready after {STARTING_S} s")

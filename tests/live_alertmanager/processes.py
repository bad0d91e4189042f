"""Processes on loopback: they start, answer, and are killed the hard way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.live_prometheus.server import free_port

START_WITHIN_S = 60.0
CHAT = "oc_storm"


def ask(url: str, body: object = None, timeout_s: float = 10) -> Any:
    """The JSON that comes back; a body makes it a POST."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
        text = answer.read()
    return json.loads(text) if text else None


def until(condition: Callable[[], bool], within_s: float, why: str) -> float:
    """Seconds it took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > within_s:
            raise AssertionError(f"waited {within_s:g} s in vain: {why}")
        time.sleep(0.1)
    return time.monotonic() - began


@dataclass
class Server:
    """A process that listens. What it writes is added to its log, over all its lives."""

    command: Sequence[str]
    url: str
    ready_path: str
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603
                self.command,
                stdout=log,
                stderr=log,
                env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path)}
                | dict(self.environment),
            )

    def answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"{self.command[0]} ended: {self.log.read_text()[-800:]}")
        try:
            with urllib.request.urlopen(self.url + self.ready_path, timeout=2) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def wait_until_ready(self) -> None:
        until(self.answers, START_WITHIN_S, f"{self.command[0]} to answer")

    def kill(self) -> None:
        """As a crash does it: no warning."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, within_s: float = 25) -> float:
        """SIGTERM; the seconds until it was gone."""
        assert self.process is not None
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(within_s)
        return time.monotonic() - began


@contextmanager
def running(server: Server) -> Iterator[Server]:
    server.start()
    try:
        server.wait_until_ready()
        yield server
    finally:
        if server.process is not None:
            server.process.kill()
            server.process.wait()


@contextmanager
def feishu(folder: Path) -> Iterator[Server]:
    """The stand-in for Feishu; its environment is what Aegis needs to reach it."""
    port = free_port()
    command = [sys.executable, "-m", "tests.feishu_platform", "--port", str(port), "--chat", CHAT]
    server = Server(
        command, f"http://127.0.0.1:{port}", "/_platform/complaints", folder / "feishu.log"
    )
    with running(server):
        server.environment = dict(
            line.split("=", 1)
            for line in server.log.read_text().splitlines()
            if line.startswith(("FEISHU_", "AEGIS_FEISHU_"))
        )
        yield server


def aegis(folder: Path, settings: Mapping[str, str], name: str = "aegis") -> Server:
    """Not started."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("aegis")), "serve", "--port", str(port)]
    log = folder / f"{name}.log"
    return Server(command, f"http://127.0.0.1:{port}", "/healthz", log, settings)


_CONFIG = """
route:
  receiver: aegis
  group_by: [group]
  group_wait: 1s
  group_interval: 5s
  repeat_interval: 4h
receivers:
  - name: aegis
    webhook_configs:
"""


@contextmanager
def alertmanagers(folder: Path, count: int, targets: Sequence[str]) -> Iterator[list[Server]]:
    """One, or several clustered ones, that call each target."""
    lines = "".join(
        f"      - url: {one}/alertmanager/webhook\n        send_resolved: true\n"
        "        max_alerts: 0\n        http_config: {follow_redirects: false}\n"
        for one in targets
    )
    gossip = [free_port() for _ in range(count)]
    with ExitStack() as stack:
        servers = []
        for number in range(count):
            home = folder / f"alertmanager-{number}"
            home.mkdir()
            (home / "config.yml").write_text(_CONFIG + lines)
            port = free_port()
            listen = f"127.0.0.1:{gossip[number]}" if count > 1 else ""
            command = [
                "prometheus-alertmanager",
                f"--config.file={home / 'config.yml'}",
                f"--storage.path={home / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                f"--cluster.listen-address={listen}",
                "--cluster.settle-timeout=5s",
                "--cluster.peer-timeout=3s",
                "--log.level=warn",
                *(f"--cluster.peer=127.0.0.1:{one}" for one in gossip[:number]),
            ]
            one = Server(command, f"http://127.0.0.1:{port}", "/-/ready", home / "log")
            servers.append(stack.enter_context(running(one)))
        yield servers

"""The webhook of a real server: large, slow and broken senders, and stops in the midst."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.http.server import PATIENCE_S, Server, serving
from tests.recordings import SmallShop
from tests.webhook.bodies import alert, body

pytestmark = [pytest.mark.loopback, pytest.mark.slow]

HOOK = "/alertmanager/webhook"
MIB = 1024 * 1024


def post(server: Server, raw: bytes | Iterator[bytes]) -> httpx.Response:
    return httpx.post(server.url + HOOK, content=raw, timeout=PATIENCE_S)


def connected(server: Server) -> socket.socket:
    parts = urlsplit(server.url)
    assert parts.hostname
    assert parts.port
    return socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE_S)


def alertnames(server: Server) -> set[str]:
    found = httpx.get(f"{server.url}/alerts?limit=1000", timeout=PATIENCE_S).json()
    return {one["alertname"] for one in found["alerts"]}


def test_33_mib_in_chunks_are_refused_and_the_next_call_is_served(server: Server) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(33):
            yield b" " * MIB

    assert post(server, chunks()).status_code == 413
    assert post(server, b" " * (33 * MIB)).status_code == 413
    assert post(server, body(alert("AfterTheLargeOne"))).json()["alert_count"] == 1


@pytest.mark.parametrize(
    ("path", "length"), [(HOOK, 40_000_000), (HOOK, 32 * MIB + 1), ("/api/ops/analyze", MIB + 1)]
)
def test_a_length_over_the_limit_is_refused_before_a_byte_of_the_body_comes(
    server: Server, path: str, length: int
) -> None:
    with connected(server) as line:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
        began = time.monotonic()
        line.sendall(head.encode())
        said = b""
        while not said.endswith(b"}"):
            said += line.recv(65536)
        assert time.monotonic() - began < 4
    assert said.startswith(b"HTTP/1.1 413 ")
    assert json.loads(said.partition(b"\r\n\r\n")[2])["error"] == "too_large"
    assert post(server, body(alert("AfterTheLongOne"))).status_code == 200


def test_half_a_head_is_closed_and_a_good_call_beside_it_is_served(server: Server) -> None:
    with connected(server) as line:
        line.sendall(b"POST /alertmanager/webhook HTTP/1.1\r\nHost")
        assert post(server, body(alert("BesideHalfAHead"))).status_code == 200
        assert line.recv(65536).startswith(b"HTTP/1.1 408 ")
        assert line.recv(65536) == b""


def test_a_storm_of_ten_thousand_in_one_call_is_stored(server: Server) -> None:
    many = [alert(f"Storm{n % 10}", labels={"n": str(n), "text": "x" * 600}) for n in range(10_000)]
    raw = body(*many)
    assert len(raw) > 8 * MIB
    response = post(server, raw)
    assert (response.status_code, response.json()["alert_count"]) == (200, 10_000)


def test_a_sender_that_leaves_in_the_midst_leaves_nothing(server: Server) -> None:
    with connected(server) as line:
        raw = body(alert("Half"))
        head = f"POST {HOOK} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(raw)}\r\n\r\n"
        line.sendall(head.encode() + raw[:-20])
    assert post(server, body(alert("Whole"))).status_code == 200
    assert "Half" not in alertnames(server)
    assert "Whole" in alertnames(server)


def test_slow_senders_keep_nobody_waiting(server: Server) -> None:
    lines = [connected(server) for _ in range(50)]
    try:
        for line in lines:
            line.sendall(
                f"POST {HOOK} HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n{{".encode()
            )
        began = time.monotonic()
        assert post(server, body(alert("AmongSlowOnes"))).status_code == 200
        assert time.monotonic() - began < 5
    finally:
        for line in lines:
            line.close()


def test_what_was_acknowledged_before_a_stop_is_there_after_it(tmp_path: Path) -> None:
    """The others got no 2xx, so Alertmanager sends them again."""
    data = tmp_path / "data"
    shop = SmallShop().recording().write(tmp_path / "shop")
    acknowledged: set[str] = set()
    lock = threading.Lock()

    with serving(shop, AEGIS_DATA_DIR=str(data)) as server, ThreadPoolExecutor(8) as pool:

        def send(number: int) -> None:
            try:
                response = post(server, body(alert(f"A{number}")))
            except httpx.TransportError:
                return
            assert response.status_code in (200, 503)
            if response.status_code == 200:
                with lock:
                    acknowledged.add(f"A{number}")

        calls = [pool.submit(send, number) for number in range(400)]
        while len(acknowledged) < 20:
            time.sleep(0.01)
        assert server.stop() <= 20
        for call in calls:
            call.result()
    connection = sqlite3.connect(data / "aegis.db")
    stored = {name for (name,) in connection.execute("SELECT alertname FROM episode")}
    whole = connection.execute("PRAGMA integrity_check").fetchall()
    connection.close()
    assert acknowledged <= stored
    assert whole == [("ok",)]


def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    data = tmp_path / "data"
    shop = SmallShop().recording().write(tmp_path / "shop")
    acknowledged: list[str] = []
    with serving(shop, AEGIS_DATA_DIR=str(data)) as server:
        killer = threading.Timer(0.5, server.process.kill)
        killer.start()
        for number in range(100_000):
            try:
                if post(server, body(alert(f"A{number}"))).status_code == 200:
                    acknowledged.append(f"A{number}")
            except httpx.TransportError:
                break
        killer.join()
    with serving(shop, AEGIS_DATA_DIR=str(data)) as again:
        assert set(acknowledged) <= alertnames_of_all(again)
    assert acknowledged


def alertnames_of_all(server: Server) -> set[str]:
    found: set[str] = set()
    query = "limit=1000"
    while True:
        page = httpx.get(f"{server.url}/alerts?{query}", timeout=PATIENCE_S).json()
        found |= {one["alertname"] for one in page["alerts"]}
        if page["next"] is None:
            return found
        query = f"limit=1000&cursor={page['next']}"


def test_two_servers_do_not_share_a_file(tmp_path: Path) -> None:
    data = tmp_path / "data"
    shop = SmallShop().recording().write(tmp_path / "shop")
    with (
        serving(shop, AEGIS_DATA_DIR=str(data)),
        pytest.raises(AssertionError, match="ended before it answered"),
        serving(shop, AEGIS_DATA_DIR=str(data)),
    ):
        pass


def test_bad_bodies_one_after_the_other_stop_nothing(server: Server) -> None:
    bad = [
        b"",
        b"[" * MIB,
        b'{"alerts":[' + b"[]," * 500_000,
        b"\xff" * MIB,
        json.dumps("x").encode(),
    ]
    for raw in bad:
        assert post(server, raw).status_code == 200
    assert post(server, body(alert("AfterBadOnes"))).json()["alert_count"] == 1

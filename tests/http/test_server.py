"""A real server: prompt, undisturbed by others, quick to stop."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from aegis.model.telemetry import LogLine
from tests.http.server import PATIENCE_S, Server, command, events, free_port, serving
from tests.http.service import ANALYZE, QUESTION, STREAM
from tests.recordings import SmallShop, at, log_table, ns

pytestmark = [
    pytest.mark.loopback,
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc"),
]
FAULT = {"start": "2026-03-01T10:30:00Z", "end": "2026-03-01T10:36:00Z"}
LINES = 60_000


@pytest.fixture(scope="module")
def busy_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Its case holds lines that have nothing in common, which takes long to sort out."""
    letters = "abcdefghijklmnopqrst"
    lines = []
    for number in range(LINES):
        words = [
            letters[(number * (place + 3)) % 20 :] + letters[: number % 17] for place in range(6)
        ]
        body = " ".join(words) + " " + letters[number % 20] * (number % 97)
        lines.append(LogLine(ns(number * 40 / LINES), "store", body))
    recording = replace(SmallShop().recording("wordy"), logs=log_table(lines))
    folder = tmp_path_factory.mktemp("served") / "wordy"
    with serving(recording.write(folder)) as running:
        yield running


def test_the_first_line_of_a_stream_comes_at_once(server: Server) -> None:
    took = []
    for _ in range(5):
        began = time.monotonic()
        body = {"description": QUESTION, "time_range": FAULT}
        with httpx.stream("POST", server.url + STREAM, json=body, timeout=PATIENCE_S) as response:
            first = next(events(response))
            took.append(time.monotonic() - began)
            assert first["event"] == "start"
    assert min(took) <= 0.2


def test_events_come_while_things_happen(busy_server: Server) -> None:
    """The reading is told before the diagnosis, which takes long, is over."""
    body = {"description": QUESTION, "time_range": FAULT}
    came: dict[tuple[str, str], float] = {}
    with httpx.stream("POST", busy_server.url + STREAM, json=body, timeout=PATIENCE_S) as response:
        for event in events(response):
            came[event["event"], event.get("tool", "")] = time.monotonic()
    thinking_s = came["tool_end", "diagnose"] - came["tool_start", "diagnose"]
    assert thinking_s > 0.5
    assert came["tool_end", "read_logs"] <= came["tool_start", "diagnose"] + 0.1
    assert came["end", ""] - came["tool_end", "diagnose"] < thinking_s


@pytest.mark.parametrize("path", [ANALYZE, STREAM])
def test_a_client_that_leaves_stops_the_work(busy_server: Server, path: str) -> None:
    """The server and the process that forks are left; nothing computes any more."""
    wait_until(lambda: busy_server.processes() == 2)
    body = json.dumps({"description": QUESTION, "time_range": FAULT})
    client = http.client.HTTPConnection(busy_server.url.removeprefix("http://"))
    client.request("POST", path, body, {"Content-Type": "application/json"})
    wait_until(lambda: busy_server.processes() == 3)
    before = busy_server.cpu_s()
    time.sleep(1.0)
    assert busy_server.cpu_s() - before > 0.2
    client.close()
    time.sleep(1.0)
    assert busy_server.processes() == 2
    before = busy_server.cpu_s()
    time.sleep(1.0)
    assert busy_server.cpu_s() - before < 0.1


def wait_until(happens: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not happens():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.02)


def test_twenty_at_once_get_each_their_own_answer(server: Server) -> None:
    def ask(number: int) -> tuple[str, str, str, str]:
        window = {"start": at(28 + number / 10).isoformat(), "end": at(36).isoformat()}
        asked = {"description": QUESTION, "time_range": window, "session_id": f"s{number}"}
        found = server.post(ANALYZE, asked).json()
        top = found["ranked_root_causes"][0]["service"]
        return found["session_id"], found["start"], found["end"], top

    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(ask, range(20)))
    assert found == [
        (
            f"s{number}",
            at(28 + number / 10).isoformat().replace("+00:00", "Z"),
            "2026-03-01T10:36:00Z",
            "store",
        )
        for number in range(20)
    ]


def test_the_server_answers_others_while_it_analyses(busy_server: Server) -> None:
    body = {"description": QUESTION, "time_range": FAULT}
    with ThreadPoolExecutor(1) as pool, httpx.Client(timeout=PATIENCE_S) as client:
        asking = pool.submit(busy_server.post, ANALYZE, body)
        answered = 0
        while not asking.done():
            client.get(f"{busy_server.url}/healthz").raise_for_status()
            answered += 1
            time.sleep(0.02)
        assert asking.result().status_code == 200
    assert answered > 10


def test_beyond_the_line_the_answer_is_503_and_when_to_come_back(tmp_path: Path) -> None:
    shop = SmallShop().recording().write(tmp_path / "shop")
    with serving(shop, AEGIS_WORKERS="1", AEGIS_MOST_WAITING="1") as server:
        body = {"description": QUESTION, "time_range": FAULT}
        with ThreadPoolExecutor(12) as pool:
            found = list(pool.map(lambda _: server.post(ANALYZE, body), range(12)))
    refused = [one for one in found if one.status_code != 200]
    assert len(found) - len(refused) >= 2
    assert refused
    for one in refused:
        assert (one.status_code, one.json()["error"]) == (503, "busy")
        assert int(one.headers["retry-after"]) > 0


def test_it_stops_on_sigterm_and_lets_a_running_analysis_end(tmp_path: Path) -> None:
    shop = SmallShop().recording().write(tmp_path / "shop")
    with serving(shop) as server, ThreadPoolExecutor(1) as pool:
        body = {"description": QUESTION, "time_range": FAULT}
        before = _idle_processes(server)
        asking = pool.submit(server.post, ANALYZE, body)
        while server.processes() <= before and not asking.done():  # until it is analysed
            time.sleep(0.01)
        assert server.stop() <= 20
        assert asking.result().status_code == 200


def _idle_processes(server: Server) -> int:
    """Once the process that answered the call before has gone."""
    fewest, calm = server.processes(), 0
    while calm < 20:
        time.sleep(0.02)
        now = server.processes()
        fewest, calm = min(fewest, now), calm + 1 if now == fewest else 0
    return fewest


def test_it_refuses_to_start_open_to_a_network() -> None:
    ended = subprocess.run(  # noqa: S603
        command("--host", "0.0.0.0"),  # noqa: S104
        capture_output=True,
        text=True,
        check=False,
        env={},
        timeout=PATIENCE_S,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: AEGIS_API_TOKENS: set tokens")
    assert ended.stderr.count("\n") == 1


def test_what_keeps_it_from_starting_is_told_in_one_line_without_a_traceback() -> None:
    ended = subprocess.run(  # noqa: S603
        command("--port", str(free_port())),
        capture_output=True,
        text=True,
        check=False,
        env={"AEGIS_DB_URL": "mysql://shop"},
        timeout=PATIENCE_S,
    )
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1].startswith("error: AEGIS_DB_URL: must be sqlite:///FILE")
    assert "Traceback" not in ended.stderr
    assert "startup failed" not in ended.stderr


def test_a_data_folder_that_cannot_be_made_is_one_line_that_names_the_setting(
    tmp_path: Path,
) -> None:
    file = tmp_path / "file"
    file.touch()
    ended = subprocess.run(  # noqa: S603
        command("--port", str(free_port())),
        capture_output=True,
        text=True,
        check=False,
        env={"AEGIS_DATA_DIR": str(file)},
        timeout=PATIENCE_S,
    )
    assert ended.returncode == 2
    told = f"error: AEGIS_DATA_DIR or AEGIS_DB_URL: {file} cannot be used: File exists"
    assert ended.stderr.splitlines()[-1] == told
    assert "Traceback" not in ended.stderr


def test_a_port_that_is_taken_is_one_line_that_names_the_setting(server: Server) -> None:
    port = server.url.rpartition(":")[2]
    ended = subprocess.run(  # noqa: S603
        command("--port", port),
        capture_output=True,
        text=True,
        check=False,
        env={},
        timeout=PATIENCE_S,
    )
    assert ended.returncode == 2
    assert ended.stderr == f"error: AEGIS_PORT: 127.0.0.1 port {port}: Address already in use\n"

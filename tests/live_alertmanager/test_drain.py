"""SIGTERM: the process ends in time whatever it waits for, and its successor finishes the work."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.live_alertmanager.processes import Server, aegis, ask, feishu, running, until

WITHIN_S = 20.0


def call(one: Server, name: str) -> Any:
    alert = {
        "status": "firing",
        "labels": {"alertname": "DiskFull", "instance": name, "severity": "critical"},
        "annotations": {"summary": f"{name} is full"},
        "startsAt": "2026-11-25T12:00:00Z",
    }
    body = {"version": "4", "groupKey": f"g-{name}", "groupLabels": {}, "alerts": [alert]}
    return ask(f"{one.url}/alertmanager/webhook", body)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["hang", "reset"])
def test_it_ends_in_time_and_the_next_process_delivers_what_was_under_way(
    tmp_path: Path, fault: str
) -> None:
    with ExitStack() as stack:
        platform = stack.enter_context(feishu(tmp_path))
        settings = {"AEGIS_DB_URL": f"sqlite:///{tmp_path}/aegis.db"} | dict(platform.environment)
        one = aegis(tmp_path, settings)
        stack.enter_context(running(one))
        ask(f"{platform.url}/_platform/faults", {"kind": fault, "times": None, "path": "/im/"})
        assert call(one, "db-1")["status"] == "ok"

        def tried() -> bool:
            asked = ask(f"{platform.url}/_platform/requests")["data"]["items"]
            return any("/im/v1/messages" in request["path"] for request in asked)

        until(tried, 30, "an attempt to send")
        assert one.stop() < WITHIN_S
        ask(f"{platform.url}/_platform/heal", {})
        one.start()
        one.wait_until_ready()

        def told() -> int:
            return len(ask(f"{platform.url}/_platform/messages")["data"]["items"])

        until(lambda: told() > 0, 30, "the message")
        assert call(one, "db-2")["status"] == "ok"
        until(lambda: told() > 1, 30, "the next message")
        assert told() == 2
        assert one.stop() < WITHIN_S
    assert "Traceback" not in one.log.read_text()


@pytest.mark.slow
def test_a_second_process_on_the_same_sqlite_file_refuses_to_start(tmp_path: Path) -> None:
    with ExitStack() as stack:
        platform = stack.enter_context(feishu(tmp_path))
        settings = {"AEGIS_DB_URL": f"sqlite:///{tmp_path}/aegis.db"} | dict(platform.environment)
        stack.enter_context(running(aegis(tmp_path, settings)))
        second = aegis(tmp_path, settings, "second")
        second.start()
        assert second.process is not None
        assert second.process.wait(60) == 2
        assert "error: AEGIS_DB_URL: another Aegis serves" in second.log.read_text()

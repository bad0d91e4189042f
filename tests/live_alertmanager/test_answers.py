"""An answer that a chat is to be told survives an outage of Feishu and a kill -9 of Aegis."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from aegis.bootstrap import demo_case
from tests.live_alertmanager.processes import aegis, ask, feishu, running, until


@pytest.mark.slow
def test_an_answer_is_told_once_though_feishu_was_away_and_aegis_was_killed(
    tmp_path: Path,
) -> None:
    with ExitStack() as stack:
        platform = stack.enter_context(feishu(tmp_path))
        settings = {
            "AEGIS_DB_URL": f"sqlite:///{tmp_path}/aegis.db",
            "AEGIS_CASE_DIR": str(demo_case()),
        }
        one = aegis(tmp_path, settings | dict(platform.environment))
        stack.enter_context(running(one))
        ask(f"{platform.url}/_platform/faults", {"kind": "reset", "times": None, "path": "/im/"})
        asked = {"description": "Why is checkout slow?", "notify_chat_id": "default"}
        answer = ask(f"{one.url}/api/ops/analyze", asked, timeout_s=60)
        assert answer["notification"]["status"] == "queued"

        def tried() -> bool:
            requests = ask(f"{platform.url}/_platform/requests")["data"]["items"]
            return any("/im/v1/messages" in request["path"] for request in requests)

        def told() -> list[str]:
            items = ask(f"{platform.url}/_platform/messages")["data"]["items"]
            return [one["versions"][-1]["header"]["title"]["content"] for one in items]

        until(tried, 60, "an attempt to send")
        one.kill()
        ask(f"{platform.url}/_platform/heal", {})
        one.start()
        one.wait_until_ready()
        until(lambda: bool(told()), 60, "the answer in the chat")
        time.sleep(5)
        assert [title.partition(" (")[0] for title in told()] == ["🔎 Root cause: inventory"]
        assert one.stop() < 20
    assert "Traceback" not in one.log.read_text()

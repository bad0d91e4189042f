"""The platform as a process of its own, which other processes look at and break over HTTP."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.loopback


@contextmanager
def started(log: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The process, and the settings it prints."""
    command = [sys.executable, "-m", "tests.feishu_platform", "--log", str(log), "--chat", "oc_a"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline().strip() for _ in range(4)]
            yield process, dict(line.split("=", 1) for line in lines)
        finally:
            process.kill()


def test_it_is_controlled_over_http_and_logs_every_request(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    with started(log) as (process, settings), httpx.Client(verify=False) as client:  # noqa: S501
        url = settings["AEGIS_FEISHU_BASE_URL"]
        assert settings["FEISHU_DEFAULT_CHAT_ID"] == "oc_a"

        def control(place: str, **body: Any) -> None:
            answer = client.post(f"{url}/_platform/{place}", json=body)
            assert answer.json()["code"] == 0, answer.text

        def looked(path: str) -> list[Any]:
            found: list[Any] = client.get(f"{url}/_platform/{path}").json()["data"]["items"]
            return found

        def send(chat: str, uuid: str) -> Any:
            keys = {"app_id": settings["FEISHU_APP_ID"]}
            keys["app_secret"] = settings["FEISHU_APP_SECRET"]
            path = "/open-apis/auth/v3/tenant_access_token/internal"
            token = client.post(f"{url}{path}", json=keys).json()["tenant_access_token"]
            body = {"receive_id": chat, "msg_type": "text", "content": '{"text":"hi"}'}
            return client.post(
                f"{url}/open-apis/im/v1/messages?receive_id_type=chat_id",
                json=body | {"uuid": uuid},
                headers={"Authorization": f"Bearer {token}"},
            )

        assert send("oc_a", "1").json()["code"] == 0
        control("faults", kind="gateway", times=None, path="/im/", after=True)
        assert send("oc_a", "2").status_code == 502
        control("heal")
        control("chats/oc_new", everybody=False)
        assert send("oc_new", "3").json()["code"] == 0
        control("chats/oc_new", admits_bot=False)
        assert send("oc_new", "4").json()["code"] == 230002
        control("clock", advance_s=3601)
        control("tokens")
        control("messages/om_00000001", recalled=True)
        assert [one["uuid"] for one in looked("messages")] == ["1", "2", "3"]
        assert looked("messages")[0]["recalled"]
        assert [one["fault"] for one in looked("requests") if one["fault"]] == ["gateway"]
        assert looked("complaints") == []
        answer = client.post(f"{url}/_platform/chats/oc_new", json={"chat_id": "x"})
        assert answer.json()["code"] != 0

        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [one["code"] for one in lines if "/im/" in one["path"]] == [0, None, 0, 230002]

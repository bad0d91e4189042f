"""`notify_chat_id`: the answer goes to a chat too, if that chat is one the settings name."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest

from aegis.entrypoints.http.schemas import AnalyzeAnswer
from aegis.model.feishu import FeishuConfig
from aegis.settings import Settings
from tests.feishu_platform.platform import APP_ID, APP_SECRET, Platform
from tests.feishu_platform.running import platform_running
from tests.http.service import (
    ANALYZE,
    QUESTION,
    STREAM,
    Sent,
    answers,
    events_of,
    problem_of,
    settings,
    with_service,
)

NOBODY_THERE = "http://127.0.0.1:9"


def feishu(url: str = NOBODY_THERE, **more: Any) -> FeishuConfig:
    return FeishuConfig(APP_ID, APP_SECRET, url, **more)


def asked(chat: str | None, path: str = ANALYZE) -> Sent:
    return Sent("POST", path, {"description": QUESTION, "notify_chat_id": chat})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "aegis.db"


def given(shop: Path, file: Path, config: FeishuConfig | None) -> Settings:
    return settings(shop, feishu=config, db_url=f"sqlite:///{file}")


def kept(file: Path) -> list[tuple[str, str, str]]:
    connection = sqlite3.connect(file)
    try:
        asked = "SELECT chat_id, content, fallback FROM message ORDER BY id"
        return list(connection.execute(asked))
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("config", "chat", "named"),
    [
        (None, "oc_ops", "FEISHU_APP_ID and FEISHU_APP_SECRET are not set"),
        (None, "default", "FEISHU_APP_ID and FEISHU_APP_SECRET are not set"),
        (feishu(allowed_chats=("oc_a",)), "default", "FEISHU_DEFAULT_CHAT_ID is not set"),
        (feishu(default_chat_id="oc_ops"), "oc_other", "AEGIS_FEISHU_ALLOWED_CHATS"),
        (feishu(default_chat_id="oc_ops", allowed_chats=("oc_a",)), "oc_b", "nor in AEGIS"),
    ],
)
@pytest.mark.parametrize("path", [ANALYZE, STREAM])
def test_any_other_chat_is_forbidden_and_the_setting_is_named(
    shop: Path, file: Path, path: str, config: FeishuConfig | None, chat: str, named: str
) -> None:
    (response,) = answers(asked(chat, path), given=given(shop, file, config), warm=True)
    assert problem_of(response) == (403, "forbidden", "notify_chat_id")
    assert named in response.json()["message"]
    assert kept(file) == []


@pytest.mark.parametrize("chat", ["default", "oc_ops", "oc_b"])
def test_the_answer_is_kept_for_the_chat_before_it_is_given(
    shop: Path, file: Path, chat: str
) -> None:
    config = feishu(default_chat_id="oc_ops", allowed_chats=("oc_a", "oc_b"))
    (response,) = answers(asked(chat), given=given(shop, file, config), warm=True)
    chosen = "oc_ops" if chat == "default" else chat
    assert response.json()["notification"] == {
        "chat_id": chosen,
        "status": "queued",
        "error": None,
    }
    AnalyzeAnswer.model_validate(response.json())
    ((chat_id, content, fallback),) = kept(file)
    assert chat_id == chosen
    assert json.loads(content)["header"]["title"]["content"].startswith("🔎 Root cause: store")
    assert json.loads(fallback)["text"].startswith("🔎 Root cause: store")
    assert "notice" not in response.json()


def test_the_stream_says_it_in_its_last_event(shop: Path, file: Path) -> None:
    config = feishu(default_chat_id="oc_ops")
    (response,) = answers(asked("default", STREAM), given=given(shop, file, config), warm=True)
    final, end = events_of(response)[-2:]
    assert (final["event"], end["event"]) == ("final", "end")
    assert final["notification"]["status"] == "queued"
    assert len(kept(file)) == 1


def test_without_it_nobody_is_told_and_the_answer_has_no_word_of_it(shop: Path, file: Path) -> None:
    config = feishu(default_chat_id="oc_ops")
    (response,) = answers(asked(None), given=given(shop, file, config), warm=True)
    assert "notification" not in response.json()
    assert kept(file) == []


def test_what_could_not_be_answered_is_told_to_nobody(shop: Path, file: Path) -> None:
    away = {"start": "2025-01-01T00:00Z", "end": "2025-01-01T01:00Z"}
    sent = Sent("POST", ANALYZE, {**asked("default").json, "time_range": away})
    config = feishu(default_chat_id="oc_ops")
    (response,) = answers(sent, given=given(shop, file, config), warm=True)
    assert response.status_code == 400
    assert kept(file) == []


def test_an_answer_is_given_also_where_it_cannot_be_kept_for_the_chat(
    shop: Path, file: Path
) -> None:
    async def use(client: httpx.AsyncClient) -> dict[str, Any]:
        connection = sqlite3.connect(file)
        connection.execute("DROP TABLE outbox_item")
        connection.execute("ALTER TABLE message RENAME TO message_gone")
        connection.close()
        sent = asked("default")
        return dict((await client.post(sent.path, json=sent.json)).json())

    found = with_service(use, given(shop, file, feishu(default_chat_id="oc_ops")), warm=True)
    assert found["ranked_root_causes"][0]["service"] == "store"
    assert found["notification"]["status"] == "failed"
    assert found["notification"]["error"].startswith("AEGIS_DB_URL: the database: ")


async def until_told(platform: Platform) -> None:
    async with asyncio.timeout(60):
        while not platform.messages:  # noqa: ASYNC110 (it lives on another thread)
            await asyncio.sleep(0.1)


@pytest.mark.loopback
def test_the_chat_sees_the_answer_once_also_where_alerts_have_no_route(
    shop: Path, file: Path
) -> None:
    with platform_running("oc_a", "oc_b") as platform:

        async def use(client: httpx.AsyncClient) -> Any:
            sent = asked("oc_b")
            response = await client.post(sent.path, json=sent.json)
            await until_told(platform)
            return response.json(), (await client.get("/readyz")).json()

        config = feishu(platform.url, allowed_chats=("oc_a", "oc_b"))
        found, ready = with_service(use, given(shop, file, config), warm=True)
        (held,) = platform.messages
    assert found["notification"]["chat_id"] == held.chat_id == "oc_b"
    assert ready["alerts"] == "stored_only"
    assert "FEISHU_DEFAULT_CHAT_ID" in ready["alerts_missing"]

"""The card by which someone sees that Aegis can write to a chat."""

from __future__ import annotations

import json
from datetime import datetime
from zoneinfo import ZoneInfo

from aegis.model.text import Language, Text

_TITLE = Text("Aegis 可以在这里发消息", "Aegis can write here")
_SAID = Text(
    "这是 `aegis feishu send-test` 发出的测试消息，没有提醒任何人。发送时间：{time}。",
    "This is a test by `aegis feishu send-test`; it wakes nobody. Sent at {time}.",
)


def greeting(language: Language, now: datetime, timezone: ZoneInfo) -> str:
    """The content of a small card."""
    time = now.astimezone(timezone).strftime("%Y-%m-%d %H:%M:%S %z")
    title, said = _TITLE.in_language(language), _SAID.in_language(language)
    card = {
        "schema": "2.0",
        "config": {"update_multi": True, "summary": {"content": title}},
        "header": {"template": "blue", "title": {"tag": "plain_text", "content": title}},
        "body": {"elements": [{"tag": "markdown", "content": said.format(time=time)}]},
    }
    return json.dumps(card, ensure_ascii=False)

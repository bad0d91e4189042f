"""What the platform tells a bot: a message that was said, a button that was pressed."""

from __future__ import annotations

import json
from typing import Any

BOT_OPEN_ID = "ou_stand_in_bot"
TENANT = "tenant-stand-in"


def header(kind: str, number: int, at: float, app_id: str) -> dict[str, Any]:
    return {
        "event_id": f"event-{number}",
        "event_type": kind,
        "create_time": str(int(at * 1000)),
        "token": "",
        "app_id": app_id,
        "tenant_key": TENANT,
    }


def said(
    text: str,
    chat_id: str,
    message_id: str,
    at: float,
    *,
    to_bot: bool = False,
    by: str = "ou_ann",
    sender_type: str = "user",
    everybody: bool = False,
) -> dict[str, Any]:
    """The event of `im.message.receive_v1`. An @all of a user is in the text and nowhere else."""
    mentions = []
    if to_bot:
        text = f"@_user_1 {text}"
        mentions.append(
            {
                "key": "@_user_1",
                "id": {"open_id": BOT_OPEN_ID, "union_id": "", "user_id": ""},
                "name": "Aegis",
                "mentioned_type": "bot",
                "tenant_key": TENANT,
            }
        )
    if everybody:
        text = f"@_all {text}"
    return {
        "sender": {
            "sender_id": {"open_id": by, "union_id": f"on_{by[3:]}", "user_id": ""},
            "sender_type": sender_type,
            "tenant_key": TENANT,
        },
        "message": {
            "message_id": message_id,
            "root_id": "",
            "parent_id": "",
            "thread_id": "",
            "create_time": str(int(at * 1000)),
            "chat_id": chat_id,
            "chat_type": "group",
            "message_type": "text",
            "content": json.dumps({"text": text}, ensure_ascii=False),
            "mentions": mentions,
        },
    }


def pressed(
    message_id: str, chat_id: str, value: dict[str, Any], number: int, by: str = "ou_ann"
) -> dict[str, Any]:
    """The event of `card.action.trigger`."""
    return {
        "operator": {"open_id": by, "union_id": f"on_{by[3:]}", "tenant_key": TENANT},
        "token": f"c-{number:04d}",
        "action": {"tag": "button", "name": "", "value": value, "form_value": {}},
        "host": "im_message",
        "context": {"open_message_id": message_id, "open_chat_id": chat_id},
    }

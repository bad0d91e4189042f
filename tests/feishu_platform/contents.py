"""What a message may hold, and whom it wakes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from tests.feishu_platform.answers import BAD_REQUEST, TOO_LONG, Refusal, bad_card
from tests.feishu_platform.cards import PARSE, check_card, text_of

KB = 1024
MOST_BYTES = {"text": 150 * KB, "post": 30 * KB, "interactive": 30 * KB, "image": KB}
EVERYBODY = "all"

_IN_TEXT = re.compile(r'<at user_id="([^"<>]+)">[^<]*</at>')
_IN_CARD = re.compile(r"<at id=([A-Za-z0-9_-]+)></at>")
_ANY_AT = re.compile(r"<at\b[^>]*>")
_POST_NODES = {
    "text": {"text", "un_escape", "style"},
    "a": {"text", "href", "style"},
    "at": {"user_id", "user_name", "style"},
    "img": {"image_key", "width", "height"},
    "media": {"file_key", "image_key"},
    "emotion": {"emoji_type"},
    "code_block": {"language", "text"},
    "hr": set(),
    "md": {"text"},
}


@dataclass(frozen=True)
class Content:
    """`pings` are open_ids, and `all`; `dead` counts mentions whose syntax wakes nobody here.

    `card_id` is that of a CardKit card.
    """

    kind: str
    value: dict[str, Any]
    pings: frozenset[str] = frozenset()
    dead: int = 0
    card_id: str | None = None


def read_content(kind: str, content: object, body_bytes: int, images: set[str]) -> Content:
    """`body_bytes` is the size of the whole request: that is what Feishu limits."""
    if kind not in MOST_BYTES:
        raise Refusal(BAD_REQUEST, f"invalid request parameter, ext=invalid msg_type {kind}")
    if not isinstance(content, str):
        raise Refusal(BAD_REQUEST, "invalid request parameter, ext=content is not a string")
    if body_bytes > MOST_BYTES[kind]:
        raise Refusal(TOO_LONG, "The length of the message content reaches its limit.")
    try:
        value = json.loads(content)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Refusal(BAD_REQUEST, "invalid request parameter, ext=content is not a JSON object")
    match kind:
        case "text":
            return _text(value)
        case "post":
            return _post(value, images)
        case "image":
            _known_image(value.get("image_key"), images)
            return Content(kind, value)
        case _:
            return _card(value, images)


def _text(value: dict[str, Any]) -> Content:
    if set(value) != {"text"} or not isinstance(value["text"], str) or not value["text"]:
        raise Refusal(BAD_REQUEST, "invalid request parameter, ext=text")
    return Content("text", value, *_mentions(value["text"], _IN_TEXT))


def _post(value: dict[str, Any], images: set[str]) -> Content:
    if not value or set(value) - {"zh_cn", "en_us", "ja_jp"}:
        raise Refusal(BAD_REQUEST, "invalid request parameter, ext=post content has no language")
    pings: set[str] = set()
    dead = 0
    for language in value.values():
        if not isinstance(language, dict) or set(language) - {"title", "content"}:
            raise Refusal(BAD_REQUEST, "invalid request parameter, ext=post")
        for line in language.get("content", []):
            for node in line:
                tag = node.get("tag")
                if tag not in _POST_NODES or set(node) - _POST_NODES[tag] - {"tag"}:
                    raise Refusal(BAD_REQUEST, f"invalid request parameter, ext=post tag {tag}")
                if tag == "at":
                    pings.add(node["user_id"])
                elif tag == "md":
                    found, more = _mentions(node["text"], _IN_TEXT)
                    pings, dead = pings | found, dead + more
                elif tag == "text":
                    dead += len(_ANY_AT.findall(node["text"]))
                elif tag == "img":
                    _known_image(node.get("image_key"), images)
    return Content("post", value, frozenset(pings), dead)


def _card(value: dict[str, Any], images: set[str]) -> Content:
    if value.get("type") == "card":
        data = value.get("data")
        if not isinstance(data, dict) or set(data) != {"card_id"}:
            raise bad_card(PARSE, "card_id is required")
        return Content("interactive", value, card_id=str(data["card_id"]))
    check_card(value, images)
    return Content("interactive", value, *_mentions(text_of(value), _IN_CARD))


def _mentions(text: str, alive: re.Pattern[str]) -> tuple[frozenset[str], int]:
    found = alive.findall(text)
    return frozenset(found), len(_ANY_AT.findall(text)) - len(found)


def _known_image(key: object, images: set[str]) -> None:
    if key not in images:
        raise Refusal(BAD_REQUEST, "invalid request parameter, ext=invalid image_key")

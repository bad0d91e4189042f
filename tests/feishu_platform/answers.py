"""How Feishu words success and refusal."""

from __future__ import annotations

import json
from typing import Any

from tests.feishu_platform.wire import Answer

TOKEN_INVALID = 99991663
API_RATE = 99991400
SEND_RATE = 230020
BAD_REQUEST = 230001
BAD_FIELD = 99992402
NOT_IN_CHAT = 230002
RECALLED = 230011
TOO_LONG = 230025
TOO_OLD = 230031
BAD_CARD = 230099
GONE = 231003


class Refusal(Exception):
    """What a request is answered with instead of success."""

    def __init__(
        self,
        code: int,
        message: str,
        status: int = 400,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.headers = headers or {}

    def answer(self) -> Answer:
        body = {"code": self.code, "msg": self.message, "error": {"log_id": "2026"}}
        return Answer(self.status, json.dumps(body).encode(), self.headers)


def bad_card(err_code: int, message: str) -> Refusal:
    """The outer code says no more than that it is a card; the inner one says what is wrong."""
    text = f"Failed to create card content, ext=ErrCode: {err_code}; ErrMsg: {message}; "
    return Refusal(BAD_CARD, text)


def success(data: dict[str, Any] | None = None, **top: Any) -> Answer:
    """Data goes under `data`; what Feishu puts at the top level of an answer goes to `top`."""
    body: dict[str, Any] = {"code": 0, "msg": "success", **top}
    if data is not None:
        body["data"] = data
    return Answer(200, json.dumps(body, ensure_ascii=False).encode())


def only(given: object, allowed: set[str], where: str = "") -> dict[str, Any]:
    """The object, if it has no other fields than these: the strictest reading of the documents."""
    if not isinstance(given, dict):
        raise Refusal(BAD_FIELD, f"field validation failed: {where or 'body'} is no object")
    unknown = sorted(set(given) - allowed)
    if unknown:
        raise Refusal(BAD_FIELD, f"field validation failed: unknown {where}{', '.join(unknown)}")
    return given


def text_field(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise Refusal(BAD_FIELD, f"field validation failed: {name} is required")
    return value

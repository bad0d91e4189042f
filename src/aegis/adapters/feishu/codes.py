"""What Feishu's codes mean for a message: try again, say less, or give it up.

The table is told in docs/feishu.md. A code that is in none of these sets is refused, because a
message that is tried for ever holds up all others of its chat; but where the HTTP status says
that the platform itself failed, it is tried again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from aegis.adapters.feishu.sdk import without_secrets
from aegis.model.errors import (
    ChatUnreachable,
    DeliveryError,
    DeliveryRefused,
    DeliveryUnavailable,
    MessageTooLarge,
)
from aegis.model.message import Operation

TOKEN_INVALID = frozenset({99991661, 99991663, 99991671})
"""Missing, expired or taken back: a new one is asked for once."""

_CALL_RATE = frozenset({99991400})
_SEND_RATE = frozenset({230020, 11232, 11233})
_TOO_LONG = frozenset({230025, 200860, 234006})
_UNREACHABLE = frozenset({230002, 230013, 230011, 230031, 231003})
_FAILED_INSIDE = frozenset({1500, 1503, 2200})
_TO_BE_MENDED = {
    10003: "FEISHU_APP_ID is not known there",
    10014: "FEISHU_APP_SECRET is wrong",
    99991672: "the app lacks a permission; grant it and publish a version",
    230006: "the app has no bot; switch it on and publish a version",
    230027: "the app lacks a permission; grant it and publish a version",
}
"""No message can be delivered until someone mends it, so none is given up meanwhile."""

_CARD = 230099
_WAITS_FOR_CLICK = 11310
_CLICK_ANSWERED_WITHIN_S = 3.0
_LONGEST_WAIT_S = 3600.0
_RESET = "x-ogw-ratelimit-reset"
_MOST_SAID = 200
_QUOTED = 24

_INNER = re.compile(r"ErrCode:\s*(\d+)")


def failure(
    code: int,
    said: str,
    status: int,
    headers: Mapping[str, str],
    operation: Operation | None = None,
    content: str = "",
) -> DeliveryError:
    """The error for an answer with this code; `said` is Feishu's text, `status` that of HTTP."""
    text = f"Feishu answered {code}: {_sayable(said, content)}"
    if code in TOKEN_INVALID:
        return DeliveryUnavailable(f"{text} (with a new token too)", code)
    if code in _CALL_RATE:
        return DeliveryUnavailable(text, code, retry_after_s=wait_of(headers))
    if code in _SEND_RATE:
        return DeliveryUnavailable(text, code)
    if code in _TO_BE_MENDED:
        return DeliveryUnavailable(f"{text} ({_TO_BE_MENDED[code]})", code)
    if code in _TOO_LONG:
        return MessageTooLarge(text, code)
    if code in _UNREACHABLE:
        return ChatUnreachable(text, code)
    if code == _CARD:
        return _bad_card(text, said, operation)
    if code in _FAILED_INSIDE or status >= 500 or status == 429:
        wait_s = wait_of(headers)
        return DeliveryUnavailable(text, code, wait_s, may_have_arrived=status != 429)
    return DeliveryRefused(text, code)


def wait_of(headers: Mapping[str, str]) -> float | None:
    """Seconds a rate limit asks to wait; None where it does not say so understandably."""
    given = {name.lower(): value for name, value in headers.items()}.get(_RESET, "").strip()
    if not re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,6})?", given):
        return None
    return min(float(given), _LONGEST_WAIT_S)


def _bad_card(text: str, said: str, operation: Operation | None) -> DeliveryError:
    """Two meanings share an inner code: too many tables, and a click that is not answered yet."""
    inner = _INNER.search(said)
    if re.search(r"(over|exceeds?) (the )?limit", said):
        return MessageTooLarge(text, _CARD)
    if operation == "update" and inner is not None and int(inner[1]) == _WAITS_FOR_CLICK:
        return DeliveryUnavailable(text, _CARD, retry_after_s=_CLICK_ANSWERED_WITHIN_S)
    return DeliveryRefused(text, _CARD)


def _sayable(said: str, content: str) -> str:
    """Feishu's text on one line, unless it quotes our message: errors end up in logs."""
    short = " ".join(without_secrets(said).split())[:_MOST_SAID]
    if any(short[at : at + _QUOTED] in content for at in range(len(short) - _QUOTED + 1)):
        inner = _INNER.search(said)
        return f"ErrCode: {inner[1]}" if inner else "(its text quotes the message)"
    return short

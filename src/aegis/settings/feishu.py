"""How Feishu is reached: the app, its chats, its address."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aegis.model.errors import ConfigurationError
from aegis.model.feishu import FEISHU, FeishuConfig
from aegis.settings.addresses import WORD, holds_credentials, is_web, parts_of

APP_ID = "FEISHU_APP_ID"
APP_SECRET = "FEISHU_APP_SECRET"  # noqa: S105 (its name)
VERIFICATION_TOKEN = "FEISHU_VERIFICATION_TOKEN"  # noqa: S105
ENCRYPT_KEY = "FEISHU_ENCRYPT_KEY"
DEFAULT_CHAT_ID = "FEISHU_DEFAULT_CHAT_ID"
BASE_URL = "AEGIS_FEISHU_BASE_URL"
ALLOWED_CHATS = "AEGIS_FEISHU_ALLOWED_CHATS"

NAMES = (
    APP_ID,
    APP_SECRET,
    VERIFICATION_TOKEN,
    ENCRYPT_KEY,
    DEFAULT_CHAT_ID,
    BASE_URL,
    ALLOWED_CHATS,
)

CHAT = re.compile(r"oc_[A-Za-z0-9_-]{1,100}")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def read_feishu(given: Mapping[str, str]) -> FeishuConfig | None:
    """None where nothing about Feishu is set; ConfigurationError names the variable.

    No secret ever becomes part of a message.
    """
    found = [name for name in NAMES if given.get(name)]
    if not found:
        return None
    for name in (APP_ID, APP_SECRET):
        if name not in found:
            raise ConfigurationError(f"{name}: missing, but {found[0]} is set")
    default = given.get(DEFAULT_CHAT_ID)
    allowed = (one.strip() for one in (given.get(ALLOWED_CHATS) or "").split(","))
    return FeishuConfig(
        _word(given, APP_ID),
        _word(given, APP_SECRET),
        _base_url(given.get(BASE_URL) or FEISHU),
        read_chat(DEFAULT_CHAT_ID, default) if default else None,
        tuple(dict.fromkeys(read_chat(ALLOWED_CHATS, one) for one in allowed if one)),
        _word(given, VERIFICATION_TOKEN) if VERIFICATION_TOKEN in found else None,
        _word(given, ENCRYPT_KEY) if ENCRYPT_KEY in found else None,
    )


def _word(given: Mapping[str, str], name: str) -> str:
    text = given[name]
    if not WORD.fullmatch(text):
        raise ConfigurationError(f"{name}: must be one word of printable ASCII")
    return text


def read_chat(name: str, text: str) -> str:
    """The id of a chat; ConfigurationError names the variable."""
    if not CHAT.fullmatch(text):
        raise ConfigurationError(f"{name}: must be the id of a chat, oc_…, is {text!r}")
    return text


def _base_url(text: str) -> str:
    """An origin, and TLS unless it is this machine: the secret travels there."""
    parts = parts_of(text)
    if holds_credentials(parts):
        raise ConfigurationError(f"{BASE_URL}: must hold no credentials")
    if not is_web(parts, text):
        raise ConfigurationError(f"{BASE_URL}: must be an https:// address")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ConfigurationError(f"{BASE_URL}: must be https://, for the app's secret goes there")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "?" in text or "#" in text:
        raise ConfigurationError(f"{BASE_URL}: must be an address without a path")
    return f"{parts.scheme}://{parts.netloc}"

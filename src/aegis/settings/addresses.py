"""Addresses that people give: http(s), a host, perhaps a path, and nothing that is secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from aegis.model.errors import ConfigurationError

_VISIBLE = re.compile(r"[\x21-\x7e]+")


def read_address(given: Mapping[str, str], name: str) -> str | None:
    """Without a slash at its end; None where it is not set. ConfigurationError names it."""
    text = given.get(name)
    if not text:
        return None
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(f"{name}: must hold no credentials")
    if parts.scheme not in ("http", "https") or not host or not _VISIBLE.fullmatch(text):
        raise ConfigurationError(f"{name}: must be an http:// or https:// address and a path")
    if parts.query or parts.fragment:
        raise ConfigurationError(f"{name}: must be an address and a path, without ? or #")
    return text.rstrip("/?#")


def host_of(address: str) -> str:
    """Host and, where it has one, port; an IPv6 address in brackets."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    bracketed = f"[{host}]" if ":" in host else host
    return bracketed if parts.port is None else f"{bracketed}:{parts.port}"

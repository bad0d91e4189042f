"""Addresses that people give: http(s), a host, perhaps a path, and nothing that is secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from aegis.model.errors import ConfigurationError

WORD = re.compile(r"[\x21-\x7e]+")
"""Printable ASCII without blanks."""


def read_address(given: Mapping[str, str], name: str) -> str | None:
    """Without a slash at its end; None where it is not set. ConfigurationError names it."""
    text = given.get(name)
    if not text:
        return None
    parts = parts_of(text)
    if holds_credentials(parts):
        raise ConfigurationError(f"{name}: must hold no credentials")
    if not is_web(parts, text):
        raise ConfigurationError(f"{name}: must be an http:// or https:// address and a path")
    if parts.query or parts.fragment:
        raise ConfigurationError(f"{name}: must be an address and a path, without ? or #")
    return text.rstrip("/?#")


def parts_of(text: str) -> SplitResult:
    """Empty parts for what cannot be taken apart, so that it is no address of anything."""
    try:
        parts = urlsplit(text)
        _ = parts.hostname, parts.port
    except ValueError:
        return urlsplit("")
    return parts


def holds_credentials(parts: SplitResult) -> bool:
    return parts.username is not None or parts.password is not None


def is_web(parts: SplitResult, text: str) -> bool:
    """http or https, with a host, in printable ASCII without blanks."""
    known = parts.scheme in ("http", "https") and bool(parts.hostname)
    return known and WORD.fullmatch(text) is not None


def host_of(address: str) -> str:
    """Host and, where it has one, port; an IPv6 address in brackets."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    bracketed = f"[{host}]" if ":" in host else host
    return bracketed if parts.port is None else f"{bracketed}:{parts.port}"

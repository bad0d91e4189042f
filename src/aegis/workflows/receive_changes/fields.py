"""Reads fields of a body that somebody else designed; every complaint names the field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from aegis.model.errors import InvalidRequest

Body = Mapping[str, Any]

MOST_CHARACTERS = {"service": 200, "kind": 60, "version": 200, "title": 500, "url": 2000}
FIRST_YEAR, LAST_YEAR = 2000, 2199


def inner(body: Body, *names: str) -> Body:
    """The object below `names`; empty where there is none."""
    found: Any = body
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def words(body: Body, *names: str) -> str | None:
    """The first of these fields that holds text or a number, without outer blanks."""
    for name in names:
        value = body.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return None


def bounded(name: str, value: str | None) -> str | None:
    """InvalidRequest where the text is longer than is kept, or holds control characters."""
    if value is None:
        return None
    most = MOST_CHARACTERS[name]
    if len(value) > most:
        raise InvalidRequest(name, f"has {len(value)} characters, at most {most} are kept")
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise InvalidRequest(name, "holds a control character")
    return value


def service_name(value: str | None) -> str:
    """A name, or InvalidRequest."""
    found = bounded("service", value or None)
    if found is None:
        raise InvalidRequest("service", "is missing")
    return found


def web_address(value: str | None) -> str | None:
    """An http(s) address; InvalidRequest for anything else that calls itself one."""
    text = bounded("url", value)
    if text is None:
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc or " " in text:
        raise InvalidRequest("url", "must start with http:// or https:// and name a host")
    return text


def moment(name: str, value: object, timezone: ZoneInfo) -> datetime:
    """ISO 8601, `2026-11-02 10:15:00 +0800`, `… UTC`, or seconds since 1970; in UTC."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            found = datetime.fromtimestamp(value, UTC)
        except (OverflowError, OSError, ValueError):
            raise _no_time(name, value) from None
    elif isinstance(value, str):
        text = value.strip()
        if text.endswith(" UTC"):
            text = text[:-4] + "+00:00"
        date, blank, offset = text.rpartition(" ")
        if blank and offset[:1] in ("+", "-") and len(date) >= 16:
            text = date + offset
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            raise _no_time(name, value) from None
        if found.utcoffset() is None:
            found = found.replace(tzinfo=timezone)
    else:
        raise _no_time(name, value)
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise _no_time(name, value)
    return found.astimezone(UTC)


def _no_time(name: str, value: object) -> InvalidRequest:
    said = f"{str(value)[:60]!r} is no time such as 2026-11-02T10:15:00+08:00"
    return InvalidRequest(name, "is missing" if value is None else said)

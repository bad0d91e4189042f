"""Keeps the deploys and changes that a body tells of."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from aegis.model.errors import InvalidRequest
from aegis.model.telemetry import Change, utc_text
from aegis.workflows.receive_changes.fields import (
    Body,
    bounded,
    moment,
    service_name,
    web_address,
    words,
)
from aegis.workflows.receive_changes.tools import Ignored, Read, Reported, reader_of

FIELDS = frozenset({"service", "time", "kind", "title", "url", "version"})
MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ReadChanges:
    """What a body tells of, in its order; `ignored` are reasons, for the tool's log."""

    reported: tuple[Reported, ...]
    ignored: tuple[str, ...]


def read_changes(body: object, timezone: ZoneInfo) -> ReadChanges:
    """A change, a list of them, or the webhook body of a tool that deploys.

    InvalidRequest names the field, with its place where a list was sent.
    """
    if isinstance(body, list):
        if len(body) > MOST_AT_ONCE:
            told = f"has {len(body)} changes, at most {MOST_AT_ONCE} are taken"
            raise InvalidRequest("body", told)
        return _sorted_out([_one(item, timezone, f"[{place}].") for place, item in enumerate(body)])
    return _sorted_out([_one(body, timezone, "")])


def _sorted_out(found: Sequence[Read]) -> ReadChanges:
    return ReadChanges(
        tuple(one for one in found if isinstance(one, Reported)),
        tuple(one.reason for one in found if isinstance(one, Ignored)),
    )


def _one(body: object, timezone: ZoneInfo, where: str) -> Read:
    if not isinstance(body, dict):
        raise InvalidRequest(f"{where}body".lstrip("."), "must be an object with service and time")
    reader = reader_of(body)
    try:
        return reader(body, timezone) if reader is not None else _plain(body, timezone)
    except InvalidRequest as error:
        _, _, told = str(error).partition(": ")
        raise InvalidRequest(f"{where}{error.field}", told) from None


def _plain(body: Body, timezone: ZoneInfo) -> Reported:
    """The shape of our own; a field that is not known is more likely a slip than a wish."""
    unknown = sorted(set(body) - FIELDS)
    if unknown:
        told = f"is no field of a change; {', '.join(sorted(FIELDS))} are"
        raise InvalidRequest(unknown[0][:60], told)
    for name in sorted(FIELDS - {"time"}):
        if body.get(name) is not None and not isinstance(body[name], str):
            raise InvalidRequest(name, "must be text")
    change = Change(
        service_name(words(body, "service")),
        moment("time", body.get("time"), timezone),
        bounded("kind", words(body, "kind")),
        bounded("version", words(body, "version")),
        bounded("title", words(body, "title")),
        web_address(words(body, "url")),
    )
    return Reported(_key(change), "api", change)


def _key(change: Change) -> str:
    """Two reports of one change agree in what it is, not in how it is described."""
    parts = (change.service, utc_text(change.time), change.kind or "", change.version or "")
    return "api:" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]

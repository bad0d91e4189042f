"""A webhook's body as JSON values: all at once where it is good, piece by piece where it is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from aegis.workflows.receive_alerts.splitting import split

LARGEST_PIECE = 2 * 1024 * 1024
MOST_VALUES = 2_000_000
"""Beyond it a body is not parsed at once: small in bytes, it could be huge in memory."""
LONGEST_RAW = 4096

_NO_TEXT = (rb"\u0000", rb"\ud", rb"\uD")
"""Escapes that may stand for NUL, or for half of a surrogate pair."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A piece of a body that is no JSON. `raw` is its beginning."""

    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Opened:
    """`is_text` promises that no string holds NUL or half of a surrogate pair.

    `rest` is what could not even be cut into pieces; None where all of it was.
    """

    fields: Mapping[str, object]
    items: list[object]
    rest: Broken | None = None
    is_text: bool = False


def open_body(body: bytes) -> Opened:
    """Never raises. The items are those of every list called `alerts`, Broken ones among them."""
    return _at_once(body) or _piece_by_piece(body)


def _at_once(body: bytes) -> Opened | None:
    """None for a body that is not one good JSON object."""
    if any(escape in body for escape in _NO_TEXT) or body.count(b'"alerts"') != 1:
        return None
    if body.count(b",") + body.count(b"[") + body.count(b"{") > MOST_VALUES:
        return None
    try:
        given = json.loads(body.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, dict) or not isinstance(given.get("alerts"), list):
        return None
    return Opened(given, given.pop("alerts"), is_text=True)


def _piece_by_piece(body: bytes) -> Opened:
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    parts = split(text)
    fields = {name: _piece(raw) for name, raw in parts.fields.items()}
    items = [_piece(raw) for raw in parts.alerts]
    if "alerts" in fields and fields["alerts"] is not None:
        items.append(Broken("alerts: is no list", parts.fields["alerts"][:LONGEST_RAW]))
    if parts.broken is None:
        return Opened(fields, items)
    place, reason = parts.broken
    what = f"at character {place}: {reason}" if text else "is empty"
    return Opened(fields, items, Broken(what, text[place : place + LONGEST_RAW]))


def _piece(raw: str) -> object:
    """Broken for what is no JSON."""
    try:
        return _parsed(raw)
    except json.JSONDecodeError as error:
        reason = f"is not JSON: {error.msg} at {error.pos}"
    except RecursionError:
        reason = "is nested too deeply"
    except ValueError as error:  # NaN, or a number of thousands of digits
        reason = f"is not JSON: {str(error).partition(';')[0]}"
    return Broken(reason, raw[:LONGEST_RAW])


def _parsed(raw: str) -> object:
    if len(raw) > LARGEST_PIECE:
        raise ValueError(f"longer than {LARGEST_PIECE:,} characters")
    return json.loads(raw, parse_constant=_no_number, strict=False)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")

"""Finds the alerts in a webhook's body without parsing it.

One alert that is broken must not cost the others, and a body made to be expensive (a million
brackets, a number of a million digits) must cost little. So the text is cut into its fields
and its alerts by counting brackets; nothing is built, nothing recurses.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

MOST_BRACKETS = 2_000_000
MOST_ALERTS = 100_000

_STRING = r'"(?:[^"\\]++|\\.)*+"'
_NAME = re.compile(rf"\s*+({_STRING})\s*+:\s*+", re.DOTALL)
_TEXT = re.compile(_STRING, re.DOTALL)
_BRACKET = re.compile(rf'[^"\[\]{{}}]*+(?:{_STRING}[^"\[\]{{}}]*+)*+([\[\]{{}}])', re.DOTALL)
_SCALAR = re.compile(r"[^\s,\[\]{}\":]++")
_NEXT = re.compile(r"\s*+([,\]}])")
_SPACE = re.compile(r"\s*+")


@dataclass(slots=True)
class Split:
    """JSON texts: of each field but the alerts, and of each alert.

    `broken` says from where on the body could not be read, and why; None where all of it was.
    """

    fields: dict[str, str] = field(default_factory=dict)
    alerts: list[str] = field(default_factory=list)
    broken: tuple[int, str] | None = None
    brackets: int = 0


class _Broken(Exception):
    """No JSON from `place` on."""

    def __init__(self, place: int, reason: str) -> None:
        super().__init__(reason)
        self.place = place
        self.reason = reason


def split(text: str) -> Split:
    """A field that is given twice counts as given last, but no alert of any is left out."""
    found = Split()
    try:
        _read_fields(text, found)
    except _Broken as broken:
        found.broken = (broken.place, broken.reason)
    return found


def _read_fields(text: str, found: Split) -> None:
    place = _after_space(text, 0)
    if not text.startswith("{", place):
        raise _Broken(place, "is no JSON object")
    place += 1
    if text.startswith("}", _after_space(text, place)):
        return
    while True:
        name = _NAME.match(text, place)
        if name is None:
            raise _Broken(place, "a field's name was expected")
        place = name.end()
        if _plain(name[1]) == "alerts" and text.startswith("[", place):
            place = _read_alerts(text, place + 1, found)
        else:
            end = _end(text, place, found)
            found.fields[_plain(name[1])] = text[place:end]
            place = end
        place, sign = _separator(text, place)
        if sign == "}":
            return
        if sign == "]":
            raise _Broken(place - 1, "a ] was not expected")


def _read_alerts(text: str, place: int, found: Split) -> int:
    """From after the [ to after the ]."""
    if text.startswith("]", _after_space(text, place)):
        return _after_space(text, place) + 1
    while True:
        place = _after_space(text, place)
        if len(found.alerts) == MOST_ALERTS:
            raise _Broken(place, f"more than {MOST_ALERTS:,} alerts")
        end = _end(text, place, found)
        found.alerts.append(text[place:end])
        place, sign = _separator(text, end)
        if sign == "]":
            return place
        if sign == "}":
            raise _Broken(place - 1, "a } was not expected")


def _end(text: str, place: int, found: Split) -> int:
    """Where the value that begins at `place` ends."""
    first = text[place : place + 1]
    if first in ("{", "["):
        return _end_of_brackets(text, place, found)
    match = (_TEXT if first == '"' else _SCALAR).match(text, place)
    if match is None:
        raise _Broken(place, "a value was expected")
    return match.end()


def _end_of_brackets(text: str, place: int, found: Split) -> int:
    depth, at, left = 0, place, MOST_BRACKETS - found.brackets
    for seen in range(1, left + 1):
        match = _BRACKET.match(text, at)
        if match is None:
            raise _Broken(place, "does not end")
        at = match.end()
        depth += 1 if match[1] in "{[" else -1
        if depth == 0:
            found.brackets += seen
            return at
    raise _Broken(place, f"more than {MOST_BRACKETS:,} brackets")


def _separator(text: str, place: int) -> tuple[int, str]:
    match = _NEXT.match(text, place)
    if match is None:
        raise _Broken(place, "a comma or the end was expected")
    return match.end(), match[1]


def _after_space(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


def _plain(name: str) -> str:
    try:
        return str(json.loads(name, strict=False))
    except ValueError:  # an escape that is none
        return name[1:-1]

"""Alertmanager's text of label matchers: `team="payments"`, `{severity=~"critical|page"}`."""

from __future__ import annotations

import re

from aegis.model.pattern import Pattern
from aegis.model.routing import Matcher, MatchOperator

_SPACE = r"\s*"
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_NAME = rf"(?P<name>{_QUOTED}|[^\s\"{{}}=!~,]+)"
_VALUE = rf"(?P<value>{_QUOTED}|(?:[^\s\"{{}},=~][^\s\"{{}},]*)?)"
_ONE = re.compile(
    rf"{_SPACE}{_NAME}{_SPACE}(?P<operator>=~|!~|!=|=){_SPACE}{_VALUE}{_SPACE}", re.DOTALL
)
_OPERATORS: dict[str, MatchOperator] = {"=": "=", "!=": "!=", "=~": "=~", "!~": "!~"}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}


def read_matchers(text: str) -> tuple[Matcher, ...]:
    """One or more, separated by commas, in braces or not; ValueError says what is wrong."""
    inside = text.strip()
    if inside.startswith("{") or inside.endswith("}"):
        if not (inside.startswith("{") and inside.endswith("}")):
            raise ValueError(f"{text!r} has a brace without its other half")
        inside = inside[1:-1].strip()
    found: list[Matcher] = []
    place = 0
    while place < len(inside):
        one = _ONE.match(inside, place)
        if one is None or (one.end() < len(inside) and inside[one.end()] != ","):
            message = f'{text!r} is no list of matchers such as team="payments", severity=~"a|b"'
            raise ValueError(message)
        found.append(_matcher(one))
        place = one.end() + 1
    return tuple(found)


def _matcher(one: re.Match[str]) -> Matcher:
    operator = _OPERATORS[one["operator"]]
    matcher = Matcher(_unquoted(one["name"]), operator, _unquoted(one["value"]))
    if operator in ("=~", "!~"):
        try:
            Pattern.of(matcher.value)
        except ValueError as error:
            raise ValueError(f"{matcher.name}{operator}{matcher.value!r}: {error}") from None
    return matcher


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[0]), text[1:-1])

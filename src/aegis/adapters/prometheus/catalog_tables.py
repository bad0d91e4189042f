"""Values of a catalog file, each checked where it is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aegis.adapters.prometheus.entries import Matcher
from aegis.adapters.prometheus.expressions import parse_matcher
from aegis.model.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping of the file and where it stands, for messages."""

    where: str
    values: Mapping[str, object]

    def fail(self, key: str, message: str) -> ConfigurationError:
        return ConfigurationError(f"{self.where}.{key}: {message}")

    def only(self, allowed: Iterable[str]) -> None:
        known = set(allowed)
        for key in self.values:
            if key not in known:
                raise self.fail(str(key), f"unknown key; known are {', '.join(sorted(known))}")

    def text(self, key: str, default: str | None = None) -> str:
        value = self.values.get(key, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self.fail(key, "must be a text")
        return " ".join(value.split())

    def number(self, key: str, default: float) -> float:
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fail(key, "must be a number")
        return float(value)

    def flag(self, key: str) -> bool:
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise self.fail(key, "must be true or false")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.values.get(key, [])
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise self.fail(key, "must be a list of texts")
        return tuple(found)

    def choice(self, key: str, allowed: Iterable[str], default: str | None = None) -> str:
        value = self.text(key, default)
        choices = tuple(allowed)
        if value not in choices:
            raise self.fail(key, f"must be one of {', '.join(choices)}, is {value!r}")
        return value

    def matchers(self, key: str) -> tuple[Matcher, ...]:
        try:
            return tuple(parse_matcher(one) for one in self.texts(key))
        except ValueError as error:
            raise self.fail(key, str(error)) from None

    def pattern(self, key: str) -> re.Pattern[str] | None:
        if key not in self.values:
            return None
        try:
            return re.compile(self.text(key))
        except re.error as error:
            raise self.fail(key, f"is no regular expression: {error}") from None

    def table(self, key: str) -> Table:
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.fail(key, "must be a mapping")
        return Table(f"{self.where}.{key}", value)

    def tables(self, key: str) -> tuple[Table, ...]:
        value = self.values.get(key, [])
        if not isinstance(value, list):
            raise self.fail(key, "must be a list")
        for place, one in enumerate(value):
            if not isinstance(one, dict):
                raise self.fail(f"{key}[{place}]", "must be a mapping")
        return tuple(Table(f"{self.where}.{key}[{place}]", one) for place, one in enumerate(value))

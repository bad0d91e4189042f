"""LogQL, built from parts only: nothing a user, an alert or a model writes is ever a query.

Every value passes `quoted`, every label name `label_name`, every literal inside a regular
expression `re2_literal`. Facts: a matcher's `=~` is anchored, a line filter's is not. That of a
label filter is anchored too, but Loki (seen in August 2026) takes `.*x` and alternatives of
literals for "contains"; `=~` and `!~` of one pattern still never both hold.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from aegis.model.errors import InvalidRequest

LONGEST_VALUE = 1024
LONGEST_PATTERN = 256

Operator = Literal["=", "!=", "=~", "!~"]
LineOperator = Literal["|=", "!=", "|~", "!~"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_INVISIBLE = {"Cc", "Cf", "Co", "Cn", "Zl", "Zp"}
_RE2_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


def label_name(name: str) -> str:
    """The name itself; InvalidRequest where it could be anything but a name."""
    if not _NAME.fullmatch(name):
        raise InvalidRequest("label", "is no label name: letters, digits and _")
    return name


def quoted(value: str) -> str:
    """A LogQL string; what is invisible or turns the direction of writing is spelled out.

    InvalidRequest for half a character and beyond LONGEST_VALUE characters.
    """
    if len(value) > LONGEST_VALUE:
        raise InvalidRequest("value", f"is longer than {LONGEST_VALUE} characters")
    return f'"{"".join(_escaped(letter) for letter in value)}"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    kind = unicodedata.category(letter)
    if kind == "Cs":
        raise InvalidRequest("value", "holds half a character")
    if kind in _INVISIBLE:
        code = ord(letter)
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return letter


def re2_literal(text: str) -> str:
    """A regular expression of RE2 that matches `text` and nothing else."""
    return _RE2_SPECIAL.sub(lambda found: f"\\{found[0]}", text)


def _checked(operator: str, value: str) -> str:
    if "~" in operator and len(value) > LONGEST_PATTERN:
        raise InvalidRequest("pattern", f"is longer than {LONGEST_PATTERN} characters")
    return quoted(value)


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on a label; `value` of `=~` and `!~` is RE2, else literal."""

    label: str
    operator: Operator
    value: str

    def text(self) -> str:
        return f"{label_name(self.label)}{self.operator}{_checked(self.operator, self.value)}"


@dataclass(frozen=True, slots=True)
class LineFilter:
    operator: LineOperator
    value: str

    def text(self) -> str:
        return f"{self.operator} {_checked(self.operator, self.value)}"


@dataclass(frozen=True, slots=True)
class Below:
    """The label is a number less than `limit`."""

    label: str
    limit: int

    def text(self) -> str:
        return f"{label_name(self.label)}<{self.limit}"


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple[Condition, ...]

    def text(self) -> str:
        return f"({' and '.join(part.text() for part in self.parts)})"


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Condition, ...]

    def text(self) -> str:
        return f"({' or '.join(part.text() for part in self.parts)})"


Condition = Matcher | Below | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Lines of the streams that fit all `matchers`, that pass all filters and conditions.

    At least one matcher must exclude the empty value, or Loki refuses. `sampling` are
    conditions on the labels of `SAMPLING_LABELS`.
    """

    matchers: tuple[Matcher, ...]
    filters: tuple[LineFilter, ...] = ()
    conditions: tuple[Condition, ...] = ()
    sampling: Condition | None = None

    def text(self) -> str:
        selector = ", ".join(matcher.text() for matcher in self.matchers)
        stages = [f"{{{selector}}}"]
        stages += [one.text() for one in self.filters]
        stages += [f"| {one.text()}" for one in self.conditions]
        if self.sampling is not None:
            stages += [SAMPLING_LABELS, f"| {self.sampling.text()}", FORGET_SAMPLING_LABELS]
        return " ".join(stages)


@dataclass(frozen=True, slots=True)
class CountQuery:
    """How many lines (or bytes) of `lines` there are in the `range_s` seconds before each step."""

    lines: LogQuery
    range_s: int
    by: tuple[str, ...] = ()
    counts: Literal["count_over_time", "bytes_over_time"] = "count_over_time"

    def text(self) -> str:
        counted = f"{self.counts}({self.lines.text()} [{int(self.range_s)}s])"
        if not self.by:
            return f"sum({counted})"
        return f"sum by ({', '.join(label_name(name) for name in self.by)}) ({counted})"


TRACE_LABEL = "aegis_trace"
PICK_LABEL = "aegis_pick"
PICK_MODULUS = 4093
SAMPLING_LABELS = (
    f"| label_format {TRACE_LABEL}=`{{{{.trace_id}}}}{{{{.traceID}}}}{{{{.traceid}}}}`,"
    f" {PICK_LABEL}=`{{{{mod (unixEpochNanos __timestamp__) {PICK_MODULUS}}}}}`"
)
FORGET_SAMPLING_LABELS = f"| drop {TRACE_LABEL}, {PICK_LABEL}"


def any_value(label: str, operator: Literal["=", "!="], values: Iterable[str]) -> Condition:
    """The label is one of `values` (`=`), or none of them (`!=`); there is at least one."""
    parts = tuple(Matcher(label, operator, value) for value in values)
    if len(parts) == 1:
        return parts[0]
    return AnyOf(parts) if operator == "=" else AllOf(parts)

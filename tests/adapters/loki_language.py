"""Executes the LogQL our adapter can emit, and refuses all other LogQL."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aegis.adapters.loki.logql import FORGET_SAMPLING_LABELS, PICK_MODULUS, SAMPLING_LABELS

Labels = dict[str, str]
Keeps = Callable[[Labels, str], bool]

_COUNT = re.compile(
    r"sum(?: by \(([\w, ]+)\) )?\((count|bytes)_over_time\((.*) \[(\d+)s\]\)\)", re.DOTALL
)
_STRING = r'"(?:[^"\\\x00-\x1f]|\\.)*"'
_MATCHER = re.compile(rf"([A-Za-z_]\w*)(=~|!~|!=|=)({_STRING})", re.ASCII)
_BELOW = re.compile(r"([A-Za-z_]\w*)<(\d+)", re.ASCII)
_LINE_FILTER = re.compile(rf"(\|=|!=|\|~|!~) ({_STRING})")


class ParseError(Exception):
    """Not of the shapes we emit."""


@dataclass(frozen=True)
class StoredLine:
    """A line in a stream; Loki keeps `metadata` beside the line."""

    time_ns: int
    body: str
    stream: Mapping[str, str]
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Parsed:
    """`by` None: a log query."""

    selects: Keeps
    keeps: Keeps
    by: tuple[str, ...] | None
    range_s: int = 0
    in_bytes: bool = False

    def labels_of(self, line: StoredLine, added: Mapping[str, str]) -> Labels | None:
        """All labels of a line that passes, else None."""
        if not self.selects(dict(line.stream), ""):
            return None
        labels = {**line.stream, **line.metadata, **added}
        trace = "".join(labels.get(name, "") for name in ("trace_id", "traceID", "traceid"))
        pick = str(line.time_ns % PICK_MODULUS)
        seen = {**labels, "aegis_trace": trace, "aegis_pick": pick}
        return labels if self.keeps(seen, line.body) else None


def unquoted(text: str) -> str:
    """What Loki reads a quoted string as."""
    pairs = re.sub(
        r"(\\\\)|\\U([0-9a-f]{8})",
        lambda found: found[1] or json.dumps(chr(int(found[2], 16)))[1:-1],
        text,
    )
    read = json.loads(pairs)
    assert isinstance(read, str)
    return read


def parse(query: str) -> Parsed:
    """ParseError for what our adapter does not emit."""
    if query.startswith("sum"):
        counted = _COUNT.fullmatch(query)
        if counted is None:
            raise ParseError(query)
        by = tuple(counted[1].split(", ")) if counted[1] else ()
        selects, keeps = _log_query(counted[3])
        return Parsed(selects, keeps, by, int(counted[4]), counted[2] == "bytes")
    return Parsed(*_log_query(query), None)


def _log_query(query: str) -> tuple[Keeps, Keeps]:
    matchers: list[Keeps] = []
    place = 1
    if not query.startswith("{"):
        raise ParseError(query)
    needs_value = False
    while True:
        found = _MATCHER.match(query, place)
        if found is None:
            raise ParseError(query)
        matchers.append(_matcher(found))
        needs_value |= not matchers[-1]({}, "")
        place = found.end()
        if query.startswith(", ", place):
            place += 2
            continue
        if not query.startswith("}", place):
            raise ParseError(query)
        break
    if not needs_value:
        raise ParseError("queries require at least one matcher that is not empty-compatible")
    stages: list[Keeps] = []
    rest = query[place + 1 :]
    while rest:
        stage, rest = _stage(rest.removeprefix(" "))
        stages.append(stage)
    return _all(matchers), _all(stages)


def _stage(text: str) -> tuple[Keeps, str]:
    for constant in (SAMPLING_LABELS, FORGET_SAMPLING_LABELS):
        if text.startswith(constant):
            return _all([]), text[len(constant) :]
    if found := _LINE_FILTER.match(text):
        return _line_filter(found[1], unquoted(found[2])), text[found.end() :]
    if text.startswith("| "):
        return _condition(text[2:])
    raise ParseError(text)


def _condition(text: str) -> tuple[Keeps, str]:
    if found := _MATCHER.match(text):
        return _matcher(found, filters=True), text[found.end() :]
    if found := _BELOW.match(text):
        name, limit = found[1], int(found[2])
        return (lambda labels, _: int(labels[name]) < limit), text[found.end() :]
    if not text.startswith("("):
        raise ParseError(text)
    parts, words = [], set()
    rest = text[1:]
    while True:
        part, rest = _condition(rest)
        parts.append(part)
        joined = re.match(r" (and|or) ", rest)
        if joined is None:
            break
        words.add(joined[1])
        rest = rest[joined.end() :]
    if not rest.startswith(")") or len(words) > 1:
        raise ParseError(text)
    return (_any(parts) if words == {"or"} else _all(parts)), rest[1:]


def _matcher(found: re.Match[str], filters: bool = False) -> Keeps:
    name, operator, value = found[1], found[2], unquoted(found[3])
    if operator in ("=", "!="):
        return lambda labels, _: (labels.get(name, "") == value) is (operator == "=")
    if filters and (literal := re.fullmatch(r"\.\*(\w+)|(\w+)\.\*", value)):
        value = f".*{literal[1] or literal[2]}.*"  # as Loki does, though it should not
    pattern = re.compile(value, re.DOTALL)
    return lambda labels, _: bool(pattern.fullmatch(labels.get(name, ""))) is (operator == "=~")


def _line_filter(operator: str, value: str) -> Keeps:
    if operator in ("|=", "!="):
        return lambda _, body: (value in body) is (operator == "|=")
    pattern = re.compile(value)
    return lambda _, body: bool(pattern.search(body)) is (operator == "|~")


def _all(parts: list[Keeps]) -> Keeps:
    return lambda labels, body: all(part(labels, body) for part in parts)


def _any(parts: list[Keeps]) -> Keeps:
    return lambda labels, body: any(part(labels, body) for part in parts)

"""PromQL text: names and values written safely, and expressions of others checked.

Whatever comes from telemetry, alerts or people passes through `quoted` (exact match) or
`re2_quoted` (inside a regex) and through nothing else. Expressions that a model or a user
wrote are checked before they are sent: a server's own limits cannot be relied on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aegis.model.errors import InvalidRequest
from aegis.model.label_text import label_name, quoted

MOST_CHARACTERS = 1024
MOST_NESTED = 32
MOST_PATTERN = 256
MOST_POINTS = 1000
MOST_SERIES = 200
RANGE_RULES = ((timedelta(hours=6), 0), (timedelta(hours=24), 60), (timedelta(days=7), 300))
"""(longest range, least step in seconds) of what may be asked."""
LONGEST_LOOK_BACK = timedelta(hours=6)
LONGEST_OFFSET = timedelta(days=31)
USUAL_STEP_S = 60
"""Resolution of a subquery that names none: the server's evaluation interval, mostly 1 min."""

_LEGACY_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_RE2_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")
_NOT_LEGACY = re.compile(r"[^a-zA-Z0-9_:]")
_QUOTES = "\"'`"


def re2_quoted(value: str) -> str:
    """The value as a PromQL string for `=~` that matches exactly it."""
    pattern = _RE2_SPECIAL.sub(lambda found: "\\" + found[0], value)
    if len(pattern) > MOST_PATTERN:
        raise InvalidRequest("pattern", f"longer than {MOST_PATTERN} characters")
    return quoted(pattern)


def one_of(values: Iterable[str]) -> str:
    """The names as one `=~` pattern of alternatives, a PromQL string. Ours: not length-capped."""
    return quoted("|".join(_RE2_SPECIAL.sub(lambda found: "\\" + found[0], one) for one in values))


def selector(metric: str, matchers: Mapping[str, str], *, utf8: bool = True) -> str:
    """An instant vector selector with `=` matchers, in the order given.

    Without `utf8` (servers before 3.0) a dotted name is asked for as it is stored there: with
    underscores.
    """
    if not utf8:
        metric = _NOT_LEGACY.sub("_", metric)
        matchers = {_NOT_LEGACY.sub("_", name): value for name, value in matchers.items()}
    inside = [f"{label_name(name)}={quoted(value)}" for name, value in matchers.items()]
    if _LEGACY_METRIC.fullmatch(metric):
        return f"{metric}{{{','.join(inside)}}}" if inside else metric
    return "{" + ",".join([quoted(metric), *inside]) + "}"


@dataclass(frozen=True, slots=True)
class CheckedRange:
    """An expression that may be sent over a range; `points` a series, subqueries counted."""

    promql: str
    step_s: int
    points: int


def check_range(promql: str, range_s: float, step_s: int) -> CheckedRange:
    """Raises InvalidRequest that says what to change; sends nothing.

    Length and nesting are counted before the parser sees the text: 10,000 parentheses end
    the parser's process, 4,000 terms keep it busy for seconds.
    """
    if step_s < 1:
        raise InvalidRequest("step", "must be at least 1 s")
    allowed = [step for longest, step in RANGE_RULES if range_s <= longest.total_seconds()]
    if not allowed:
        raise InvalidRequest("range", "longer than 7 days; ask for less")
    if step_s < allowed[0]:
        raise InvalidRequest("step", f"must be at least {allowed[0]} s over so long a range")
    points = int(range_s // step_s) + 1
    if points > MOST_POINTS:
        least = int(range_s // (MOST_POINTS - 1)) + 1
        raise InvalidRequest("step", f"{points} points are too many; use a step of {least} s")
    tree = parsed(promql)
    if type(tree).__name__ in ("MatrixSelector", "SubqueryExpr", "StringLiteral"):
        raise InvalidRequest("promql", "is no value at a moment; put rate(…) or the like around it")
    inner = _inner_points(tree, 1)
    if points * inner > MOST_POINTS * 10:
        raise InvalidRequest(
            "promql", f"its subqueries evaluate {points * inner} points; use a coarser one"
        )
    return CheckedRange(promql, step_s, points * inner)


def check_instant(promql: str) -> CheckedRange:
    """The same for a single moment."""
    points = _inner_points(parsed(promql), 1)
    if points > MOST_POINTS:
        raise InvalidRequest("promql", f"its subqueries evaluate {points} points, not ≤ 1000")
    return CheckedRange(promql, 0, points)


def parsed(promql: str) -> Any:
    """The syntax tree; InvalidRequest where the text is none or could hurt the parser."""
    import promql_parser

    if len(promql) > MOST_CHARACTERS:
        raise InvalidRequest("promql", f"longer than {MOST_CHARACTERS} characters")
    if _nesting(promql) > MOST_NESTED:
        raise InvalidRequest("promql", f"nested deeper than {MOST_NESTED}")
    try:
        return promql_parser.parse(promql)
    except ValueError as error:
        first = str(error).strip().partition("\n")[0]
        raise InvalidRequest("promql", first[:200] or "is no PromQL") from None


def _nesting(promql: str) -> int:
    """The deepest run of open brackets or unary signs outside strings; closing pays back."""
    depth = deepest = signs = 0
    for char in _outside_strings(promql):
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        signs = signs + 1 if char in "+-" else signs if char.isspace() else 0
        deepest = max(deepest, depth + signs)
    return deepest


def _outside_strings(promql: str) -> Iterator[str]:
    """The characters outside string literals and comments."""
    place, end = 0, len(promql)
    while place < end:
        char = promql[place]
        if char == "#":
            place = promql.find("\n", place)
            if place < 0:
                return
        elif char in _QUOTES:
            place = _after_string(promql, place)
            continue
        else:
            yield char
        place += 1


def _after_string(promql: str, start: int) -> int:
    """The place after the string literal that begins at `start`; the end where it is open."""
    quote, place = promql[start], start + 1
    while place < len(promql) and promql[place] != quote:
        place += 2 if promql[place] == "\\" and quote != "`" else 1
    return place + 1


def _inner_points(node: Any, times: int) -> int:
    """How often the leaves are evaluated for one point of the whole, by the widest subquery."""
    kind = type(node).__name__
    if kind == "SubqueryExpr":
        _check_offset(node.offset)
        step_s = (node.step or timedelta(seconds=USUAL_STEP_S)).total_seconds()
        if step_s <= 0:
            raise InvalidRequest("promql", "a subquery needs a step above zero")
        times *= int(node.range.total_seconds() // step_s) + 1
        if times > MOST_POINTS * 10:
            raise InvalidRequest("promql", f"a subquery evaluates {times} points")
        return _inner_points(node.expr, times)
    if kind == "MatrixSelector":
        if node.range > LONGEST_LOOK_BACK:
            raise InvalidRequest("promql", "looks back further than 6 h at every point")
        return _inner_points(node.vector_selector, times)
    if kind == "VectorSelector":
        _check_offset(node.offset)
        _check_selective(node)
        return times
    return max((_inner_points(child, times) for child in children(node)), default=times)


def children(node: Any) -> Iterator[Any]:
    """The expressions that an expression is made of."""
    for name in ("expr", "lhs", "rhs", "param"):
        child = getattr(node, name, None)
        if child is not None and not isinstance(child, str | int | float):
            yield child
    args = getattr(node, "args", None)
    if args is not None:
        yield from args


def _check_offset(offset: timedelta | None) -> None:
    if offset is not None and abs(offset) > LONGEST_OFFSET:
        raise InvalidRequest("promql", "an offset of more than 31 days")


def _check_selective(node: Any) -> None:
    """A selector names its metric, or has a matcher that is no pattern."""
    if node.matchers.or_matchers:
        raise InvalidRequest("promql", "`or` between matchers is not PromQL; join two selectors")
    matchers = node.matchers.matchers
    for one in matchers:
        if len(one.value) > MOST_PATTERN:
            raise InvalidRequest("promql", f"a matcher longer than {MOST_PATTERN} characters")
    named = bool(node.name) or any(str(one.op) == "MatchOp.Equal" and one.value for one in matchers)
    if not named:
        raise InvalidRequest("promql", "a selector must name its metric or match a label with =")

"""What may be broken: each operator proposes small edits of one syntax node.

An edit changes the node it is given in place, so that the same edit can be applied to a
freshly parsed copy of the module. docs/mutation.md lists the operators for readers.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Edit = Callable[[ast.AST], None]
Role = Literal["plain", "slice_bound", "power"]
"""What a node is to the one around it; of `2.0**30` both numbers are "power"."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node stands: `weight` is true inside a module constant or a field default."""

    weight: bool
    role: Role


@dataclass(frozen=True, slots=True)
class Operator:
    name: str
    summary: str
    edits: Callable[[ast.AST, Place], Iterator[Edit]]


def _number(node: ast.AST) -> int | float | None:
    """The value of a numeric literal; None for anything else, booleans too."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        value = node.value
        assert isinstance(value, int | float)  # noqa: S101 (narrows the type for mypy)
        return value
    return None


def _set_value(value: float) -> Edit:
    def edit(node: ast.AST) -> None:
        assert isinstance(node, ast.Constant)  # noqa: S101
        node.value = value

    return edit


def _sign(node: ast.AST, place: Place) -> Iterator[Edit]:
    value = _number(node)
    if place.weight and place.role != "power" and value:
        yield _set_value(-value)


GUARD = 1e-6
"""Smaller literals only keep a division from failing; doubling them changes nothing."""


def _constant(node: ast.AST, place: Place) -> Iterator[Edit]:
    value = _number(node)
    if value is None or place.role == "slice_bound" or 0 < abs(value) < GUARD:
        return
    yield _set_value(value * 2 if value else 1)


_FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_EDGES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}


def _set_comparison(index: int, operator: type[ast.cmpop]) -> Edit:
    def edit(node: ast.AST) -> None:
        assert isinstance(node, ast.Compare)  # noqa: S101
        node.ops[index] = operator()

    return edit


def _comparison(node: ast.AST, place: Place) -> Iterator[Edit]:
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            yield _set_comparison(index, _FLIPPED[type(operator)])


_TIME_WORDS = frozenset(
    [
        "start",
        "starts",
        "end",
        "ends",
        "begin",
        "time",
        "times",
        "ns",
        "window",
        "onset",
        "since",
        "until",
        "edge",
        "edges",
    ]
)


def _speaks_of_time(node: ast.AST) -> bool:
    names = (
        name
        for part in ast.walk(node)
        for name in (getattr(part, "id", None), getattr(part, "attr", None))
        if isinstance(name, str)
    )
    return any(_TIME_WORDS & set(re.split(r"_|\d", name.lower())) for name in names)


def _shift_bound(field: str, step: int) -> Edit:
    def edit(node: ast.AST) -> None:
        bound = getattr(node, field)
        operator = ast.Add() if step > 0 else ast.Sub()
        setattr(node, field, ast.BinOp(left=bound, op=operator, right=ast.Constant(abs(step))))

    return edit


def _swap_side(node: ast.AST) -> None:
    assert isinstance(node, ast.Call)  # noqa: S101
    for keyword in node.keywords:
        if keyword.arg == "side" and isinstance(keyword.value, ast.Constant):
            keyword.value = ast.Constant("left" if keyword.value.value == "right" else "right")
            return
    node.keywords.append(ast.keyword(arg="side", value=ast.Constant("right")))


def _window_edge(node: ast.AST, place: Place) -> Iterator[Edit]:
    if isinstance(node, ast.Compare) and _speaks_of_time(node):
        for index, operator in enumerate(node.ops):
            if type(operator) in _EDGES:
                yield _set_comparison(index, _EDGES[type(operator)])
    elif isinstance(node, ast.Slice):
        if node.lower is not None:
            yield _shift_bound("lower", 1)
        if node.upper is not None:
            yield _shift_bound("upper", -1)
    elif isinstance(node, ast.Call) and _called(node) == "searchsorted":
        yield _swap_side


def _called(node: ast.Call) -> str:
    """The last name of what is called: `searchsorted` of `np.searchsorted(…)`."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}
_MASKS: dict[type[ast.operator], type[ast.operator]] = {
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


def _set_operator(operator: type[ast.operator]) -> Edit:
    def edit(node: ast.AST) -> None:
        assert isinstance(node, ast.BinOp | ast.AugAssign)  # noqa: S101
        node.op = operator()

    return edit


def _is_text(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str | bytes)
    return isinstance(node, ast.JoinedStr)


def _arithmetic(node: ast.AST, place: Place) -> Iterator[Edit]:
    if isinstance(node, ast.BinOp):
        operands: tuple[ast.expr, ...] = (node.left, node.right)
    elif isinstance(node, ast.AugAssign):
        operands = (node.value,)
    else:
        return
    operator = _ARITHMETIC.get(type(node.op))
    if operator is not None and not any(map(_is_text, operands)):
        yield _set_operator(operator)


_EXTREMES = {
    "min": "max",
    "minimum": "maximum",
    "nanmin": "nanmax",
    "argmin": "argmax",
    "nanargmin": "nanargmax",
    "fmin": "fmax",
}
_EXTREMES |= {right: left for left, right in _EXTREMES.items()}


def _swap_extreme(node: ast.AST) -> None:
    assert isinstance(node, ast.Call)  # noqa: S101
    if isinstance(node.func, ast.Attribute):
        node.func.attr = _EXTREMES[node.func.attr]
    elif isinstance(node.func, ast.Name):
        node.func.id = _EXTREMES[node.func.id]


def _extreme(node: ast.AST, place: Place) -> Iterator[Edit]:
    if isinstance(node, ast.Call) and _called(node) in _EXTREMES:
        yield _swap_extreme


def _swap_bool_op(node: ast.AST) -> None:
    assert isinstance(node, ast.BoolOp)  # noqa: S101
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()


def _logic(node: ast.AST, place: Place) -> Iterator[Edit]:
    if isinstance(node, ast.BoolOp):
        yield _swap_bool_op
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _MASKS:
        yield _set_operator(_MASKS[type(node.op)])


def _not(expression: ast.expr) -> ast.expr:
    return ast.UnaryOp(op=ast.Not(), operand=expression)


def _negate_test(node: ast.AST) -> None:
    assert isinstance(node, ast.If | ast.IfExp | ast.While)  # noqa: S101
    node.test = _not(node.test)


def _negate_filter(index: int) -> Edit:
    def edit(node: ast.AST) -> None:
        assert isinstance(node, ast.comprehension)  # noqa: S101
        node.ifs[index] = _not(node.ifs[index])

    return edit


def _undo_inversion(node: ast.AST) -> None:
    assert isinstance(node, ast.UnaryOp)  # noqa: S101
    node.operand = ast.UnaryOp(op=ast.Invert(), operand=node.operand)


def _condition(node: ast.AST, place: Place) -> Iterator[Edit]:
    """Conditions that are one comparison are left to that operator: the change is the same."""
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        if not isinstance(node.test, ast.Compare):
            yield _negate_test
    elif isinstance(node, ast.comprehension):
        for index, test in enumerate(node.ifs):
            if not isinstance(test, ast.Compare):
                yield _negate_filter(index)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
        yield _undo_inversion


OPERATORS: tuple[Operator, ...] = (
    Operator("sign", "turns the sign of a weight", _sign),
    Operator("comparison", "turns a comparison round: < to >, == to !=, in to not in", _comparison),
    Operator(
        "edge", "moves a window edge: < to <= on times, slice bounds, search side", _window_edge
    ),
    Operator("arithmetic", "swaps + with -, * with /", _arithmetic),
    Operator("extreme", "swaps min with max", _extreme),
    Operator("logic", "swaps and with or, & with |", _logic),
    Operator("condition", "negates a condition or a mask", _condition),
    Operator("constant", "doubles a number, makes 0 a 1", _constant),
)

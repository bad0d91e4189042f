"""Finds every place in a package where an operator applies, and builds the broken module."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import CodeType

from lab.mutation.operators import Operator, Place, Role

EQUIVALENT = re.compile(r"#\s*mutate:\s*equivalent\b[ :]*(?P<reason>.*)")
PROSE_CALLS = frozenset({"Text"})
LOGGERS = frozenset({"log", "logger", "logging"})


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change. `statement` are the source lines whose execution reaches it.

    `at_import` is true where the change works when the module is imported, so that any test
    may notice. `before` and `after` are the changed source line, shortened to the expression
    where that spans several lines.
    """

    module: str
    path: Path
    line: int
    operator: str
    node_index: int
    edit_index: int
    statement: range
    at_import: bool
    before: str
    after: str


class UnexplainedMark(ValueError):
    """A `# mutate: equivalent` that does not say why."""


@dataclass(frozen=True, slots=True)
class _Site:
    node: ast.AST
    place: Place
    statement: range
    at_import: bool


def find_mutants(
    module: str, path: Path, operators: Sequence[Operator]
) -> tuple[list[Mutant], int]:
    """Every mutant of one file in source order, and how many are marked as equivalent."""
    source = path.read_text(encoding="utf-8")
    source_lines = source.splitlines()
    marked = _marked_lines(path, source_lines)
    tree = ast.parse(source)
    indexes = {id(node): index for index, node in enumerate(ast.walk(tree))}
    found: list[Mutant] = []
    equivalent = 0
    for site in _sites(tree):
        for operator in operators:
            for edit_index, _ in enumerate(operator.edits(site.node, site.place)):
                lines = _lines_of(site.node)
                if marked & set(lines):
                    equivalent += 1
                    continue
                index = indexes[id(site.node)]
                before, after = _difference(source_lines, site, operator, edit_index)
                found.append(
                    Mutant(
                        module=module,
                        path=path,
                        line=lines.start,
                        operator=operator.name,
                        node_index=index,
                        edit_index=edit_index,
                        statement=site.statement,
                        at_import=site.at_import,
                        before=before,
                        after=after,
                    )
                )
    return sorted(found, key=lambda mutant: (mutant.line, mutant.node_index)), equivalent


def compile_mutant(mutant: Mutant, operator: Operator) -> CodeType:
    """The module's code with the change in it; line numbers stay as they are in the file."""
    tree = ast.parse(mutant.path.read_text(encoding="utf-8"))
    target = next(islice(ast.walk(tree), mutant.node_index, None))
    for site in _sites(tree):
        if site.node is target:
            list(operator.edits(site.node, site.place))[mutant.edit_index](site.node)
            return compile(ast.fix_missing_locations(tree), str(mutant.path), "exec")
    raise LookupError(f"{mutant.path} changed while its mutants were running")


def sample_evenly(mutants: Sequence[Mutant], size: int, offset: float) -> list[Mutant]:
    """`size` mutants at equal steps through operators, modules and lines.

    `offset` in [0, 1) moves the first step, so that each seed sees other mutants.
    """
    ordered = sorted(mutants, key=lambda m: (m.operator, m.module, m.line, m.node_index))
    if size >= len(ordered):
        return ordered
    step = len(ordered) / size
    return [ordered[int((index + offset) * step)] for index in range(size)]


def _marked_lines(path: Path, source_lines: Sequence[str]) -> set[int]:
    marked = set()
    for number, line in enumerate(source_lines, start=1):
        if mark := EQUIVALENT.search(line):
            if not mark["reason"].strip():
                raise UnexplainedMark(f"{path}:{number}: say why the mutant is equivalent")
            marked.add(number)
    return marked


def _sites(tree: ast.Module) -> Iterator[_Site]:
    yield from _walk_body(tree.body, in_function=False)


def _walk_body(body: Sequence[ast.stmt], *, in_function: bool) -> Iterator[_Site]:
    for statement in body:
        if _is_prose(statement):
            continue
        header = _header_of(statement)
        weight = not in_function and isinstance(statement, ast.Assign | ast.AnnAssign)
        for node, role in _walk_header(statement):
            yield _Site(node, Place(weight, role), header, at_import=not in_function)
        function = isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in _bodies_of(statement):
            yield from _walk_body(inner, in_function=in_function or function)


def _bodies_of(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for field in ("body", "orelse", "finalbody"):
        inner = getattr(statement, field, None)
        if inner:
            yield inner
    for handler in getattr(statement, "handlers", ()):
        yield handler.body
    for case in getattr(statement, "cases", ()):
        yield case.body


def _header_of(statement: ast.stmt) -> range:
    """The lines of a statement without the statements inside it."""
    end = statement.end_lineno or statement.lineno
    first_inner = min((body[0].lineno for body in _bodies_of(statement)), default=end + 1)
    return range(statement.lineno, max(min(end + 1, first_inner), statement.lineno + 1))


def _is_prose(statement: ast.stmt) -> bool:
    """Docstrings, `__all__` and blocks that only a type checker sees."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    if isinstance(statement, ast.Assign):
        return any(isinstance(t, ast.Name) and t.id == "__all__" for t in statement.targets)
    if isinstance(statement, ast.If):
        return isinstance(statement.test, ast.Name) and statement.test.id == "TYPE_CHECKING"
    return False


def _walk_header(statement: ast.stmt) -> Iterator[tuple[ast.AST, Role]]:
    """The nodes of a statement that may be changed."""
    yield statement, "plain"
    for field, value in ast.iter_fields(statement):
        if field in {"annotation", "returns", "decorator_list", "bases", "keywords", "type_params"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.match_case):
                if child.guard is not None:
                    yield from _walk_expression(child.guard, "plain")
            elif isinstance(child, ast.AST) and not isinstance(child, ast.stmt | ast.ExceptHandler):
                yield from _walk_expression(child, "plain")


def _walk_expression(node: ast.AST, role: Role) -> Iterator[tuple[ast.AST, Role]]:
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Call) and _writes_prose(node)):
        return
    yield node, role
    inner: Role = role if isinstance(node, ast.UnaryOp) else "plain"
    if isinstance(node, ast.Slice):
        inner = "slice_bound"
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        inner = "power"
    for field, value in ast.iter_fields(node):
        if isinstance(node, ast.arg) and field == "annotation":
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _walk_expression(child, inner)


def _writes_prose(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id in PROSE_CALLS
    return (
        isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in LOGGERS
    )


def _shown(node: ast.AST) -> ast.expr | None:
    """The expression of a node that is printed: of an `if`, its test."""
    if isinstance(node, ast.If | ast.While):
        return node.test
    if isinstance(node, ast.comprehension):
        return ast.Tuple(elts=node.ifs, ctx=ast.Load()) if node.ifs else None
    return node if isinstance(node, ast.expr) else None


def _lines_of(node: ast.AST) -> range:
    """The source lines of what an edit of the node changes."""
    if isinstance(node, ast.comprehension):
        starts = [test.lineno for test in node.ifs]
        ends = [test.end_lineno or test.lineno for test in node.ifs]
        return range(min(starts), max(ends) + 1)
    shown = _shown(node) or node
    start: int = getattr(shown, "lineno", 0)
    return range(start, (getattr(shown, "end_lineno", None) or start) + 1)


def _difference(
    lines: Sequence[str], site: _Site, operator: Operator, edit_index: int
) -> tuple[str, str]:
    changed = copy.deepcopy(site.node)
    list(operator.edits(changed, site.place))[edit_index](changed)
    if isinstance(changed, ast.AugAssign):
        return _one_line(ast.unparse(site.node)), _one_line(ast.unparse(changed))
    shown, shown_after = _shown(site.node), _shown(changed)
    if shown is None or shown_after is None:
        raise TypeError(f"{operator.name} changes a {type(site.node).__name__} nobody can print")
    before, after = ast.unparse(shown), ast.unparse(shown_after)
    row = getattr(shown, "lineno", None)
    if row is None or row != shown.end_lineno or shown.end_col_offset is None:
        return _one_line(before), _one_line(after)
    line = lines[row - 1].encode()
    head, tail = line[: shown.col_offset], line[shown.end_col_offset :]
    return line.decode().strip(), (head + after.encode() + tail).decode().strip()


def _one_line(text: str) -> str:
    return " ".join(text.split())

"""The selectors inside an expression that somebody else wrote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aegis.adapters.prometheus.promql import children, parsed
from aegis.model.label_text import label_name, quoted

_SIGNS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


@dataclass(frozen=True, slots=True)
class Selector:
    """`name` is empty where only `matchers` (label, sign, value) tell the metric."""

    name: str
    matchers: tuple[tuple[str, str, str], ...]
    offset_s: int

    def text(self) -> str:
        """PromQL, written anew: values are quoted by us, not by the parser."""
        inside = [
            f"{label_name(label)}{sign}{quoted(value)}" for label, sign, value in self.matchers
        ]
        text = f"{self.name}{{{','.join(inside)}}}" if inside else self.name
        return f"{text} offset {self.offset_s}s" if self.offset_s else text


def selectors_of(promql: str) -> tuple[str, ...]:
    """The distinct selectors of an expression, each as PromQL of its own."""
    return tuple(dict.fromkeys(one.text() for one in _selectors(parsed(promql))))


def lone_selector(promql: str) -> Selector | None:
    """The selector that is the whole expression; None where there is more to it."""
    tree = parsed(promql)
    return _selector(tree) if type(tree).__name__ == "VectorSelector" else None


def _selectors(node: Any) -> Iterator[Selector]:
    kind = type(node).__name__
    if kind == "VectorSelector":
        yield _selector(node)
    elif kind == "MatrixSelector":
        yield _selector(node.vector_selector)
    else:
        for child in children(node):
            yield from _selectors(child)


def _selector(node: Any) -> Selector:
    matchers = tuple(
        (one.name, _SIGNS[str(one.op).rpartition(".")[2]], one.value)
        for one in node.matchers.matchers
    )
    seconds = int(node.offset.total_seconds()) if node.offset is not None else 0
    return Selector(node.name or "", matchers, seconds)

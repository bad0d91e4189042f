"""Several expressions in one request, and their results apart again.

Each expression gets a label of its own, so that `or` keeps all of them. The `or`s form a
balanced tree: a chain would compare every result with all before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aegis.adapters.prometheus.answers import Row
from aegis.model.label_text import quoted

MARK = "aegis_signal"
OVERHEAD = 48
"""Characters that joining adds to an expression."""


def marked(expression: str, place: int) -> str:
    return f'label_replace({expression}, "{MARK}", {quoted(str(place))}, "", "")'


def joined(expressions: Mapping[int, str]) -> str:
    """One expression; `apart` tells the results by the keys. Not empty."""
    return _tree([marked(expression, place) for place, expression in expressions.items()])


def counted(expressions: Mapping[int, str]) -> str:
    """How many series each expression has, at one moment."""
    return joined({place: f"count({one})" for place, one in expressions.items()})


def apart(rows: Sequence[Row]) -> dict[int, list[Row]]:
    """Rows by their mark, without it; rows that bear no mark of ours are dropped."""
    found: dict[int, list[Row]] = {}
    for row in rows:
        mark = row.labels.get(MARK, "")
        if mark.isascii() and mark.isdigit():
            labels = {name: value for name, value in row.labels.items() if name != MARK}
            found.setdefault(int(mark), []).append(Row(labels, row.times_ns, row.values))
    return found


def _tree(parts: Sequence[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return f"({_tree(parts[:half])} or {_tree(parts[half:])})"

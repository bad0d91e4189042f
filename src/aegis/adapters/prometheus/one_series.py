"""The PromQL of one series out of an expression that gives one a service.

It is what an answer cites: asked again by anybody, it gives the same rows. Where every
metric in the expression has a label, the label goes into the selectors, and the server
reads little; where a label is made by the expression itself, its result is filtered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from aegis.adapters.prometheus.inventory import Inventory
from aegis.adapters.prometheus.promql import label_name, quoted

_TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*")|(?P<dotted>\{\s*"(?:[^"\\]|\\.)*"\s*(?=[,}]))"""
    r"""|(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?P<after>\s*[\{\[\(]?)|(?P<other>.)""",
    re.DOTALL,
)


def one_series(promql: str, labels: Mapping[str, str], inventory: Inventory) -> str:
    """`labels` are all labels of the result that may differ between series, "" = absent."""
    stored = list(_stored_labels(promql, inventory))
    pushed = {
        name: value
        for name, value in labels.items()
        if value and stored and all(name in one for one in stored) and not _made(name, promql)
    }
    inside = ",".join(f"{label_name(name)}={quoted(value)}" for name, value in pushed.items())
    narrowed = _with_matchers(promql, inside, inventory) if inside else promql
    rest = {name: value for name, value in labels.items() if name not in pushed}
    if not rest:
        return narrowed
    wanted = "vector(1)"
    for name, value in rest.items():
        if value:
            wanted = f'label_replace({wanted}, {quoted(name)}, {quoted(_literal(value))}, "", "")'
    on = ", ".join(label_name(name) for name in rest)
    return f"({narrowed}) and on ({on}) {wanted}"


def _literal(value: str) -> str:
    """In a replacement `$` begins a reference; `$$` is a dollar."""
    return value.replace("$", "$$")


def _made(label: str, promql: str) -> bool:
    """Whether some function of the expression writes the label."""
    return f", {quoted(label)}, " in promql


def _metric(found: re.Match[str], inventory: Inventory) -> str | None:
    """The metric that a selector at this place names; None where this is no selector."""
    if found["dotted"]:
        return re.sub(r'^\{\s*"|"\s*$', "", found["dotted"]).replace('\\"', '"')
    name = found["name"]
    if name is None or found["after"].strip() == "(":
        return None
    is_selector = bool(found["after"].strip()) or name in inventory.metrics
    return name if is_selector and not name.isdigit() else None


def _stored_labels(promql: str, inventory: Inventory) -> Iterator[Mapping[str, frozenset[str]]]:
    for found in _TOKEN.finditer(promql):
        name = _metric(found, inventory)
        if name is not None:
            yield inventory.labels(name)


def _with_matchers(promql: str, inside: str, inventory: Inventory) -> str:
    def narrowed(found: re.Match[str]) -> str:
        name = _metric(found, inventory)
        if name is None:
            return found[0]
        if found["dotted"]:
            return f"{found[0]},{inside}"
        if found["after"].strip() == "{":
            rest = promql[found.end() :].lstrip()
            return f"{found[0]}{inside}" + ("" if rest.startswith("}") else ",")
        return f"{found['name']}{{{inside}}}{found['after']}"

    return _TOKEN.sub(narrowed, promql)

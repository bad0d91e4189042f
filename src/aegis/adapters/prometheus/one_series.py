"""The PromQL of one series out of an expression that gives one a service.

It is what an answer cites: asked again by anybody, it gives the same rows. Where every
metric in the expression has a label, the label goes into the selectors, and the server
reads little; where a label is made by the expression itself, its result is filtered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from aegis.adapters.prometheus.inventory import Inventory
from aegis.model.label_text import label_name, quoted

_TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*")|(?P<dotted>\{\s*"(?:[^"\\]|\\.)*"\s*(?=[,}]))"""
    r"""|(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?P<after>\s*[\{\[\(]?)|(?P<other>.)""",
    re.DOTALL,
)


@dataclass(slots=True)
class OneSeries:
    """An expression taken apart once, so that many series can be cut out of it.

    `pieces` are its text between the places where matchers go; each place has the text
    that stands before and after the matchers.
    """

    promql: str
    pieces: tuple[str, ...]
    places: tuple[tuple[str, str], ...]
    stored: tuple[Mapping[str, frozenset[str]], ...]
    _pushable: dict[str, bool] = field(default_factory=dict)

    @staticmethod
    def of(promql: str, inventory: Inventory) -> OneSeries:
        pieces, places, stored = [], [], []
        begun = 0
        for found in _TOKEN.finditer(promql):
            name = _metric(found, inventory)
            if name is None:
                continue
            stored.append(inventory.labels(name))
            cut = found.end("name") if found["name"] else found.end()
            if found["dotted"]:
                places.append((",", ""))
            elif found["after"].strip() == "{":
                cut = found.end()
                is_empty = promql[cut:].lstrip().startswith("}")
                places.append(("", "" if is_empty else ","))
            else:
                places.append(("{", "}"))
            pieces.append(promql[begun:cut])
            begun = cut
        pieces.append(promql[begun:])
        return OneSeries(promql, tuple(pieces), tuple(places), tuple(stored))

    def with_labels(self, labels: Mapping[str, str]) -> str:
        """`labels` are all labels of the result that may differ between series, "" = absent."""
        pushed = {name: value for name, value in labels.items() if value and self._can_push(name)}
        rest = {name: value for name, value in labels.items() if name not in pushed}
        narrowed = self._narrowed(pushed) if pushed else self.promql
        if not rest:
            return narrowed
        wanted = "vector(1)"
        for name, value in rest.items():
            if value:
                literal = quoted(_literal(value))
                wanted = f'label_replace({wanted}, {quoted(name)}, {literal}, "", "")'
        return f"({narrowed}) and on ({', '.join(label_name(name) for name in rest)}) {wanted}"

    def _narrowed(self, pushed: Mapping[str, str]) -> str:
        inside = ",".join(f"{label_name(name)}={quoted(value)}" for name, value in pushed.items())
        text = [self.pieces[0]]
        for (before, after), piece in zip(self.places, self.pieces[1:], strict=True):
            text += [before, inside, after, piece]
        return "".join(text)

    def _can_push(self, label: str) -> bool:
        """Whether every metric has the label, and no function of the expression writes it."""
        known = self._pushable.get(label)
        if known is None:
            is_made = f", {quoted(label)}, " in self.promql
            known = bool(self.stored) and all(label in one for one in self.stored) and not is_made
            self._pushable[label] = known
        return known


def _literal(value: str) -> str:
    """In a replacement `$` begins a reference; `$$` is a dollar."""
    return value.replace("$", "$$")


def _metric(found: re.Match[str], inventory: Inventory) -> str | None:
    """The metric that a selector at this place names; None where this is no selector."""
    if found["dotted"]:
        return re.sub(r'^\{\s*"|"\s*$', "", found["dotted"]).replace('\\"', '"')
    name = found["name"]
    if name is None or found["after"].strip() == "(":
        return None
    return name if found["after"].strip() or name in inventory.metrics else None

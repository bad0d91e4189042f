"""Which queries to ask of a backend, given what exists there.

Conventions that give the same series are joined by `or`, the preferred one first, so that
the server picks for each service the best that it has, and no service is counted twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from aegis.adapters.prometheus.catalog import Catalog
from aegis.adapters.prometheus.entries import LAYERS, Convention, Signal, SignalEntry
from aegis.adapters.prometheus.expressions import expression_of, metrics_in, spelled, written_out
from aegis.adapters.prometheus.inventory import Inventory
from aegis.adapters.prometheus.sources import (
    Resolved,
    identity_of,
    identity_of_all,
    keep_of,
    resolve,
)

IMPORTANCE: tuple[Signal, ...] = (
    "errors",
    "latency",
    "traffic",
    "restarts",
    "saturation",
    "cpu",
    "memory",
    "disk",
    "network",
)
_STATUS_CLASS = re.compile(r"[1-5]xx")
GOLDEN = frozenset({"errors", "latency", "traffic"})


@dataclass(frozen=True, slots=True)
class SignalQuery:
    """One expression whose result is one canonical series a service.

    `identity`: result labels that may name the service, in order of preference; the first
    that is not empty does. `keep`: result labels that stay on the series. `signal` and the
    unit are what the engine reads from `series_name`.
    """

    series_name: str
    signal: Signal
    promql: str
    identity: tuple[str, ...]
    keep: tuple[str, ...]
    convention: str


@dataclass(frozen=True, slots=True)
class ChangeQuery:
    """One expression that tells when services changed.

    `reading`: "step" (the value changes then), "appears" (a new series begins then), "time"
    (the value is the Unix time of the change).
    """

    kind: str
    reading: str
    promql: str
    identity: tuple[str, ...]
    keep: tuple[str, ...]
    convention: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Queries in order of importance; `unused` says of each other convention why."""

    queries: tuple[SignalQuery, ...]
    changes: tuple[ChangeQuery, ...]
    unused: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Alternative:
    convention: Convention
    entry: SignalEntry
    of: Resolved
    others: dict[str, Resolved]


def plan(inventory: Inventory, catalog: Catalog, rate_window_s: int) -> Plan:
    """The same plan whatever the order of the inventory."""
    by_series: dict[str, list[_Alternative]] = {}
    changes: list[ChangeQuery] = []
    unused = []
    known = catalog.metric_names_of_interest() | catalog.families_of_interest()
    for convention in catalog.conventions:
        resolved, reasons = resolve(convention, inventory, rate_window_s, known)
        alternatives = list(_alternatives(convention, resolved))
        changed = list(_changes(convention, resolved))
        if convention.fallback:
            alternatives = [one for one in alternatives if one.entry.series not in by_series]
        for one in alternatives:
            by_series.setdefault(one.entry.series, []).append(one)
        changes += changed
        if not alternatives and not changed:
            unused.append((convention.name, _why(reasons, resolved)))
    found = [
        (_rank(alternatives[0]), place, _query(alternatives))
        for place, alternatives in enumerate(by_series.values())
    ]
    found.sort(key=lambda one: one[:2])
    return Plan(tuple(query for *_, query in found), tuple(changes), tuple(unused))


def _why(reasons: list[str], resolved: dict[str, list[Resolved]]) -> str:
    """Why nothing comes out of a convention."""
    if any(resolved.values()):
        reasons = [*reasons, "what is there has no label that names a service, or is not enough"]
    return "; ".join(reasons)


def _rank(first: _Alternative) -> tuple[int, int, int]:
    signal = first.entry.signal
    golden = 0 if signal in GOLDEN else 1
    layer = LAYERS.index(first.convention.layer)
    return golden, layer if golden == 0 else IMPORTANCE.index(signal), layer


def _alternatives(
    convention: Convention, resolved: dict[str, list[Resolved]]
) -> Iterator[_Alternative]:
    for entry in convention.signals:
        needed = [one for one in (entry.over, entry.bad_of) if one]
        needed += [one for one in metrics_in(entry.expression) if one != entry.of]
        for of in resolved[entry.of]:
            others = {alias: _partner(of, resolved[alias]) for alias in needed}
            bad = tuple(one for one in entry.bad if entry.bad_of or of.has_label(one.label))
            if not _asks_what_is_stored(entry, of) or (entry.bad and not bad):
                continue
            if not identity_of(convention, of):
                continue
            partners = {alias: one for alias, one in others.items() if one is not None}
            if len(partners) == len(needed):
                told = replace(entry, bad=bad, fill=_fill(entry, of))
                yield _Alternative(convention, told, of, partners)


def _partner(of: Resolved, candidates: list[Resolved]) -> Resolved | None:
    """Another metric of the same convention, spelled the same way where that exists."""
    alike = [one for one in candidates if one.place == of.place]
    return next(iter(alike or candidates), None)


def _asks_what_is_stored(entry: SignalEntry, of: Resolved) -> bool:
    source = of.source
    if entry.ask == "quantile":
        return source.has_buckets or source.native
    if entry.ask == "mean":
        return source.family and not source.native and of.only_totals
    return entry.ask != "status_mix" or of.has_label(entry.status)


def _fill(entry: SignalEntry, of: Resolved) -> tuple[str, ...]:
    """Statuses that read 0 when they do not occur, written the way the backend writes them."""
    seen = of.labels.get(spelled(entry.status, dotted=of.source.dotted), frozenset())
    if any(_STATUS_CLASS.fullmatch(one) for one in seen):
        return tuple(dict.fromkeys(f"{one[0]}xx" for one in entry.fill))
    return entry.fill


def _query(alternatives: list[_Alternative]) -> SignalQuery:
    entry = alternatives[0].entry
    keep: dict[str, None] = {}
    for one in alternatives:
        keep.update(dict.fromkeys(keep_of(one.convention, one.of, one.entry.keep)))
    named_by = identity_of_all([(one.convention, one.of) for one in alternatives])
    group = list(dict.fromkeys([*named_by, *keep]))
    written = [
        expression_of(
            one.entry,
            one.of.source,
            {alias: other.source for alias, other in one.others.items()},
            group,
        )
        for one in alternatives
    ]
    names = dict.fromkeys(one.convention.name for one in alternatives)
    return SignalQuery(
        series_name=entry.series,
        signal=entry.signal,
        promql=" or ".join(f"({one})" for one in written) if len(written) > 1 else written[0],
        identity=named_by,
        keep=tuple(one for one in keep if one not in named_by),
        convention="|".join(names),
    )


def _changes(convention: Convention, resolved: dict[str, list[Resolved]]) -> Iterator[ChangeQuery]:
    for entry in convention.changes:
        used = metrics_in(entry.expression)
        if not all(resolved[alias] for alias in used):
            continue
        first = resolved[used[0]][0]
        identity = identity_of(convention, first)
        if not identity:
            continue
        keep = keep_of(convention, first, entry.keep)
        sources = {alias: resolved[alias][0].source for alias in used}
        group = list(dict.fromkeys([*identity, *keep]))
        yield ChangeQuery(
            kind=entry.kind,
            reading=entry.reading,
            promql=written_out(entry.expression, sources, group),
            identity=identity,
            keep=tuple(one for one in keep if one not in identity),
            convention=convention.name,
        )

"""One service, one name: sources spell the same service differently.

Names are compared in lower case, without the namespace before a slash, the provider after an
@ and the cluster's domain, and with dashes for underscores: `shop/Cart`, `cart@docker` and
`cart.shop.svc.cluster.local` are `cart`. A pod's name is its workload's where the workload is
known by itself. `cart-service` is `cart` where no source knows both.
What people know better they say: `overrides` maps a name to another.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np

from aegis.engine.signals import PEER_LABELS
from aegis.model.incident import Observations
from aegis.model.service_names import plain_name, short_name
from aegis.model.telemetry import Int32s, LogTable, Matrix, Series, SpanTable

_POD = re.compile(r"^(.+?)(?:-[a-f0-9]{6,10})?-[a-z0-9]{5}$|^(.+)-\d{1,4}$")
SOURCES = 3
JOINED_FROM = "joined_from"


@dataclass(frozen=True, slots=True)
class NameRules:
    """`overrides` maps a name as a source spells it to the name it is to have."""

    overrides: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Joined:
    """`names` maps every name that was changed; `observations` have none of them left."""

    observations: Observations
    names: Mapping[str, str]

    def told(self) -> tuple[str, str]:
        """What was done and what came of it, as JSON: each name with its other spellings."""
        spelled: dict[str, list[str]] = {}
        for old, new in sorted(self.names.items()):
            spelled.setdefault(new, []).append(old)
        return json.dumps({"names": len(self.names)}), json.dumps(spelled, ensure_ascii=False)


def join_names(observations: Observations, rules: NameRules) -> Joined:
    """The same observations with one name a service.

    Traces spell a name best, then metrics, then logs; among equals the alphabet decides.
    """
    tables = (
        observations.spans.services,
        tuple(series.service for series in observations.metrics.series),
        observations.logs.services,
        observations.services,
        tuple(name for call in observations.calls for name in call),
        tuple(change.service for change in observations.changes),
    )
    changed = _renamings(tables, rules.overrides)
    if not changed:
        return Joined(observations, {})

    def name(old: str) -> str:
        return changed.get(old, old)

    alarm = observations.alarm
    if alarm is not None and alarm.service is not None:
        alarm = replace(alarm, service=name(alarm.service))
    calls = {(name(one), name(other)) for one, other in observations.calls}
    joined = replace(
        observations,
        alarm=alarm,
        services=tuple(sorted({name(old) for old in observations.services})),
        calls=tuple(sorted((one, other) for one, other in calls if one != other)),
        changes=tuple(replace(one, service=name(one.service)) for one in observations.changes),
        metrics=_matrix(observations.metrics, changed),
        spans=_spans(observations.spans, changed),
        logs=_logs(observations.logs, changed),
    )
    return Joined(joined, changed)


def workload_of_pod(plain: str) -> str:
    """The name less what Deployments, DaemonSets and StatefulSets add to their pods' names."""
    found = _POD.match(plain)
    return plain if found is None else found.group(1) or found.group(2)


def _renamings(tables: Iterable[Iterable[str]], overrides: Mapping[str, str]) -> dict[str, str]:
    """Every name that is to change, with its new one. The first SOURCES tables are telemetry."""
    names = [sorted(set(table)) for table in tables]
    told = {*overrides, *overrides.values()}
    sources = names[:SOURCES]
    shorter = _shortened([{plain_name(one) for one in set(table) - told} for table in sources])
    best: dict[str, str] = {}
    for name in chain.from_iterable(names):
        if name not in overrides:
            plain = plain_name(name)
            best.setdefault(shorter.get(plain, plain), name)
    for name in sorted(overrides.values()):
        best[plain_name(name)] = name
    changed = {}
    for name in sorted(set(chain.from_iterable(names))):
        plain = plain_name(name)
        wanted = overrides.get(name) or best[_workload(shorter.get(plain, plain), best)]
        if wanted != name:
            changed[name] = wanted
    return changed


def _shortened(tables: Sequence[Set[str]]) -> dict[str, str]:
    """Plain names less an ending that says nothing, where that makes them another's.

    Not where one source knows both: it means two services.
    """
    alike: dict[str, set[str]] = {}
    for plain in set().union(*tables):
        alike.setdefault(short_name(plain), set()).add(plain)
    return {
        plain: short
        for short, plains in alike.items()
        if len(plains) > 1 and all(len(plains & table) < 2 for table in tables)
        for plain in plains
    }


def _workload(plain: str, known: Mapping[str, str]) -> str:
    """The workload of a pod where that is known by itself, else the name as it is."""
    workload = workload_of_pod(plain)
    return workload if workload in known else plain


def _matrix(matrix: Matrix, changed: Mapping[str, str]) -> Matrix:
    """Series that would become one are told apart by the name they had."""
    out: list[Series] = []
    seen: set[tuple[str, str, tuple[tuple[str, str], ...]]] = set()
    kept_first = sorted(matrix.series, key=lambda one: (one.service in changed, one.service))
    for one in kept_first:
        service = changed.get(one.service, one.service)
        labels = tuple(
            (key, changed.get(value, value) if key in PEER_LABELS else value)
            for key, value in one.labels
        )
        if (service, one.name, labels) in seen:
            labels = tuple(sorted((*labels, (JOINED_FROM, one.service))))
        seen.add((service, one.name, labels))
        out.append(replace(one, service=service, labels=labels))
    return Matrix(tuple(out))


def _spans(table: SpanTable, changed: Mapping[str, str]) -> SpanTable:
    if not set(table.services) & changed.keys():
        return table
    names, codes = _recoded(table.services, changed)
    return replace(table, services=names, service_code=codes[table.service_code])


def _logs(table: LogTable, changed: Mapping[str, str]) -> LogTable:
    """Lines of a service stay sorted by time: they are sorted anew where services merged."""
    if not set(table.services) & changed.keys():
        return table
    names, codes = _recoded(table.services, changed)
    selectors: dict[str, str] = {}
    for service, selector in sorted(table.selectors.items()):
        selectors.setdefault(changed.get(service, service), selector)
    merged = replace(
        table, services=names, service_code=codes[table.service_code], selectors=selectors
    )
    return merged.rows(np.lexsort((merged.time_ns, merged.service_code)))


def _recoded(names: tuple[str, ...], changed: Mapping[str, str]) -> tuple[tuple[str, ...], Int32s]:
    """The new names, sorted, and for each old code the new one."""
    wanted = [changed.get(name, name) for name in names]
    new = sorted(set(wanted))
    place = {name: code for code, name in enumerate(new)}
    return tuple(new), np.array([place[name] for name in wanted], dtype=np.int32)

"""Who calls whom, from the recorded calls and from the traces."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from aegis.engine.trace_tree import NO_ROW, TraceTree


@dataclass(frozen=True, slots=True)
class CallGraph:
    """Direct callees and callers of each service; services without calls are present too."""

    callees: dict[str, frozenset[str]]
    callers: dict[str, frozenset[str]]

    @staticmethod
    def of(services: Iterable[str], calls: Iterable[tuple[str, str]]) -> CallGraph:
        callees: dict[str, set[str]] = {service: set() for service in services}
        callers: dict[str, set[str]] = {service: set() for service in callees}
        for caller, callee in calls:
            if caller == callee:
                continue
            callees.setdefault(caller, set()).add(callee)
            callers.setdefault(callee, set()).add(caller)
            callees.setdefault(callee, set())
            callers.setdefault(caller, set())
        return CallGraph(
            {name: frozenset(found) for name, found in callees.items()},
            {name: frozenset(found) for name, found in callers.items()},
        )

    def downstream(self, service: str) -> dict[str, int]:
        """Everything the service calls directly or not, with the number of hops (>= 1)."""
        return _hops(self.callees, service)

    def upstream(self, service: str) -> dict[str, int]:
        """Everything that calls the service directly or not, with the number of hops."""
        return _hops(self.callers, service)


def _hops(edges: dict[str, frozenset[str]], start: str) -> dict[str, int]:
    hops = {start: 0}
    waiting = deque([start])
    while waiting:
        name = waiting.popleft()
        for other in edges.get(name, frozenset()):
            if other not in hops:
                hops[other] = hops[name] + 1
                waiting.append(other)
    del hops[start]
    return hops


def traced_calls(tree: TraceTree) -> frozenset[tuple[str, str]]:
    """(caller, callee) pairs of different services that occur in the traces."""
    child = np.flatnonzero(tree.parent != NO_ROW)
    services = len(tree.spans.services)
    if len(child) == 0:
        return frozenset()
    caller = tree.spans.service_code[tree.parent[child]].astype(np.int64)
    callee = tree.spans.service_code[child].astype(np.int64)
    pairs = np.unique((caller * services + callee)[caller != callee])
    names = tree.spans.services
    return frozenset((names[int(pair // services)], names[int(pair % services)]) for pair in pairs)

"""Draws the topology of a world: layers of services, and calls from a layer to deeper ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lab.simulator.names import VERBS, WRITING, Naming
from lab.simulator.topology import CallSite, Operation, Role, Service, Topology

PEER_LAYER = 9
Roles = list[tuple[Role, int]]
"""(role, layer) of every service, deepest layer first."""
CACHED = 0.7
"""Share of the reads of a store that ask a cache first, where a world has one."""
MAX_CALLS_PER_REQUEST = 26.0
"""Expected calls below one operation; deeper trees would only cost time."""


def draw_topology(rng: np.random.Generator) -> Topology:
    """A layered acyclic world of 8 to 20 services."""
    return _Draft(rng, _plan_roles).build()


def draw_wide_topology(rng: np.random.Generator) -> Topology:
    """A layered acyclic world of 10 to 40 services with stores, caches and queues."""
    return _Draft(rng, _plan_wide_roles).build()


def _plan_wide_roles(rng: np.random.Generator) -> Roles:
    total = int(rng.integers(10, 41))
    peers: list[Role] = ["datastore"] * int(rng.integers(2, 3 + total // 7))
    peers += ["external"] * int(rng.integers(0, 2 + total // 15))
    caches: list[Role] = ["cache"] * int(rng.integers(0, 2 + total // 20))
    consumers = int(rng.integers(0, 2 + total // 12))
    entries = int(rng.integers(1, 2 + total // 10))
    inner = max(4, total - len(peers) - len(caches) - consumers - entries)
    depth = int(rng.integers(2, 3 + total // 12))
    spread = [int(layer) for layer in rng.integers(1, depth + 1, max(0, inner - depth))]
    plan: Roles = [(role, PEER_LAYER) for role in (*caches, *peers)]
    plan += [("service", layer) for layer in sorted([*range(1, depth + 1), *spread], reverse=True)]
    plan += [("consumer", 1) for _ in range(consumers)]
    plan += [("entry", 0) for _ in range(entries)]
    return plan


def _plan_roles(rng: np.random.Generator) -> Roles:
    total = int(rng.integers(8, 21))
    entries = 1 if total < 12 else int(rng.integers(1, 3))
    stores = int(rng.integers(1, 2 + total // 5))
    externals = int(rng.random() < 0.35)
    consumers = int(total > 10 and rng.random() < 0.4)
    inner = max(4, total - entries - stores - externals - consumers)
    depth = 2 if inner < 6 else int(rng.integers(2, 4))
    spread = [int(layer) for layer in rng.integers(1, depth + 1, inner - depth)]
    layers = sorted([*range(1, depth + 1), *spread], reverse=True)
    plan: Roles = []
    plan += [("datastore", PEER_LAYER) for _ in range(stores)]
    plan += [("external", PEER_LAYER) for _ in range(externals)]
    plan += [("service", layer) for layer in layers]
    plan += [("consumer", 1) for _ in range(consumers)]
    plan += [("entry", 0) for _ in range(entries)]
    return plan


class _Draft:
    """Builds a topology from the deepest layer up."""

    def __init__(
        self, rng: np.random.Generator, plan_roles: Callable[[np.random.Generator], Roles]
    ) -> None:
        self._rng = rng
        self._plan_roles = plan_roles
        self._naming = Naming.draw(rng)
        self._services: list[Service] = []
        self._words: list[str] = []
        self._operations: list[Operation] = []
        self._below: list[float] = []
        self._sites = 0
        self._called: set[int] = set()

    def build(self) -> Topology:
        rng = self._rng
        plan = self._plan_roles(rng)
        self._words = self._naming.service_words(rng, len(plan))
        for word, (role, layer) in zip(self._words, plan, strict=True):
            self._services.append(self._draw_service(word, role, layer))
        for service in range(len(self._services)):
            self._draw_operations(service)
        entries = [op.index for op in self._operations if self._owner(op.index).role == "entry"]
        shares = rng.dirichlet(np.full(len(entries), 4.0))
        return Topology(
            services=tuple(self._services),
            operations=tuple(self._operations),
            request_types=tuple(zip(entries, (float(s) for s in shares), strict=True)),
            network_s=float(rng.uniform(0.0002, 0.0015)),
        )

    def _owner(self, operation: int) -> Service:
        return self._services[self._operations[operation].service]

    def _draw_service(self, word: str, role: Role, layer: int) -> Service:
        rng = self._rng
        return Service(
            name=self._naming.service(word, role),
            role=role,
            layer=layer,
            queue_in_span=bool(rng.random() < 0.7),
            queue_limit=float(rng.integers(100, 600)),
            memory_share=float(rng.uniform(0.25, 0.65)),
        )

    def _draw_operations(self, service: int) -> None:
        rng = self._rng
        owner = self._services[service]
        count = {"entry": int(rng.integers(2, 5)), "consumer": 1}.get(
            owner.role, int(rng.integers(1, 4))
        )
        for verb in rng.permutation(np.array(VERBS))[:count]:
            index = len(self._operations)
            stages = () if owner.is_peer_only else self._draw_stages(index, owner)
            self._operations.append(
                Operation(
                    index=index,
                    service=service,
                    name=self._naming.operation(self._words[service], str(verb), owner.role),
                    work_s=self._draw_work_s(owner.role),
                    sigma=float(rng.uniform(0.25, 0.7)),
                    cpu_share=float(rng.uniform(0.4, 0.9)),
                    error_rate=float(rng.choice((0.0, 0.0, 0.0005, 0.002))),
                    fails_late=bool(rng.random() < 0.4),
                    stages=stages,
                    writes=owner.role == "datastore" and str(verb) in WRITING,
                )
            )
            self._below.append(
                sum(s.probability * (1 + self._below[s.callee]) for st in stages for s in st)
            )

    def _draw_work_s(self, role: Role) -> float:
        """Median own work: stores are quick, outside parties are not."""
        quick = {"datastore": (0.001, 0.008), "cache": (0.0003, 0.001)}
        low, high = (0.03, 0.12) if role == "external" else quick.get(role, (0.003, 0.03))
        return float(np.exp(self._rng.uniform(np.log(low), np.log(high))))

    def _draw_stages(self, caller: int, owner: Service) -> tuple[tuple[CallSite, ...], ...]:
        """Sites of a new operation; operations nobody calls yet are taken first."""
        rng = self._rng
        wanted = int(rng.integers(2, 5)) if owner.role == "entry" else int(rng.integers(1, 4))
        sites: list[CallSite] = []
        size = 0.0
        for callee in self._candidates(owner, wanted):
            if size + 1 + self._below[callee] > MAX_CALLS_PER_REQUEST:
                continue
            site = self._draw_site(caller, callee)
            cached = self._ask_cache_first(caller, site)
            size += len(cached) - 1 + site.probability * (1 + self._below[callee])
            sites += cached
        return self._in_stages(sites)

    def _ask_cache_first(self, caller: int, site: CallSite) -> list[CallSite]:
        """The call alone, or a call to a cache and then, where that misses, the call."""
        rng, store = self._rng, self._owner(site.callee)
        caches = [op for op in self._operations if self._owner(op.index).role == "cache"]
        reads = store.role == "datastore" and not self._operations[site.callee].writes
        if not caches or not reads or rng.random() >= CACHED:
            return [site]
        chosen = caches[int(rng.integers(len(caches)))]
        asks = replace(
            self._draw_site(caller, chosen.index), probability=1.0, required=False, attempts=1
        )
        miss = replace(site, probability=float(rng.uniform(0.04, 0.2)), behind_cache=chosen.service)
        return [asks, miss]

    def _candidates(self, owner: Service, wanted: int) -> list[int]:
        """Operations to call: mostly of the next layers, each service at most once."""
        weights = []
        deeper = [
            op
            for op in self._operations
            if (callee := self._owner(op.index)).layer > owner.layer and callee.role != "cache"
        ]
        for op in deeper:
            callee = self._owner(op.index)
            near = 1.0 if callee.layer == owner.layer + 1 else 0.35
            store = 0.8 if callee.is_peer_only and owner.layer >= 1 else near
            if callee.is_peer_only and owner.role == "entry":
                store = 0.02
            weights.append(store * (6.0 if op.index not in self._called else 1.0))
        if not deeper:
            return []
        chance = np.array(weights) / sum(weights)
        order = self._rng.choice(len(deeper), size=len(deeper), replace=False, p=chance)
        chosen: dict[int, int] = {}
        for position in order:
            op = deeper[int(position)]
            if len(chosen) < wanted:
                chosen.setdefault(op.service, op.index)
        return list(chosen.values())

    def _draw_site(self, caller: int, callee: int) -> CallSite:
        rng = self._rng
        self._called.add(callee)
        peer = self._owner(callee)
        self._sites += 1
        return CallSite(
            index=self._sites - 1,
            caller=caller,
            callee=callee,
            probability=float(rng.choice((1.0, 1.0, 1.0, 0.7, 0.4))),
            timeout_s=float(rng.choice((0.5, 1.0, 2.0, 3.0, 5.0))),
            attempts=int(rng.choice((1, 1, 2, 2, 3))),
            backoff_s=float(rng.uniform(0.01, 0.1)),
            required=bool(rng.random() < (0.9 if peer.role == "datastore" else 0.75)),
            waits=peer.role != "consumer",
        )

    def _in_stages(self, sites: list[CallSite]) -> tuple[tuple[CallSite, ...], ...]:
        """Groups some neighbours to run in parallel."""
        stages: list[tuple[CallSite, ...]] = []
        for site in sites:
            if stages and self._rng.random() < 0.3 and site.behind_cache is None:
                stages[-1] = (*stages[-1], site)
            else:
                stages.append((site,))
        return tuple(stages)

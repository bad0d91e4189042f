"""The structure of a world: services, their operations, and who calls whom.

Operations are numbered callees first, so one pass upwards sees every callee before its
callers, and one pass downwards every caller before its callees.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

Role = Literal["entry", "service", "datastore", "external", "consumer", "cache"]


@dataclass(frozen=True, slots=True)
class Service:
    """One service. The three flags say what its owners set up, not what it does.

    `queue_in_span`: whether a request that waits for a worker is already inside the span.
    """

    name: str
    role: Role
    layer: int
    has_spans: bool = True
    has_metrics: bool = True
    has_logs: bool = True
    queue_in_span: bool = True
    queue_limit: float = 400.0
    memory_share: float = 0.4

    @property
    def is_peer_only(self) -> bool:
        """A service that never reports spans or log lines of its own."""
        return self.role in ("datastore", "external", "cache")


@dataclass(frozen=True, slots=True)
class CallSite:
    """A place in the caller's code that calls another operation.

    `required`: its failure fails the caller, otherwise the caller falls back. `waits`: False
    for a message that the callee handles later. `attempts` counts the first one.
    `behind_cache`: the service whose misses the call answers.
    """

    index: int
    caller: int
    callee: int
    probability: float
    timeout_s: float
    attempts: int
    backoff_s: float
    required: bool
    waits: bool = True
    behind_cache: int | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """An endpoint. `stages` run one after another, the calls of a stage in parallel.

    Own work is log-normal with median `work_s`, `cpu_share` of it on a processor. `writes`: it
    needs room on the disk.
    """

    index: int
    service: int
    name: str
    work_s: float
    sigma: float
    cpu_share: float
    error_rate: float
    fails_late: bool
    stages: tuple[tuple[CallSite, ...], ...] = ()
    writes: bool = False

    @property
    def mean_work_s(self) -> float:
        """Mean of the log-normal: median · exp(σ²/2)."""
        return self.work_s * float(np.exp(self.sigma**2 / 2))


@dataclass(frozen=True, slots=True)
class Topology:
    """`request_types` pairs an entry operation with its share of the traffic."""

    services: tuple[Service, ...]
    operations: tuple[Operation, ...]
    request_types: tuple[tuple[int, float], ...]
    network_s: float

    @property
    def sites(self) -> tuple[CallSite, ...]:
        found = [s for op in self.operations for stage in op.stages for s in stage]
        return tuple(sorted(found, key=lambda site: site.index))

    def service_of(self, operation: int) -> Service:
        return self.services[self.operations[operation].service]

    def operations_of(self, service: int) -> tuple[Operation, ...]:
        return tuple(op for op in self.operations if op.service == service)

    def call_pairs(self) -> tuple[tuple[str, str], ...]:
        """(caller, callee) names, sorted, without repetition."""
        pairs = {
            (self.service_of(site.caller).name, self.service_of(site.callee).name)
            for site in self.sites
        }
        return tuple(sorted(pairs))

    def waiting_callers(self, service: int) -> set[int]:
        """Services that (transitively) wait for `service`."""
        found: set[int] = set()
        frontier = {service}
        while frontier:
            frontier = {
                self.operations[site.caller].service
                for site in self.sites
                if site.waits and self.operations[site.callee].service in frontier
            } - found
            found |= frontier
        return found

    def with_services(self, services: tuple[Service, ...]) -> Topology:
        return replace(self, services=services)

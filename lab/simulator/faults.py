"""What can break: each fault turns the knobs of `Conditions`, and nothing else.

A fault gets `level`, a number per bin between 0 (not there) and 1 (full force), and a
`force` that the caller raises until customers notice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from aegis.model.diagnosis import Family
from aegis.model.telemetry import Floats
from lab.simulator.conditions import BIN_S, Conditions
from lab.simulator.load import Load
from lab.simulator.topology import CallSite, Operation, Role, Topology

Harm = Literal["felt", "silent", "late"]
"""Customers wait or see errors; are answered wrongly; or their work is done too late."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that is on: what a post-mortem would name, and what it needs for log lines.

    `operation` and `site` are the place in the code, where the fault has one. `change` is the
    kind of change that brought it, `complaint` what callers are told when it fails them.
    """

    kind: str
    family: Family
    service: int
    start_s: float
    operation: int | None = None
    site: int | None = None
    end_s: float = np.inf
    change: str | None = None
    harm: Harm = "felt"
    complaint: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """What a fault may look at while it sets the conditions. `quiet` is the load without it."""

    topology: Topology
    conditions: Conditions
    quiet: Load
    service: int
    level: Floats
    force: float
    rng: np.random.Generator

    def busiest_operation(self) -> Operation:
        """The operation of the service that most requests go through."""
        ops = self.topology.operations_of(self.service)
        return max(ops, key=lambda op: float(self.quiet.rate[op.index].mean()))

    def sites(self) -> list[CallSite]:
        """Calls of the busiest operation that it waits for."""
        op = self.busiest_operation()
        return [site for stage in op.stages for site in stage if site.waits]


Place = tuple[int | None, int | None]
"""(operation, call site) a fault sits in."""


def cpu_contention(scene: Scene) -> Place:
    """Something else takes 50 to 85 % of the processors: own work takes 2 to 6 times as long."""
    share = min(0.88, scene.rng.uniform(0.5, 0.75) * scene.force**0.3)
    scene.conditions.cpu_hog[scene.service] = share * scene.level
    return None, None


def memory_pressure(scene: Scene) -> Place:
    """Memory climbs; near the limit the collector stops the process, then it is killed."""
    now, s, rng = scene.conditions, scene.service, scene.rng
    room = 0.97 - scene.topology.services[s].memory_share
    on = scene.level > 0
    climbed = np.cumsum(scene.level) * BIN_S / rng.uniform(60, 150)
    kill_every = rng.uniform(150, 320) if rng.random() < 0.5 else np.inf
    since_kill = np.where(on, np.mod(np.cumsum(on) * BIN_S, kill_every), 0.0)
    filled = np.clip(np.minimum(climbed, 0.35 + since_kill / 60), 0, 1) * on
    now.memory[s] = room * filled
    strength = min(0.85, 0.45 * scene.force)
    now.pause_share[s] = strength * np.clip((filled - 0.3) / 0.5, 0, 1)
    now.pause_s[s] = rng.uniform(0.3, 1.2) * min(scene.force, 3)
    starts = on & (since_kill < BIN_S) & (np.cumsum(on) * BIN_S > 60)
    now.restarts[s] = starts
    now.down[s] = np.where(starts | np.roll(starts, 1) | np.roll(starts, 2), 0.8, 0.0)
    return None, None


def disk_slow(scene: Scene) -> Place:
    """The disk of a store is saturated: every statement waits for it."""
    factor = 1 + scene.rng.uniform(4, 12) * scene.force
    scene.conditions.work_factor[scene.service] = 1 + (factor - 1) * scene.level
    scene.conditions.disk_busy[scene.service] = scene.rng.uniform(0.45, 0.75) * scene.level
    return None, None


def network_delay(scene: Scene) -> Place:
    """Everything the service sends leaves late: its answers, and its calls."""
    delay = scene.rng.uniform(0.03, 0.15) * scene.force
    scene.conditions.egress_s[scene.service] = delay * scene.level
    return None, None


def network_loss(scene: Scene) -> Place:
    """Packets to and from the service are lost and sent again after a growing timeout."""
    share = min(0.6, scene.rng.uniform(0.1, 0.25) * scene.force)
    scene.conditions.loss[scene.service] = share * scene.level
    return None, None


def code_exception(scene: Scene) -> Place:
    """One operation throws for some of its requests."""
    op = scene.busiest_operation()
    share = min(0.95, scene.rng.uniform(0.2, 0.8) * scene.force)
    rate = scene.conditions.error_rate[op.index]
    scene.conditions.error_rate[op.index] = rate + (share - rate) * scene.level
    return op.index, None


def code_early_return(scene: Scene) -> Place:
    """One operation answers before it has done its job, without an error."""
    op = scene.busiest_operation()
    share = min(1.0, scene.rng.uniform(0.5, 1.0) * scene.force)
    scene.conditions.early_return[op.index] = share * scene.level
    return op.index, None


def code_slow_path(scene: Scene) -> Place:
    """A call moved into a loop: one callee is asked where it was not, work takes longer."""
    op = scene.busiest_operation()
    factor = 1 + scene.rng.uniform(2, 5) * scene.force
    scene.conditions.work_factor[scene.service] = 1 + (factor - 1) * scene.level
    site = scene.sites()[0]
    scene.conditions.site_factor[site.index] = 1 - scene.level
    return op.index, site.index


def config_pool_size(scene: Scene) -> Place:
    """The worker pool is set smaller than the traffic needs."""
    busy = float(scene.quiet.busy[scene.service].mean())
    factor = min(0.8, busy / (scene.rng.uniform(0.95, 1.15) * scene.force**0.5))
    scene.conditions.pool_factor[scene.service] = 1 - (1 - factor) * (scene.level > 0)
    return None, None


def config_wrong_address(scene: Scene) -> Place:
    """One call goes to an address where nobody listens: fast errors."""
    site = scene.sites()[0]
    share = min(1.0, scene.rng.uniform(0.4, 1.0) * scene.force)
    scene.conditions.unreachable[site.index] = share * scene.level
    return site.caller, site.index


def config_timeout(scene: Scene) -> Place:
    """A call gets less time than its callee usually needs: timeouts and retries."""
    site = scene.sites()[0]
    usual = float(scene.quiet.response_s[site.callee].mean()) + 2 * scene.topology.network_s
    factor = usual * scene.rng.uniform(0.6, 1.0) / scene.force**0.5 / site.timeout_s
    scene.conditions.timeout_factor[site.index] = 1 - (1 - min(factor, 1)) * (scene.level > 0)
    return site.caller, site.index


def dependency_slow(scene: Scene) -> Place:
    """Something the system only uses answers late; nobody here can see why."""
    factor = 1 + scene.rng.uniform(4, 12) * scene.force
    scene.conditions.work_factor[scene.service] = 1 + (factor - 1) * scene.level
    return None, None


def dependency_down(scene: Scene) -> Place:
    """Something the system only uses refuses most connections."""
    share = min(1.0, scene.rng.uniform(0.5, 1.0) * scene.force)
    scene.conditions.down[scene.service] = share * scene.level
    return None, None


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A kind of fault: where it can sit, and which change, if any, brings it.

    `fits` says more about where: it gets the topology, the load so far, and a service's index.
    """

    name: str
    family: Family
    roles: tuple[Role, ...]
    apply: Callable[[Scene], Place]
    change: str | None = None
    needs_call: bool = False
    harm: Harm = "felt"
    ramps: bool = True
    fits: Callable[[Topology, Load, int], bool] | None = None
    complaint: str | None = None


SERVICES: tuple[Role, ...] = ("service", "entry")
STORES: tuple[Role, ...] = ("datastore",)
PEERS: tuple[Role, ...] = ("datastore", "external")

KINDS: tuple[FaultKind, ...] = (
    FaultKind("cpu_contention", "cpu", SERVICES, cpu_contention),
    FaultKind("memory_pressure", "memory", SERVICES, memory_pressure),
    FaultKind("disk_slow", "disk", STORES, disk_slow),
    FaultKind("network_delay", "network", SERVICES, network_delay),
    FaultKind("network_loss", "network", SERVICES, network_loss),
    FaultKind("code_exception", "code", SERVICES, code_exception, "deploy"),
    FaultKind(
        "code_early_return",
        "code",
        SERVICES,
        code_early_return,
        "deploy",
        needs_call=True,
        harm="silent",
    ),
    FaultKind("code_slow_path", "code", SERVICES, code_slow_path, "deploy", needs_call=True),
    FaultKind("config_pool_size", "config", SERVICES, config_pool_size, "config", ramps=False),
    FaultKind(
        "config_wrong_address", "config", SERVICES, config_wrong_address, "config", needs_call=True
    ),
    FaultKind(
        "config_timeout",
        "config",
        SERVICES,
        config_timeout,
        "config",
        needs_call=True,
        ramps=False,
    ),
    FaultKind("dependency_slow", "dependency", PEERS, dependency_slow),
    FaultKind("dependency_down", "dependency", PEERS, dependency_down),
)

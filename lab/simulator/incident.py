"""Chooses what breaks in a world, where, and how hard: hard enough that customers notice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aegis.model.diagnosis import FAMILIES, Family
from aegis.model.telemetry import Bools, Floats
from lab.simulator.conditions import BIN_S, Conditions
from lab.simulator.faults import KINDS, Fault, FaultKind, Scene
from lab.simulator.load import Capacity, Load, solve_load
from lab.simulator.topology import Topology

FORCES = (0.3, 0.5, 0.7, 1.0, 1.6, 2.5, 4.0, 7.0)
SLOWER = 0.3
"""Customers notice when an entry operation takes this much longer on average ..."""
FAILING = 0.03
"""... or when this share more of its requests fail."""
WRONG = 0.15
"""A silent fault is noticed when this share of all requests is answered wrongly."""
ATTEMPTS = 100
PLACES_A_FAMILY = 20
"""Places tried before another family is drawn, so that shy families are not crowded out."""


@dataclass(frozen=True, slots=True)
class System:
    """A world before telemetry: structure, size and traffic (requests a second per bin)."""

    topology: Topology
    capacity: Capacity
    entry_rates: Floats
    has_spans: bool

    @property
    def bins(self) -> int:
        return int(self.entry_rates.shape[1])


@dataclass(frozen=True, slots=True)
class Incident:
    """What happened: the conditions and load of the whole recording, and the fault if any."""

    fault: Fault | None
    conditions: Conditions
    load: Load


def no_incident(system: System) -> Incident:
    """An ordinary day."""
    conditions = Conditions.quiet(system.topology, system.bins)
    load = solve_load(system.topology, system.capacity, system.entry_rates, conditions)
    return Incident(None, conditions, load)


def draw_incident(
    system: System,
    start_s: float,
    end_s: float,
    rng: np.random.Generator,
    kind: FaultKind | None = None,
    service: int | None = None,
) -> Incident:
    """A fault between the two times that customers notice.

    Families are drawn evenly, then a kind, then a service it can sit in; `kind` and `service`
    fix the choice. A place where the fault would go unnoticed even at full force is left.
    """
    quiet = no_incident(system).load
    family = FAMILIES[0]
    for attempt in range(ATTEMPTS):
        if attempt % PLACES_A_FAMILY == 0:
            family = FAMILIES[int(rng.integers(len(FAMILIES)))]
        chosen = kind or _draw_kind(rng, family)
        places = _places(system, chosen, quiet) if service is None else [service]
        if not places:
            continue
        weight = np.array([0.15 if _role(system, p) == "entry" else 1.0 for p in places])
        place = int(rng.choice(np.array(places), p=weight / weight.sum()))
        seed, first = int(rng.integers(2**32)), int(rng.integers(4))
        strongest = _strike(system, quiet, chosen, place, (start_s, end_s), FORCES[-1], seed)
        if strongest is None:
            continue
        for force in FORCES[first:-1]:
            incident = _strike(system, quiet, chosen, place, (start_s, end_s), force, seed)
            if incident is not None:
                return incident
        return strongest
    raise RuntimeError("no fault fits this world: every place hides it from the customers")


def _draw_kind(rng: np.random.Generator, family: Family) -> FaultKind:
    kinds = [kind for kind in KINDS if kind.family == family]
    return kinds[int(rng.integers(len(kinds)))]


def _role(system: System, service: int) -> str:
    return system.topology.services[service].role


def _places(system: System, kind: FaultKind, quiet: Load) -> list[int]:
    """Services where the fault can sit and can be seen by some instrument.

    Work left out without an error shows in what a service calls and logs, never in metrics.
    """
    topology, found = system.topology, []
    for index, service in enumerate(topology.services):
        ops = topology.operations_of(index)
        if service.role not in kind.roles or not ops:
            continue
        traced = system.has_spans and service.has_spans
        seen = traced or (service.has_logs if kind.is_silent else service.has_metrics)
        traffic = sum(float(quiet.rate[op.index].mean()) for op in ops)
        busy = traffic > 0.1 * float(system.entry_rates.sum(axis=0).mean())
        busiest = max(ops, key=lambda op: float(quiet.rate[op.index].mean()))
        waits = any(site.waits for stage in busiest.stages for site in stage)
        if seen and busy and (waits or not kind.needs_call):
            found.append(index)
    return found


def _strike(
    system: System,
    quiet: Load,
    kind: FaultKind,
    service: int,
    between: tuple[float, float],
    force: float,
    seed: int,
) -> Incident | None:
    """The incident with this force, None where nobody would notice."""
    rng = np.random.default_rng(seed)
    conditions = Conditions.quiet(system.topology, system.bins)
    time = np.arange(system.bins) * BIN_S
    ramp = rng.uniform(5, 40) if kind.ramps else BIN_S
    inside = (time >= between[0]) & (time < between[1])
    level = np.clip((time - between[0] + BIN_S) / ramp, 0, 1) * inside
    scene = Scene(system.topology, conditions, quiet, service, level, force, rng)
    operation, site = kind.apply(scene)
    first = int(between[0] // BIN_S)
    since = solve_load(
        system.topology, system.capacity, system.entry_rates[:, first:], conditions.since(first)
    )
    load = quiet.followed_by(since)
    fault = Fault(kind.name, kind.family, service, between[0], operation, site)
    noticed = _wrong(scene) if kind.is_silent else _felt(system, quiet, load, inside)
    return Incident(fault, conditions, load) if noticed else None


def _felt(system: System, quiet: Load, load: Load, inside: Bools) -> bool:
    """Whether some entry operation is clearly slower or fails clearly more often."""
    for operation, share in system.topology.request_types:
        if share < 0.08:
            continue
        before = float(quiet.response_s[operation][inside].mean())
        slower = float(load.response_s[operation][inside].mean()) / before - 1
        failing = load.failed[operation][inside] - quiet.failed[operation][inside]
        if slower >= SLOWER or float(failing.mean()) >= FAILING:
            return True
    return False


def _wrong(scene: Scene) -> bool:
    op = scene.busiest_operation()
    total = sum(float(scene.quiet.rate[e].mean()) for e, _ in scene.topology.request_types)
    return float(scene.quiet.rate[op.index].mean()) >= WRONG * total

"""Chooses what breaks in a world, where, and how hard: hard enough that customers notice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

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
LATE_S = 60.0
"""Work done late is noticed when a message lies in the queue for so long."""
ATTEMPTS = 100
PLACES_A_FAMILY = 20
"""Places tried before another family is drawn, so that shy families are not crowded out."""


class NoPlace(RuntimeError):
    """No fault can sit anywhere in this world so that customers notice it."""


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
    """What happened: the conditions and load of the whole recording, and the faults if any."""

    faults: tuple[Fault, ...]
    conditions: Conditions
    load: Load


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault to be: what, where, how hard, and the seed of its details."""

    kind: FaultKind
    service: int
    force: float
    seed: int


def no_incident(system: System) -> Incident:
    """An ordinary day."""
    conditions = Conditions.quiet(system.topology, system.bins)
    load = solve_load(system.topology, system.capacity, system.entry_rates, conditions)
    return Incident((), conditions, load)


def draw_incident(
    system: System,
    start_s: float,
    end_s: float,
    rng: np.random.Generator,
    kind: FaultKind | None = None,
    service: int | None = None,
) -> Incident:
    """A fault between the two times that customers notice, on an ordinary day."""
    quiet = no_incident(system)
    return draw_strike(system, quiet, (start_s, end_s), rng, kind=kind, service=service)[1]


def draw_strike(
    system: System,
    before: Incident,
    between: tuple[float, float],
    rng: np.random.Generator,
    kinds: tuple[FaultKind, ...] = KINDS,
    kind: FaultKind | None = None,
    service: int | None = None,
    tries_a_place: int = ATTEMPTS,
) -> tuple[Strike, Incident]:
    """A fault on top of what happens already, hard enough that customers notice it.

    Families are drawn evenly, then a kind, then a service it can sit in and no other fault
    does; `kind` and `service` fix the choice. A place where the fault would go unnoticed even
    at full force is left, for good after `tries_a_place` times.
    """
    taken = {fault.service for fault in before.faults}
    family = FAMILIES[0]
    tried: Counter[tuple[str, int]] = Counter()
    for attempt in range(ATTEMPTS):
        if attempt % PLACES_A_FAMILY == 0:
            family = FAMILIES[int(rng.integers(len(FAMILIES)))]
        chosen = kind or _draw_kind(rng, kinds, family)
        found = _places(system, chosen, before.load) if service is None else [service]
        places = [place for place in found if place not in taken]
        if not places:
            continue
        weight = np.array([0.15 if _role(system, p) == "entry" else 1.0 for p in places])
        place = int(rng.choice(np.array(places), p=weight / weight.sum()))
        seed, first = int(rng.integers(2**32)), int(rng.integers(4))
        strongest = Strike(chosen, place, FORCES[-1], seed)
        tried[chosen.name, place] += 1
        if tried[chosen.name, place] > tries_a_place:
            continue
        most, noticed = strike(system, before, strongest, between)
        if not noticed:
            continue
        for force in FORCES[first:-1]:
            weaker = replace(strongest, force=force)
            incident, noticed = strike(system, before, weaker, between)
            if noticed:
                return weaker, incident
        return strongest, most
    raise NoPlace("no fault fits this world: every place hides it from the customers")


def _draw_kind(rng: np.random.Generator, kinds: tuple[FaultKind, ...], family: Family) -> FaultKind:
    ours = [kind for kind in kinds if kind.family == family]
    return ours[int(rng.integers(len(ours)))]


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
        tells = service.has_logs or (system.has_spans and service.has_spans)
        seen = tells if kind.harm == "silent" else tells or service.has_metrics
        traffic = sum(float(quiet.rate[op.index].mean()) for op in ops)
        busy = traffic > 0.1 * float(system.entry_rates.sum(axis=0).mean())
        busiest = max(ops, key=lambda op: float(quiet.rate[op.index].mean()))
        waits = any(site.waits for stage in busiest.stages for site in stage)
        fits = kind.fits is None or kind.fits(topology, quiet, index)
        if seen and busy and fits and (waits or not kind.needs_call):
            found.append(index)
    return found


def strike(
    system: System, before: Incident, blow: Strike, between: tuple[float, float]
) -> tuple[Incident, bool]:
    """(the incident with this fault on top, whether anybody would notice it)."""
    rng = np.random.default_rng(blow.seed)
    kind, quiet = blow.kind, before.load
    conditions = before.conditions.copy()
    time = np.arange(system.bins) * BIN_S
    ramp = rng.uniform(5, 40) if kind.ramps else BIN_S
    inside = (time >= between[0]) & (time < between[1])
    level = np.clip((time - between[0] + BIN_S) / ramp, 0, 1) * inside
    scene = Scene(system.topology, conditions, quiet, blow.service, level, blow.force, rng)
    operation, site = kind.apply(scene)
    first = int(between[0] // BIN_S)
    since = solve_load(
        system.topology, system.capacity, system.entry_rates[:, first:], conditions.since(first)
    )
    load = quiet.followed_by(since)
    fault = Fault(
        kind=kind.name,
        family=kind.family,
        service=blow.service,
        start_s=between[0],
        operation=operation,
        site=site,
        end_s=between[1],
        change=kind.change,
        harm=kind.harm,
        complaint=kind.complaint,
    )
    incident = Incident((*before.faults, fault), conditions, load)
    match kind.harm:
        case "silent":
            return incident, _wrong(scene)
        case "late":
            return incident, float(conditions.lag_s[blow.service].max()) >= LATE_S
    return incident, _felt(system, quiet, load, inside)


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

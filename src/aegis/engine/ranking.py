"""Which service is the cause: symptoms explained away along the call graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import fsum

from aegis.engine.graph import CallGraph
from aegis.engine.strain import kept_under_strain
from aegis.engine.symptoms import (
    ERRORS,
    FLOW,
    LATENCY,
    RESOURCES,
    SEQUENCE,
    SYMPTOM_FAMILIES,
    WORK,
    Symptoms,
    certainly_slow,
    proportion,
)
from aegis.engine.world import World
from aegis.model.evidence import Signal

HOP_DECAY = 0.85
EXPLAINED = 1.05
DELAY_POWER = 0.5
RESOURCE_AS_LATENCY = 0.5
ERROR_AS_LATENCY = 0.5
LATENCY_AS_ERROR = 0.5
FLOW_AS_ERROR = 0.8
FLOW_AS_SEQUENCE = 0.5
ERROR_AS_FLOW = 0.85
SEQUENCE_AS_FLOW = 0.85
FLOW_AS_FLOW = 0.4
CALLER_FLOW_AS_FLOW = 0.5
LATENCY_AS_SELF = 0.6
ERROR_AS_SELF = 0.85
UNSEEN_AS_SELF = 0.7
LATENCY_AS_FLOW = 0.7
REST_WEIGHT = 0.2
INFERRED_PEER = 0.4
OFF_PATH = 0.3
MASS_FLOOR = 0.75
CHANGED_CALLEE = 0.6
CHANGE_SYMPTOM = 0.3
CHANGE_LATENCY = 0.7
CHANGE_BOOST = 0.35
CHANGE_BASE = 0.8
LEAST_FELT = 0.5
CENTRALITY = 0.2
AMPLIFIED = 0.15


@dataclass(frozen=True, slots=True)
class Scored:
    """A service's score with what a caller needs to explain it."""

    service: str
    score: float
    raw: float
    explained_by: str | None


def rank(symptoms: Mapping[str, Symptoms], world: World, *, use_graph: bool) -> list[Scored]:
    """Scores of all known services; the order carries no meaning."""
    mass = {name: total(item.by_signal) for name, item in symptoms.items()}
    whole = fsum(mass.values())
    weight = {name: (mass[name], *item.fingerprint(), name) for name, item in symptoms.items()}
    scored = []
    for service in world.graph.callees:
        left, raw = dict(symptoms.get(service, Symptoms()).by_signal), mass.get(service, 0.0)
        explained_by, borrowed, central = None, 0.0, 0.0
        if use_graph:
            left, explained_by = _explained_away(service, symptoms, world, weight)
            borrowed = _borrowed(service, symptoms, world)
            central = CENTRALITY * world.centrality[service]
        base = total(left)
        if use_graph and whole > 0.0:
            upstream = fsum(mass.get(name, 0.0) for name in world.graph.upstream(service))
            base *= MASS_FLOOR + (1.0 - MASS_FLOOR) * (raw + upstream) / whole
            base *= 1.0 + AMPLIFIED * world.amplification(service)
        recency = world.recency.get(service, 0.0)
        score = (base + CHANGE_SYMPTOM * recency * borrowed) * (1.0 + CHANGE_BOOST * recency)
        score += CHANGE_BASE * recency + central
        if service in world.silent:
            score *= INFERRED_PEER
        if service in world.off_path:
            score *= OFF_PATH
        if use_graph and world.surge is not None:
            score = world.surge.rescored(service, score)
        scored.append(Scored(service, score, raw, explained_by))
    return scored


def total(by_signal: Mapping[Signal, float]) -> float:
    """Sum over the families of the strongest signal plus a fifth of the others."""
    parts = []
    for family in SYMPTOM_FAMILIES:
        values = sorted((by_signal.get(signal, 0.0) for signal in family), reverse=True)
        parts.append(values[0] + REST_WEIGHT * fsum(values[1:]))
    return fsum(parts)


@dataclass(frozen=True, slots=True)
class _Downstream:
    """The strongest symptoms among what a service calls, less with every further hop."""

    latency: float
    errors: float
    flow: float
    sequence: float
    strongest: str | None


def _downstream(
    service: str,
    symptoms: Mapping[str, Symptoms],
    graph: CallGraph,
    weight: Mapping[str, tuple[float, int, str, str]],
) -> _Downstream:
    own = symptoms.get(service, Symptoms())
    latency = errors = flow = sequence = 0.0
    nothing = (0.0, 0.0, 0, "", "")  # mutate: equivalent the first number decides
    strongest: tuple[float, float, int, str, str] = nothing
    strongest_name = None
    for name, hops in graph.downstream(service).items():
        other = symptoms.get(name)
        if other is None:
            continue
        decay = HOP_DECAY ** (hops - 1)
        slow = decay * max(
            other.strongest(LATENCY) * _delay_proportion(other, own),
            RESOURCE_AS_LATENCY * other.strongest(RESOURCES),
        )
        failing = decay * other.strongest(ERRORS) * proportion(other, own, ERRORS)
        flowing = decay * other.strongest(FLOW) * proportion(other, own, FLOW)
        broken = decay * other.strongest(SEQUENCE) * proportion(other, own, SEQUENCE)
        latency, errors = max(latency, slow), max(errors, failing)
        flow, sequence = max(flow, flowing), max(sequence, broken)
        key = (max(slow, failing, broken), *weight[name])
        if key[0] > 0.0 and key > strongest:
            strongest, strongest_name = key, name
    return _Downstream(latency, errors, flow, sequence, strongest_name)


def _delay_proportion(callee: Symptoms, own: Symptoms) -> float:
    """A callee that got a little slower cannot explain a caller that got much slower.

    Compared by the increase of the metrics that both have; 1 where they share none.
    """
    ratios = [
        callee.delays[name] / own.delays[name]
        for name in callee.delays.keys() & own.delays.keys()
        if own.delays[name] > 0.0
    ]
    return min(1.0, max(ratios)) ** DELAY_POWER if ratios else 1.0


def _explained_away(
    service: str,
    symptoms: Mapping[str, Symptoms],
    world: World,
    weight: Mapping[str, tuple[float, int, str, str]],
) -> tuple[dict[Signal, float], str | None]:
    """What is left of each symptom when neighbours explain theirs, and who explains most."""
    own = symptoms.get(service, Symptoms())
    below = _downstream(service, symptoms, world.graph, weight)
    near = {name for name in world.graph.callees[service] if name in symptoms}
    unseen = max((certainly_slow(symptoms[name]) for name in near - world.traced), default=0.0)
    callers = (name for name in world.graph.callers[service] if name in symptoms)
    above = max((symptoms[name].strongest(FLOW) for name in callers), default=0.0)
    explained = _explained(below, above)
    left = dict(own.by_signal)
    if "self_time" in left:
        left["self_time"] = max(own.inner, own.outbound) * (1.0 - UNSEEN_AS_SELF * unseen)
    kept = 1.0 - _excused(service, symptoms, world)
    strained = kept_under_strain(service, symptoms, world)
    for signal, value in left.items():
        remaining = max(0.0, value - explained.get(signal, 0.0)) * strained.get(signal, 1.0)
        left[signal] = remaining if signal in RESOURCES else kept * remaining
    return left, below.strongest


def _explained(below: _Downstream, above: float) -> dict[Signal, float]:
    """How much of each signal the callees (and the direct callers' flow) account for."""
    working = EXPLAINED * max(below.errors, below.latency)
    failing = EXPLAINED * max(
        below.errors,
        below.sequence,
        FLOW_AS_ERROR * below.flow,
        LATENCY_AS_ERROR * below.latency,
    )
    broken = EXPLAINED * max(
        below.errors,
        below.sequence,
        FLOW_AS_SEQUENCE * below.flow,
        LATENCY_AS_ERROR * below.latency,
    )
    flowing = max(
        ERROR_AS_FLOW * below.errors,
        SEQUENCE_AS_FLOW * below.sequence,
        FLOW_AS_FLOW * below.flow,
        CALLER_FLOW_AS_FLOW * above,
        LATENCY_AS_FLOW * below.latency,
    )
    explained: dict[Signal, float] = {
        "latency": EXPLAINED * max(below.latency, ERROR_AS_LATENCY * below.errors),
        "self_time": max(LATENCY_AS_SELF * below.latency, ERROR_AS_SELF * below.errors),
    }
    for family, amount in ((ERRORS, failing), (SEQUENCE, broken), (FLOW, flowing), (WORK, working)):
        explained.update(dict.fromkeys(family, amount))
    return explained


def _borrowed(service: str, symptoms: Mapping[str, Symptoms], world: World) -> float:
    """What unchanged callers feel that a change of this service would explain.

    Less what its own callees explain, and by the share of its callers that hurt: a broken
    service breaks whoever calls it.
    """
    felt = max(
        (
            _felt(symptoms[name])
            for name in world.graph.callers[service]
            if name in symptoms and world.recency.get(name, 0.0) == 0.0
        ),
        default=0.0,
    )
    below = (symptoms[name] for name in world.graph.downstream(service) if name in symptoms)
    unexplained = max(0.0, felt - max(map(_felt, below), default=0.0))
    return unexplained * _hurt_share(service, symptoms, world)


def _hurt_share(service: str, symptoms: Mapping[str, Symptoms], world: World) -> float:
    """Share of the service's direct callers that clearly feel something."""
    callers = world.graph.callers[service]
    hurt = sum(1 for name in callers if name in symptoms and _felt(symptoms[name]) >= LEAST_FELT)
    return hurt / max(1, len(callers))


def _excused(service: str, symptoms: Mapping[str, Symptoms], world: World) -> float:
    """0..1: how far the recent change of a callee excuses an unchanged caller's symptoms."""
    if world.recency.get(service, 0.0) > 0.0:
        return 0.0
    return max(
        (
            CHANGED_CALLEE * world.recency[name] * _hurt_share(name, symptoms, world)
            for name in world.graph.callees[service]
            if name in world.recency
        ),
        default=0.0,
    )


def _felt(symptoms: Symptoms) -> float:
    """What a caller of a changed service would feel: errors, and slowness a little less."""
    return symptoms.strongest(ERRORS) + CHANGE_LATENCY * symptoms.strongest(LATENCY)

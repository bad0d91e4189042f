"""Blaming what cannot be seen: a failing or slow dependency that writes no spans and no logs.

Such a service is known only through those that call it. Two observations point at it: leaf
spans of a caller that got slow or failed (calls to something without spans look like that),
and several services going bad at once of which none calls a bad service that can be seen,
though all call this one. Two independent faults at one moment are much rarer than one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

from aegis.engine.symptoms import ERRORS, LATENCY, Symptoms
from aegis.engine.world import World
from aegis.model.evidence import Signal

LEAST_BAD = 1.2
CREDIT = 1.0
LONE_CALLER = 0.6
CREDITED: tuple[tuple[Signal, frozenset[Signal]], ...] = (
    ("errors", ERRORS),
    ("call_time", LATENCY),
)


@dataclass(frozen=True, slots=True)
class _Suspicion:
    """An unseen service, how well it explains the bad ones, and which of them call it."""

    service: str
    fit: float
    callers: tuple[str, ...]


def credit_unseen(found: dict[str, Symptoms], world: World) -> frozenset[str]:
    """Give unseen services the symptoms that only they explain; returns who was credited."""
    credited: set[str] = set()
    for signal, family in CREDITED:
        for suspicion in _suspicions(found, world, family):
            strengths = sorted(
                (found[caller].strongest(family) for caller in suspicion.callers), reverse=True
            )
            agreed = strengths[min(1, len(strengths) - 1)]
            own = found.setdefault(suspicion.service, Symptoms())
            strength = CREDIT * suspicion.fit * agreed
            if strength > own.of(signal):
                own.by_signal[signal] = strength
                own.touched[signal] = max(
                    found[caller].touched_share(family) for caller in suspicion.callers
                )
                credited.add(suspicion.service)
            for caller in suspicion.callers:
                own.findings.extend(
                    finding
                    for finding in found[caller].findings
                    if finding.signal in family and finding.service == caller
                )
    return frozenset(credited)


def _suspicions(
    found: dict[str, Symptoms], world: World, family: frozenset[Signal]
) -> list[_Suspicion]:
    """The best explanation by an unseen service, several only where none is better."""
    bad = {
        name
        for name, symptoms in found.items()
        if name not in world.unseen and symptoms.strongest(family) >= LEAST_BAD
    }
    outward = {name for name in bad if _may_come_from_outside(found[name], family)}
    frontier = {name for name in bad if bad.isdisjoint(world.graph.downstream(name))}
    suspicions = []
    for name in world.unseen:
        callers = world.graph.callers[name]
        hit = frontier & callers & outward
        if not hit:
            continue
        fit = len(hit) / len(frontier) * sqrt(len(bad & callers) / len(callers))
        if len(hit) == 1:
            caller = next(iter(hit))
            if not found[caller].outbound_in(family):
                continue
            fit *= LONE_CALLER / sqrt(len(world.graph.callees[caller] & world.unseen))
        suspicions.append(_Suspicion(name, fit, _by_strength(hit, found, family)))
    if not suspicions:
        return []
    own = {item.service: _own_strength(found, item.service) for item in suspicions}
    best = max((round(item.fit, 6), own[item.service]) for item in suspicions)
    return [item for item in suspicions if (round(item.fit, 6), own[item.service]) == best]


def _may_come_from_outside(symptoms: Symptoms, family: frozenset[Signal]) -> bool:
    """Errors or waiting inside a service's own spans are its own."""
    spans = symptoms.of("error_spans") if family == ERRORS else symptoms.inner
    return symptoms.outbound_in(family) or spans <= 0.0


def _own_strength(found: dict[str, Symptoms], service: str) -> float:
    """What the service's own metrics, if any, say."""
    return sum(sorted(found[service].by_signal.values())) if service in found else 0.0


def _by_strength(
    names: Iterable[str], found: dict[str, Symptoms], family: frozenset[Signal]
) -> tuple[str, ...]:
    return tuple(
        sorted(
            names,
            key=lambda name: (found[name].strongest(family), found[name].fingerprint()),
            reverse=True,
        )
    )

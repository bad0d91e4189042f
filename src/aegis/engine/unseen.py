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

from aegis.engine.metric_load import is_starved
from aegis.engine.symptoms import ERRORS, LATENCY, Symptoms
from aegis.engine.world import World
from aegis.model.evidence import Signal

LEAST_BAD = 1.2
CREDIT = 1.1
LONE_CALLER = 0.8
CALM = 0.5
UNREACHED = 0.3
DESERTED = 0.5
LEAST_HEARD = 0.2
CREDITED: tuple[tuple[Signal, frozenset[Signal]], ...] = (
    ("errors", ERRORS),
    ("call_time", LATENCY),
)


@dataclass(frozen=True, slots=True)
class _Suspicion:
    """An unseen service, how well it explains the bad ones, and which of them call it.

    `choice` decides between several: the fit, less where the troubled operations are shared
    by others than its callers, more where its own metrics say something, or where requests
    that fail stay away from it.
    """

    service: str
    fit: float
    choice: float
    callers: tuple[str, ...]


def credit_unseen(found: dict[str, Symptoms], world: World) -> frozenset[str]:
    """Give unseen services the symptoms that only they explain; returns who was credited."""
    credited: set[str] = set()
    for signal, family in CREDITED:
        for suspicion in _suspicions(found, world, signal, family):
            strengths = sorted(
                (found[caller].strongest(family) for caller in suspicion.callers), reverse=True
            )
            agreed = strengths[min(1, len(strengths) - 1)]
            own = found.setdefault(suspicion.service, Symptoms())
            strength = (
                CREDIT * suspicion.fit * agreed * _plausible(suspicion.service, own, signal, world)
            )
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
                    if finding.signal in family
                    and finding.service == caller
                    and finding.peer in (None, suspicion.service)
                )
    return frozenset(credited)


def _plausible(service: str, own: Symptoms, signal: Signal, world: World) -> float:
    """How well a service's own measurements go with what its callers suffer.

    It is not slow where it measures its answers and finds them as fast as ever. It may well be
    failing while it measures nothing but good answers, all the more where requests get lost
    on the way to it: what is refused is measured by nobody.
    """
    if signal == "errors":
        return 1.0 + UNREACHED * max(0.0, -world.amplification(service))
    if "latency" in world.measured.get(service, ()) and not any(
        finding.signal == "latency" and finding.peer is None and finding.service == service
        for finding in own.findings
    ):
        return CALM
    return 1.0


def _suspicions(
    found: dict[str, Symptoms], world: World, signal: Signal, family: frozenset[Signal]
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
        if _starved(found.get(name)):
            hit = bad & callers & outward
        fit = len(frontier & hit) / len(frontier) * sqrt(len(bad & callers) / len(callers))
        shared = _shared_calls(hit, callers, found, world, family)
        if len(hit) == 1:
            caller = next(iter(hit))
            if not found[caller].outbound_in(family):
                continue
            fit *= LONE_CALLER / sqrt(len(world.graph.callees[caller] & world.unseen))
        fit *= _heard(hit, name, found, world, signal)
        own = min(1.0, _own_strength(found, name))
        if family == ERRORS:
            own += DESERTED * _deserted(name, world)
        choice = round(fit * shared * (1.0 + own), 6)
        suspicions.append(_Suspicion(name, fit, choice, _by_strength(hit, found, family)))
    best = max([0.0, *(item.choice for item in suspicions)])
    return [item for item in suspicions if item.choice == best > 0.0]


def _shared_calls(
    hit: Iterable[str],
    callers: frozenset[str],
    found: dict[str, Symptoms],
    world: World,
    family: frozenset[Signal],
) -> float:
    """0..1: how well the services with the troubled leaf spans match the service's callers.

    An operation that somebody uses who does not call the service is no call to it. Weighed
    by surprise; 1 where no leaf span is in trouble.
    """
    whole = agreeing = 0.0
    for caller in hit:
        for finding in found[caller].findings:
            users = world.leaf_users.get(finding.subject)
            if not finding.outbound or finding.signal not in family or users is None:
                continue
            whole += finding.surprise
            if users <= callers:
                agreeing += finding.surprise * len(users) / len(callers)
    return agreeing / whole if whole > 0.0 else 1.0


def _heard(
    hit: Iterable[str], name: str, found: dict[str, Symptoms], world: World, signal: Signal
) -> float:
    """Share of those callers that measure this callee, and find it failing or slow.

    Nobody's word is taken as the last one: at least `LEAST_HEARD`; 1 where nobody measures it.
    """
    wanted: Signal = "errors" if signal == "errors" else "latency"
    asked = [caller for caller in hit if (caller, name, wanted) in world.heard]
    agreeing = sum(
        any(finding.peer == name and finding.signal == wanted for finding in found[caller].findings)
        for caller in asked
    )
    return max(LEAST_HEARD, agreeing / len(asked)) if asked else 1.0


def _may_come_from_outside(symptoms: Symptoms, family: frozenset[Signal]) -> bool:
    """Errors or waiting inside a service's own spans are its own."""
    spans = symptoms.of("error_spans") if family == ERRORS else symptoms.inner
    return symptoms.outbound_in(family) or spans <= 0.0


def _deserted(service: str, world: World) -> float:
    """0..1: how far it gets fewer requests than before, and fewer than its callers would send."""
    # Where its own requests are not known nothing is lost on the way either.
    fewer = world.load.get(service, 1.0) < 1.0  # mutate: equivalent any default
    return max(0.0, -world.amplification(service)) if fewer else 0.0


def _starved(symptoms: Symptoms | None) -> bool:
    """Does the service hardly get requests any more? Then it is not reached, or not up."""
    return symptoms is not None and any(is_starved(finding) for finding in symptoms.findings)


def _own_strength(found: dict[str, Symptoms], service: str) -> float:
    """What the service's own metrics, if any, say."""
    return sum(sorted(found[service].by_signal.values())) if service in found else 0.0


def _by_strength(
    names: Iterable[str], found: dict[str, Symptoms], family: frozenset[Signal]
) -> tuple[str, ...]:
    return tuple(
        sorted(
            names,
            key=lambda name: (found[name].strongest(family), found[name].fingerprint(), name),
            reverse=True,
        )
    )

"""Strain: what a service suffers because it is full, wherever that began.

A service is a pool of workers. More requests than before fill it, and so does every worker
that waits for a slow callee; then requests queue, and those that find no room are turned away
unworked. Its errors, its latency and the calls it no longer makes are then real, and still no
sign that the fault is its own: the retries of others flood whoever lies on their way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import log2

from aegis.engine.symptoms import ERRORS, FLOW, LATENCY, SEQUENCE, Symptoms, proportion
from aegis.engine.world import World
from aegis.model.evidence import Signal

MOST_DOUBLINGS = 3.0
LOAD_FAILS = 0.25
LOAD_SLOWS = 0.4
SLOW_CALLEE_FAILS = 0.25
FULL_CALLEE_FAILS = 0.15
FAILING_CALLEE_FAILS = 0.2
FAILED_CALLS_WAIT = 0.25
FILLS: frozenset[Signal] = frozenset({"disk", "memory"})


def kept_under_strain(
    service: str, symptoms: Mapping[str, Symptoms], world: World
) -> dict[Signal, float]:
    """0..1 for each signal that strain excuses: how much of it speaks against the service.

    Errors are excused by every doubling of the requests that callers pass on, not by those they
    repeat because the service failed them, and by callees that are slow, fail,
    or whose disk or memory is full; latency by the doublings; its own time by failing callees,
    since it pauses between attempts; calls and lines left out by the share of requests that it
    turned away. Turning requests away in silence is no overload, so that needs errors.
    """
    callees = [symptoms[name] for name in world.graph.callees[service] if name in symptoms]
    own = symptoms.get(service, Symptoms())
    failing_callee = max(
        (callee.strongest(ERRORS) * proportion(callee, own, ERRORS) for callee in callees),
        default=0.0,
    )
    doublings = _doublings(world.inherited.get(service))
    failing = (
        LOAD_FAILS * doublings
        + SLOW_CALLEE_FAILS * _worst(callees, LATENCY)
        + FULL_CALLEE_FAILS * _worst(callees, FILLS)
        + FAILING_CALLEE_FAILS * failing_callee
    )
    kept: dict[Signal, float] = dict.fromkeys(ERRORS, max(0.0, 1.0 - failing))
    kept["latency"] = max(0.0, 1.0 - LOAD_SLOWS * doublings)
    kept["self_time"] = max(0.0, 1.0 - FAILED_CALLS_WAIT * _worst(callees, ERRORS))
    if own.strongest(ERRORS) > 0.0:
        worked_on = 1.0 - world.turned_away.get(service, 0.0)
        kept.update(dict.fromkeys(FLOW | SEQUENCE, worked_on))
    return kept


def _doublings(load: float | None) -> float:
    """How often the requests doubled; 0 where they did not rise or are not known."""
    return min(MOST_DOUBLINGS, max(0.0, log2(load))) if load is not None else 0.0


def _worst(callees: Iterable[Symptoms], family: Iterable[Signal]) -> float:
    return max((callee.strongest(family) for callee in callees), default=0.0)

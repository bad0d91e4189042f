"""What kind of fault it is, from which of a service's symptoms stand out."""

from __future__ import annotations

from collections.abc import Mapping

from aegis.engine.symptoms import ERRORS, FLOW, SEQUENCE, Symptoms
from aegis.engine.world import World
from aegis.model.diagnosis import FAMILIES, Family

RECENT_CHANGE = 0.3
MEMORY_OVER_CPU = 1.6
RESTARTS_AS_MEMORY = 0.7
DISK_OF_A_STORE = 3.0
SATURATION_AS_CONFIG = 0.8
SELF_TIME_AS_CPU = 0.3
SELF_TIME_AS_CODE = 0.6
LATENCY_AS_NETWORK = 0.5
CPU_OVER_WAITING = 1.5
WAITING_AS_NETWORK = 0.8
UNEXPLAINED_AS_DEPENDENCY = 0.8
CHANGE_AS_CONFIG = 1.5
CHANGE_AS_CODE = 1.5
UNUSUAL_MEMORY = 0.5
CERTAIN = 10.0


def family_of(
    service: str, symptoms: Symptoms, world: World, change_kinds: Mapping[str, str]
) -> Family:
    """The most supported family; "code" when nothing distinguishes one.

    Errors and lines left out speak for code only as far as no lack of processors or memory
    brings them about. Of what only its callers can see (it calls nobody, writes neither spans
    nor logs, and was not changed) nobody here can tell more than that it is a dependency,
    unless one of its resources stands out; disks first, since such services are mostly stores.
    """
    recent = world.recency.get(service, 0.0) > RECENT_CHANGE
    kind = change_kinds.get(service, "").lower()
    behaviour = max(symptoms.strongest(ERRORS | FLOW), symptoms.strongest(SEQUENCE))
    waiting = (
        WAITING_AS_NETWORK * symptoms.of("call_time")
        + symptoms.of("network")
        + LATENCY_AS_NETWORK * symptoms.of("latency")
    )
    support: dict[Family, float] = dict.fromkeys(FAMILIES, 0.0)
    support["cpu"] = _processors(service, symptoms, world)
    support["memory"] = MEMORY_OVER_CPU * symptoms.of("memory") + RESTARTS_AS_MEMORY * symptoms.of(
        "restarts"
    )
    if _is_seen_from_outside_only(service, world) and not recent:
        support["disk"] = DISK_OF_A_STORE * symptoms.of("disk")
        support["dependency"] = UNEXPLAINED_AS_DEPENDENCY * max(waiting, behaviour)
    else:
        scarce = max(symptoms.of("cpu"), symptoms.of("memory") - UNUSUAL_MEMORY)
        support["disk"] = symptoms.of("disk")
        support["network"] = waiting
        support["code"] = max(behaviour - scarce, SELF_TIME_AS_CODE * symptoms.of("self_time"))
    support["config"] = SATURATION_AS_CONFIG * symptoms.of("saturation") if recent else 0.0
    if recent and "config" in kind:
        support["config"] += CHANGE_AS_CONFIG * max(1.0, behaviour)
    elif recent:
        support["code"] += CHANGE_AS_CODE
    if service in world.silent:
        support["dependency"] = CERTAIN
    best = max(support.values())
    return next(family for family in ("code", *FAMILIES) if support[family] == best)


def _processors(service: str, symptoms: Symptoms, world: World) -> float:
    """Support for cpu; certain where a surge takes more processors than there are."""
    if world.surge is not None and service in world.surge.nearly_full:
        return CERTAIN
    busy = symptoms.of("cpu")
    return CPU_OVER_WAITING * busy + (SELF_TIME_AS_CPU * symptoms.of("self_time") if busy else 0.0)


def _is_seen_from_outside_only(service: str, world: World) -> bool:
    return service in world.unseen and not world.graph.callees[service]

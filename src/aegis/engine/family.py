"""What kind of fault it is, from which of a service's symptoms stand out."""

from __future__ import annotations

from collections.abc import Mapping

from aegis.engine.symptoms import ERRORS, FLOW, SEQUENCE, Symptoms
from aegis.engine.world import World
from aegis.model.diagnosis import FAMILIES, Family

RECENT_CHANGE = 0.3
RESTART_AS_MEMORY = 0.7
SATURATION_AS_CONFIG = 0.8
SELF_TIME_AS_CPU = 0.3
SELF_TIME_AS_CODE = 0.6
LATENCY_AS_NETWORK = 0.5
CPU_OVER_WAITING = 1.5
WAITING_AS_NETWORK = 0.8
CHANGE_AS_CONFIG = 1.5
CHANGE_AS_CODE = 0.8
SILENT_IS_DEPENDENCY = 10.0


def family_of(
    service: str, symptoms: Symptoms, world: World, change_kinds: Mapping[str, str]
) -> Family:
    """The most supported family; "code" when nothing distinguishes one."""
    recent = world.recency.get(service, 0.0) > RECENT_CHANGE
    kind = change_kinds.get(service, "").lower()
    behaviour = max(symptoms.strongest(ERRORS | FLOW), symptoms.strongest(SEQUENCE))
    support: dict[Family, float] = dict.fromkeys(FAMILIES, 0.0)
    support["cpu"] = CPU_OVER_WAITING * symptoms.of("cpu")
    if symptoms.of("cpu") > 0.0:
        support["cpu"] += SELF_TIME_AS_CPU * symptoms.of("self_time")
    support["memory"] = max(symptoms.of("memory"), RESTART_AS_MEMORY * symptoms.of("restarts"))
    support["disk"] = symptoms.of("disk")
    support["network"] = (
        WAITING_AS_NETWORK * symptoms.of("call_time")
        + symptoms.of("network")
        + LATENCY_AS_NETWORK * symptoms.of("latency")
    )
    support["code"] = max(behaviour, SELF_TIME_AS_CODE * symptoms.of("self_time"))
    support["config"] = SATURATION_AS_CONFIG * symptoms.of("saturation") if recent else 0.0
    if recent and "config" in kind:
        support["config"] += CHANGE_AS_CONFIG * max(1.0, behaviour)
    elif recent:
        support["code"] += CHANGE_AS_CODE
    if service in world.silent:
        support["dependency"] = SILENT_IS_DEPENDENCY
    best = max(support.values())
    return next(family for family in ("code", *FAMILIES) if support[family] == best)

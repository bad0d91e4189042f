"""What the engine concludes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aegis.model.evidence import Evidence, EvidenceGap
from aegis.model.telemetry import Alarm, TimeWindow
from aegis.model.text import Text

Family = Literal["cpu", "memory", "disk", "network", "code", "config", "dependency"]
FAMILIES: tuple[Family, ...] = (
    "cpu",
    "memory",
    "disk",
    "network",
    "code",
    "config",
    "dependency",
)


@dataclass(frozen=True, slots=True)
class RootCause:
    """A candidate cause. `evidence_ids` and `against_ids` are strongest first.

    `onset_ns` is when its own evidence began, None where that could not be told.
    """

    service: str
    probability: float
    family: Family
    score: float
    evidence_ids: tuple[str, ...]
    against_ids: tuple[str, ...]
    onset_ns: int | None


@dataclass(frozen=True, slots=True)
class RuledOut:
    """A service with symptoms of its own that another cause explains."""

    service: str
    explained_by: str | None
    evidence_ids: tuple[str, ...]
    why: Text


@dataclass(frozen=True, slots=True)
class Impact:
    """Who feels what since when; `since_ns` is None where no onset was found."""

    service: str | None
    since_ns: int | None
    evidence_ids: tuple[str, ...]
    statement: Text


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    time_ns: int
    event: Text
    evidence_id: str | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All candidates, most probable first; with `none_probability` they sum to 1.

    `evidence` holds every item that any id here names, and only those.
    """

    window: TimeWindow
    alarm: Alarm | None
    causes: tuple[RootCause, ...]
    none_probability: float
    evidence: tuple[Evidence, ...]
    gaps: tuple[EvidenceGap, ...]
    impact: Impact
    timeline: tuple[TimelineEntry, ...]
    ruled_out: tuple[RuledOut, ...]

    def evidence_by_id(self) -> dict[str, Evidence]:
        return {item.id: item for item in self.evidence}


@dataclass(frozen=True, slots=True)
class Answer:
    """A diagnosis in words of one language."""

    language: Literal["zh", "en"]
    summary: str
    impact: str
    cause_descriptions: tuple[str, ...]
    ruled_out: tuple[str, ...]
    blind_spots: tuple[str, ...]
    next_actions: tuple[str, ...]

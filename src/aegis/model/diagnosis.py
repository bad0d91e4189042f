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


OnsetOutcome = Literal["ongoing", "ended", "before_history", "nothing"]


@dataclass(frozen=True, slots=True)
class Onset:
    """When what was asked about began, told from telemetry and not from the question.

    "ongoing": since `start_ns`, and not over where the telemetry ends. "ended": from
    `start_ns` to `end_ns`. "before_history": it burned already where the telemetry begins;
    `start_ns` is None, `end_ns` None unless it ended. "nothing": neither is known.
    `asked` is the time the question meant. `left_out` are other incidents, whose rows are
    no part of the baseline. `belief` is how probable it is that trouble is behind it, and not
    chance; where nothing began, how probable it is that trouble was overlooked.
    """

    outcome: OnsetOutcome
    asked: TimeWindow
    start_ns: int | None
    end_ns: int | None
    left_out: tuple[TimeWindow, ...]
    statement: Text
    belief: float


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All candidates, most probable first; with `none_probability` they sum to 1.

    `evidence` holds every item that any id here names, and only those. `onset` is None where
    the window was given, not looked for.
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
    onset: Onset | None = None

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
    onset: str | None = None

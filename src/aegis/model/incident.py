"""A recorded incident: what a case says about itself, and what is read from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from aegis.model.alert import Alert
from aegis.model.diagnosis import Family
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import Alarm, Change, LogTable, Matrix, SpanTable, TimeWindow
from aegis.model.text import Text


@dataclass(frozen=True, slots=True)
class Asked:
    """What an engineer typed, and the window it would get."""

    question: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class CaseHeader:
    """`case.json` of aegis-case/1."""

    id: str
    source: str
    fault_window: TimeWindow
    alarm: Alarm | None
    services: tuple[str, ...]
    calls: tuple[tuple[str, str], ...]
    changes: tuple[Change, ...]
    asked: Asked | None = None


@dataclass(frozen=True, slots=True)
class KeptCase:
    """How much of an incident was kept as a case; `left_out` says what was not, and how."""

    samples: int
    spans: int
    lines: int
    size_bytes: int
    left_out: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class TrueCause:
    """One labelled root cause; only the benchmark reads it."""

    service: str
    fault: str
    family: Family | None


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """Everything the engine gets for one question.

    Rows inside `window` are suspected to be faulty, all others are the baseline (which may
    have holes and may lie days away). `extent` spans all rows and `window`. `alerts` fired in
    the window that was asked about; they are told, and do not rank.
    """

    window: TimeWindow
    extent: TimeWindow
    alarm: Alarm | None
    services: tuple[str, ...]
    calls: tuple[tuple[str, str], ...]
    changes: tuple[Change, ...]
    metrics: Matrix
    spans: SpanTable
    logs: LogTable
    gaps: tuple[EvidenceGap, ...] = ()
    alerts: tuple[Alert, ...] = ()

"""What was measured, and what could not be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aegis.model.telemetry import TimeWindow
from aegis.model.text import Text

Source = Literal["metrics", "logs", "traces", "changes", "alerts"]
Signal = Literal[
    "errors",
    "latency",
    "cpu",
    "memory",
    "disk",
    "network",
    "saturation",
    "restarts",
    "traffic",
    "self_time",
    "call_time",
    "error_spans",
    "call_structure",
    "error_logs",
    "log_rate",
    "log_sequence",
    "change",
    "alert",
]
"""What an evidence shows: golden signals of metrics, then spans, logs, changes and alerts."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One measurement that speaks for or against a cause, and how to measure it again.

    `query` asked of `source` over `data_window` gives rows whose canonical bytes hash to
    `sha256`; names are not part of the hash. `window` is the time the statement speaks of.
    `strength` is the surprise in decades (0 = expected). `peer` is the callee of a call.
    `baseline` and `observed` carry `unit`; None where a comparison makes no sense.
    `trend` samples the measurement evenly over `data_window` for a sparkline, may be empty.
    `left_out` are stretches within it whose rows, other incidents, were not measured.
    """

    id: str
    source: Source
    signal: Signal
    service: str
    peer: str | None
    subject: str
    query: str
    window: TimeWindow
    data_window: TimeWindow
    sha256: str
    baseline: float | None
    observed: float | None
    unit: str
    strength: float
    onset_ns: int | None
    statement: Text
    samples: tuple[str, ...] = ()
    trend: tuple[float, ...] = ()
    left_out: tuple[TimeWindow, ...] = ()


GapReason = Literal[
    "no_data",
    "stopped",
    "zero",
    "not_recorded",
    "no_baseline",
    "sampled",
    "undated",
    "unavailable",
    "short",
    "not_configured",
]


@dataclass(frozen=True, slots=True)
class EvidenceGap:
    """Something that could not be seen. Absence is not evidence: a gap proves nothing."""

    source: Source
    reason: GapReason
    service: str | None
    statement: Text

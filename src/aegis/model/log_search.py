"""What is asked of logs beside the fixed plan, by a person or a model, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import TimeWindow

ERROR_WORDS = ("error", "exception", "fatal", "panic", "traceback", "timeout", "refused", "fail")
ERROR_STATUS_CODES = (500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class LogSearchRequest:
    """Lines that hold one of `keywords` (any case) or of `status_codes` as a number.

    `services` empty means all; else the first is the most interesting. Neither keywords nor
    status codes: all lines.
    """

    window: TimeWindow
    services: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ERROR_WORDS
    status_codes: tuple[int, ...] = ERROR_STATUS_CODES
    most_lines: int = 500


@dataclass(frozen=True, slots=True)
class LogGroup:
    """Lines that differ in numbers and ids only; `example` is the first of them.

    `lines` counts those read; times are nanoseconds since the epoch.
    """

    service: str
    level: str | None
    example: str
    lines: int
    first_ns: int
    last_ns: int
    trace_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogEvidence:
    """`matching` are lines there are by service, counted by the source; groups hold fewer
    where a gap says so. `query` asked again gives the same lines."""

    query: str
    window: TimeWindow
    matching: tuple[tuple[str, int], ...]
    groups: tuple[LogGroup, ...]
    gaps: tuple[EvidenceGap, ...] = ()


@dataclass(frozen=True, slots=True)
class LogVolume:
    """How much a service wrote, in bytes where the source keeps count of them, else in lines."""

    service: str
    amount: int
    unit: Literal["bytes", "lines"]


@dataclass(frozen=True, slots=True)
class LogPattern:
    """A template the source mined itself; `<_>` stands for what varies."""

    pattern: str
    level: str
    lines: int

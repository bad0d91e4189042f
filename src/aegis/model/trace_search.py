"""What is asked of traces beside the fixed plan, by a person or a model."""

from __future__ import annotations

from dataclasses import dataclass

from aegis.model.telemetry import TimeWindow


@dataclass(frozen=True, slots=True)
class TraceRequest:
    """Traces through `service`. A filter holds where any one of its spans there meets it."""

    window: TimeWindow
    service: str
    operation: str | None = None
    min_duration_ns: int | None = None
    only_failed: bool = False
    most_traces: int = 20

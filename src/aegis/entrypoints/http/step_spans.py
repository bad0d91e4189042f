"""The steps of an analysis as spans of the request that asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.trace import Span

from aegis.observability.tracing import tracer


@dataclass(slots=True)
class StepSpans:
    """Steps run in another process; what it tells of them is turned into spans here.

    Steps may overlap. What still runs when the analysis is given up leaves no span.
    """

    _open: dict[str, list[Span]] = field(default_factory=dict)

    def heard(self, event: Mapping[str, Any]) -> None:
        """Begin or end the span that an event tells of; other events pass."""
        tool = str(event.get("tool"))
        if event["event"] == "tool_start":
            self._open.setdefault(tool, []).append(tracer().start_span(tool))
        elif event["event"] == "tool_end" and self._open.get(tool):
            self._open[tool].pop(0).end()

"""Rows become a LogTable in canonical order."""

from __future__ import annotations

from collections.abc import Sequence

from aegis.adapters.loki.answers import Row
from aegis.adapters.loki.identity import service_of
from aegis.adapters.loki.reading_lines import level_of, trace_and_span
from aegis.adapters.loki.selector import ServiceSelector
from aegis.model.telemetry import LogRow, LogTable


def log_table(
    rows: Sequence[Row], label: str, selector: ServiceSelector, sampled_share: float
) -> LogTable:
    """Every line has a time: Loki dates those that came without one."""
    if not rows:
        return LogTable.empty()
    read: list[LogRow] = []
    for row in rows:
        trace, span = trace_and_span(row.labels, row.body)
        level = level_of(row.labels, row.body)
        service = service_of(row.labels, label, selector)
        read.append((service, row.time_ns, row.body, _id(trace), _id(span), level))
    return LogTable.of(read, sampled_share)


def _id(text: str) -> bytes:
    return text.encode("utf-8", "replace").rstrip(b"\x00")

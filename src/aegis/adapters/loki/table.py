"""Rows become a LogTable in canonical order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aegis.adapters.loki.answers import Row
from aegis.adapters.loki.identity import service_of
from aegis.adapters.loki.reading_lines import level_of, trace_and_span
from aegis.adapters.loki.selector import ServiceSelector
from aegis.model.telemetry import Ids, Int32s, LogTable


def log_table(
    rows: Sequence[Row], label: str, selector: ServiceSelector, sampled_share: float
) -> LogTable:
    """Every line has a time: Loki dates those that came without one."""
    if not rows:
        return LogTable.empty()
    read = []
    for row in rows:
        trace, span = trace_and_span(row.labels, row.body)
        level = level_of(row.labels, row.body)
        service = service_of(row.labels, label, selector)
        read.append((service, row.time_ns, row.body, _id(trace), _id(span), level))
    read.sort(key=lambda one: (*one[:5], one[5] or ""))
    services, service_code = _coded([one[0] for one in read])
    levels, level_code = _coded([one[5] for one in read])
    return LogTable(
        np.array([one[1] for one in read], dtype=np.int64),
        service_code,
        services,
        tuple(one[2] for one in read),
        level_code,
        levels,
        _ids([one[3] for one in read]),
        _ids([one[4] for one in read]),
        sampled_share,
    )


def _id(text: str) -> bytes:
    return text.encode("utf-8", "replace").rstrip(b"\x00")


def _ids(ids: list[bytes]) -> Ids:
    return np.array(ids, dtype=np.bytes_)


def _coded(names: Sequence[str | None]) -> tuple[tuple[str, ...], Int32s]:
    distinct = sorted({name for name in names if name is not None})
    codes = {name: code for code, name in enumerate(distinct)}
    numbers = [-1 if name is None else codes[name] for name in names]
    return tuple(distinct), np.array(numbers, dtype=np.int32)

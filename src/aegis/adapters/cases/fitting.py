"""Rows that a live source may send and the case format cannot hold are left out, and counted."""

from __future__ import annotations

import numpy as np

from aegis.adapters.cases.columns import FIRST_NS, LAST_NS, LONGEST_ID
from aegis.adapters.cases.span_rows import LONGEST_SPAN_NS
from aegis.adapters.cases.tables import log_rows, span_rows
from aegis.model.telemetry import UNDATED, Bools, Ids, LogTable, SpanTable
from aegis.model.text import Text


def spans_that_fit(spans: SpanTable) -> tuple[SpanTable, tuple[Text, ...]]:
    fits = _are_ids(spans.trace_id) & _are_ids(spans.span_id) & _are_ids(spans.parent_span_id)
    fits &= (spans.span_id != b"") & (spans.service_code >= 0) & (spans.operation_code >= 0)
    fits &= (spans.duration_ns >= 0) & (spans.duration_ns <= LONGEST_SPAN_NS)
    fits &= (spans.start_ns >= FIRST_NS) & (spans.start_ns < LAST_NS)
    odd = int((~fits).sum())
    if not odd:
        return spans, ()
    told = Text(
        f"调用链：{odd:,} 个 span 的编号或时长不合格式，没有保留。",
        f"Traces: {odd:,} spans are left out, their ids or durations do not fit the format.",
    )
    return span_rows(spans, fits), (told,)


def lines_that_fit(logs: LogTable) -> tuple[LogTable, tuple[Text, ...]]:
    fits = _are_ids(logs.trace_id) & _are_ids(logs.span_id) & (logs.service_code >= 0)
    fits &= (logs.time_ns == UNDATED) | ((logs.time_ns >= FIRST_NS) & (logs.time_ns < LAST_NS))
    odd = int((~fits).sum())
    if not odd:
        return logs, ()
    told = Text(
        f"日志：{odd:,} 行的编号或时间不合格式，没有保留。",
        f"Logs: {odd:,} lines are left out, their ids or times do not fit the format.",
    )
    return log_rows(logs, fits), (told,)


def _are_ids(ids: Ids) -> Bools:
    """UTF-8 of at most LONGEST_ID bytes."""
    fits: Bools = np.char.str_len(ids) <= LONGEST_ID
    try:
        b"\n".join(ids.tolist()).decode()
    except UnicodeDecodeError:
        fits &= np.array([_is_utf8(one) for one in ids.tolist()], dtype=np.bool_)
    return fits


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True

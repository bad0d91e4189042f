"""jaeger_query_traces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from aegis.agent.tools.shown import number, remarks, shown
from aegis.agent.tools.times import Moment, Times, moment_text, told
from aegis.agent.tools.tool import Arguments, Result, Tool, fault
from aegis.engine.trace_tree import NO_ROW, TraceTree
from aegis.model.telemetry import Int64s, SpanTable
from aegis.model.trace_search import TraceRequest
from aegis.ports import TraceSearch

MOST_TRACES = 20
MOST_SPANS_A_TRACE = 8
MOST_SPANS = 200
MS = 1_000_000


class TraceArguments(Arguments):
    service: Annotated[str | None, Field(max_length=256, description="needed without trace_id")] = (
        None
    )
    operation: Annotated[str | None, Field(max_length=256)] = None
    start: Moment = "now-15m"
    end: Moment = "now"
    min_duration_ms: Annotated[float | None, Field(gt=0, le=86_400_000)] = None
    only_failed: bool = False
    limit: Annotated[int, Field(ge=1, le=MOST_TRACES)] = 10
    trace_id: Annotated[
        str | None, Field(max_length=64, description="one trace with all its spans, whenever")
    ] = None


def query_traces(source: TraceSearch, times: Times) -> Tool[TraceArguments]:
    return Tool(
        "jaeger_query_traces",
        "Traces through a service, or one trace by its id. Of each trace the spans with most "
        "time of their own and those that failed are told; own time leaves out the calls a span "
        "waits for. Filters hold where one span of the service meets them. At most 6 h, 20 traces.",
        TraceArguments,
        _Asking(source, times).query,
        "jaeger_request_failed",
        lambda given: {
            "service": given.service,
            "start": given.start,
            "end": given.end,
            "trace_id": given.trace_id,
        },
    )


@dataclass(frozen=True, slots=True)
class _Asking:
    source: TraceSearch
    times: Times

    async def query(self, given: TraceArguments) -> Result:
        if given.trace_id is not None:
            return await self._one(given.trace_id)
        if not given.service:
            return fault("invalid_arguments", "service: give a service, or a trace_id")
        window = self.times.window(given, service=given.service)
        if isinstance(window, dict):
            return window
        least_ns = None if given.min_duration_ms is None else int(given.min_duration_ms * MS)
        asked = TraceRequest(
            window, given.service, given.operation, least_ns, given.only_failed, given.limit
        )
        table, gaps = await self.source.find_traces(asked)
        return {
            "service": given.service,
            **told(window),
            "traces": _traces(table, MOST_SPANS_A_TRACE),
            **remarks(gaps),
        }

    async def _one(self, trace_id: str) -> Result:
        table = await self.source.read_trace(trace_id)
        traces = _traces(table, MOST_SPANS)
        more = len(table) - MOST_SPANS
        cut = f"{more} more spans: those with most time of their own are told" if more > 0 else ""
        return {"trace_id": trace_id, "traces": traces, **remarks((), cut)}


def _traces(table: SpanTable, most_spans: int) -> list[Mapping[str, object]]:
    """By start, then by id."""
    tree = TraceTree.of(table)
    rows_of = [np.flatnonzero(tree.trace == code) for code in range(tree.trace_count)]
    rows_of.sort(key=lambda rows: (int(table.start_ns[rows].min()), bytes(table.trace_id[rows[0]])))
    return [_trace(tree, rows, most_spans) for rows in rows_of]


def _trace(tree: TraceTree, rows: Int64s, most_spans: int) -> Mapping[str, object]:
    table = tree.spans
    starts, ends = table.start_ns[rows], table.start_ns[rows] + table.duration_ns[rows]
    roots = rows[tree.parent[rows] == NO_ROW]
    root = int(roots[int(np.argmin(table.start_ns[roots]))])
    # Failed ones first, then by own time; ids make the order one.
    telling = sorted(
        rows.tolist(),
        key=lambda row: (
            not table.error[row],
            -float(tree.exclusive_ms[row]),
            bytes(table.span_id[row]),
        ),
    )[:most_spans]
    return {
        "trace_id": table.trace_id[root].decode("utf-8", "replace"),
        "root": f"{shown(_service(table, root))}: {shown(_operation(table, root))}",
        "start": moment_text(int(starts.min())),
        "duration_ms": number((int(ends.max()) - int(starts.min())) / MS),
        "spans": len(rows),
        "failed_spans": int(np.count_nonzero(table.error[rows])),
        "services": sorted({shown(_service(table, row)) for row in rows.tolist()}),
        "telling_spans": [_span(tree, row) for row in telling],
    }


def _span(tree: TraceTree, row: int) -> Mapping[str, object]:
    table = tree.spans
    return {
        "service": shown(_service(table, row)),
        "operation": shown(_operation(table, row)),
        "start": moment_text(int(table.start_ns[row])),
        "duration_ms": number(int(table.duration_ns[row]) / MS),
        "own_ms": number(float(tree.exclusive_ms[row])),
        "failed": bool(table.error[row]),
    }


def _service(table: SpanTable, row: int) -> str:
    return table.services[int(table.service_code[row])]


def _operation(table: SpanTable, row: int) -> str:
    return table.operations[int(table.operation_code[row])]

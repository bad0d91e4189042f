"""Narrow questions to Jaeger: some traces through a service, or one trace by its id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.jaeger.cohorts import FAILED_TAGS
from aegis.adapters.jaeger.decoded import Decoded
from aegis.adapters.jaeger.query_api import MOST_SERVICES, QueryApi, Search
from aegis.adapters.jaeger.span_rows import SpanRow, whole_table
from aegis.model.errors import InvalidRequest
from aegis.model.evidence import EvidenceGap
from aegis.model.service_names import spelled
from aegis.model.telemetry import SpanTable, TimeWindow
from aegis.model.text import Text
from aegis.model.trace_search import TraceRequest

MOST_TRACES = 20
LONGEST_WINDOW_S = 6 * 3600


@dataclass(frozen=True, slots=True)
class JaegerSearch:
    """A TraceSearch and a ServiceNames on the entered client of a question."""

    client: BackendClient
    api: QueryApi = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "api", QueryApi(self.client))

    async def find_traces(self, asked: TraceRequest) -> tuple[SpanTable, tuple[EvidenceGap, ...]]:
        _check(asked)
        named = _spelled(asked.service, await self.api.services())
        if named is None:
            return whole_table(()), (_nobody(asked.service),)
        asked = replace(asked, service=named)
        search = Search(
            asked.window,
            asked.most_traces,
            asked.service,
            asked.min_duration_ns,
            FAILED_TAGS if asked.only_failed else (),
            asked.operation,
        )
        found = await self.api.search(search)
        rows = _that_meet(asked, found)
        gaps = []
        if found.traces >= asked.most_traces:
            gaps.append(_newest(asked.most_traces))
        if found.malformed:
            gaps.append(_malformed(found.malformed))
        return whole_table(rows), tuple(gaps)

    async def read_trace(self, trace_id: str) -> SpanTable:
        return whole_table((await self.api.trace(trace_id)).rows)

    async def names(self, window: TimeWindow) -> tuple[str, ...]:
        """All services Jaeger has ever seen: it cannot be asked for those of a time."""
        return await self.api.services()


def _spelled(service: str, known: Sequence[str]) -> str | None:
    """The service as Jaeger spells it; None where it knows none of that name.

    Of very many services not all are listed: then Jaeger itself has to know.
    """
    found = spelled(service, known)
    if not found and len(known) >= MOST_SERVICES:
        return service
    return found[0] if found else None


def _check(asked: TraceRequest) -> None:
    if not 1 <= asked.most_traces <= MOST_TRACES:
        raise InvalidRequest("limit", f"must be from 1 to {MOST_TRACES}")
    if asked.window.duration_s > LONGEST_WINDOW_S:
        raise InvalidRequest("range", f"longer than {LONGEST_WINDOW_S // 3600} hours; ask for less")


def _that_meet(asked: TraceRequest, found: Decoded) -> list[SpanRow]:
    """Old releases ignore a filter they do not know, so what comes is looked at again."""
    of_trace: dict[str, list[SpanRow]] = {}
    for row in found.rows:
        of_trace.setdefault(row.trace_id, []).append(row)
    return [row for rows in of_trace.values() if _meets(asked, rows) for row in rows]


def _meets(asked: TraceRequest, rows: list[SpanRow]) -> bool:
    own = [row for row in rows if row.service == asked.service]
    if asked.operation is not None:
        own = [row for row in own if row.operation == asked.operation]
    if asked.only_failed:
        own = [row for row in own if row.error]
    least_ns = asked.min_duration_ns or 0
    return any(row.duration_ns >= least_ns for row in own)


def _nobody(service: str) -> EvidenceGap:
    said = Text(
        f"Jaeger 不认识服务 {service}：list_services 列出它认识的。",
        f"Jaeger knows no service {service}; list_services names those it knows.",
    )
    return EvidenceGap("traces", "no_data", service, said)


def _newest(most: int) -> EvidenceGap:
    said = Text(
        f"只给出最新写入的 {most} 条调用链，可能还有更多。",
        f"Only the newest {most} traces are given; there may be more.",
    )
    return EvidenceGap("traces", "sampled", None, said)


def _malformed(count: int) -> EvidenceGap:
    said = Text(
        f"有 {count:,} 个 span 的 ID 或时间无法读取，已略去。",
        f"{count:,} spans were left out: their ids or times cannot be read.",
    )
    return EvidenceGap("traces", "unavailable", None, said)

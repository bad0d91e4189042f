"""The reads Jaeger offers, v3 where it is there and the classic ones where it is not.

v3 exists from 1.57 on, and its snake_case parameters work in every release since; the classic
search was removed after 2.20.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from aegis.adapters.http_client.answers import Answer
from aegis.adapters.http_client.budget import MIB
from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.http_client.routes import Route
from aegis.adapters.jaeger.decoded import Decoded, read_classic, read_v3
from aegis.adapters.jaeger.span_rows import Malformed, hex_id, name_of, whole
from aegis.model.errors import InvalidRequest, SourceRejected
from aegis.model.telemetry import TimeWindow, to_ns

V3_SERVICES = Route("GET", "/api/v3/services")
V3_OPERATIONS = Route("GET", "/api/v3/operations")
V3_TRACES = Route("GET", "/api/v3/traces")
V3_TRACE = Route("GET", "/api/v3/traces/{trace_id}")
V3_SUMMARIES = Route("GET", "/api/v3/trace-summaries")
SERVICES = Route("GET", "/api/services")
OPERATIONS = Route("GET", "/api/operations")
TRACES = Route("GET", "/api/traces")
TRACE = Route("GET", "/api/traces/{trace_id}")
DEPENDENCIES = Route("GET", "/api/dependencies")

MOST_BYTES_A_SEARCH = 8 * MIB
MOST_SERVICES = 500
NOTHING = frozenset({404})
TRACE_ID = re.compile(r"[0-9a-f]{16,32}")

Dialect = Literal["v3", "classic"]


@dataclass(frozen=True, slots=True)
class Search:
    """`service` None asks for traces of any service, which not every storage can answer.

    Filters hold where *any* span of the service meets them. `depth` is the most traces;
    the newest written come first.
    """

    window: TimeWindow
    depth: int
    service: str | None = None
    min_duration_ns: int | None = None
    tags: tuple[tuple[str, str], ...] = ()
    operation: str | None = None


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """A trace without its spans; `services` are (name, spans, failed spans)."""

    trace_id: str
    root_service: str
    root_operation: str
    start_ns: int
    end_ns: int
    services: tuple[tuple[str, int, int], ...]


@dataclass(slots=True)
class QueryApi:
    """One Jaeger for one question; it finds out once which dialect is spoken."""

    client: BackendClient
    _dialect: Dialect | None = None

    async def services(self) -> tuple[str, ...]:
        """Sorted, at most MOST_SERVICES; empty where Jaeger has seen none."""
        if self._dialect is None:
            return await self._first_services()
        answer = await self.client.ask(V3_SERVICES if self._dialect == "v3" else SERVICES)
        return _names(_field(answer, "services" if self._dialect == "v3" else "data"))

    async def _first_services(self) -> tuple[str, ...]:
        try:
            answer = await self.client.ask(V3_SERVICES, expected=NOTHING)
        except SourceRejected as refused:
            # A release before v3 gives its UI for every path it does not know.
            try:
                classic = await self.client.ask(SERVICES)
            except SourceRejected:
                raise refused from None
        else:
            if answer.status != 404:
                self._dialect = "v3"
                return _names(_field(answer, "services"))
            classic = await self.client.ask(SERVICES)
        self._dialect = "classic"
        return _names(_field(classic, "data"))

    async def operations(self, service: str) -> tuple[str, ...]:
        """Sorted, each once; an unknown service has none."""
        spoken = await self.dialect()
        route = V3_OPERATIONS if spoken == "v3" else OPERATIONS
        answer = await self.client.ask(route, (("service", service),))
        found = _field(answer, "operations" if spoken == "v3" else "data")
        names = [one.get("name") if isinstance(one, dict) else one for one in found]
        return _names(names)

    async def search(self, search: Search) -> Decoded:
        """Whole traces of which some span starts in the window; none is an empty answer."""
        if await self.dialect() == "classic":
            answer = await self.client.ask(
                TRACES, _classic_search(search), expected=NOTHING, most_bytes=MOST_BYTES_A_SEARCH
            )
            return Decoded() if _nothing(answer) else read_classic(answer)
        answer = await self.client.ask(
            V3_TRACES, _v3_search(search), expected=NOTHING, most_bytes=MOST_BYTES_A_SEARCH
        )
        return Decoded() if _nothing(answer) else read_v3(answer)

    async def summaries(self, search: Search) -> tuple[TraceSummary, ...] | None:
        """None where this release has no summaries (before 2.19): search instead."""
        if await self.dialect() == "classic":
            return None
        try:
            answer = await self.client.ask(V3_SUMMARIES, _v3_search(search), expected=NOTHING)
        except SourceRejected:
            # The UI answers every path that a release does not know; searching will tell the rest.
            return None
        if answer.status == 404:
            return () if _told_404(answer) else None
        found = (_summary(one) for one in _field(answer, "summaries"))
        return tuple(one for one in found if one is not None)

    async def trace(self, trace_id: str) -> Decoded:
        """Empty where Jaeger does not know it; InvalidRequest for what is no trace id."""
        if not TRACE_ID.fullmatch(trace_id):
            raise InvalidRequest("trace_id", "must be 16 to 32 digits of 0-9 and a-f")
        v3 = await self.dialect() == "v3"
        route = V3_TRACE if v3 else TRACE
        answer = await self.client.ask(route, path={"trace_id": trace_id}, expected=NOTHING)
        if _nothing(answer):
            return Decoded()
        return read_v3(answer) if v3 else read_classic(answer)

    async def dependencies(self, end: datetime, lookback_s: float) -> dict[tuple[str, str], int]:
        """(caller, callee) → calls. Empty where nobody computes them; no calls to oneself."""
        parameters = (
            ("endTs", str(to_ns(end) // 1_000_000)),
            ("lookback", str(int(lookback_s * 1000))),
        )
        answer = await self.client.ask(DEPENDENCIES, parameters, expected=frozenset({404, 501}))
        if answer.status != 200:
            return {}
        calls: dict[tuple[str, str], int] = {}
        for one in _field(answer, "data"):
            if isinstance(one, dict):
                pair = name_of(one.get("parent"), ""), name_of(one.get("child"), "")
                count = one.get("callCount")
                if all(pair) and pair[0] != pair[1] and isinstance(count, int):
                    calls[pair] = calls.get(pair, 0) + count
        return calls

    async def searches_all_services(self) -> bool:
        """Whether a search without a service is worth a try; some storages refuse it."""
        return await self.dialect() == "v3"

    async def dialect(self) -> Dialect:
        """Asks for the services where it is not known yet."""
        if self._dialect is None:
            await self.services()
        assert self._dialect is not None  # noqa: S101
        return self._dialect


def _v3_search(search: Search) -> tuple[tuple[str, str], ...]:
    asked = [
        ("query.start_time_min", _rfc3339(search.window.start)),
        ("query.start_time_max", _rfc3339(search.window.end)),
        ("query.num_traces", str(search.depth)),
    ]
    if search.service is not None:
        asked.insert(0, ("query.service_name", search.service))
    if search.operation is not None:
        asked.append(("query.operation_name", search.operation))
    if search.min_duration_ns is not None:
        asked.append(("query.duration_min", f"{search.min_duration_ns}ns"))
    if search.tags:
        asked.append(("query.attributes", json.dumps(dict(search.tags))))
    return tuple(asked)


def _classic_search(search: Search) -> tuple[tuple[str, str], ...]:
    if search.service is None:
        raise SourceRejected("the classic search of Jaeger needs a service")
    asked = [
        ("service", search.service),
        ("start", str(search.window.start_ns // 1000)),
        ("end", str(search.window.end_ns // 1000)),
        ("limit", str(search.depth)),
    ]
    if search.operation is not None:
        asked.append(("operation", search.operation))
    if search.min_duration_ns is not None:
        asked.append(("minDuration", f"{search.min_duration_ns}ns"))
    if search.tags:
        asked.append(("tags", json.dumps(dict(search.tags))))
    return tuple(asked)


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _nothing(answer: Answer) -> bool:
    """Whether a 404 says "no such traces" rather than "no such page", which is an error."""
    if answer.status != 404:
        return False
    if _told_404(answer):
        return True
    raise SourceRejected(f"{answer.where} has no such page; does the base URL lack a path?")


def _told_404(answer: Answer) -> bool:
    return answer.body.lstrip()[:1] == b"{" and not answer.is_html()


def _field(answer: Answer, name: str) -> list[Any]:
    found = answer.json()
    if not isinstance(found, dict):
        raise SourceRejected(f"{answer.where} does not answer as Jaeger does")
    value = found.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise SourceRejected(f"{answer.where} does not answer as Jaeger does")
    return value


def _names(found: list[Any]) -> tuple[str, ...]:
    return tuple(sorted({name_of(one, "") for one in found} - {""})[:MOST_SERVICES])


def _summary(one: object) -> TraceSummary | None:
    if not isinstance(one, dict):
        return None
    try:
        return TraceSummary(
            hex_id(one.get("traceId"), 32),
            name_of(one.get("rootServiceName"), ""),
            name_of(one.get("rootOperationName"), ""),
            whole(one.get("minStartTimeUnixNano")),
            whole(one.get("maxEndTimeUnixNano")),
            tuple(_share(part) for part in one.get("services") or [] if isinstance(part, dict)),
        )
    except Malformed:
        return None


def _share(part: Mapping[str, Any]) -> tuple[str, int, int]:
    failed = whole(part.get("errorSpanCount"))
    return name_of(part.get("name"), ""), whole(part.get("spanCount")), failed

"""A Jaeger that executes exactly the queries the adapter can send, as the real one does.

A parameter it does not know is a mistake of the adapter and answered 418. What it answers
was compared with captures of real releases (tests/adapters/captures/jaeger).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from aegis.model.telemetry import Span, to_ns
from tests.adapters.otlp import classic, otlp
from tests.adapters.stand_in import Reply, Seen

Release = Literal["1.57", "2.20", "next", "before v3", "before v3, with UI"]
NO_PAGE = Reply(404, b"404 page not found\n", "text/plain; charset=utf-8")
UI = Reply(200, b"<!doctype html><title>Jaeger UI</title>", "text/html; charset=utf-8")
NO_TRACES = Reply(
    404, b'{"error":{"httpCode":404,"message":"No traces found"}}', "text/plain; charset=utf-8"
)
SEARCHED = {
    "query.service_name",
    "query.start_time_min",
    "query.start_time_max",
    "query.num_traces",
    "query.duration_min",
    "query.attributes",
    "query.operation_name",
}
SEARCHED_CLASSIC = {"service", "start", "end", "limit", "minDuration", "tags", "operation"}


@dataclass
class JaegerServer:
    """`needs_service` as Cassandra does; without `graph` nobody computes dependencies."""

    spans: Sequence[Span]
    release: Release = "next"
    needs_service: bool = False
    graph: bool = True
    streamed: bool = False
    _traces: list[list[Span]] = field(default_factory=list)

    def __post_init__(self) -> None:
        held: dict[str, list[Span]] = {}
        for span in self.spans:
            held.setdefault(span.trace_id, []).append(span)
        newest_first = sorted(held.values(), key=lambda one: -max(span.start_ns for span in one))
        self._traces = newest_first

    def __call__(self, seen: Seen) -> Reply:
        if seen.method != "GET":
            return Reply(405, b"", "text/plain")
        path = seen.path
        if path.startswith("/api/v3/"):
            if self.release == "before v3":
                return NO_PAGE
            return UI if self.release == "before v3, with UI" else self._v3(path[8:], seen)
        if path == "/api/dependencies":
            return self._dependencies(seen)
        if match := re.fullmatch(r"/api/traces/(\w+)", path):
            found = self._by_id(match[1])
            return _json(classic(found)) if found else _json({"data": None, "errors": []}, 404)
        return NO_PAGE if self.release == "next" else self._classic(path, seen)

    def _v3(self, name: str, seen: Seen) -> Reply:
        if name == "services":
            return _json({"services": self._services()})
        if name == "operations":
            names = self._operations(seen.one("service"))
            return _json({"operations": [{"name": one, "spanKind": "server"} for one in names]})
        if name == "traces":
            return self._v3_search(seen)
        if name == "trace-summaries" and self.release != "1.57":
            found = self._found_v3(seen)
            return found if isinstance(found, Reply) else _json(_summaries(found))
        if match := re.fullmatch(r"traces/(\w+)", name):
            found = self._by_id(match[1])
            return self._result(found) if found else NO_TRACES
        return UI if self.release == "1.57" else NO_PAGE

    def _v3_search(self, seen: Seen) -> Reply:
        found = self._found_v3(seen)
        if isinstance(found, Reply):
            return found
        return self._result(found) if found else NO_TRACES

    def _found_v3(self, seen: Seen) -> list[list[Span]] | Reply:
        asked = dict(seen.parameters)
        if not set(asked) <= SEARCHED or len(asked) < len(seen.parameters):
            return Reply(418)
        service = asked.get("query.service_name")
        if service is None and self.needs_service:
            return _json({"error": {"httpCode": 500, "message": "service Name must be set"}}, 500)
        depth = int(asked["query.num_traces"])
        if depth < 1:
            return _json({"error": {"httpCode": 500, "message": "search depth must be …"}}, 500)
        tags = json.loads(asked.get("query.attributes", "{}"))
        return self._search(
            service,
            _time(asked["query.start_time_min"]),
            _time(asked["query.start_time_max"]),
            depth,
            _duration(asked.get("query.duration_min")),
            {} if self.release == "1.57" else tags,
            asked.get("query.operation_name"),
        )

    def _classic(self, path: str, seen: Seen) -> Reply:
        asked = dict(seen.parameters)
        if path == "/api/services":
            return _json({"data": self._services(), "errors": None})
        if path == "/api/operations":
            names = self._operations(asked["service"])
            return _json({"data": [{"name": one, "spanKind": ""} for one in names]})
        if path != "/api/traces":
            return NO_PAGE
        if not set(asked) <= SEARCHED_CLASSIC:
            return Reply(418)
        found = self._search(
            asked["service"],
            int(asked["start"]) * 1000,
            int(asked["end"]) * 1000,
            int(asked["limit"]),
            _duration(asked.get("minDuration")),
            json.loads(asked.get("tags", "{}")),
            asked.get("operation"),
        )
        return _json(classic(found))

    def _search(
        self,
        service: str | None,
        start_ns: int,
        end_ns: int,
        depth: int,
        longest_ns: int,
        tags: dict[str, str],
        operation: str | None,
    ) -> list[list[Span]]:
        """The newest traces of which any one span of the service meets all filters."""

        def meets(span: Span) -> bool:
            return (
                service in (None, span.service)
                and operation in (None, span.operation)
                and start_ns <= span.start_ns <= end_ns
                and span.duration_ns >= longest_ns
                and (tags.get("error") != "true" or span.error)
            )

        return [trace for trace in self._traces if any(map(meets, trace))][:depth]

    def _services(self) -> list[str]:
        return sorted({span.service for span in self.spans}, reverse=True)

    def _operations(self, service: str) -> list[str]:
        return sorted({span.operation for span in self.spans if span.service == service})

    def _by_id(self, trace_id: str) -> list[list[Span]]:
        return [trace for trace in self._traces if trace[0].trace_id == trace_id]

    def _dependencies(self, seen: Seen) -> Reply:
        if set(dict(seen.parameters)) != {"endTs", "lookback"}:
            return Reply(418)
        calls: dict[tuple[str, str], int] = {}
        for trace in self._traces if self.graph else []:
            owner = {span.span_id: span.service for span in trace}
            for span in trace:
                if caller := owner.get(span.parent_span_id):
                    pair = (caller, span.service)
                    calls[pair] = calls.get(pair, 0) + 1
        links = [
            {"parent": caller, "child": callee, "callCount": count}
            for (caller, callee), count in calls.items()
        ]
        return _json({"data": links, "errors": None})

    def _result(self, traces: list[list[Span]]) -> Reply:
        if not self.streamed:
            return _json({"result": otlp([span for trace in traces for span in trace])})
        parts = (json.dumps({"result": otlp(trace)}) for trace in traces)
        return Reply(body="\n".join(parts).encode())


def _json(found: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(found, ensure_ascii=False).encode())


def _time(text: str) -> int:
    return to_ns(datetime.fromisoformat(text).astimezone(UTC))


def _duration(text: str | None) -> int:
    return int(text.removesuffix("ns")) if text else 0


def _summaries(traces: list[list[Span]]) -> object:
    found = []
    for trace in traces:
        root = next((span for span in trace if not span.parent_span_id), trace[0])
        found.append(
            {
                "traceId": root.trace_id,
                "rootServiceName": root.service,
                "rootOperationName": root.operation,
                "minStartTimeUnixNano": str(min(span.start_ns for span in trace)),
                "maxEndTimeUnixNano": str(max(span.start_ns + span.duration_ns for span in trace)),
                "spanCount": len(trace),
                "services": [
                    {
                        "name": service,
                        "spanCount": sum(span.service == service for span in trace),
                        "errorSpanCount": sum(
                            span.service == service and span.error for span in trace
                        ),
                    }
                    for service in sorted({span.service for span in trace})
                ],
            }
        )
    return {"summaries": found}

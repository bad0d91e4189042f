"""Spans as OTLP JSON: what Jaeger takes, and what its v3 API gives back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aegis.model.telemetry import Span


def otlp(spans: Sequence[Span]) -> dict[str, Any]:
    by_service: dict[str, list[dict[str, Any]]] = {}
    for span in spans:
        by_service.setdefault(span.service, []).append(_span(span))
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": [_text("service.name", service)]},
                "scopeSpans": [{"scope": {"name": "tests"}, "spans": held}],
            }
            for service, held in by_service.items()
        ]
    }


def _span(span: Span) -> dict[str, Any]:
    found: dict[str, Any] = {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "name": span.operation,
        "kind": 2,
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.start_ns + span.duration_ns),
        "attributes": [_text("http.route", "/")],
        "status": {"code": 2} if span.error else {},
    }
    if span.parent_span_id:
        found["parentSpanId"] = span.parent_span_id
    return found


def _text(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def classic(traces: Sequence[Sequence[Span]]) -> dict[str, Any]:
    """The same in Jaeger's own model; times are cut to microseconds."""
    data = []
    for spans in traces:
        services = sorted({span.service for span in spans})
        data.append(
            {
                "traceID": spans[0].trace_id,
                "spans": [
                    _classic_span(span, f"p{services.index(span.service)}") for span in spans
                ],
                "processes": {
                    f"p{place}": {"serviceName": service, "tags": []}
                    for place, service in enumerate(services)
                },
                "warnings": None,
            }
        )
    return {"data": data, "total": 0, "limit": 0, "offset": 0, "errors": None}


def _classic_span(span: Span, process: str) -> dict[str, Any]:
    parent = {"refType": "CHILD_OF", "traceID": span.trace_id, "spanID": span.parent_span_id}
    return {
        "traceID": span.trace_id,
        "spanID": span.span_id,
        "operationName": span.operation,
        "references": [parent] if span.parent_span_id else [],
        "startTime": span.start_ns // 1000,
        "duration": span.duration_ns // 1000,
        "tags": [{"key": "error", "type": "bool", "value": True}] if span.error else [],
        "logs": [],
        "processID": process,
        "warnings": None,
    }

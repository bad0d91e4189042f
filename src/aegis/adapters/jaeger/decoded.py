"""Jaeger's two ways to write traces, read into rows.

v3: OTLP JSON, one document or several in a stream, each with or without a `result` around it.
Classic: Jaeger's own model, times in microseconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from aegis.adapters.http_client.answers import Answer
from aegis.adapters.jaeger.span_rows import (
    NAMELESS,
    Malformed,
    SpanRow,
    hex_id,
    name_of,
    placed,
    says_error,
    whole,
)
from aegis.model.errors import SourceRejected, SourceUnavailable

_US = 1000
_FAILED = (2, "2", "STATUS_CODE_ERROR")


@dataclass(frozen=True, slots=True)
class Decoded:
    """`malformed` spans were left out."""

    rows: tuple[SpanRow, ...] = ()
    malformed: int = 0

    @property
    def traces(self) -> int:
        return len({row.trace_id for row in self.rows})


def read_v3(answer: Answer) -> Decoded:
    """Spans of several traces come mixed; a trace's resources may be split over entries."""
    return _gather(_documents(answer), _v3_spans)


def read_classic(answer: Answer) -> Decoded:
    return _gather(iter([answer.json()]), _classic_spans)


def _documents(answer: Answer) -> Iterator[Any]:
    """JSON documents one after the other; SourceUnavailable where the last one breaks off."""
    text = answer.body.decode("utf-8", "replace").strip()
    if text[:1] not in ("{", "["):
        raise SourceRejected(f"{answer.where} answered with something that is no JSON")
    decoder, place = json.JSONDecoder(), 0
    while place < len(text):
        try:
            found, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            broken = f"{answer.where} answered with broken JSON: half an answer?"
            raise SourceUnavailable(broken) from None
        yield found
        while place < len(text) and text[place] in " \r\n\t,":
            place += 1


Attempt = Callable[[], SpanRow]


def _gather(documents: Iterator[Any], spans_of: Callable[[Any], Iterator[Attempt]]) -> Decoded:
    rows, malformed = [], 0
    for document in documents:
        for attempt in spans_of(document):
            try:
                rows.append(attempt())
            except Malformed:
                malformed += 1
    return Decoded(tuple(rows), malformed)


def _v3_spans(document: Any) -> Iterator[Attempt]:
    envelope = _mapping(document)
    found = _mapping(envelope.get("result")) or envelope
    for entry in map(_mapping, _list(found.get("resourceSpans"))):
        tags = _attributes(_mapping(entry.get("resource")).get("attributes"))
        service = name_of(tags.get("service.name"), NAMELESS)
        scopes = entry.get("scopeSpans") or entry.get("instrumentationLibrarySpans")
        for scope in map(_mapping, _list(scopes)):
            for span in map(_mapping, _list(scope.get("spans"))):
                yield partial(_v3_row, span, service)


def _v3_row(span: Mapping[str, Any], service: str) -> SpanRow:
    start = whole(span.get("startTimeUnixNano"))
    end = whole(span.get("endTimeUnixNano"))
    code = _mapping(span.get("status")).get("code")
    return placed(
        hex_id(span.get("traceId"), 32),
        hex_id(span.get("spanId"), 16),
        hex_id(span.get("parentSpanId"), 16),
        (service, name_of(span.get("name"), "unknown")),
        (start, end - start),
        code in _FAILED or says_error(_attributes(span.get("attributes"))),
    )


def _classic_spans(document: Any) -> Iterator[Attempt]:
    for trace in map(_mapping, _list(_mapping(document).get("data"))):
        processes = _mapping(trace.get("processes"))
        for span in map(_mapping, _list(trace.get("spans"))):
            process = _mapping(processes.get(str(span.get("processID"))) or span.get("process"))
            service = name_of(process.get("serviceName"), NAMELESS)
            yield partial(_classic_row, span, service)


def _classic_row(span: Mapping[str, Any], service: str) -> SpanRow:
    trace_id = hex_id(span.get("traceID"), 32)
    tags = {str(tag.get("key")): tag.get("value") for tag in map(_mapping, _list(span.get("tags")))}
    return placed(
        trace_id,
        hex_id(span.get("spanID"), 16),
        _classic_parent(span, trace_id),
        (service, name_of(span.get("operationName"), "unknown")),
        (whole(span.get("startTime")) * _US, whole(span.get("duration")) * _US),
        says_error(tags),
    )


def _classic_parent(span: Mapping[str, Any], trace_id: str) -> str:
    """The span it is a child of, else the one it follows; a link to another trace is neither."""
    links = [
        link
        for link in map(_mapping, _list(span.get("references")))
        if hex_id(link.get("traceID"), 32) == trace_id
    ]
    links.sort(key=lambda link: link.get("refType") != "CHILD_OF")
    return hex_id(links[0].get("spanID") if links else span.get("parentSpanID"), 16)


def _attributes(given: object) -> dict[str, object]:
    """OTLP attributes with plain values; lists and maps are left out."""
    found: dict[str, object] = {}
    for pair in map(_mapping, _list(given)):
        value = _mapping(pair.get("value"))
        for kind in ("stringValue", "boolValue", "intValue", "doubleValue"):
            if kind in value:
                found[str(pair.get("key"))] = value[kind]
    return found


def _mapping(given: object) -> Mapping[str, Any]:
    return given if isinstance(given, dict) else {}


def _list(given: object) -> list[Any]:
    return given if isinstance(given, list) else []

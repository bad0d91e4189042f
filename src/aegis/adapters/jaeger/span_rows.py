"""A span as any of Jaeger's answers gives it, and many of them as a table."""

from __future__ import annotations

import base64
import re
from binascii import Error as NotBase64
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

import numpy as np

from aegis.adapters.http_client.answers import storable
from aegis.model.telemetry import Int32s, SpanTable, TimeWindow, from_ns

LONGEST_NAME = 512
LONGEST_SPAN_NS = 30 * 366 * 86_400 * 1_000_000_000
NAMELESS = "unknown_service"

_HEX = re.compile(r"[0-9a-fA-F]{1,32}")
_TRUE = {True, "true", "True", "1"}


class SpanRow(NamedTuple):
    """Ids are lower-case hex; `parent_span_id` is empty where the span has no parent."""

    trace_id: str
    start_ns: int
    span_id: str
    parent_span_id: str
    service: str
    operation: str
    duration_ns: int
    error: bool


class Malformed(ValueError):
    """A span that cannot be placed: its ids or times are not readable."""


def hex_id(given: object, digits: int) -> str:
    """An id of `digits` hex digits, or fewer where Jaeger dropped leading zeros; also base64.

    Early v3 answers give bytes as base64. An id of zeros, or none, is empty.
    """
    if given is None or given == "":
        return ""
    if not isinstance(given, str):
        raise Malformed("an id is a string")
    if len(given) <= digits and _HEX.fullmatch(given):
        wide = 16 if len(given) <= 16 else 32
        found = given.lower().zfill(wide)
    else:
        try:
            found = base64.b64decode(given, validate=True).hex()
        except (NotBase64, ValueError):
            raise Malformed("an id is hex or base64") from None
        if len(found) != digits:
            raise Malformed("an id has 8 or 16 bytes")
    return "" if set(found) == {"0"} else found


def whole(given: object) -> int:
    """A 64-bit integer: JSON number, or string as OTLP writes it; absent = 0."""
    if given is None:
        return 0
    if isinstance(given, bool) or not isinstance(given, int | str) or len(str(given)[:21]) > 20:
        raise Malformed("a time is a whole number")
    try:
        return int(given)
    except ValueError:
        raise Malformed("a time is a whole number") from None


def name_of(given: object, otherwise: str) -> str:
    return storable(given, LONGEST_NAME) or otherwise


def says_error(tags: Mapping[str, object]) -> bool:
    """The two ways in which tags say that a span failed, beside an OTLP status."""
    flag = tags.get("error")
    told = isinstance(flag, bool | str) and flag in _TRUE
    return told or str(tags.get("otel.status_code", "")).upper() == "ERROR"


def placed(
    trace_id: str,
    span_id: str,
    parent_span_id: str,
    names: tuple[str, str],
    times_ns: tuple[int, int],
    error: bool,
) -> SpanRow:
    """A row of (service, operation) and (start, duration); Malformed where it has no place."""
    start_ns, duration_ns = times_ns
    if not trace_id or not span_id:
        raise Malformed("a span has ids")
    if not 0 < start_ns < 2**63 or duration_ns > LONGEST_SPAN_NS:
        raise Malformed("a span has a time")
    service, operation = names
    took = max(0, duration_ns)
    parent = "" if parent_span_id == span_id else parent_span_id
    return SpanRow(trace_id, start_ns, span_id, parent, service, operation, took, error)


def table_of(rows: Iterable[SpanRow], window: TimeWindow, sampled_share: float) -> SpanTable:
    """The rows that start in `window`, each once, in the order a SpanTable wants."""
    start, end = window.start_ns, window.end_ns
    inside = sorted({row for row in rows if start <= row.start_ns < end})
    if not inside:
        return SpanTable.empty()
    services, service_code = _coded([row.service for row in inside])
    operations, operation_code = _coded([row.operation for row in inside])
    return SpanTable(
        np.array([row.trace_id.encode() for row in inside], dtype=np.bytes_),
        np.array([row.span_id.encode() for row in inside], dtype=np.bytes_),
        np.array([row.parent_span_id.encode() for row in inside], dtype=np.bytes_),
        service_code,
        services,
        operation_code,
        operations,
        np.array([row.start_ns for row in inside], dtype=np.int64),
        np.array([row.duration_ns for row in inside], dtype=np.int64),
        np.array([row.error for row in inside], dtype=np.bool_),
        sampled_share,
    )


def whole_table(rows: Sequence[SpanRow]) -> SpanTable:
    """All of the rows, whenever they start; `sampled_share` is 1."""
    if not rows:
        return SpanTable.empty()
    starts = [row.start_ns for row in rows]
    margin = timedelta(seconds=1)
    reach = TimeWindow(from_ns(min(starts)) - margin, from_ns(max(starts)) + margin)
    return table_of(rows, reach, 1.0)


def _coded(names: Sequence[str]) -> tuple[tuple[str, ...], Int32s]:
    distinct = sorted(set(names))
    codes = {name: code for code, name in enumerate(distinct)}
    return tuple(distinct), np.array([codes[name] for name in names], dtype=np.int32)

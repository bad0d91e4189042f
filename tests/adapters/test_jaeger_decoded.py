"""What real Jaegers answered becomes the same rows in either dialect."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from aegis.adapters.http_client.answers import Answer
from aegis.adapters.jaeger.decoded import Decoded, read_classic, read_v3
from aegis.adapters.jaeger.span_rows import LONGEST_NAME, SpanRow
from aegis.model.errors import SourceRejected, SourceUnavailable
from tests.adapters.captured import captured_answer

TRACE, SPAN, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"


def answer(*documents: object) -> Answer:
    return Answer(200, "application/json", "\n".join(map(json.dumps, documents)).encode(), "X")


def in_v3(span: dict[str, Any], service: object = "shop") -> dict[str, Any]:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}


def v3_span(**changes: object) -> dict[str, Any]:
    times = {"startTimeUnixNano": "1000", "endTimeUnixNano": "3000"}
    return {"traceId": TRACE, "spanId": SPAN, "name": "GET", **times, **changes}


def only_row(found: Decoded) -> SpanRow:
    (row,) = found.rows
    return row


def microseconds(rows: tuple[SpanRow, ...]) -> list[SpanRow]:
    return sorted(
        row._replace(
            start_ns=row.start_ns // 1000 * 1000, duration_ns=row.duration_ns // 1000 * 1000
        )
        for row in rows
    )


@pytest.mark.parametrize("release", ["v2.20", "main"])
def test_both_dialects_tell_the_same_trace(release: str) -> None:
    v3 = read_v3(captured_answer(f"jaeger/{release}_v3_trace_by_id"))
    classic = read_classic(captured_answer(f"jaeger/{release}_trace_by_id"))
    assert microseconds(v3.rows) == sorted(classic.rows)
    assert (v3.traces, len(v3.rows), v3.malformed, classic.malformed) == (1, 8, 0, 0)


def test_a_failed_checkout_is_told_as_it_was() -> None:
    found = read_v3(captured_answer("jaeger/v2.20_v3_traces_error_attribute"))
    first = min(row.trace_id for row in found.rows)
    rows = sorted(row for row in found.rows if row.trace_id == first)
    assert [(row.service, row.operation, row.error) for row in rows] == [
        ("frontend", "GET /checkout", True),
        ("checkout", "POST /orders", True),
        ("cart", "CartService/Get", False),
        ("cart", "HGETALL", False),
        ("payment", '/支付 "charge" {id}', True),
        ("payment", "SELECT accounts", False),
        ("checkout", "orders publish", False),
        ("shipping", "orders process", False),
    ]
    assert [row.parent_span_id for row in rows[:2]] == ["", rows[0].span_id]
    assert (rows[0].start_ns % 1000 > 0, rows[0].duration_ns) == (True, 990_021_757)


def test_bytes_in_base64_are_the_same_ids_as_in_hex() -> None:
    def packed(text: str) -> str:
        return base64.b64encode(bytes.fromhex(text)).decode()

    span = v3_span(traceId=packed(TRACE), spanId=packed(SPAN), parentSpanId=packed(PARENT))
    row = only_row(read_v3(answer(in_v3(span))))
    assert (row.trace_id, row.span_id, row.parent_span_id) == (TRACE, SPAN, PARENT)


def test_a_stream_of_documents_is_read_to_its_end() -> None:
    other = v3_span(traceId="1" * 32)
    found = read_v3(answer({"result": in_v3(v3_span())}, {"result": in_v3(other)}))
    assert found.traces == 2
    assert read_v3(answer(in_v3(v3_span()))).traces == 1


def test_half_a_stream_is_no_answer() -> None:
    whole = answer({"result": in_v3(v3_span())}, {"result": in_v3(v3_span())})
    with pytest.raises(SourceUnavailable, match="half an answer"):
        read_v3(replace(whole, body=whole.body[:-9]))
    with pytest.raises(SourceRejected, match="no JSON"):
        read_v3(replace(whole, body=b"hello"))


ERRORS: list[tuple[dict[str, Any], bool]] = [
    ({}, False),
    ({"status": {}}, False),
    ({"status": {"code": 1}}, False),
    ({"status": {"code": 2}}, True),
    ({"status": {"code": "STATUS_CODE_ERROR"}}, True),
    ({"attributes": [{"key": "error", "value": {"boolValue": True}}]}, True),
    ({"attributes": [{"key": "error", "value": {"stringValue": "true"}}]}, True),
    ({"attributes": [{"key": "error", "value": {"boolValue": False}}]}, False),
    ({"attributes": [{"key": "error", "value": {"stringValue": "false"}}]}, False),
    ({"attributes": [{"key": "otel.status_code", "value": {"stringValue": "ERROR"}}]}, True),
    ({"attributes": [{"key": "http.status_code", "value": {"intValue": "500"}}]}, False),
]


@pytest.mark.parametrize(("changes", "failed"), ERRORS)
def test_a_span_failed_where_its_status_or_tags_say_so(
    changes: dict[str, Any], failed: bool
) -> None:
    assert only_row(read_v3(answer(in_v3(v3_span(**changes))))).error is failed


BROKEN: list[dict[str, Any]] = [
    {"traceId": "../../x"},
    {"traceId": None},
    {"traceId": "0" * 32},
    {"spanId": "zz"},
    {"spanId": 7},
    {"startTimeUnixNano": "yesterday"},
    {"startTimeUnixNano": "9" * 5000},
    {"startTimeUnixNano": None},
    {"startTimeUnixNano": True},
    {"startTimeUnixNano": -5},
    {"startTimeUnixNano": 2**63},
    {"endTimeUnixNano": str(2**62)},
]


@pytest.mark.parametrize("changes", BROKEN)
def test_a_span_without_a_place_is_left_out_and_counted(changes: dict[str, Any]) -> None:
    found = read_v3(answer(in_v3(v3_span(**changes)), in_v3(v3_span())))
    assert (len(found.rows), found.malformed) == (1, 1)


ODD: list[object] = [
    {"result": None},
    {"resourceSpans": "x"},
    {"resourceSpans": [None, 7, {"scopeSpans": [{"spans": [None]}]}]},
    [],
    [[1]],
]


@pytest.mark.parametrize("document", ODD)
def test_an_odd_document_holds_no_spans(document: object) -> None:
    assert read_v3(answer(document)).rows == ()
    assert read_classic(answer({"data": document})).rows == ()


def test_names_can_be_stored_whatever_they_are() -> None:
    named = v3_span(name="\ud800" + "x" * 9999)
    row = only_row(read_v3(answer(in_v3(named, service=7))))
    assert (row.service, len(row.operation)) == ("unknown_service", LONGEST_NAME)
    assert row.operation.encode().startswith(b"?")


def test_a_span_that_ends_before_it_starts_took_no_time_and_is_not_its_own_parent() -> None:
    span = v3_span(endTimeUnixNano="5", parentSpanId=SPAN)
    row = only_row(read_v3(answer(in_v3(span))))
    assert (row.duration_ns, row.parent_span_id) == (0, "")


def classic_span(**changes: object) -> dict[str, Any]:
    span = {"traceID": "abc", "spanID": "1f", "operationName": "GET", "processID": "p1"}
    return {**span, "startTime": 7, "duration": 2, **changes}


def of_classic(span: dict[str, Any]) -> SpanRow:
    trace = {"spans": [span], "processes": {"p1": {"serviceName": "shop"}}}
    return only_row(read_classic(answer({"data": [trace]})))


def test_classic_ids_get_their_leading_zeros_back_and_times_are_microseconds() -> None:
    row = of_classic(classic_span())
    assert row == SpanRow("0" * 13 + "abc", 7000, "0" * 14 + "1f", "", "shop", "GET", 2000, False)


def test_a_classic_parent_is_the_span_it_is_a_child_of() -> None:
    follows = {"refType": "FOLLOWS_FROM", "traceID": "abc", "spanID": "2"}
    child = {"refType": "CHILD_OF", "traceID": "abc", "spanID": "3"}
    elsewhere = {"refType": "CHILD_OF", "traceID": "def", "spanID": "4"}
    found = of_classic(classic_span(references=[elsewhere, follows, child]))
    assert found.parent_span_id == f"{3:016x}"
    assert of_classic(classic_span(references=[follows])).parent_span_id == f"{2:016x}"
    assert of_classic(classic_span(references=[elsewhere])).parent_span_id == ""


def test_classic_tags_tell_a_failure() -> None:
    for value in (True, "true"):
        assert of_classic(classic_span(tags=[{"key": "error", "value": value}])).error
    assert of_classic(classic_span(tags=[{"key": "otel.status_code", "value": "ERROR"}])).error
    assert not of_classic(classic_span(tags=[{"key": "error", "value": False}])).error

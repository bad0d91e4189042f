"""Level, trace and span of a line, and what answers of a real Loki read as."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aegis.adapters.http_client.answers import Answer
from aegis.adapters.loki.answers import Row, read_counts, read_names, read_patterns, read_rows
from aegis.adapters.loki.reading_lines import level_of, trace_and_span
from aegis.adapters.loki.selector import ServiceSelector
from aegis.adapters.loki.table import log_table
from aegis.model.errors import SourceRejected, SourceUnavailable
from tests.recordings import lines_of

CAPTURES = Path(__file__).parent / "captures" / "loki"
TRACE = "0e64c7584046a8846d522de1744abac7"


def captured(name: str) -> Answer:
    kept = json.loads((CAPTURES / f"{name}.json").read_text(encoding="utf-8"))
    kind = kept["headers"]["Content-Type"].partition(";")[0]
    body = kept["body"] if isinstance(kept["body"], str) else json.dumps(kept["body"])
    return Answer(kept["status"], kind, body.encode(), "LOKI_BASE_URL: http://loki")


def answered(body: Any) -> Answer:
    return Answer(200, "application/json", json.dumps(body).encode(), "LOKI_BASE_URL: http://loki")


def test_streams_give_lines_with_all_their_labels() -> None:
    rows = read_rows(captured("streams_backward"))
    assert len(rows) == 6
    assert rows[0].time_ns == 1795254106300000000
    assert rows[0].body.startswith('level=error ts=1795254106 msg="payment failed"')
    assert rows[0].labels["trace_id"] == TRACE
    table = log_table(rows, "app", ServiceSelector(), 1.0)
    lines = lines_of(table)
    assert {(line.service, line.level) for line in lines} == {("checkout", "error")}
    assert [line.time_ns for line in lines] == sorted(line.time_ns for line in lines)
    assert TRACE in {line.trace_id for line in lines}


POD = "cart-5c4d8f9b7-xk2p9"


@pytest.mark.parametrize(
    ("streams", "selectors"),
    [
        ([{"app": "cart"}], {"cart": '{app="cart"}'}),
        ([{"app": 'a"b'}], {'a"b': '{app="a\\"b"}'}),
        ([{"app": "\ud800"}], {}),
        (
            [
                {"container": "main", "pod": POD},
                {"container": "main", "pod": "shop.eu-0"},
                {"container": "sidecar", "pod": POD},
            ],
            {"cart": '{pod=~"cart(-.+)?"}', "shop.eu": '{pod=~"shop\\\\.eu(-.+)?"}'},
        ),
        ([{"container": "main", "pod": POD}], {"cart": '{container="main"}'}),
    ],
)
def test_a_table_tells_how_to_ask_loki_for_the_lines_of_each_service(
    streams: list[dict[str, str]], selectors: dict[str, str]
) -> None:
    rows = [Row(1, "x", stream) for stream in streams]
    table = log_table(rows, next(iter(streams[0])), ServiceSelector(), 1.0)
    assert table.selectors == selectors


def test_categorized_labels_read_like_the_others() -> None:
    row = read_rows(captured("streams_categorize_labels"))[0]
    assert row.labels["trace_id"] == TRACE
    assert row.labels["detected_level"] == "error"
    assert row.labels["app"] == "checkout"


def test_flat_metadata_reads_too() -> None:
    value = ["1", "x", {"trace_id": "t"}]
    data = {"resultType": "streams", "result": [{"stream": {"app": "a"}, "values": [value]}]}
    row = read_rows(answered({"status": "success", "data": data}))[0]
    assert row.labels == {"app": "a", "trace_id": "t"}


def test_lines_over_several_rows_and_in_chinese_come_whole() -> None:
    rows = read_rows(captured("streams_multiline_unicode"))
    assert len(rows) == 31
    assert rows[0].body.count("\n") == 3
    assert rows[1].body.endswith("id = '中文 “引号” \\ back'")


def test_nothing_is_no_rows_and_no_names() -> None:
    assert read_rows(captured("streams_empty")) == []
    assert read_names(captured("label_values_unknown")) == ()


def test_names_come_sorted() -> None:
    assert read_names(captured("label_values_app")) == ("checkout", "frontend", "payment")
    assert read_names(captured("labels")) == ("app", "namespace", "pod", "service_name")


def test_counts_come_by_label() -> None:
    counted = {
        (one.labels["app"], one.labels["detected_level"]): sum(value for _, value in one.points)
        for one in read_counts(captured("matrix_detected_level"))
    }
    assert counted[("checkout", "error")] == 119
    assert counted[("frontend", "info")] == 360
    volume = read_counts(captured("index_volume"))[0]
    assert volume.points == ((1795254111.0, 85009.0),)
    assert [one.points[0][1] for one in read_counts(captured("instant_vector"))] == [360, 478, 30]


def test_patterns_come_most_frequent_first() -> None:
    found = read_patterns(captured("patterns"))
    assert [(one.level, one.lines) for one in found] == [("info", 241), ("error", 119)]
    assert found[0].pattern == 'level=info ts=<_> msg="order placed" order=<_>'


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"status": "error"},
        {"status": "success"},
        {"status": "success", "data": {"resultType": "matrix", "result": []}},
        {"status": "success", "data": {"resultType": "streams", "result": {}}},
        {"status": "success", "data": {"resultType": "streams", "result": [{"values": []}]}},
        *(
            {
                "status": "success",
                "data": {"resultType": "streams", "result": [{"stream": {}, "values": [value]}]},
            }
            for value in ([], "x", [1, "x"], ["1"], ["1", 2], ["-1", "x"], ["9" * 19, "x"])
        ),
        {
            "status": "success",
            "data": {
                "resultType": "streams",
                "result": [{"stream": {"a": 1}, "values": [["1", "x"]]}],
            },
        },
        {
            "status": "success",
            "data": {
                "resultType": "streams",
                "result": [{"stream": {}, "values": [["1", "x", "y"]]}],
            },
        },
    ],
)
def test_an_answer_of_another_form_is_refused_and_not_read_as_nothing(body: Any) -> None:
    with pytest.raises(SourceRejected, match="is it Loki"):
        read_rows(answered(body))


@pytest.mark.parametrize("point", [[1], [1, "x"], ["NaN", "1"], [1, "+Inf"], {}, None, [1, None]])
def test_a_count_that_is_no_number_is_refused(point: Any) -> None:
    series = {"metric": {}, "values": [point]}
    data = {"resultType": "matrix", "result": [series]}
    with pytest.raises(SourceRejected, match="is it Loki"):
        read_counts(answered({"status": "success", "data": data}))


def test_half_an_answer_may_be_whole_next_time() -> None:
    whole = captured("streams_forward")
    half = Answer(200, whole.content_type, whole.body[: len(whole.body) // 2], whole.where)
    with pytest.raises(SourceUnavailable, match="half an answer"):
        read_rows(half)


@pytest.mark.parametrize(
    ("labels", "body", "level"),
    [
        ({"level": "WARN"}, "ERROR in text", "WARN"),
        ({"severity_text": "Error"}, "x", "Error"),
        ({"level": "50"}, "x", "ERROR"),
        ({"level": "7"}, "x", "7"),
        ({}, '{"level":30,"msg":"x"}', "INFO"),
        ({}, '{"severity":"CRITICAL"}', "CRITICAL"),
        ({}, '{"log":"{\\"level\\":\\"error\\"}\\n","stream":"stderr"}', "error"),
        ({}, '{"level":{"a":1}}', None),
        ({}, '{"level":"error"', None),
        ({}, "[" * 100_000, None),
        ({}, '{"a":' * 100_000, None),
        ({}, 'ts=1 level=error msg="x"', "error"),
        ({}, "E1125 10:00:00.1 1 a.go:1] x", "ERROR"),
        ({}, "[10:00:00 INF] started", "INFO"),
        ({}, "plain text", None),
        ({"detected_level": "unknown"}, "plain text", None),
        ({"detected_level": "error"}, "plain text", "error"),
        ({"detected_level": "trace"}, 'info trace="ab"', None),
        ({"detected_level": "fatal"}, "INFO retry after FATAL of peer", None),
        ({"detected_level": "nonsense"}, "plain text", None),
    ],
)
def test_the_level_is_what_the_line_says_and_a_guess_only_where_it_says_nothing(
    labels: dict[str, str], body: str, level: str | None
) -> None:
    assert level_of(labels, body) == level


@pytest.mark.parametrize(
    ("labels", "body", "ids"),
    [
        ({"trace_id": "t", "span_id": "s"}, f"trace_id={TRACE}", ("t", "s")),
        ({"traceID": "T"}, "x", ("T", "")),
        ({"trace_id": "x" * 200}, "x", ("x" * 128, "")),
        ({}, f'{{"traceId":"{TRACE}","spanId":"00f067aa0ba902b7"}}', (TRACE, "00f067aa0ba902b7")),
        ({}, f"trace_id={TRACE.upper()} x", (TRACE, "")),
        ({}, "trace_id=short", ("", "")),
        ({}, f"{TRACE} alone", ("", "")),
    ],
)
def test_ids_come_from_labels_first_and_then_from_the_text(
    labels: dict[str, str], body: str, ids: tuple[str, str]
) -> None:
    assert trace_and_span(labels, body) == ids

"""Whatever is wrong with a request, the answer has one shape and names the field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.http.service import ANALYZE, STREAM, VERIFY, Sent, answer, post_raw, problem_of, settings

OK = "Why is the shop slow?"
LONG_AGO = {"start": "2026-03-01T10:36Z", "end": "2026-03-01T10:30Z"}
BAD_QUESTIONS: dict[str, tuple[Any, str]] = {
    "a list": ([], "body"),
    "a number": (7, "body"),
    "null": (None, "body"),
    "nothing in it": ({}, "description"),
    "no words": ({"description": ""}, "description"),
    "only spaces": ({"description": "  \n "}, "description"),
    "too many words": ({"description": "x" * 4001}, "description"),
    "a number for words": ({"description": 7}, "description"),
    "null for words": ({"description": None}, "description"),
    "half a surrogate pair": ({"description": "why \ud800?"}, "description"),
    "an unknown field": ({"description": OK, "service": "ghost"}, "service"),
    "a time range of text": ({"description": OK, "time_range": "now"}, "time_range"),
    "a misspelt time range": (
        {"description": OK, "time_range": {"begin": "x"}},
        "time_range.begin",
    ),
    "end before start": ({"description": OK, "time_range": LONG_AGO}, "time_range.end"),
    "an empty window": (
        {"description": OK, "time_range": {"start": "2026-03-01", "end": "2026-03-01"}},
        "time_range.end",
    ),
    "no time": (
        {"description": OK, "time_range": {"start": "yesterday", "end": "2026-03-01"}},
        "time_range.start",
    ),
    "no time, alone": ({"description": OK, "time_range": {"end": "soon"}}, "time_range.end"),
    "a time beyond time": (
        {"description": OK, "time_range": {"start": "2026-03-01", "end": "9999-12-31T23:59-08:00"}},
        "time_range.end",
    ),
    "a number for a time": ({"description": OK, "time_range": {"start": 0}}, "time_range.start"),
    "no minutes": (
        {"description": OK, "time_range": {"last_minutes": 0}},
        "time_range.last_minutes",
    ),
    "more than a day": (
        {"description": OK, "time_range": {"last_minutes": 1441}},
        "time_range.last_minutes",
    ),
    "minutes of text": (
        {"description": OK, "time_range": {"last_minutes": "15"}},
        "time_range.last_minutes",
    ),
    "minutes of truth": (
        {"description": OK, "time_range": {"last_minutes": True}},
        "time_range.last_minutes",
    ),
    "minutes with a fraction": (
        {"description": OK, "time_range": {"last_minutes": 1.5}},
        "time_range.last_minutes",
    ),
    "minutes beside a start": (
        {"description": OK, "time_range": {"last_minutes": 5, "start": "2026-03-01"}},
        "time_range.last_minutes",
    ),
    "an unknown model": ({"description": OK, "model": "hal"}, "model"),
    "a model nobody configured": ({"description": OK, "model": "qwen"}, "model"),
    "a NUL in the question": ({"description": "why \x00 slow?"}, "description"),
    "a NUL in the session": ({"description": OK, "session_id": "a\x00b"}, "session_id"),
    "an empty session": ({"description": OK, "session_id": ""}, "session_id"),
}


def encoded(value: Any) -> bytes:
    import json

    return json.dumps(value).encode()


@pytest.mark.parametrize("path", [ANALYZE, STREAM])
@pytest.mark.parametrize("name", BAD_QUESTIONS)
def test_a_bad_question_is_400_and_names_the_field(shop: Path, path: str, name: str) -> None:
    body, field = BAD_QUESTIONS[name]
    response = answer(post_raw(encoded(body), path), settings(shop))
    assert problem_of(response) == (400, "invalid_request", field)
    assert response.json()["message"].startswith(f"{field}: ")


BAD_BYTES: dict[str, tuple[bytes, int]] = {
    "no JSON": (b"{oops", 400),
    "nothing": (b"", 400),
    "NaN": (b'{"description": "why?", "time_range": {"last_minutes": NaN}}', 400),
    "infinity": (b'{"description": "why?", "time_range": {"last_minutes": 1e999}}', 400),
    "not UTF-8": (b'{"description": "\xff\xfe"}', 400),
    "UTF-16": ('{"description": "why?"}'.encode("utf-16"), 400),
    "deep": (b'{"description": ' + b"[" * 40 + b"]" * 40 + b"}", 400),
    "endless nesting": (b"[" * 200_000, 400),
    "a number of ten thousand digits": (b'{"description": ' + b"9" * 10_000 + b"}", 400),
    "a name with half a surrogate pair": (b'{"\\udc00": 1}', 400),
    "a megabyte and a byte": (b" " * (1024 * 1024 + 1), 413),
}


@pytest.mark.parametrize("name", BAD_BYTES)
def test_a_body_that_is_no_json_we_take_is_refused(shop: Path, name: str) -> None:
    content, status = BAD_BYTES[name]
    found = problem_of(answer(post_raw(content), settings(shop)))
    assert found[0] == status
    assert found[1] == ("too_large" if status == 413 else "invalid_request")


def test_json_must_say_that_it_is_json(shop: Path) -> None:
    plain = Sent("POST", ANALYZE, content=b'{"description": "why?"}')
    response = answer(plain, settings(shop))
    assert problem_of(response) == (400, "invalid_request", "body")
    assert "application/json" in response.json()["message"]


def test_the_message_about_a_model_says_which_are_configured(shop: Path) -> None:
    asked = Sent("POST", ANALYZE, {"description": OK, "model": "glm"})
    message = answer(asked, settings(shop)).json()["message"]
    assert message == "model: glm is not configured; no model is: leave it out"


def test_a_chat_that_nobody_configured_is_forbidden(shop: Path) -> None:
    asked = Sent("POST", ANALYZE, {"description": OK, "notify_chat_id": "default"})
    assert problem_of(answer(asked, settings(shop))) == (403, "forbidden", "notify_chat_id")


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/nowhere", (404, "not_found", "")),
        ("POST", "/healthz/", (404, "not_found", "")),
        ("GET", "/docs", (404, "not_found", "")),
        ("GET", ANALYZE, (405, "method_not_allowed", "")),
        ("DELETE", VERIFY, (405, "method_not_allowed", "")),
        ("POST", "/metrics", (405, "method_not_allowed", "")),
    ],
)
def test_errors_of_the_framework_have_our_shape_too(
    method: str, path: str, found: tuple[int, str, str]
) -> None:
    response = answer(Sent(method, path), settings())
    assert problem_of(response) == found
    assert ("allow" in response.headers) == (found[0] == 405)


BAD_EVIDENCE: dict[str, tuple[Any, str]] = {
    "no evidence": ({}, "evidence"),
    "evidence of text": ({"evidence": "m1"}, "evidence"),
    "an item of text": ({"evidence": ["m1"]}, "evidence[0]"),
    "an item without a query": ({"evidence": [{}]}, "evidence[0].id"),
}


@pytest.mark.parametrize("name", BAD_EVIDENCE)
def test_bad_evidence_is_400_and_names_the_field(shop: Path, name: str) -> None:
    body, field = BAD_EVIDENCE[name]
    response = answer(Sent("POST", VERIFY, body), settings(shop))
    assert problem_of(response) == (400, "invalid_request", field)


@pytest.mark.parametrize("path", [ANALYZE, STREAM])
def test_without_cases_nothing_can_be_asked_and_it_says_what_to_set(path: str) -> None:
    response = answer(Sent("POST", path, {"description": OK}), settings())
    assert problem_of(response) == (503, "not_ready", "PROMETHEUS_BASE_URL")

"""The OpenAPI document tells the truth, and what it allows and forbids is answered so."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from aegis.entrypoints.http.openapi import document
from tests.http.server import Server

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENT = document()

EXAMPLES = 300 if settings.get_current_profile_name() == "thorough" else 15

SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS: list[Any] = [
    SCHEMA[path][method] for path, item in DOCUMENT["paths"].items() for method in item
]


def refuses_negative_data(context: Any, response: Any, case: Any) -> bool | None:
    """Too much of something is refused for its size before anybody looks at what it is."""
    if response.status_code == 413:
        return None
    return checks.negative_data_rejection(context, response, case)


CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    refuses_negative_data,
    checks.unsupported_method,
]


@pytest.mark.loopback
@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_whatever_is_sent_the_answer_is_one_that_is_described(
    server: Server, operation: Any, mode: GenerationMode
) -> None:
    """Leaves out that valid data is accepted: a schema cannot say that end is after start."""

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        case.call_and_validate(base_url=server.url, checks=CHECKS)

    try:
        send()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE
        assert operation.body is None or not len(operation.body)


def test_the_document_beside_the_docs_is_current() -> None:
    """`make openapi` writes it."""
    assert json.loads((DOCS / "openapi.json").read_text(encoding="utf-8")) == DOCUMENT


def test_every_route_is_explained() -> None:
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `(GET|POST) (/\S+)`", text, re.MULTILINE))
    routes = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert told == routes


def test_no_answer_is_described_as_422() -> None:
    described = [
        status
        for item in DOCUMENT["paths"].values()
        for operation in item.values()
        for status in operation["responses"]
    ]
    assert "400" in described
    assert "422" not in described

"""Every error leaves in one shape: {"error": code, "message": sentence, "details": [...]}."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

_CODES = {
    400: "invalid_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    500: "internal_error",
    503: "unavailable",
}
MOST_DETAILS = 20


@dataclass(frozen=True, slots=True)
class Detail:
    """What is wrong with one field; `time_range.start`, `evidence[3].end`."""

    field: str
    message: str


@dataclass
class Problem(Exception):
    """An answer that is an error; raised anywhere below a route."""

    status: int
    message: str
    details: Sequence[Detail] = ()
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, object]:
        return {
            "error": self.code or _CODES.get(self.status, "error"),
            "message": self.message,
            "details": [
                {"field": one.field, "message": one.message} for one in self.details[:MOST_DETAILS]
            ],
        }

    def response(self) -> Response:
        return JSONResponse(self.body(), self.status, dict(self.headers))


def invalid(where: str, message: str) -> Problem:
    return Problem(400, f"{where}: {message}", [Detail(where, message)])


def not_ready(where: str, message: str) -> Problem:
    return Problem(503, f"{where}: {message}", [Detail(where, message)], "not_ready")


def nothing_to_ask(lacking: str | None = None) -> Problem:
    """Neither a folder of cases nor a backend is configured; `lacking` is what keeps alerts
    from being delivered, where they are meant to be."""
    told = "not set, nor AEGIS_CASE_DIR, so there is nothing to ask"
    if lacking is not None:
        told += f"; alerts are stored only: {lacking}"
    return not_ready("PROMETHEUS_BASE_URL", told)


def answer_with_problems(app: FastAPI) -> None:
    """Replace every error answer of the framework by ours."""
    app.add_exception_handler(Problem, _ours)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101
    return error.response()


async def _framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    messages = {
        404: f"there is nothing at {request.url.path}",
        405: f"{request.method} is not what {request.url.path} answers to",
    }
    message = messages.get(error.status_code, str(error.detail))
    return Problem(error.status_code, message, headers=error.headers or {}).response()


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    details = [_detail(one) for one in error.errors()]
    first = details[0]
    return Problem(400, f"{first.field}: {first.message}", details).response()


async def _unexpected(request: Request, error: Exception) -> Response:
    """The traceback goes to our log, never to a client."""
    return Problem(500, "something went wrong on our side").response()


def _detail(found: Mapping[str, object]) -> Detail:
    places = found.get("loc")
    where = ""
    for place in places if isinstance(places, tuple) else ():
        if place != "body" or where:
            where += f"[{place}]" if isinstance(place, int) else f".{place}"
    kind = found.get("type")
    told = str(found.get("msg", "is invalid")).removeprefix("Value error, ")
    sentences = {
        "missing": "is missing",
        "extra_forbidden": "is no field of this request",
        "model_attributes_type": "must be a JSON object, sent as application/json",
    }
    return Detail(where.strip(".") or "body", sentences.get(str(kind), told))


def plain(value: object) -> str:
    """A value of a request in a message, short and on one line."""
    return json.dumps(value, ensure_ascii=True)[:60]

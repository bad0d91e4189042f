"""What the routes about alerts share."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from aegis.bootstrap.alerting import Alerting
from aegis.entrypoints.http.problems import Problem

_SAID = {
    400: "Invalid request",
    401: "No token, or one we do not know",
    403: "Not allowed",
    413: "Larger than 32 MiB",
    500: "Our mistake",
    503: "The database cannot be reached now, or too much arrives at once",
}


def alerting_of(request: Request) -> Alerting:
    """A Problem where the server is not open yet, or not any more."""
    found = getattr(request.app.state, "alerting", None)
    if not isinstance(found, Alerting):
        raise Problem(503, "the store of alerts is not open")
    return found


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Descriptions of error answers."""
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
    return {status: {"description": _SAID[status], "content": body} for status in statuses}

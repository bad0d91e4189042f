"""What the routes about alerts share."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from aegis.bootstrap.alerting import Alerting
from aegis.bootstrap.opening import Door
from aegis.entrypoints.http.problems import Problem

RETRY_AFTER_S = 5

_SAID = {
    400: "Invalid request",
    401: "No token, or one we do not know",
    403: "Not allowed",
    413: "Larger than 32 MiB",
    500: "Our mistake",
    503: "The database cannot be reached now, or too much arrives at once",
}


def alerting_of(request: Request) -> Alerting:
    """A Problem where the store is not open yet, or not any more."""
    door = door_of(request)
    if door is None:
        raise Problem(503, "the store of alerts is not open")
    if door.alerting is None:
        raise Problem(503, door.why, headers={"Retry-After": str(RETRY_AFTER_S)})
    return door.alerting


def door_of(request: Request) -> Door | None:
    """None where this service takes no alerts, or does not run."""
    found = getattr(request.app.state, "door", None)
    return found if isinstance(found, Door) else None


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Descriptions of error answers."""
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
    return {status: {"description": _SAID[status], "content": body} for status in statuses}

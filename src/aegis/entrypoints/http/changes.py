"""POST /changes: deploys and changes, from CI, from a deploy tool's webhook, from anything."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import Headers

from aegis.entrypoints.http.alerting import alerting_of
from aegis.entrypoints.http.problems import Problem, invalid
from aegis.entrypoints.http.schemas import ERRORS, ChangesAnswer, PlainChange
from aegis.model.errors import InvalidRequest, StoreUnavailable
from aegis.observability.measurements import AlertMeasurements
from aegis.settings import Settings
from aegis.workflows.receive_changes.receive import MOST_AT_ONCE, read_changes

PATH = "/changes"
GITHUB_SIGNATURE = "x-hub-signature-256"
GITLAB_TOKEN = "x-gitlab-token"  # noqa: S105
UNCHECKED = "signature_unchecked"
"""In `scope["state"]`: the caller has no token of ours, but signs, and nobody has looked yet."""

_PLAIN = PlainChange.model_json_schema()
_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "oneOf": [
                    _PLAIN,
                    {"type": "array", "items": _PLAIN, "maxItems": MOST_AT_ONCE},
                    {
                        "type": "object",
                        "description": "The webhook body of GitHub, GitLab, Argo CD or Flux",
                        "anyOf": [
                            {"required": ["deployment_status", "deployment"]},
                            {"required": ["object_kind"]},
                            {"required": ["app"]},
                            {"required": ["involvedObject", "reportingController"]},
                        ],
                    },
                ]
            }
        }
    },
}


def change_routes(settings: Settings, measurements: AlertMeasurements) -> APIRouter:
    router = APIRouter(tags=["changes"])

    @router.post(
        PATH, response_model=ChangesAnswer, responses=ERRORS, openapi_extra={"requestBody": _BODY}
    )
    async def receive_changes(request: Request) -> Response:
        """Keep a deploy or a change: evidence for questions about the time after it.

        What is sent twice is kept once. An event that changes nothing is ignored with 200.
        """
        body = await request.body()
        if request.scope.get("state", {}).get(UNCHECKED):
            _check_signature(request.headers, body, settings.changes_secret)
        if not body:
            raise invalid("body", "is empty")
        try:
            told = read_changes(json.loads(body), settings.timezone)
        except InvalidRequest as error:
            _, _, message = str(error).partition(": ")
            raise invalid(error.field, message) from None
        try:
            new = await alerting_of(request).changes.keep_changes(told.reported)
        except StoreUnavailable as error:
            raise Problem(503, str(error), headers={"Retry-After": "5"}) from None
        for one in told.reported:
            measurements.changes.labels(one.source).inc()
        answer: dict[str, Any] = {
            "status": "ok" if told.reported else "ignored",
            "stored": new,
            "known": len(told.reported) - new,
            "ignored": list(told.ignored),
        }
        return JSONResponse(answer)

    return router


def is_signed(headers: Headers) -> bool:
    """Whether a caller without a token shows that it knows a secret."""
    return GITHUB_SIGNATURE in headers or GITLAB_TOKEN in headers


def _check_signature(headers: Headers, body: bytes, secret: str | None) -> None:
    """GitHub signs the body with the secret, GitLab sends the secret itself."""
    signed = False
    if secret is not None:
        key = secret.encode()
        wanted = "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()
        given = headers.get(GITHUB_SIGNATURE, "").encode("latin-1", "replace")
        token = headers.get(GITLAB_TOKEN, "").encode("latin-1", "replace")
        by_github = hmac.compare_digest(given, wanted.encode())
        signed = hmac.compare_digest(token, key) or by_github
    if not signed:
        told = "the signature does not fit AEGIS_CHANGES_SECRET"
        raise Problem(401, told, headers={"WWW-Authenticate": "Bearer"})

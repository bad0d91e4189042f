"""POST /alertmanager/webhook: whatever it says, it is stored before it is acknowledged."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from aegis.entrypoints.http.alert_schemas import WebhookAnswer
from aegis.entrypoints.http.alerting import RETRY_AFTER_S, alerting_of, errors
from aegis.entrypoints.http.arriving import Arriving
from aegis.entrypoints.http.connection import ClientLeft
from aegis.entrypoints.http.problems import Problem
from aegis.model.errors import StoreUnavailable
from aegis.observability.measurements import AlertMeasurements
from aegis.observability.tracing import tracer
from aegis.workflows.receive_alerts.receive import Received

WEBHOOK = "/alertmanager/webhook"


def alertmanager_routes(measurements: AlertMeasurements) -> APIRouter:
    router, arriving = APIRouter(tags=["alerts"]), Arriving()

    @router.post(WEBHOOK, response_model=WebhookAnswer, responses=errors(401, 403, 413, 503))
    async def webhook(request: Request) -> Response:
        """Store a webhook of Alertmanager (version 4), whatever its Content-Type.

        200: stored, with what could not be read in the quarantine. 503: not stored; Alertmanager
        sends it again.
        """
        try:
            alerting = alerting_of(request)
        except Problem:
            measurements.not_stored.inc()
            raise
        try:
            async with arriving.body(request.receive) as body:
                with tracer().start_as_current_span("store_alerts") as span:
                    received = await alerting.receiver.receive(body)
                    span.set_attribute("aegis.alerts", received.alerts)
        except ClientLeft:
            return Response(status_code=499)  # nobody reads it
        except StoreUnavailable as error:
            measurements.not_stored.inc()
            headers = {"Retry-After": str(RETRY_AFTER_S)}
            raise Problem(503, str(error), headers=headers) from None
        _count(measurements, received)
        return JSONResponse(_answer(received))

    return router


def _count(measurements: AlertMeasurements, received: Received) -> None:
    measurements.received.labels("firing").inc(received.alerts - received.resolved)
    measurements.received.labels("resolved").inc(received.resolved)
    measurements.quarantined.inc(received.quarantined)
    measurements.truncated.inc(received.truncated)


def _answer(received: Received) -> dict[str, Any]:
    told = bool(received.chats)
    return {
        "status": "ok" if told else "ignored",
        "sent_to": ",".join(received.chats) if told else None,
        "alert_count": received.alerts,
        "quarantined": received.quarantined,
        "truncated": received.truncated,
    }

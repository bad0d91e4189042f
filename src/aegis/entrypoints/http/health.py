"""Is it alive, can it answer, what does it count."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from aegis import bootstrap
from aegis.entrypoints.http.alerting import door_of
from aegis.entrypoints.http.problems import Detail, Problem, not_ready, nothing_to_ask
from aegis.entrypoints.http.schemas import ErrorAnswer, Health, Readiness
from aegis.model.errors import InvalidCase
from aegis.observability.measurements import Measurements
from aegis.settings import Settings


def health_routes(settings: Settings, service: str, measurements: Measurements) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/healthz", response_model=Health)
    async def healthz() -> Response:
        """The process runs; nothing else is checked."""
        return JSONResponse({"status": "ok", "service": service})

    @router.get("/readyz", response_model=Readiness, responses={503: {"model": ErrorAnswer}})
    async def readyz(request: Request) -> Response:
        """There is something to ask, or alerts are delivered; else what is in the way."""
        body: dict[str, object] = {"status": "ready", "service": service} | _alerts(request)
        if settings.case_dir is None:
            if not settings.has_telemetry and body.get("alerts") != "delivered":
                lacking = body.get("alerts_missing")
                raise nothing_to_ask(lacking if isinstance(lacking, str) else None)
            asks = [one.name for one in settings.backends]
            return JSONResponse(body | {"backends": asks})
        try:
            cases = await asyncio.to_thread(bootstrap.count_cases, settings.case_dir)
        except InvalidCase as error:
            raise not_ready("AEGIS_CASE_DIR", str(error)) from None
        return JSONResponse(body | {"cases": cases})

    @router.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics() -> Response:
        """Prometheus text."""
        return Response(generate_latest(measurements.registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return router


def _alerts(request: Request) -> dict[str, object]:
    """Nothing where this service receives none; a Problem where it cannot take any now."""
    door = door_of(request)
    if door is None:
        return {}
    if door.alerting is None:
        raise Problem(503, door.why, [Detail("AEGIS_DB_URL", door.why)], "not_ready")
    missing = door.alerting.stored_only
    if missing is None:
        return {"alerts": "delivered"}
    return {"alerts": "stored_only", "alerts_missing": missing}

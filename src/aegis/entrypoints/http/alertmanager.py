"""POST /alertmanager/webhook."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from aegis.bootstrap.alerting import Alerting
from aegis.model.errors import StoreUnavailable


def alertmanager_routes() -> APIRouter:
    router = APIRouter(tags=["alerts"])

    @router.post("/alertmanager/webhook")
    async def webhook(request: Request) -> Response:
        """Store what Alertmanager posts."""
        alerting: Alerting = request.app.state.alerting
        try:
            received = await alerting.receiver.receive(await request.body())
        except StoreUnavailable as error:
            return JSONResponse({"error": "unavailable", "message": str(error)}, 503)
        return JSONResponse({"status": "ok", "alert_count": received.alerts})

    return router

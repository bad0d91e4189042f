"""The application: `uvicorn aegis.entrypoints.http.app:app`, or `aegis serve`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import metadata
from typing import Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware import Middleware

from aegis.bootstrap.opening import opened_when_it_can_be
from aegis.entrypoints.http import arriving, bodies
from aegis.entrypoints.http.access import Access
from aegis.entrypoints.http.alertmanager import WEBHOOK, alertmanager_routes
from aegis.entrypoints.http.alerts import ledger_routes
from aegis.entrypoints.http.analysts import Analysts
from aegis.entrypoints.http.bodies import JsonBodies
from aegis.entrypoints.http.changes import change_routes
from aegis.entrypoints.http.declared import DeclaredLength
from aegis.entrypoints.http.health import health_routes
from aegis.entrypoints.http.observed import Observed
from aegis.entrypoints.http.ops import ops_routes
from aegis.entrypoints.http.problems import answer_with_problems
from aegis.model.errors import AegisError
from aegis.observability.measurements import Measurements
from aegis.observability.tracing import stop_collecting
from aegis.settings import Settings, read_settings

Service = Literal["all", "ops", "chatops", "rca", "predict"]
NAMES: dict[Service, str] = {
    "all": "ops-service",
    "ops": "ops-service",
    "chatops": "chatops-service",
    "rca": "rca-service",
    "predict": "predict-service",
}

ALERTING: tuple[Service, ...] = ("all", "ops")
"""Services that receive alerts and deliver them."""


def create_app(settings: Settings, service: Service = "all") -> FastAPI:
    """One service's routes, or all of them."""
    analysts = Analysts(settings.workers, settings.most_waiting)
    measurements = Measurements(lambda: analysts.running, lambda: analysts.waiting)

    @asynccontextmanager
    async def warm(app: FastAPI) -> AsyncIterator[None]:
        analysts.open()
        try:
            if service in ALERTING:
                opening = opened_when_it_can_be(settings, measurements.alerting)
                async with opening as app.state.door:
                    yield
            else:
                yield
        except AegisError as error:
            app.state.could_not_start = error
            raise
        finally:
            await analysts.close()
            # Here and not in `serve`: uvicorn ends the process by the signal it was sent.
            await asyncio.to_thread(stop_collecting)

    app = FastAPI(
        title="Aegis",
        version=metadata.version("aegis-sre"),
        description="Why is this broken? Ranked root causes with evidence.",
        lifespan=warm,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(Observed, measurements),
            Middleware(Access, settings),
            Middleware(DeclaredLength, bodies.MOST_BYTES, {WEBHOOK: arriving.MOST_BYTES}),
            Middleware(JsonBodies, frozenset({WEBHOOK})),
        ],
    )
    answer_with_problems(app)
    app.include_router(health_routes(settings, NAMES[service], measurements))
    if service in ("all", "ops"):
        app.include_router(ops_routes(settings, analysts))
        app.include_router(alertmanager_routes(measurements.alerting))
        app.include_router(ledger_routes())
        app.include_router(change_routes(settings, measurements.alerting))
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return app


def _described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI of the application: an invalid request is 400 here, never 422."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        for path in schema["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
                if "health" not in operation["tags"]:
                    operation["security"] = [{}, {"token": []}]
        components = schema["components"]
        for name in ("HTTPValidationError", "ValidationError"):
            components["schemas"].pop(name, None)
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        app.openapi_schema = schema
    return app.openapi_schema


def __getattr__(name: str) -> FastAPI:
    """`app` is made when a server asks for it, so that importing this reads no environment."""
    if name != "app":
        raise AttributeError(name)
    made = create_app(read_settings())
    globals()["app"] = made
    return made

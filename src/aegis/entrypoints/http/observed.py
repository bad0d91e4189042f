"""Counts every request and logs it, without a word of what was asked."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aegis.observability.measurements import Measurements

_LOG = structlog.get_logger("aegis.http")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Observed:
    """The outermost layer: what it does not see, nobody counts."""

    app: ASGIApp
    measurements: Measurements

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, began_s = 499, perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            self._note(scope, status, perf_counter() - began_s)

    def _note(self, scope: Scope, status: int, took_s: float) -> None:
        """Routes are told by their template and methods by a list: labels must stay few."""
        route = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self.measurements.requests.labels(route, method, str(status)).inc()
        self.measurements.seconds.labels(route).observe(took_s)
        _LOG.info(
            "http_request",
            route=route,
            method=method,
            status=status,
            seconds=round(took_s, 4),
            caller=scope.get("state", {}).get("caller"),
        )

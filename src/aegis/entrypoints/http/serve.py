"""`aegis serve`: uvicorn, with a refusal to be open to everybody by accident."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path

import uvicorn

from aegis.entrypoints.http.access import check_bind
from aegis.entrypoints.http.app import Service, create_app
from aegis.observability import configure_logs
from aegis.settings import Settings

PORTS: dict[Service, int] = {
    "all": 8002,
    "ops": 8002,
    "chatops": 8001,
    "rca": 8002,
    "predict": 8003,
}
GRACE_S = 8
"""How long a running analysis may go on after SIGTERM; then it is cancelled. With what delivery
takes to come to a halt after it, the process ends within 20 s."""


def serve(
    settings: Settings,
    service: Service,
    host: str | None,
    port: int | None,
    case_dir: Path | None,
) -> None:
    """Serve until SIGTERM or Ctrl-C. ConfigurationError where that would be unsafe."""
    host = host or settings.host
    port = port or settings.port or PORTS[service]
    check_bind(host, settings)
    if case_dir is not None:
        settings = replace(settings, case_dir=case_dir)
    configure_logs()
    app = create_app(settings, service)
    _collect_seldom()
    uvicorn.run(
        app,
        host=host,
        port=port,
        access_log=False,
        server_header=False,
        log_level="info",
        timeout_graceful_shutdown=GRACE_S,
    )


def _collect_seldom() -> None:
    """What was imported stays: to look through it again and again takes a third of a storm."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)

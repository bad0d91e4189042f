"""`aegis serve`: uvicorn, with a refusal to be open to everybody by accident."""

from __future__ import annotations

import errno
import gc
import logging
import socket
from dataclasses import replace
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from aegis.entrypoints.http.access import check_bind
from aegis.entrypoints.http.app import NAMES, Service, create_app
from aegis.entrypoints.http.heads import HeadDeadline
from aegis.model.errors import AegisError, ConfigurationError
from aegis.observability.logs import configure_logs
from aegis.observability.tracing import collect_traces
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
    """Serve until SIGTERM or Ctrl-C.

    ConfigurationError where that would be unsafe or a setting is wrong. A database that cannot
    be reached keeps it from taking alerts, not from serving.
    """
    host = host or settings.host
    port = port or settings.port or PORTS[service]
    check_bind(host, settings)
    if case_dir is not None:
        settings = replace(settings, case_dir=case_dir)
    _check_free(host, port)
    configure_logs(settings.secrets)
    if settings.otlp_endpoint is not None:
        collect_traces(settings.otlp_endpoint, NAMES[service])
    app = create_app(settings, service)
    # Why it could not start is one line of ours, not uvicorn's traceback of it.
    logging.getLogger("uvicorn.error").addFilter(lambda _: not _could_not_start(app))
    _collect_seldom()
    try:
        uvicorn.run(
            app,
            host=host,
            port=port,
            access_log=False,
            server_header=False,
            log_config=None,
            http=HeadDeadline,
            timeout_graceful_shutdown=GRACE_S,
        )
    except SystemExit:
        # uvicorn forgets why the application did not start.
        if (error := _could_not_start(app)) is not None:
            raise error from None
        raise


def _check_free(host: str, port: int) -> None:
    """ConfigurationError where it cannot be listened on: uvicorn would end with a code of ours."""
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
    except socket.gaierror as error:
        raise ConfigurationError(f"AEGIS_HOST: {host}: {error.strerror}") from None
    except OSError as error:
        # Of several addresses (IPv6 is off) one may do: uvicorn decides.
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            told = f"AEGIS_PORT: {host} port {port}: {error.strerror}"
            raise ConfigurationError(told) from None


def _could_not_start(app: FastAPI) -> AegisError | None:
    error = getattr(app.state, "could_not_start", None)
    return error if isinstance(error, AegisError) else None


def _collect_seldom() -> None:
    """What was imported stays: to look through it again and again takes a third of a storm.

    A pass over everything else stops all for half a second where a storm has just filled the
    heap, so that it comes about once in 500 million objects; what the young passes miss is little.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 1000)

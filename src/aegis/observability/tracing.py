"""Traces of Aegis's own work, by the OpenTelemetry API: nothing is kept unless asked for.

The spans of requests are FastAPI's; below them are those of `tracer()`.
"""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

from opentelemetry import trace

from aegis.model.errors import ConfigurationError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Tracer

NAME = "aegis"
EXPORT_TIMEOUT_S = 5


def tracer() -> Tracer:
    """Spans of ours; they cost next to nothing while nobody collects them."""
    return trace.get_tracer(NAME)


def collect_traces(endpoint: str, service: str) -> None:
    """Send the spans of `service` to an OTLP/HTTP endpoint (its full address), in the background.

    An endpoint that is down costs spans and nothing else. ConfigurationError where the
    exporter is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
            OTLPSpanExporter,
        )
    except ImportError:
        raise ConfigurationError(
            'AEGIS_OTLP_ENDPOINT: needs the exporter: pip install "aegis-sre[tracing]"'
        ) from None
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter = OTLPSpanExporter(endpoint=endpoint, timeout=EXPORT_TIMEOUT_S)
    keep_traces(BatchSpanProcessor(exporter), service)


def keep_traces(processor: SpanProcessor, service: str) -> None:
    """Give every span that ends to `processor`, as of `service`. Once in a process's life."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    resource = Resource.create(
        {"service.name": service, "service.version": metadata.version("aegis-sre")}
    )
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(processor)
    trace.set_tracer_provider(provider)


def stop_collecting() -> None:
    """Send what is left; for the end of a process. Waits at most EXPORT_TIMEOUT_S."""
    provider = trace.get_tracer_provider()
    flush = getattr(provider, "force_flush", None)
    if flush is not None:
        flush(EXPORT_TIMEOUT_S * 1000)

"""What Aegis says about itself: metrics for Prometheus, and log lines as JSON."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

_SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Measurements:
    """The metrics of one application, in a registry of its own."""

    def __init__(self, running: Callable[[], float], waiting: Callable[[], float]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        labels = ("route", "method", "status")
        self.requests = Counter(
            "aegis_http_requests_total", "Requests answered.", labels, registry=self.registry
        )
        self.seconds = Histogram(
            "aegis_http_request_seconds",
            "Time from a request to the end of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        now = Gauge("aegis_analyses_running", "Analyses at work.", registry=self.registry)
        now.set_function(running)
        later = Gauge("aegis_analyses_waiting", "Analyses in line.", registry=self.registry)
        later.set_function(waiting)


def configure_logs() -> None:
    """One JSON object a line on stderr, with a static event name and fields."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )

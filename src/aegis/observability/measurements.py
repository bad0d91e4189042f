"""The metrics of Aegis itself, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

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
        self.alerting = AlertMeasurements(self.registry)


class AlertMeasurements:
    """What happens to alerts from their arrival to the chat.

    `waiting`, `oldest_seconds` and `refused` are what the store last said: whoever sweeps it
    sets them. A send is counted with the platform's code: "0" where it was taken, the code
    where it was not, "none" where no answer came.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.received = Counter(
            "aegis_alerts_received_total",
            "Alerts of webhook calls that were stored, heartbeats included.",
            ("status",),
            registry=registry,
        )
        self.quarantined = Counter(
            "aegis_alerts_quarantined_total",
            "Items of webhook calls that were no alerts; aegis alerts quarantine shows them.",
            registry=registry,
        )
        self.truncated = Counter(
            "aegis_alerts_truncated_total",
            "Alerts that Alertmanager left out of its calls: set its max_alerts to 0.",
            registry=registry,
        )
        self.not_stored = Counter(
            "aegis_webhook_not_stored_total",
            "Webhook calls answered with 503: Alertmanager sends them again.",
            registry=registry,
        )
        self.changes = Counter(
            "aegis_changes_received_total",
            "Deploys and changes that were stored.",
            ("source",),
            registry=registry,
        )
        self.sends = Counter(
            "aegis_sends_total",
            "Calls of the chat platform, by what it answered.",
            ("operation", "code"),
            registry=registry,
        )
        self.send_seconds = Histogram(
            "aegis_send_seconds",
            "Time of one call of the chat platform.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.waiting = Gauge(
            "aegis_outbox_waiting", "What is to be told and is not yet.", registry=registry
        )
        self.oldest_seconds = Gauge(
            "aegis_outbox_oldest_seconds",
            "Age of the oldest thing that is due and not told; 0 where there is none.",
            registry=registry,
        )
        self.refused = Gauge(
            "aegis_messages_refused",
            "Messages that the platform refused for good; aegis alerts undelivered shows them.",
            registry=registry,
        )

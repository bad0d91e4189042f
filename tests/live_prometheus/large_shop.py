"""A shop of any size: a tree of services of which one turns slow and fails, hours of telemetry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from aegis.model.telemetry import Floats, Int64s, LogLine, Matrix, Series, Span, TimeWindow
from lab.exposition.case import exposed

STEP_S = 30
HISTORY = timedelta(hours=3, minutes=2)
FAULT = timedelta(minutes=12)
TRACES, LINES = 4_000, 30_000
MS = 1_000_000
LATENCY = ("http_server_request_duration_p50", "http_server_request_duration_p99")
QUANTITIES = {
    "http_server_requests_per_second": 20.0,
    "http_server_error_ratio": 0.01,
    "http_server_request_duration_p50": 0.02,
    "http_server_request_duration_p99": 0.2,
    "process_cpu_utilization": 0.3,
    "process_memory_usage": 1e9,
    "system_network_io_receive": 1e5,
}


@dataclass(frozen=True)
class LargeShop:
    """`services` of them; the third is called by the first and breaks FAULT before `end`."""

    services: int
    end: datetime
    traces: int = TRACES
    lines: int = LINES

    @property
    def names(self) -> list[str]:
        return [f"svc{place:03d}" for place in range(self.services)]

    @property
    def broken(self) -> str:
        return self.names[2]

    @property
    def extent(self) -> TimeWindow:
        return TimeWindow(self.end - HISTORY - FAULT, self.end)

    @property
    def fault(self) -> TimeWindow:
        return TimeWindow(self.end - FAULT, self.end)

    def metrics(self) -> Matrix:
        extent = self.extent
        times = np.arange(extent.start_ns, extent.end_ns, STEP_S * 10**9)
        hurt = times >= self.fault.start_ns
        return Matrix(
            tuple(
                Series(name, quantity, (), times, self._values(name, quantity, times, hurt), "")
                for name in self.names
                for quantity in QUANTITIES
            )
        )

    def _values(self, name: str, quantity: str, times: Int64s, hurt: np.ndarray) -> Floats:
        draw = np.random.default_rng([self.names.index(name), sorted(QUANTITIES).index(quantity)])
        values = QUANTITIES[quantity] * (1 + 0.05 * draw.standard_normal(len(times)))
        if name == self.broken and quantity in (*LATENCY, "http_server_error_ratio"):
            values = np.where(hurt, values * 8, values)
        if name == self.broken and quantity == "process_cpu_utilization":
            values = np.where(hurt, 0.95, values)
        return values

    def write_exposition(self, path: Path) -> None:
        """With what kube-state-metrics would tell: the broken one was rolled out just before."""
        out = exposed(self.metrics(), "otel")
        extent = self.extent
        times = np.arange(extent.start_ns, extent.end_ns, STEP_S * 10**9)
        rolled = times >= self.fault.start_ns - 60 * 10**9
        for name in self.names:
            labels = {"namespace": "shop", "deployment": name}
            value = np.full(len(times), 3.0)
            if name == self.broken:
                value[rolled] = 4.0
            out.gauge("kube_deployment_metadata_generation", labels, times, value)
            out.gauge("kube_deployment_spec_replicas", labels, times, np.full(len(times), 2.0))
        firing = times[times >= self.fault.start_ns + 120 * 10**9]
        alert = {"alertname": "HighLatency", "service": self.broken, "alertstate": "firing"}
        out.gauge("ALERTS", alert, firing, np.ones(len(firing)))
        with path.open("w", encoding="utf-8") as file:
            file.writelines(out.lines())

    def spans(self) -> list[Span]:
        """Each trace walks from the first service down one way of the tree."""
        return list(self._spans())

    def _spans(self) -> Iterator[Span]:
        draw = np.random.default_rng(7)
        length = self.extent.end_ns - self.extent.start_ns
        for number in range(self.traces):
            start = self.extent.start_ns + int(length * (number + 0.5) / self.traces)
            place, way = 0, [0]
            while 2 * place + 1 < self.services and len(way) < 6:
                below = min(2 * place + 1 + int(draw.integers(2)), self.services - 1)
                way, place = [*way, below], below
            hurt = start >= self.fault.start_ns
            for depth, which in enumerate(way):
                slow = hurt and 2 in way[depth:]
                took = (len(way) - depth) * 10 * MS + (400 * MS if slow else 0)
                took += int(draw.integers(3 * MS))
                parent = f"{number:012x}{depth - 1:04x}" if depth else ""
                yield Span(
                    f"{number + 1:032x}",
                    f"{number:012x}{depth:04x}",
                    parent,
                    self.names[which],
                    f"GET /{which % 5}",
                    start + depth * MS,
                    took,
                    slow and number % 4 == 0,
                )

    def log_lines(self) -> list[LogLine]:
        length = self.extent.end_ns - self.extent.start_ns
        found = []
        for number in range(self.lines):
            time_ns = self.extent.start_ns + int(length * (number + 0.5) / self.lines)
            name = self.names[number % self.services]
            failed = number % 50 == 0 or (
                name == self.broken and time_ns >= self.fault.start_ns and number % 3
            )
            body = f"request {number} timed out: upstream" if failed else f"served {number} rows"
            found.append(LogLine(time_ns, name, body, "ERROR" if failed else "INFO"))
        return found

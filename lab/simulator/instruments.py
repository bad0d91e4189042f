"""What the owners of a world set up to see it: which signals, how complete, how named."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from aegis.model.telemetry import Floats
from lab.simulator.topology import Service, Topology


@dataclass(frozen=True, slots=True)
class Instruments:
    """The observability of one world.

    client_spans     calls to instrumented services have a span at the caller, too
    marks_errors     spans carry an error flag
    forwards_context services without spans still pass the trace on
    names_peers      spans of calls to stores and outside parties name whom they call
    sampled          share of the traces that is kept
    clock_s          how far the clock of each service is off
    convention       which family of metric names
    peer_metrics     callers measure the latency of each peer
    step_s           how often metrics are scraped
    noise            relative noise of gauges
    missing          share of samples that never arrived
    log_style        how a log line looks
    level_column     lines carry a level beside the body
    log_trace_ids    lines name trace and span
    logged_lines     about how many lines the recording shall hold
    logged_share     share of the requests whose lines are kept
    chatter_s        shortest and longest period of lines that mean nothing
    extras           restarts, full disks, queues and caches have metrics
    """

    has_spans: bool
    has_logs: bool
    client_spans: bool
    marks_errors: bool
    forwards_context: bool
    names_peers: bool
    sampled: float
    clock_s: Floats
    convention: str
    peer_metrics: bool
    step_s: int
    noise: float
    missing: float
    log_style: str
    level_column: bool
    log_trace_ids: bool
    logged_lines: int
    logged_share: float = 1.0
    chatter_s: tuple[float, float] = (15, 120)
    extras: bool = False


def draw_instruments(rng: np.random.Generator, services: int) -> Instruments:
    """Seven worlds in ten have traces; most of those, and a few others, have logs."""
    has_spans = bool(rng.random() < 0.7)
    return Instruments(
        has_spans=has_spans,
        has_logs=bool(rng.random() < (0.75 if has_spans else 0.1)),
        client_spans=bool(rng.random() < 0.7),
        marks_errors=bool(rng.random() < 0.6),
        forwards_context=bool(rng.random() < 0.6),
        names_peers=bool(rng.random() < 0.5),
        sampled=float(rng.choice((0.1, 0.2, 0.3, 0.5, 1.0))),
        clock_s=rng.normal(0, 0.002, services) * float(rng.random() < 0.5),
        convention=str(rng.choice(("otel", "percent", "container", "red", "camel", "average"))),
        peer_metrics=bool(rng.random() < 0.5),
        step_s=int(rng.choice((15, 30, 60))),
        noise=float(rng.uniform(0.01, 0.06)),
        missing=float(rng.choice((0.0, 0.005, 0.02))),
        log_style=str(rng.choice(("java", "json", "logfmt", "plain"))),
        level_column=bool(rng.random() < 0.5),
        log_trace_ids=bool(rng.random() < 0.7),
        logged_lines=int(rng.integers(8_000, 30_000)),
    )


def set_up(topology: Topology, instruments: Instruments, rng: np.random.Generator) -> Topology:
    """The topology with the blind spots of this world.

    Stores never trace or log. Where nothing is traced, every service has metrics: a world
    that saw nothing of a service at all could not know it.
    """
    traced = instruments.has_spans
    services: list[Service] = []
    for service in topology.services:
        blind = rng.random(3)
        peer = service.is_peer_only
        entry = service.role == "entry"
        has_spans = traced and not peer and (entry or bool(blind[0] < 0.93))
        services.append(
            replace(
                service,
                has_spans=has_spans,
                has_metrics=not traced or bool(blind[1] < (0.85 if peer else 0.93)),
                has_logs=instruments.has_logs and not peer and bool(blind[2] < 0.9),
            )
        )
    return topology.with_services(tuple(services))

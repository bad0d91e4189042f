"""Small recordings and the worlds the engine makes of them."""

from __future__ import annotations

from aegis.engine.graph import traced_calls
from aegis.engine.measured import measured
from aegis.engine.trace_tree import TraceTree, leaf_users
from aegis.engine.world import World
from aegis.model.incident import Observations
from aegis.model.telemetry import Change, Series
from tests.engine.telemetry import line, logs, observations, series, span, spans, window
from tests.engine.worlds import calls_of

ASKED = window(600, 900)


def seen(
    calls: str = "",
    *,
    metrics: str = "",
    traced: str = "",
    logged: str = "",
    services: str = "",
    changes: tuple[Change, ...] = (),
) -> Observations:
    """Metrics are written "service:name"; every traced service has one span of its own."""
    return observations(
        ASKED,
        metrics=[samples(*item.split(":", 1)) for item in metrics.split()],
        spans=spans(span(f"t{name}", "1", "", name) for name in traced.split()),
        logs=logs(line(0, name, "hello") for name in logged.split()),
        calls=calls_of(calls),
        services=services.split(),
        changes=changes,
    )


def samples(service: str, name: str) -> Series:
    return series(service, name, [0.2, 0.3, 0.2])


def known(observed: Observations, *, use_changes: bool = True) -> World:
    tree, usable = TraceTree.of(observed.spans), measured(observed.metrics)
    return World.of(
        observed,
        usable,
        traced_calls(tree),
        leaf_users(tree),
        {"away": 0.5},
        use_changes=use_changes,
    )

"""Turns calls into spans, as far as the instruments of a world see them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aegis.model.telemetry import Bools, Ids, Int64s, SpanTable
from lab.simulator.instruments import Instruments
from lab.simulator.requests import OK, Calls
from lab.simulator.topology import Topology

NO_PARENT = b""


@dataclass(frozen=True, slots=True)
class SpanIds:
    """Ids per call: the callee's span, the caller's span, and the trace the callee is in.

    `shows_server` and `shows_client` tell which of the two spans is recorded at all.
    """

    server: Ids
    client: Ids
    trace: Ids
    client_trace: Ids
    parent_of_server: Ids
    parent_of_client: Ids
    shows_server: Bools
    shows_client: Bools


def random_ids(rng: np.random.Generator, count: int, size: int) -> Ids:
    """`count` ids of `size` random bytes in hexadecimal."""
    return np.frombuffer(rng.bytes(count * size).hex().encode(), dtype=f"S{2 * size}")


def identify(
    calls: Calls, topology: Topology, instruments: Instruments, rng: np.random.Generator
) -> SpanIds:
    """Gives every call its ids and finds the nearest recorded ancestor.

    A service without spans forwards the context, or starts a new trace below itself.
    """
    count = len(calls)
    owner = np.array([op.service for op in topology.operations])
    traced = np.array([service.has_spans for service in topology.services])
    peer = np.array([service.is_peer_only for service in topology.services])
    callee = owner[calls.operation]
    inner = calls.parent >= 0
    caller = np.where(inner, callee[np.maximum(calls.parent, 0)], -1)
    shows_server = traced[callee] & calls.reached
    wants_client = instruments.client_spans | peer[callee]
    shows_client = inner & traced[caller] & wants_client
    server, client = random_ids(rng, count, 8), random_ids(rng, count, 8)
    fresh = random_ids(rng, count, 16)
    trace, nearest = fresh.copy(), np.full(count, NO_PARENT, dtype="S16")
    parent_of_server, client_trace = nearest.copy(), fresh.copy()
    parent_of_client = nearest.copy()
    for depth in range(1, int(calls.depth.max(initial=0)) + 1):
        rows = np.flatnonzero(calls.depth == depth)
        up = calls.parent[rows]
        above = np.where(traced[callee[up]], server[up], nearest[up])
        lost = ~traced[callee[up]] & (not instruments.forwards_context)
        above = np.where(lost, NO_PARENT, above)
        client_trace[rows] = trace[up]
        trace[rows] = np.where(lost, fresh[rows], trace[up])
        parent_of_client[rows] = above
        mine = np.where(shows_client[rows], client[rows], above)
        parent_of_server[rows] = mine
        nearest[rows] = mine
    return SpanIds(
        server,
        client,
        trace,
        client_trace,
        parent_of_server,
        parent_of_client,
        shows_server,
        shows_client,
    )


def emit_spans(
    calls: Calls,
    ids: SpanIds,
    topology: Topology,
    instruments: Instruments,
    epoch_ns: int,
    rng: np.random.Generator,
) -> SpanTable:
    """The recorded spans, sorted as a SpanTable wants them."""
    if not instruments.has_spans:
        return SpanTable.empty()
    kept = (rng.random(int(calls.trace.max(initial=0)) + 1) < instruments.sampled)[calls.trace]
    server = np.flatnonzero(ids.shows_server & kept)
    client = np.flatnonzero(ids.shows_client & kept)
    owner = np.array([op.service for op in topology.operations])
    queue_in = np.array([service.queue_in_span for service in topology.services])
    callee = owner[calls.operation]
    caller = callee[np.maximum(calls.parent, 0)]
    begin = np.where(queue_in[callee], calls.arrived, calls.began)
    names, client_code = _operation_names(topology, instruments)
    service_code = np.concatenate([callee[server], caller[client]])
    start_s = np.concatenate([begin[server], calls.sent[client]])
    end_s = np.concatenate([calls.finished[server], calls.received[client]])
    skew = instruments.clock_s[service_code]
    flagged = np.concatenate([calls.callee_failed[server], calls.outcome[client] != OK])
    trace_id = np.concatenate([ids.trace[server], ids.client_trace[client]])
    span_id = np.concatenate([ids.server[server], ids.client[client]])
    start_ns = epoch_ns + np.rint((start_s + skew) * 1e6).astype(np.int64) * 1000
    order = np.lexsort((span_id, start_ns, trace_id))
    operation = np.concatenate([calls.operation[server], client_code[calls.operation[client]]])
    return SpanTable(
        trace_id=trace_id[order],
        span_id=span_id[order],
        parent_span_id=np.concatenate([ids.parent_of_server[server], ids.parent_of_client[client]])[
            order
        ],
        service_code=service_code[order].astype(np.int32),
        services=tuple(service.name for service in topology.services),
        operation_code=operation[order].astype(np.int32),
        operations=names,
        start_ns=start_ns[order],
        duration_ns=np.maximum(np.rint((end_s - start_s) * 1e9).astype(np.int64), 1000)[order],
        error=(flagged & instruments.marks_errors)[order],
    )


def _operation_names(
    topology: Topology, instruments: Instruments
) -> tuple[tuple[str, ...], Int64s]:
    """All operation names, and for each operation the code of its callers' spans."""
    names = [op.name for op in topology.operations]
    codes: dict[str, int] = {}
    for code, name in enumerate(names):
        codes.setdefault(name, code)
    of_client: list[int] = []
    for op in topology.operations:
        peer = topology.services[op.service]
        if peer.is_peer_only and instruments.names_peers:
            name = f"{peer.name} {op.name}"
        elif peer.is_peer_only or op.index % 2:
            name = op.name
        else:
            name = f"call {op.name}"
        if name not in codes:
            codes[name] = len(names)
            names.append(name)
        of_client.append(codes[name])
    return tuple(names), np.array(of_client)

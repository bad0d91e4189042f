"""Small fixed worlds for the tests of the simulator's mechanisms."""

from __future__ import annotations

import numpy as np

from aegis.model.telemetry import Floats
from lab.simulator.conditions import Conditions
from lab.simulator.load import Capacity, Load, solve_load
from lab.simulator.requests import Calls, RequestRunner
from lab.simulator.topology import CallSite, Operation, Service, Topology

ENTRY, MIDDLE, LEAF = 2, 1, 0
BINS = 40
HALF_S = 100.0


def chain(attempts: int = 1, timeout_s: float = 5.0) -> Topology:
    """entry -> middle -> leaf, one operation each, 10 ms of own work everywhere."""
    services = (
        Service("leaf", "service", 2),
        Service("middle", "service", 1),
        Service("entry", "entry", 0),
    )
    operations = []
    for index, service in enumerate(services):
        stages: tuple[tuple[CallSite, ...], ...] = ()
        if index:
            site = CallSite(index - 1, index, index - 1, 1.0, timeout_s, attempts, 0.01, True)
            stages = ((site,),)
        operations.append(
            Operation(index, index, f"op-{service.name}", 0.01, 0.2, 0.5, 0.0, False, stages)
        )
    return Topology(services, tuple(operations), ((ENTRY, 1.0),), 0.0005)


def capacity(topology: Topology, workers: float = 50.0) -> Capacity:
    count = len(topology.services)
    return Capacity(np.full(count, workers), np.full(count, 10.0))


def steady(topology: Topology, rate: float) -> Floats:
    """Traffic at one rate, all through the only request type."""
    rates = np.zeros((len(topology.operations), BINS))
    rates[ENTRY] = rate
    return rates


def solved(
    topology: Topology, conditions: Conditions, rate: float = 20.0, workers: float = 50.0
) -> Load:
    return solve_load(topology, capacity(topology, workers), steady(topology, rate), conditions)


def second_half(value: float, neutral: float) -> Floats:
    """A condition that holds in the second half of the time."""
    return np.where(np.arange(BINS) < BINS // 2, neutral, value)


def run(
    topology: Topology, conditions: Conditions, rate: float = 20.0, workers: float = 50.0
) -> Calls:
    """4000 requests, evenly over the time."""
    load = solved(topology, conditions, rate, workers)
    runner = RequestRunner(topology, conditions, load, np.random.default_rng(5))
    runner.run(ENTRY, np.linspace(0, 2 * HALF_S, 4000, endpoint=False))
    return runner.calls()


def mean_taken_s(calls: Calls, operation: int) -> tuple[float, float]:
    """Mean server-side time of an operation in the first and in the second half."""
    mine = (calls.operation == operation) & calls.reached
    taken = calls.finished - calls.arrived
    first = calls.sent < HALF_S
    return float(taken[mine & first].mean()), float(taken[mine & ~first].mean())


def count_of(calls: Calls, operation: int) -> tuple[int, int]:
    """Calls of an operation in the first and in the second half."""
    mine = calls.operation == operation
    return int((mine & (calls.sent < HALF_S)).sum()), int((mine & (calls.sent >= HALF_S)).sum())

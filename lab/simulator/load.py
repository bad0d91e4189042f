"""How busy every service is at each moment: arrivals, worker pools, queues, back-pressure.

A service is a pool of c workers. A worker is held for the whole request, its own work and
the time it waits for callees (Little's law: busy workers = arrival rate x holding time), so a
slow callee fills the pools of its callers. What waiting follows is in `queueing.py`.

Arrival rates depend on retries, retries on failures, failures on waiting, and waiting on
arrival rates, so the equations are solved by damped iteration.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from scipy.special import ndtr

from aegis.model.telemetry import Floats
from lab.simulator.conditions import Conditions
from lab.simulator.queueing import cpu_stretch, fluid_queue, pool_wait
from lab.simulator.topology import CallSite, Topology

ITERATIONS = 12
DAMPING = 0.65
SETTLED = 2e-3
"""Relative change of rates and response times below which the iteration ends."""
RESPONSE_SIGMA = 0.7
"""Log-normal spread of response times, used only to estimate how many calls time out."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """Workers and processors of each service."""

    workers: Floats
    cores: Floats


@dataclass(frozen=True, slots=True)
class Load:
    """Per bin. `rate` is requests a second of each operation, retries included.

    `wait_s` is the mean wait of those that wait at all (share `wait_share`); `backlog_s` is
    added for everybody; `rejected` is the share turned away. `stretch` multiplies own work.
    `response_s` and `failed` are the mean response and the share of errors per operation.
    """

    rate: Floats
    stretch: Floats
    wait_share: Floats
    wait_s: Floats
    backlog_s: Floats
    rejected: Floats
    busy: Floats
    cpu: Floats
    response_s: Floats
    failed: Floats

    def is_close_to(self, other: Load) -> bool:
        pairs = ((self.rate, other.rate), (self.response_s, other.response_s))
        return all(bool(np.allclose(a, b, rtol=SETTLED, atol=1e-9)) for a, b in pairs)

    def between(self, first: int, last: int) -> Load:
        """The load of some bins; a view."""
        return Load(*(getattr(self, f.name)[:, first:last] for f in fields(Load)))

    def stretched(self, times: int, bins: int) -> Load:
        """Every column `times` times, cut to `bins` columns."""
        return Load(
            *(np.repeat(getattr(self, f.name), times, axis=1)[:, :bins] for f in fields(Load))
        )

    def write(self, part: Load, first: int) -> None:
        """Let `part` hold from bin `first` on, for as long as it is."""
        for f in fields(Load):
            columns = getattr(part, f.name)
            getattr(self, f.name)[:, first : first + columns.shape[1]] = columns

    def followed_by(self, later: Load) -> Load:
        """This load, its last columns replaced by those of `later`."""
        size = later.rate.shape[1]
        return Load(
            *(
                np.concatenate([getattr(self, f.name)[:, :-size], getattr(later, f.name)], axis=1)
                for f in fields(Load)
            )
        )


def size_services(topology: Topology, rates: Floats, rng: np.random.Generator) -> Capacity:
    """Workers and processors such that pools and processors are usefully busy at `rates`.

    `rates` holds requests a second of each operation at the usual peak. Entries are sized
    generously: gateways hold thousands of idle connections.
    """
    count = len(topology.services)
    held, worked = np.zeros(count), np.zeros(count)
    response = np.zeros(len(topology.operations))
    for op in topology.operations:
        calls = sum(
            max((s.probability * response[s.callee] for s in stage if s.waits), default=0.0)
            for stage in op.stages
        )
        response[op.index] = op.mean_work_s + calls + 2 * topology.network_s
        held[op.service] += rates[op.index] * response[op.index]
        worked[op.service] += rates[op.index] * op.mean_work_s * op.cpu_share
    is_entry = np.array([service.role == "entry" for service in topology.services])
    pool_target = np.where(is_entry, 0.25, 1.0) * rng.uniform(0.08, 0.4, count)
    cpu_target = rng.uniform(0.12, 0.5, count)
    return Capacity(
        workers=np.maximum(2.0, np.ceil(held / pool_target)),
        cores=np.maximum(0.05, worked / cpu_target),
    )


def plain_rates(topology: Topology, entry_rates: Floats) -> Floats:
    """Rates of all operations without failures; `entry_rates` (operations, bins)."""
    rate = entry_rates.copy()
    for op in reversed(topology.operations):
        for site in (s for stage in op.stages for s in stage):
            rate[site.callee] += rate[op.index] * site.probability
    return rate


def solve_load(
    topology: Topology, capacity: Capacity, entry_rates: Floats, conditions: Conditions
) -> Load:
    """The load that satisfies all equations; `entry_rates` has one row per operation."""
    state = _Iteration(topology, capacity, entry_rates, conditions)
    for _ in range(ITERATIONS):
        before = state.load()
        state.go_down()
        state.go_up()
        state.fill_pools()
        if state.load().is_close_to(before):
            break
    return state.load()


class _Iteration:
    """One round of the fixed point: rates downwards, response times upwards, pools."""

    def __init__(
        self, topology: Topology, capacity: Capacity, entry_rates: Floats, conditions: Conditions
    ) -> None:
        services, bins = len(topology.services), conditions.bins
        operations, sites = len(topology.operations), len(topology.sites)
        self._world = topology
        self._capacity = capacity
        self._entry = entry_rates * conditions.demand
        self._now = conditions
        self._ops = [topology.operations_of(service) for service in range(services)]
        self._owner = np.array([op.service for op in topology.operations])
        self._rate = plain_rates(topology, self._entry)
        self._response = np.zeros((operations, bins))
        self._holding = np.zeros((operations, bins))
        self._failed = conditions.error_rate.copy()
        self._site_failed = np.zeros((sites, bins))
        self._stretch = np.ones((services, bins))
        self._share, self._wait, self._backlog, self._rejected, self._busy, self._cpu = (
            np.zeros((services, bins)) for _ in range(6)
        )

    def go_down(self) -> None:
        """Arrival rates, callers first: every failed attempt but the last is tried again."""
        rate = self._entry.copy()
        for op in reversed(self._world.operations):
            going = rate[op.index] * (1 - self._now.early_return[op.index])
            for stage in op.stages:
                passed = np.ones_like(going)
                for site in stage:
                    failed = self._site_failed[site.index]
                    attempts = sum(
                        (failed**i for i in range(1, site.attempts)), np.ones_like(going)
                    )
                    reached = going * site.probability * self._now.site_factor[site.index]
                    open_door = 1 - self._now.down[self._owner[site.callee]]
                    arriving = open_door * (1 - self._now.unreachable[site.index])
                    rate[site.callee] += reached * attempts * arriving
                    if site.required and site.waits:
                        share = site.probability * np.maximum(1, self._now.site_factor[site.index])
                        passed = passed * (1 - share * failed**site.attempts)
                going = going * passed
        self._rate = rate

    def go_up(self) -> None:
        """Response times and failures, callees first."""
        for op in self._world.operations:
            service = op.service
            longer = 1 + self._now.slow_share[op.index] * (self._now.slow_factor[op.index] - 1)
            work = op.mean_work_s * self._stretch[service] * longer + self._pauses(service)
            calls, succeeded = np.zeros_like(work), np.ones_like(work)
            for stage in op.stages:
                longest = np.zeros_like(work)
                for site in stage:
                    taken, lost = self._call(site)
                    if site.waits:
                        share = site.probability * self._now.site_factor[site.index]
                        longest = np.maximum(longest, share * taken)
                        if site.required:
                            succeeded = succeeded * (1 - share * lost)
                calls = calls + longest
            kept = 1 - self._now.early_return[op.index]
            self._holding[op.index] = work + calls * kept
            wait = self._share[service] * self._wait[service] + self._backlog[service]
            self._response[op.index] = self._holding[op.index] + wait
            own = (1 - self._now.error_rate[op.index]) * (1 - self._rejected[service])
            self._failed[op.index] = 1 - own * (1 - kept * (1 - succeeded))

    def _pauses(self, service: int) -> Floats:
        """Mean time lost to pauses: those that arrive in one wait half of it on average."""
        lost: Floats = self._now.pause_share[service] * self._now.pause_s[service] * 0.5
        return lost

    def _call(self, site: CallSite) -> tuple[Floats, Floats]:
        """(time the caller spends with retries, share that fails for good)."""
        callee = int(self._owner[site.callee])
        caller = int(self._owner[site.caller])
        travel = 2 * self._world.network_s + self._now.egress_s[callee] + self._now.egress_s[caller]
        travel = travel + 0.25 * (self._now.loss[callee] + self._now.loss[caller])
        response = self._response[site.callee] + travel
        timeout = site.timeout_s * self._now.timeout_factor[site.index]
        median = response * np.exp(-(RESPONSE_SIGMA**2) / 2)
        late = 1 - ndtr(np.log(timeout / np.maximum(median, 1e-6)) / RESPONSE_SIGMA)
        missing = 1 - (1 - self._now.down[callee]) * (1 - self._now.unreachable[site.index])
        failed = 1 - (1 - late) * (1 - missing) * (1 - self._failed[site.callee])
        self._site_failed[site.index] = failed
        once = np.minimum(response, timeout) * (1 - missing) + site.backoff_s * missing
        tries = sum((failed**i for i in range(1, site.attempts)), np.ones_like(failed))
        return once * tries, failed**site.attempts

    def fill_pools(self) -> None:
        """Busy workers, processor use, waiting and backlog of every service."""
        for service in range(len(self._world.services)):
            ops = self._ops[service]
            rate = sum((self._rate[op.index] for op in ops), np.zeros(self._now.bins))
            held = sum((self._rate[o.index] * self._holding[o.index] for o in ops), 0 * rate)
            work = sum((self._rate[o.index] * o.mean_work_s * o.cpu_share for o in ops), 0 * rate)
            holding = held / np.maximum(rate, 1e-9)
            workers = np.maximum(
                1.0, self._capacity.workers[service] * self._now.pool_factor[service]
            )
            cores = self._capacity.cores[service]
            own = work / cores
            self._cpu[service] = own
            hog = np.maximum(self._now.cpu_hog[service], self._now.pause_share[service])
            stretch = cpu_stretch(own, hog, np.maximum(cores, 1.0))
            self._stretch[service] = self._mix(
                self._stretch[service], stretch * self._now.work_factor[service]
            )
            rho = held / workers
            share, wait = pool_wait(rho, holding, workers)
            self._busy[service] = self._mix(self._busy[service], np.minimum(rho, 1.0))
            self._share[service] = self._mix(self._share[service], share)
            self._wait[service] = self._mix(self._wait[service], wait)
            backlog, rejected = fluid_queue(
                rate, workers / np.maximum(holding, 1e-6), self._world.services[service].queue_limit
            )
            self._backlog[service] = self._mix(self._backlog[service], backlog)
            self._rejected[service] = self._mix(self._rejected[service], rejected)

    @staticmethod
    def _mix(before: Floats, now: Floats) -> Floats:
        return DAMPING * now + (1 - DAMPING) * before

    def load(self) -> Load:
        return Load(
            self._rate,
            self._stretch,
            self._share,
            self._wait,
            self._backlog,
            self._rejected,
            self._busy,
            self._cpu,
            self._response.copy(),
            self._failed,
        )

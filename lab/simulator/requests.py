"""Runs requests through a world, all requests of one type at once.

`RequestRunner` walks the call tree of a request type and draws, for arrays of requests, the
wait for a worker, the own work, the network and every failure. A call that fails is tried
again by the caller's own rules; work whose caller has given up still runs to its end, as it
does in real systems.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from aegis.model.telemetry import Bools, Floats, Int64s
from lab.simulator.conditions import BIN_S, Conditions
from lab.simulator.load import Load
from lab.simulator.topology import CallSite, Operation, Topology

OK, FAILED, TIMEOUT, REFUSED, REJECTED = range(5)
"""How an attempt looked to its caller."""
RETRANSMIT_S = 0.2
"""Smallest retransmission timeout of Linux TCP; it doubles with every further loss."""

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Calls:
    """All attempts as columns; `id` is the row number, a parent comes before its children.

    Times are seconds since the start of the case. `site` is -1 for a request from outside,
    `parent` -1. `arrived` to `finished` is the callee's side (NaN if never reached), `sent`
    to `received` the caller's. `threw`: the operation itself raised. `early`: it returned
    before its calls. `callee_failed`: the answer was an error.
    """

    parent: Int64s
    trace: Int64s
    depth: Int64s
    operation: Int64s
    site: Int64s
    attempt: Int64s
    sent: Floats
    received: Floats
    arrived: Floats
    began: Floats
    finished: Floats
    outcome: Int64s
    callee_failed: Bools
    threw: Bools
    early: Bools

    def __len__(self) -> int:
        return len(self.parent)

    @property
    def reached(self) -> Bools:
        """Attempts that got to the callee."""
        there: Bools = ~np.isnan(self.finished)
        return there


@dataclass(slots=True)
class _Served:
    """What the callee's side of a batch of calls came to."""

    began: Floats
    finished: Floats
    failed: Bools
    threw: Bools
    early: Bools


@dataclass(slots=True)
class RequestRunner:
    """Simulates requests of one world; `calls()` returns what happened so far."""

    topology: Topology
    conditions: Conditions
    load: Load
    rng: np.random.Generator
    _parts: list[dict[str, NDArray[np.generic]]] = field(default_factory=list)
    _next_id: int = 0
    _next_trace: int = 0

    def run(self, operation: int, arrivals: Floats) -> None:
        """Requests from outside that arrive at these times (seconds)."""
        count = len(arrivals)
        traces = np.arange(self._next_trace, self._next_trace + count)
        self._next_trace += count
        ids = self._allocate(count)
        op = self.topology.operations[operation]
        rejected = self._chance(self.load.rejected[op.service], arrivals)
        served = self._serve(op, arrivals, ids, traces, 0, rejected)
        self._record(
            ids,
            parent=np.full(count, -1),
            trace=traces,
            depth=np.zeros(count, dtype=np.int64),
            operation=np.full(count, operation),
            site=np.full(count, -1),
            attempt=np.ones(count, dtype=np.int64),
            sent=arrivals,
            received=served.finished,
            arrived=arrivals,
            outcome=np.where(served.failed, FAILED, OK),
            served=served,
        )

    def calls(self) -> Calls:
        """Every attempt so far, in order of ids."""
        order = np.argsort(np.concatenate([part["id"] for part in self._parts]))
        columns = {
            name: np.concatenate([part[name] for part in self._parts])[order]
            for name in self._parts[0]
            if name != "id"
        }
        return Calls(**columns)

    def _allocate(self, count: int) -> Rows:
        ids = np.arange(self._next_id, self._next_id + count)
        self._next_id += count
        return ids

    def _bins(self, times: Floats) -> Rows:
        return np.clip((times / BIN_S).astype(np.int64), 0, self.conditions.bins - 1)

    def _chance(self, shares: Floats, times: Floats) -> Bools:
        """A coin for each time, with the share that holds then."""
        hit: Bools = self.rng.random(len(times)) < shares[self._bins(times)]
        return hit

    def _serve(
        self, op: Operation, arrived: Floats, ids: Rows, traces: Rows, depth: int, rejected: Bools
    ) -> _Served:
        """The callee's side: wait, work, calls, answer."""
        work = np.where(rejected, 0.0005, self._own_work(op, arrived))
        began = arrived + np.where(rejected, 0.0, self._wait(op.service, arrived))
        early = self._chance(self.conditions.early_return[op.index], arrived) & ~rejected
        throws = self._chance(self.conditions.error_rate[op.index], arrived) & ~rejected & ~early
        piece = work / (len(op.stages) + 1)
        now = began + piece
        failed = rejected | (throws & (not op.fails_late))
        for stage in op.stages:
            rows = np.flatnonzero(~failed & ~early)
            if len(rows) == 0:
                break
            now[rows], lost = self._stage(stage, now[rows], ids[rows], traces[rows], depth)
            failed[rows[lost]] = True
            now[rows] += piece[rows]
        return _Served(began, now, failed | throws, throws, early)

    def _stage(
        self, stage: tuple[CallSite, ...], start: Floats, ids: Rows, traces: Rows, depth: int
    ) -> tuple[Floats, Bools]:
        """(when the last of the parallel calls is back, whether a required one failed)."""
        back = start.copy()
        lost = np.zeros(len(start), dtype=np.bool_)
        for site in stage:
            share = site.probability * self.conditions.site_factor[site.index]
            rows = np.flatnonzero(self._chance(share, start))
            if len(rows) == 0:
                continue
            received, failed = self._call(site, start[rows], ids[rows], traces[rows], depth + 1)
            if site.waits:
                back[rows] = np.maximum(back[rows], received)
                lost[rows] |= failed & site.required
        return back, lost

    def _call(
        self, site: CallSite, sent: Floats, parents: Rows, traces: Rows, depth: int
    ) -> tuple[Floats, Bools]:
        """The caller's side: attempts until one succeeds or none is left."""
        received = sent.copy()
        failed = np.ones(len(sent), dtype=np.bool_)
        rows = np.arange(len(sent))
        begin = sent
        for attempt in range(1, site.attempts + 1):
            received[rows], failed[rows] = self._attempt(
                site, begin, parents[rows], traces[rows], depth, attempt
            )
            rows = np.flatnonzero(failed)
            if len(rows) == 0:
                break
            backoff = site.backoff_s * 2 ** (attempt - 1)
            begin = received[rows] + self.rng.uniform(0.5, 1.5, len(rows)) * backoff
        return received, failed

    def _attempt(
        self, site: CallSite, sent: Floats, parents: Rows, traces: Rows, depth: int, attempt: int
    ) -> tuple[Floats, Bools]:
        count = len(sent)
        ids = self._allocate(count)
        op = self.topology.operations[site.callee]
        caller = self.topology.operations[site.caller].service
        refused = self._chance(self.conditions.down[op.service], sent)
        refused |= self._chance(self.conditions.unreachable[site.index], sent)
        outward = self._travel(caller, op.service, sent)
        arrived = np.where(refused, np.nan, sent + outward)
        reached = np.flatnonzero(~refused)
        if not site.waits:
            arrived = arrived + self.rng.exponential(0.05, count)
            lag = self.conditions.lag_s[op.service]
            if lag.any():  # what is still in the queue at the end was never seen to arrive
                arrived = arrived + lag[self._bins(sent)]
                reached = np.flatnonzero(~refused & (arrived < self.conditions.bins * BIN_S))
        served = _nothing_served(count)
        rejected = np.zeros(count, dtype=np.bool_)
        if len(reached):
            at = arrived[reached]
            rejected[reached] = self._chance(self.load.rejected[op.service], at)
            part = self._serve(op, at, ids[reached], traces[reached], depth, rejected[reached])
            for name in ("began", "finished", "failed", "threw", "early"):
                getattr(served, name)[reached] = getattr(part, name)
        back = served.finished + self._travel(op.service, caller, sent)
        timeout = site.timeout_s * self.conditions.timeout_factor[site.index][self._bins(sent)]
        late = back > sent + timeout
        received = np.where(refused, sent + outward * 2, np.where(late, sent + timeout, back))
        outcome = np.select(
            [refused, late, rejected, served.failed], [REFUSED, TIMEOUT, REJECTED, FAILED], OK
        )
        if not site.waits:
            received, outcome = sent + outward, np.where(refused, REFUSED, OK)
        self._record(
            ids,
            parent=parents,
            trace=traces,
            depth=np.full(count, depth),
            operation=np.full(count, op.index),
            site=np.full(count, site.index),
            attempt=np.full(count, attempt),
            sent=sent,
            received=received,
            arrived=arrived,
            outcome=outcome,
            served=served,
        )
        return received, outcome != OK

    def _own_work(self, op: Operation, at: Floats) -> Floats:
        stretch = self.load.stretch[op.service][self._bins(at)]
        work = self.rng.lognormal(np.log(op.work_s), op.sigma, len(at)) * stretch
        if self.conditions.slow_share[op.index].any():
            slow = self._chance(self.conditions.slow_share[op.index], at)
            work *= np.where(slow, self.conditions.slow_factor[op.index][self._bins(at)], 1.0)
        pause = self.conditions.pause_s[op.service]
        paused = self._chance(self.conditions.pause_share[op.service], at)
        out: Floats = work + paused * self.rng.uniform(0, 1, len(at)) * pause
        return out

    def _wait(self, service: int, at: Floats) -> Floats:
        """Wait for a worker: nobody, or exponential, plus the backlog in front."""
        bins = self._bins(at)
        waits = self.rng.random(len(at)) < self.load.wait_share[service][bins]
        wait = self.rng.exponential(1.0, len(at)) * self.load.wait_s[service][bins]
        out: Floats = waits * wait + self.load.backlog_s[service][bins]
        return out

    def _travel(self, sender: int, receiver: int, at: Floats) -> Floats:
        """One way over the network: delay of the sender's side, losses of both."""
        now, bins, count = self.conditions, self._bins(at), len(at)
        base = self.topology.network_s * self.rng.lognormal(0, 0.4, count)
        delay = now.egress_s[sender][bins] * self.rng.uniform(0.8, 1.2, count)
        loss = np.minimum(now.loss[sender][bins] + now.loss[receiver][bins], 0.9)
        resent = self.rng.geometric(1 - loss) - 1
        out: Floats = base + delay + RETRANSMIT_S * (2.0 ** np.minimum(resent, 6) - 1)
        return out

    def _record(self, ids: Rows, *, served: _Served, **columns: NDArray[np.generic]) -> None:
        self._parts.append(
            {
                "id": ids,
                **columns,
                "began": served.began,
                "finished": served.finished,
                "callee_failed": served.failed,
                "threw": served.threw,
                "early": served.early,
            }
        )


def _nothing_served(count: int) -> _Served:
    no = np.zeros(count, dtype=np.bool_)
    nan = np.full(count, np.nan)
    return _Served(nan, nan.copy(), no, no.copy(), no.copy())

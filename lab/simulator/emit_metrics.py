"""Measures a world: what its services and callers would have exported, scrape after scrape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aegis.model.telemetry import Bools, Floats, Int64s, Matrix, Series
from lab.simulator.conditions import BIN_S
from lab.simulator.conventions import CONVENTIONS, EXTRAS, Metric
from lab.simulator.incident import Incident
from lab.simulator.instruments import Instruments
from lab.simulator.requests import OK, Calls
from lab.simulator.topology import Service, Topology

BYTES_PER_CALL = 2_400.0
MEMORY_LIMIT = 2.0e9
QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
Measured = dict[str, Floats]


def grouped_quantiles(
    group: Int64s, values: Floats, groups: int, shares: tuple[float, ...]
) -> Floats:
    """Quantiles (nearest rank) of the values of each group: (shares, groups), NaN if empty."""
    order = np.lexsort((values, group))
    ranked = values[order]
    counts = np.bincount(group, minlength=groups)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    out = np.full((len(shares), groups), np.nan)
    some = counts > 0
    for row, share in enumerate(shares):
        rank = np.ceil(share * counts[some]).astype(np.int64) - 1
        out[row, some] = ranked[first[some] + np.maximum(rank, 0)]
    return out


@dataclass(frozen=True, slots=True)
class Meter:
    """Everything needed to measure a world."""

    topology: Topology
    instruments: Instruments
    incident: Incident
    cores: Floats
    calls: Calls
    epoch_ns: int
    rng: np.random.Generator

    @property
    def steps(self) -> int:
        return int(self.incident.conditions.bins * BIN_S // self.instruments.step_s)

    def read(self) -> Matrix:
        """All series of the world, the samples that got lost left out."""
        callee, caller = self._sides()
        found: list[Series] = []
        for index, service in enumerate(self.topology.services):
            if not service.has_metrics:
                continue
            measured = self._server(callee == index) | self._resources(index, service)
            measured |= self._client((caller == index) & (self.calls.site >= 0))
            if self.instruments.extras:
                measured |= self._extras(index, service)
            found += self._series(service, measured, None)
            if self.instruments.peer_metrics:
                for peer in np.unique(callee[caller == index]):
                    pair = self._peer((caller == index) & (callee == peer))
                    name = self.topology.services[int(peer)].name
                    found += self._series(service, pair, name)
        return Matrix(tuple(found))

    def _sides(self) -> tuple[Int64s, Int64s]:
        """Service index of callee and caller (-1: outside) of every call."""
        owner = np.array([op.service for op in self.topology.operations])
        callee = owner[self.calls.operation]
        inner = self.calls.parent >= 0
        return callee, np.where(inner, callee[np.maximum(self.calls.parent, 0)], -1)

    def _in_steps(self, times: Floats) -> Int64s:
        return np.clip((times / self.instruments.step_s).astype(np.int64), 0, self.steps - 1)

    def _durations(self, rows: Bools, taken: Floats, ended: Floats) -> tuple[Measured, Int64s]:
        step = self._in_steps(ended[rows])
        values = grouped_quantiles(step, taken[rows], self.steps, tuple(QUANTILES.values()))
        return dict(zip(QUANTILES, values, strict=True)), step

    def _server(self, mine: Bools) -> Measured:
        """The callee's side: errors and latency."""
        calls = self.calls
        rows = mine & calls.reached
        taken = calls.finished - calls.arrived
        measured, step = self._durations(rows, taken, calls.finished)
        count = np.bincount(step, minlength=self.steps).astype(np.float64)
        bad = np.bincount(step, weights=calls.callee_failed[rows], minlength=self.steps)
        total = np.bincount(step, weights=taken[rows], minlength=self.steps)
        some = np.where(count > 0, count, np.nan)
        measured["errors"], measured["success"] = bad / some, 1 - bad / some
        measured["mean"] = total / some
        return measured

    def _client(self, mine: Bools) -> Measured:
        calls = self.calls
        values, _ = self._durations(mine, calls.received - calls.sent, calls.received)
        return {"client_p95": values["p95"], "client_p99": values["p99"]}

    def _peer(self, mine: Bools) -> Measured:
        calls = self.calls
        values, step = self._durations(mine, calls.received - calls.sent, calls.received)
        count = np.bincount(step, minlength=self.steps)
        bad = np.bincount(step, weights=calls.outcome[mine] != OK, minlength=self.steps)
        return {"peer_p95": values["p95"], "peer_errors": bad / np.where(count > 0, count, np.nan)}

    def _resources(self, index: int, service: Service) -> Measured:
        """Counters and gauges: what the process and its machine report."""
        now, load = self.incident.conditions, self.incident.load
        ops = self.topology.operations_of(index)
        rate = sum((load.rate[op.index] for op in ops), np.zeros(now.bins)) * now.served[index]
        count = self.rng.poisson(self._per_step(rate) * self.instruments.step_s).astype(np.float64)
        cpu = np.minimum(load.cpu[index] + now.cpu_hog[index] + 0.7 * now.pause_share[index], 1.0)
        cpu = np.minimum(self._noisy(0.015 + cpu), 1.0)
        memory = np.minimum(service.memory_share + now.memory[index], 0.995)
        memory = np.clip(self._noisy(memory, 0.25) + self._sawtooth(), 0, 1)
        resent = 1 - 0.5 * np.minimum(now.loss[index], 0.9)
        store = service.role == "datastore"
        disk = (0.12 if store else 0.02) * rate / max(float(rate.mean()), 1e-9)
        disk = self._noisy(disk + now.disk_busy[index])
        traffic = rate * BYTES_PER_CALL * resent * (0.5 + service.memory_share)
        busy = self._noisy(np.maximum(load.busy[index], 0.001))
        return {
            "count": count,
            "rate": count / self.instruments.step_s,
            "cpu_share": cpu,
            "cpu": cpu * self.cores[index],
            "memory_share": memory,
            "memory": memory * MEMORY_LIMIT,
            "net_in": self._noisy(traffic),
            "net_out": self._noisy(traffic * 1.7),
            "disk_share": np.minimum(disk, 1.0),
            "disk": disk * 3e7,
            "busy": np.minimum(busy, 1.0),
            "workers": np.rint(busy * 40),
            "pause": self._noisy(0.004 + now.pause_share[index]),
            "restarts": self._per_step(np.cumsum(now.restarts[index])),
        }

    def _extras(self, index: int, service: Service) -> Measured:
        """What only some roles have: disks that fill, queues that grow, caches that miss."""
        now, out = self.incident.conditions, Measured()
        out["restarts"] = np.floor(self._per_step(np.cumsum(now.restarts[index])))
        if service.role == "datastore":
            usual = self.rng.uniform(0.3, 0.6)
            filling = np.linspace(0, self.rng.uniform(0, 0.01), now.bins)
            used = usual + filling + (1 - usual - filling) * now.disk_used[index]
            out["disk_used"] = self._per_step(used)
        if service.role == "consumer":
            out["lag"] = self._noisy(now.lag_s[index] + 0.2)
            out["queued"] = np.rint(self._noisy(now.queued[index] + 3.0))
        if service.role == "cache":
            usual = self.rng.uniform(0.85, 0.95)
            hits = usual * (1 - now.cache_misses[index])
            out["cache_hits"] = np.minimum(self._noisy(hits, 0.2), 1.0)
        return out

    def _per_step(self, bins: Floats) -> Floats:
        """Mean of the bins of each scrape interval."""
        size = int(self.instruments.step_s // BIN_S)
        means: Floats = bins[: self.steps * size].reshape(self.steps, size).mean(axis=1)
        return means

    def _noisy(self, bins: Floats, damp: float = 1.0) -> Floats:
        """Scraped values with multiplicative noise and, rarely, a harmless spike."""
        noise = self.rng.normal(0, self.instruments.noise * damp, self.steps)
        spike = np.where(self.rng.random(self.steps) < 0.002, 1 + damp * self.rng.random(), 1.0)
        out: Floats = self._per_step(bins) * np.exp(noise) * spike
        return out

    def _sawtooth(self) -> Floats:
        """Garbage collection: memory fills slowly and falls back."""
        period, height = self.rng.integers(5, 40), self.rng.uniform(0.0, 0.04)
        phase = self.rng.integers(0, period)
        out: Floats = ((np.arange(self.steps) + phase) % period) / period * height
        return out

    def _series(self, service: Service, measured: Measured, peer: str | None) -> list[Series]:
        out: list[Series] = []
        times = np.arange(1, self.steps + 1) * (self.instruments.step_s * 10**9) + self.epoch_ns
        convention = self.instruments.convention
        extras = EXTRAS[convention] if self.instruments.extras else {}
        for key, metric in (CONVENTIONS[convention] | extras).items():
            if key not in measured:
                continue
            values = measured[key] * metric.factor
            kept = np.isfinite(values)
            kept &= self.rng.random(self.steps) >= self.instruments.missing
            if kept.any():
                name, labels = _named(metric, peer)
                out.append(Series(service.name, name, labels, times[kept], values[kept], ""))
        return out


def _named(metric: Metric, peer: str | None) -> tuple[str, tuple[tuple[str, str], ...]]:
    if peer is None:
        return metric.name, ()
    if metric.label is None:
        return metric.name.format(peer=peer), ()
    return metric.name, ((metric.label, peer),)

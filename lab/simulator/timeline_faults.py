"""What can break on a timeline: the faults of `faults.py`, and those that need history.

Some have a past: memory leaks and disks fill for a while before anybody is hurt. The fault
begins when it starts to hurt; what led to it lies in the baseline, as in real recordings.

Which family a fault has: the resource that runs out, where one does. A surge of traffic is
`cpu` because processors saturate first; a slow statement is `disk` because it reads all of a
table; a cache that lost its keys is `memory`. Everything a team shipped is `code` or `config`.
"""

from __future__ import annotations

import numpy as np

from aegis.model.telemetry import Floats
from lab.simulator.conditions import BIN_S
from lab.simulator.faults import KINDS, SERVICES, STORES, FaultKind, Place, Scene
from lab.simulator.load import Load
from lab.simulator.queueing import catch_up
from lab.simulator.topology import Role, Topology


def _onset(scene: Scene) -> int:
    """The first bin in which the fault is on."""
    return int(np.argmax(scene.level > 0))


def _seconds_since(scene: Scene) -> Floats:
    """Per bin: seconds since the fault began, negative before."""
    bins = np.arange(len(scene.level), dtype=np.float64)
    since: Floats = (bins - _onset(scene)) * BIN_S
    return since


def traffic_surge(scene: Scene) -> Place:
    """Far more customers than usual: processors of the busiest service run out first."""
    usual = float(scene.quiet.cpu[scene.service].mean())
    factor = max(1.3, scene.rng.uniform(0.85, 1.05) * scene.force**0.25 / usual)
    scene.conditions.demand[:] = 1 + (factor - 1) * scene.level
    return None, None


def runs_out_first(topology: Topology, quiet: Load, service: int) -> bool:
    """Whether its processors are the resource closest to its limit anywhere."""
    cpu = quiet.cpu.mean(axis=1)
    return float(cpu[service]) >= max(float(cpu.max()), float(quiet.busy.mean(axis=1).max()))


def memory_leak(scene: Scene) -> Place:
    """Memory climbs unnoticed; collections get longer, the process is killed, again and again."""
    now, s, rng = scene.conditions, scene.service, scene.rng
    lead_s, first_s = rng.uniform(600, 1400), rng.uniform(60, 150)
    period_s, away_s = rng.uniform(180, 330), rng.uniform(20, 60)
    since = _seconds_since(scene)
    filled = np.clip(0.8 + 0.8 * since / lead_s, 0, 0.8)
    filled = np.where(since > 0, 0.8 + 0.2 * since / first_s, filled)
    killed_s = since - first_s
    cycle_s = np.mod(killed_s, period_s)
    dies = (killed_s >= 0) & (cycle_s < BIN_S)
    gone = (killed_s >= BIN_S) & (cycle_s >= BIN_S) & (cycle_s < away_s)
    again = 0.3 + 0.7 * np.clip((cycle_s - away_s) / (period_s - away_s), 0, 1)
    filled = np.where(killed_s >= BIN_S, np.where(gone, 0.0, again), filled)
    on = (scene.level > 0) | (since < 0)
    now.memory[s] = (0.97 - scene.topology.services[s].memory_share) * np.clip(filled, 0, 1) * on
    hurting = np.clip((filled - 0.6) / 0.3, 0, 1) * (scene.level > 0)
    now.pause_share[s] = min(0.85, 0.5 * scene.force) * hurting
    now.pause_s[s] = rng.uniform(0.3, 1.2) * min(scene.force, 3)
    now.restarts[s] = dies & (scene.level > 0)
    now.gone[s] = gone & (scene.level > 0)
    now.down[s] = now.gone[s]
    return None, None


def cache_stampede(scene: Scene) -> Place:
    """A cache restarts empty: what it used to answer all goes to the stores behind it."""
    now, s = scene.conditions, scene.service
    share = min(1.0, scene.rng.uniform(0.5, 0.9) * scene.force)
    on = scene.level > 0
    lost = share * on
    now.cache_misses[s] = lost
    now.memory[s] = -0.9 * scene.topology.services[s].memory_share * lost
    now.restarts[s] = _seconds_since(scene) == 0
    for site in scene.topology.sites:
        if site.behind_cache == s:
            asked = site.probability + (1 - site.probability) * lost
            now.site_factor[site.index] = asked / site.probability
    return None, None


def keeps_a_store_from_work(topology: Topology, quiet: Load, service: int) -> bool:
    return any(site.behind_cache == service for site in topology.sites)


def disk_full(scene: Scene) -> Place:
    """The disk fills for a while; from the moment it is full, writes fail and reads do not."""
    now, s, rng = scene.conditions, scene.service, scene.rng
    lead_s = rng.uniform(500, 1400)
    share = min(1.0, rng.uniform(0.7, 1.0) * scene.force)
    since, on = _seconds_since(scene), scene.level > 0
    now.disk_used[s] = np.clip(1 + since / lead_s, 0, 1) * ((since < 0) | on)
    writes = [op for op in scene.topology.operations_of(s) if op.writes]
    for op in writes:
        now.error_rate[op.index] = np.where(on, share, now.error_rate[op.index])
    busiest = max(writes, key=lambda op: float(scene.quiet.rate[op.index].mean()))
    return busiest.index, None


def is_written_to(topology: Topology, quiet: Load, service: int) -> bool:
    return any(op.writes for op in topology.operations_of(service))


def slow_sql(scene: Scene) -> Place:
    """One statement lost its index and reads the whole table; the others are as before."""
    now, s, rng = scene.conditions, scene.service, scene.rng
    op = scene.busiest_operation()
    now.slow_share[op.index] = rng.uniform(0.7, 1.0) * (scene.level > 0)
    now.slow_factor[op.index] = 1 + rng.uniform(8, 25) * scene.force * scene.level
    now.disk_busy[s] = rng.uniform(0.2, 0.5) * scene.level
    now.cpu_hog[s] = rng.uniform(0.05, 0.2) * scene.level
    return op.index, None


def canary_exception(scene: Scene) -> Place:
    """A share of the requests goes to a new version, and that throws."""
    op = scene.busiest_operation()
    share = min(0.6, scene.rng.uniform(0.08, 0.3) * scene.force)
    rate = scene.conditions.error_rate[op.index]
    scene.conditions.error_rate[op.index] = rate + (share - rate) * (scene.level > 0)
    return op.index, None


def canary_slow(scene: Scene) -> Place:
    """A share of the requests goes to a new version, and that takes several times as long."""
    op = scene.busiest_operation()
    share = min(0.6, scene.rng.uniform(0.1, 0.3) * scene.force**0.5)
    scene.conditions.slow_share[op.index] = share * (scene.level > 0)
    scene.conditions.slow_factor[op.index] = 1 + scene.rng.uniform(5, 15) * scene.force
    return op.index, None


def silent_loss(scene: Scene) -> Place:
    """Some of the work an operation should hand on is dropped, without a word."""
    op = scene.busiest_operation()
    sites = [site for stage in op.stages for site in stage]
    messages = [site for site in sites if not site.waits]
    site = (messages or sites)[-1]
    share = min(1.0, scene.rng.uniform(0.6, 1.0) * scene.force)
    scene.conditions.site_factor[site.index] = 1 - share * scene.level
    return op.index, site.index


def hands_work_on(topology: Topology, quiet: Load, service: int) -> bool:
    ops = topology.operations_of(service)
    return bool(max(ops, key=lambda op: float(quiet.rate[op.index].mean())).stages)


def queue_backlog(scene: Scene) -> Place:
    """A consumer handles messages too slowly: they pile up, and work is done ever later."""
    now, s, rng = scene.conditions, scene.service, scene.rng
    op = scene.busiest_operation()
    busy = float(scene.quiet.busy[s].mean())
    slower = float(np.clip(0.85 / max(busy, 0.01), 1.5, 6))
    now.work_factor[s] = 1 + (slower - 1) * (scene.level > 0)
    ops = scene.topology.operations_of(s)
    arriving = sum((scene.quiet.rate[o.index] for o in ops), np.zeros(now.bins))
    usual = max(float(arriving.mean()), 1e-6)
    keeps_up = rng.uniform(0.15, 0.6) / scene.force**0.3
    can_do = np.where(scene.level > 0, usual * keeps_up, usual * 6)
    now.lag_s[s], now.queued[s], done = catch_up(arriving, can_do)
    now.served[s] = done / np.maximum(arriving, 1e-9)
    return op.index, None


def connection_leak(scene: Scene) -> Place:
    """Connections are not given back: within a minute or two no worker gets one."""
    busy = float(scene.quiet.busy[scene.service].mean())
    factor = min(0.8, busy / (scene.rng.uniform(0.95, 1.25) * scene.force**0.5))
    gone = np.clip(_seconds_since(scene) / scene.rng.uniform(15, 90), 0, 1) * (scene.level > 0)
    scene.conditions.pool_factor[scene.service] = 1 - (1 - factor) * gone
    return None, None


def bad_config(scene: Scene) -> Place:
    """A wrong value in the configuration: some requests to every operation are refused."""
    share = min(0.95, scene.rng.uniform(0.15, 0.6) * scene.force)
    on = scene.level > 0
    for op in scene.topology.operations_of(scene.service):
        rate = scene.conditions.error_rate[op.index]
        scene.conditions.error_rate[op.index] = np.where(on, share, rate)
    return scene.busiest_operation().index, None


def external_slow(scene: Scene) -> Place:
    """An outside party is slow, and turns some requests away to protect itself."""
    factor = 1 + scene.rng.uniform(3, 8) * scene.force
    scene.conditions.work_factor[scene.service] = 1 + (factor - 1) * scene.level
    share = scene.rng.uniform(0.05, 0.3)
    for op in scene.topology.operations_of(scene.service):
        scene.conditions.error_rate[op.index] = share * scene.level
    return None, None


CONSUMERS: tuple[Role, ...] = ("consumer",)
CACHES: tuple[Role, ...] = ("cache",)
EXTERNALS: tuple[Role, ...] = ("external",)
FULL = "could not extend file: No space left on device"
BUSY = "429 Too Many Requests"

TIMELINE_KINDS: tuple[FaultKind, ...] = (
    *KINDS,
    FaultKind("traffic_surge", "cpu", (*SERVICES, *STORES), traffic_surge, fits=runs_out_first),
    FaultKind("memory_leak", "memory", SERVICES, memory_leak, ramps=False),
    FaultKind(
        "cache_stampede",
        "memory",
        CACHES,
        cache_stampede,
        ramps=False,
        fits=keeps_a_store_from_work,
    ),
    FaultKind(
        "disk_full", "disk", STORES, disk_full, ramps=False, fits=is_written_to, complaint=FULL
    ),
    FaultKind("slow_sql", "disk", STORES, slow_sql),
    FaultKind("canary_exception", "code", SERVICES, canary_exception, "canary", ramps=False),
    FaultKind("canary_slow", "code", SERVICES, canary_slow, "canary", ramps=False),
    FaultKind(
        "silent_loss", "code", SERVICES, silent_loss, "deploy", harm="silent", fits=hands_work_on
    ),
    FaultKind("queue_backlog", "code", CONSUMERS, queue_backlog, "deploy", harm="late"),
    FaultKind("connection_leak", "code", SERVICES, connection_leak, "deploy", ramps=False),
    FaultKind("bad_config", "config", SERVICES, bad_config, "config", ramps=False),
    FaultKind("external_slow", "dependency", EXTERNALS, external_slow, complaint=BUSY),
)

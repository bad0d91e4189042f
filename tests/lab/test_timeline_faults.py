"""Each fault of the timelines shows in the arrays, calls or metrics it should show in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aegis.model.telemetry import Floats
from lab.simulator.conditions import BIN_S, Conditions
from lab.simulator.faults import FaultKind, Scene
from lab.simulator.load import Capacity, Load, solve_load
from lab.simulator.queueing import catch_up
from lab.simulator.requests import REFUSED, Calls, RequestRunner
from lab.simulator.timeline_faults import TIMELINE_KINDS, runs_out_first
from lab.simulator.topology import CallSite, Operation, Role, Service, Topology

BINS = 120
ONSET = 60
"""The first bin with a fault; it lasts for forty bins."""
END = 100
RATE = 200.0
STORE, CACHE, WORKER, SHOP, DOOR = range(5)
READ, WRITE, GET, HANDLE, ORDER, BUY = range(6)
NAMES: tuple[tuple[str, Role], ...] = (
    ("store", "datastore"),
    ("cache", "cache"),
    ("worker", "consumer"),
    ("shop", "service"),
    ("door", "entry"),
)


def small_world() -> Topology:
    """door -> shop -> (cache, store on a miss; store write; message to worker)."""

    def site(index: int, callee: int, share: float = 1.0, waits: bool = True) -> CallSite:
        caller = BUY if callee == ORDER else ORDER
        return CallSite(index, caller, callee, share, 5.0, 1, 0.01, callee != GET, waits)

    miss = replace(site(1, READ, 0.1), behind_cache=CACHE)
    stages = ((site(0, GET),), (miss,), (site(2, WRITE),), (site(3, HANDLE, waits=False),))
    owner = {READ: STORE, WRITE: STORE, GET: CACHE, HANDLE: WORKER, ORDER: SHOP, BUY: DOOR}
    calls = {ORDER: stages, BUY: ((site(4, ORDER),),)}
    operations = tuple(
        Operation(
            index=op,
            service=owner[op],
            name=f"op-{op}",
            work_s=0.005,
            sigma=0.2,
            cpu_share=0.5,
            error_rate=0.0,
            fails_late=False,
            stages=calls.get(op, ()),
            writes=op == WRITE,
        )
        for op in range(6)
    )
    services = tuple(Service(name, role, 9 - i) for i, (name, role) in enumerate(NAMES))
    return Topology(services, operations, ((BUY, 1.0),), 0.0005)


TOPOLOGY = small_world()
CAPACITY = Capacity(np.full(5, 24.0), np.array([10.0, 10.0, 10.0, 2.0, 10.0]))


def traffic() -> Floats:
    rates = np.zeros((len(TOPOLOGY.operations), BINS))
    rates[BUY] = RATE
    return rates


def quiet_load() -> Load:
    return solve_load(TOPOLOGY, CAPACITY, traffic(), Conditions.quiet(TOPOLOGY, BINS))


def kind_called(name: str) -> FaultKind:
    return next(kind for kind in TIMELINE_KINDS if kind.name == name)


def struck(name: str, service: int, force: float = 1.0) -> Conditions:
    """The conditions with this fault at full level from ONSET to END."""
    now = Conditions.quiet(TOPOLOGY, BINS)
    bins = np.arange(BINS)
    level = ((bins >= ONSET) & (bins < END)).astype(np.float64)
    rng = np.random.default_rng(11)
    scene = Scene(TOPOLOGY, now, quiet_load(), service, level, force, rng)
    kind_called(name).apply(scene)
    return now


def load_under(now: Conditions) -> Load:
    return solve_load(TOPOLOGY, CAPACITY, traffic(), now)


def calls_under(now: Conditions) -> Calls:
    """Twelve thousand requests, evenly over the time."""
    runner = RequestRunner(TOPOLOGY, now, load_under(now), np.random.default_rng(5))
    runner.run(BUY, np.linspace(0, BINS * BIN_S, 12_000, endpoint=False))
    return runner.calls()


def parts(calls: Calls, operation: int) -> tuple[np.ndarray, np.ndarray]:
    """Which calls of an operation were sent in the quiet and which in the burning time."""
    mine = calls.operation == operation
    during = (calls.sent >= ONSET * BIN_S + 5) & (calls.sent < END * BIN_S)
    return mine & (calls.sent < ONSET * BIN_S), mine & during


BURNING = slice(ONSET, END)
"""The bins of the fault."""
BEFORE = slice(0, ONSET)
AFTER = slice(END, BINS)


def test_a_surge_saturates_the_processors_of_the_busiest_service_first() -> None:
    quiet = quiet_load()
    assert [s for s in range(5) if runs_out_first(TOPOLOGY, quiet, s)] == [SHOP]
    load = load_under(struck("traffic_surge", SHOP))
    assert load.rate[BUY][BURNING].mean() > 1.5 * RATE
    assert load.rate[BUY][BEFORE] == pytest.approx(RATE)
    assert load.cpu[SHOP][BURNING].mean() > 0.7
    assert max(load.cpu[s][BURNING].mean() for s in (STORE, CACHE, DOOR)) < 0.5


def test_a_leak_climbs_before_it_hurts_and_kills_the_process_more_than_once() -> None:
    now = struck("memory_leak", SHOP)
    memory = now.memory[SHOP]
    assert (np.diff(memory[BEFORE]) >= 0).all()
    assert memory[ONSET - 1] > memory[ONSET - 60] + 0.1
    assert (now.pause_share[SHOP][BEFORE] == 0).all()
    assert now.pause_share[SHOP][ONSET] > 0.1
    assert now.restarts[SHOP].sum() >= 1
    gone = now.gone[SHOP] > 0
    assert gone.any()
    assert (now.down[SHOP][gone] == 1).all()
    assert memory[np.flatnonzero(gone)].max() == 0
    assert (memory[AFTER] == 0).all()


def test_callers_are_refused_while_the_leaking_process_is_away() -> None:
    now = struck("memory_leak", SHOP)
    calls = calls_under(now)
    away = np.flatnonzero(now.gone[SHOP])
    then = np.isin((calls.sent / BIN_S).astype(int), away) & (calls.operation == ORDER)
    assert then.sum() > 50
    assert set(calls.outcome[then].tolist()) == {REFUSED}


def test_an_empty_cache_floods_the_store_behind_it_but_not_the_writes() -> None:
    now = struck("cache_stampede", CACHE)
    calls = calls_under(now)
    (read_quiet, read_now), (write_quiet, write_now) = parts(calls, READ), parts(calls, WRITE)
    longer = ONSET / (END - ONSET)
    assert read_now.sum() * longer > 4 * read_quiet.sum()
    assert write_now.sum() * longer == pytest.approx(write_quiet.sum(), rel=0.1)
    assert now.memory[CACHE][ONSET] < -0.1
    assert now.restarts[CACHE].sum() == 1
    assert now.cache_misses[CACHE][BURNING].min() >= 0.5


def test_a_full_disk_fails_writes_from_one_moment_on_and_reads_never() -> None:
    now = struck("disk_full", STORE)
    used = now.disk_used[STORE]
    assert (np.diff(used[BEFORE]) >= 0).all()
    assert 0 < used[ONSET - 24] < used[ONSET - 2] < 1
    assert (used[BURNING] == 1).all()
    calls = calls_under(now)
    quiet, burning = parts(calls, WRITE)
    assert calls.callee_failed[quiet].mean() == 0
    assert calls.callee_failed[burning].mean() > 0.6
    assert not calls.callee_failed[calls.operation == READ].any()


def test_one_slow_statement_leaves_the_other_as_it_was() -> None:
    now = struck("slow_sql", STORE)
    assert now.slow_share[WRITE][BURNING].min() > 0.6
    assert (now.slow_share[READ] == 0).all()
    assert now.disk_busy[STORE][BURNING].mean() > 0.2
    calls = calls_under(now)
    quiet, burning = parts(calls, WRITE)
    taken = calls.finished - calls.began
    assert np.median(taken[burning]) > 5 * np.median(taken[quiet])
    quiet, burning = parts(calls, READ)
    assert np.median(taken[burning]) < 2 * np.median(taken[quiet])


def test_a_canary_fails_only_the_requests_that_reach_it() -> None:
    calls = calls_under(struck("canary_exception", SHOP))
    quiet, burning = parts(calls, ORDER)
    assert calls.threw[quiet].mean() == 0
    assert 0.05 < calls.threw[burning].mean() < 0.4


def test_a_slow_canary_stretches_the_tail_and_not_the_median() -> None:
    calls = calls_under(struck("canary_slow", SHOP))
    quiet, burning = parts(calls, ORDER)
    taken = calls.finished - calls.began
    assert np.median(taken[burning]) < 1.5 * np.median(taken[quiet])
    assert np.quantile(taken[burning], 0.95) > 2 * np.quantile(taken[quiet], 0.95)


def test_lost_work_is_not_handed_on_and_nobody_gets_an_error() -> None:
    calls = calls_under(struck("silent_loss", SHOP))
    quiet, burning = parts(calls, HANDLE)
    longer = ONSET / (END - ONSET)
    assert burning.sum() * longer < 0.5 * quiet.sum()
    assert not calls.callee_failed.any()


def test_a_backlog_grows_work_done_falls_and_the_queue_drains_afterwards() -> None:
    now = struck("queue_backlog", WORKER)
    lag, queued, served = now.lag_s[WORKER], now.queued[WORKER], now.served[WORKER]
    assert (lag[: ONSET - 1] < 1e-3).all()
    assert (np.diff(queued[BURNING]) > 0).all()
    assert lag[BURNING].max() > 60
    assert served[BURNING].max() < 0.8
    assert served[END] > 2
    assert queued[-1] == 0
    calls = calls_under(now)
    late = (calls.operation == HANDLE) & (calls.sent > (END - 10) * BIN_S)
    late &= (calls.sent < END * BIN_S) & calls.reached
    assert (calls.arrived - calls.sent)[late].min() > 30
    taken = calls.finished - calls.arrived
    quiet, burning = parts(calls, BUY)
    assert np.median(taken[burning]) == pytest.approx(np.median(taken[quiet]), rel=0.15)


def test_a_message_waits_as_long_as_the_queue_in_front_of_it_takes() -> None:
    arriving, can_do = np.full(8, 10.0), np.array([5.0, 5.0, 30.0, 30.0, 30.0, 30.0, 30.0, 30.0])
    lag, queued, done = catch_up(arriving, can_do)
    # For ten seconds five a second too few: 50 wait, and are worked off within the next bin.
    assert queued.tolist() == [25, 50, 0, 0, 0, 0, 0, 0]
    assert done.tolist() == [5, 5, 20, 10, 10, 10, 10, 10]
    assert lag.tolist() == pytest.approx([0, 5, 2.5, 0, 0, 0, 0, 0])


def test_leaked_connections_shrink_the_pool_until_requests_wait() -> None:
    now = struck("connection_leak", SHOP)
    pool = now.pool_factor[SHOP]
    assert (pool[BEFORE] == 1).all()
    assert (np.diff(pool[BURNING]) <= 0).all()
    assert pool[END - 1] < 0.8
    assert (pool[AFTER] == 1).all()
    load = load_under(now)
    assert load.busy[SHOP][END - 1] > 0.9
    assert load.response_s[ORDER][END - 1] > 2 * load.response_s[ORDER][0]


def test_a_bad_value_fails_every_operation_of_the_service_alike() -> None:
    now = struck("bad_config", STORE)
    assert now.error_rate[READ][BURNING].min() == now.error_rate[WRITE][BURNING].min() > 0.1
    assert (now.error_rate[[READ, WRITE], :ONSET] == 0).all()
    assert (now.error_rate[[READ, WRITE], END:] == 0).all()


def test_an_outside_party_is_slow_and_turns_some_away() -> None:
    now = struck("external_slow", STORE)
    calls = calls_under(now)
    quiet, burning = parts(calls, WRITE)
    taken = calls.finished - calls.began
    assert np.median(taken[burning]) > 3 * np.median(taken[quiet])
    assert 0.03 < calls.callee_failed[burning].mean() < 0.35


def test_there_are_twenty_five_kinds_over_all_families() -> None:
    assert len({kind.name for kind in TIMELINE_KINDS}) == len(TIMELINE_KINDS) == 25
    families = {"cpu", "memory", "disk", "network", "code", "config", "dependency"}
    assert {kind.family for kind in TIMELINE_KINDS} == families

"""What travels through a world, and in which direction."""

from __future__ import annotations

import numpy as np
import pytest

from lab.simulator.conditions import Conditions
from lab.simulator.load import plain_rates
from lab.simulator.queueing import cpu_stretch, fluid_queue, pool_wait
from lab.simulator.requests import OK, REFUSED, TIMEOUT
from tests.lab.worlds import (
    BINS,
    ENTRY,
    LEAF,
    MIDDLE,
    chain,
    count_of,
    mean_taken_s,
    run,
    second_half,
    solved,
    steady,
)


def test_a_slowed_leaf_slows_every_caller_by_the_time_it_adds() -> None:
    topology = chain()
    conditions = Conditions.quiet(topology, BINS)
    conditions.work_factor[LEAF] = second_half(6.0, 1.0)
    calls = run(topology, conditions)
    leaf, middle, entry = (mean_taken_s(calls, op) for op in (LEAF, MIDDLE, ENTRY))
    added = leaf[1] - leaf[0]
    assert added == pytest.approx(0.05, rel=0.1)
    assert middle[1] - middle[0] == pytest.approx(added, rel=0.1)
    assert entry[1] - entry[0] == pytest.approx(added, rel=0.1)


def test_a_delayed_service_answers_late_but_does_not_work_longer() -> None:
    topology = chain()
    conditions = Conditions.quiet(topology, BINS)
    conditions.egress_s[LEAF] = second_half(0.08, 0.0)
    calls = run(topology, conditions)
    leaf, middle = mean_taken_s(calls, LEAF), mean_taken_s(calls, MIDDLE)
    assert leaf[1] == pytest.approx(leaf[0], rel=0.05)
    assert middle[1] - middle[0] == pytest.approx(0.08, rel=0.1)


def test_failures_are_tried_again_and_load_the_callee() -> None:
    topology = chain(attempts=3)
    conditions = Conditions.quiet(topology, BINS)
    conditions.error_rate[LEAF] = second_half(0.5, 0.0)
    before, after = count_of(run(topology, conditions), LEAF)
    # 1 + 1/2 + 1/4 attempts from each middle call, and middle itself is tried again.
    assert before == 2000
    assert after == pytest.approx(2000 * 1.75 * (1 + 1 / 8 + 1 / 64), rel=0.05)


def test_the_load_model_expects_the_retries_that_happen() -> None:
    topology = chain(attempts=3)
    conditions = Conditions.quiet(topology, BINS)
    conditions.error_rate[LEAF] = second_half(0.5, 0.0)
    expected = solved(topology, conditions).rate[LEAF]
    before, after = count_of(run(topology, conditions), LEAF)
    assert expected[-1] / expected[0] == pytest.approx(after / before, rel=0.05)


def test_the_load_model_expects_the_response_times_that_happen() -> None:
    topology = chain()
    conditions = Conditions.quiet(topology, BINS)
    conditions.work_factor[LEAF] = second_half(4.0, 1.0)
    expected = solved(topology, conditions).response_s[ENTRY]
    before, after = mean_taken_s(run(topology, conditions), ENTRY)
    assert expected[0] == pytest.approx(before, rel=0.1)
    assert expected[-1] == pytest.approx(after, rel=0.1)


def test_an_error_of_the_leaf_fails_the_whole_request() -> None:
    topology = chain()
    conditions = Conditions.quiet(topology, BINS)
    conditions.error_rate[LEAF] = second_half(0.3, 0.0)
    calls = run(topology, conditions)
    late = (calls.operation == ENTRY) & (calls.sent >= 100)
    assert calls.callee_failed[late].mean() == pytest.approx(0.3, abs=0.05)
    assert not calls.threw[calls.operation == ENTRY].any()


def test_a_caller_gives_up_at_its_timeout_while_the_callee_works_on() -> None:
    topology = chain(timeout_s=0.03)
    conditions = Conditions.quiet(topology, BINS)
    conditions.work_factor[LEAF] = second_half(10.0, 1.0)
    calls = run(topology, conditions)
    gone = (calls.operation == LEAF) & (calls.outcome == TIMEOUT)
    assert gone.sum() > 1500
    assert (calls.received - calls.sent)[gone] == pytest.approx(0.03)
    assert (calls.finished > calls.received)[gone].mean() > 0.99


def test_nobody_is_reached_at_a_wrong_address_and_only_the_caller_fails() -> None:
    topology = chain()
    conditions = Conditions.quiet(topology, BINS)
    conditions.unreachable[0] = second_half(1.0, 0.0)
    calls = run(topology, conditions)
    late = (calls.operation == LEAF) & (calls.sent > 100.1)
    assert set(calls.outcome[late].tolist()) == {REFUSED}
    assert not calls.reached[late].any()


def test_a_request_that_returns_early_makes_no_calls_and_no_error() -> None:
    topology = chain()
    conditions = Conditions.quiet(topology, BINS)
    conditions.early_return[MIDDLE] = second_half(1.0, 0.0)
    calls = run(topology, conditions)
    before, after = count_of(calls, LEAF)
    assert before == pytest.approx(2000, abs=3)
    assert after <= 3
    assert (calls.outcome == OK).all()


def test_waiting_grows_with_load_and_steeply_near_the_limit() -> None:
    workers = np.full(4, 8.0)
    rho = np.array([0.2, 0.5, 0.8, 0.94])
    share, wait = pool_wait(rho, np.full(4, 0.1), workers)
    mean = share * wait
    assert (np.diff(mean) > 0).all()
    assert mean[3] / mean[2] > mean[2] / mean[1] / 8
    assert mean[3] > 20 * mean[1]


def test_one_worker_waits_as_the_textbook_says() -> None:
    # M/M/1: P(wait) = rho, E[wait] = rho H / (1 - rho).
    share, wait = pool_wait(np.array([0.6]), np.array([0.05]), np.array([1.0]))
    assert share[0] == pytest.approx(0.6)
    assert share[0] * wait[0] == pytest.approx(0.6 * 0.05 / 0.4)


def test_a_slow_callee_fills_the_pool_of_its_caller() -> None:
    topology = chain()
    conditions = Conditions.quiet(topology, BINS)
    conditions.work_factor[LEAF] = second_half(20.0, 1.0)
    load = solved(topology, conditions, rate=20, workers=8)
    assert load.busy[MIDDLE][-1] > 5 * load.busy[MIDDLE][0]
    assert load.wait_share[MIDDLE][-1] > 0.01 > load.wait_share[MIDDLE][0]


def test_more_traffic_than_workers_builds_a_backlog_and_then_turns_requests_away() -> None:
    rate, can_do = np.full(6, 12.0), np.full(6, 10.0)
    wait_s, rejected = fluid_queue(rate, can_do, limit=45.0)
    # Two requests a second too many: 10 more in the queue after every bin of 5 s.
    assert wait_s.tolist() == [1.0, 2.0, 3.0, 4.0, 4.5, 4.5]
    assert rejected.tolist() == pytest.approx([0, 0, 0, 0, 5 / 60, 10 / 60])


def test_taken_processors_stretch_the_work() -> None:
    own, cores = np.array([0.2, 0.2]), np.array([4.0, 4.0])
    free, crowded = cpu_stretch(own, np.array([0.0, 0.7]), cores)
    assert 1.0 < free < 1.1
    assert crowded > 1 / 0.3


def test_rates_follow_the_call_tree_where_nothing_fails() -> None:
    topology = chain()
    rates = plain_rates(topology, steady(topology, 12.0))
    assert (rates == 12.0).all()

"""What the instruments of a world show of what happened."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lab.simulator.conditions import Conditions
from lab.simulator.emit_logs import Reporter
from lab.simulator.emit_metrics import Meter, grouped_quantiles
from lab.simulator.emit_spans import emit_spans, identify
from lab.simulator.incident import Incident
from lab.simulator.instruments import Instruments, draw_instruments
from lab.simulator.requests import Calls
from lab.simulator.topology import Topology
from tests.lab.worlds import BINS, HALF_S, LEAF, MIDDLE, chain, run, second_half, solved

EPOCH_NS = 1_700_000_000 * 10**9


def instruments(forwards_context: bool = True) -> Instruments:
    """Everything is seen, and nothing is lost."""
    return replace(
        draw_instruments(np.random.default_rng(1), 3),
        has_spans=True,
        has_logs=True,
        client_spans=True,
        forwards_context=forwards_context,
        sampled=1.0,
        marks_errors=True,
        clock_s=np.zeros(3),
        convention="percent",
        step_s=20,
        missing=0.0,
        log_style="plain",
        level_column=True,
        log_trace_ids=True,
        logged_lines=100_000,
    )


def dice() -> np.random.Generator:
    return np.random.default_rng(3)


def happened(topology: Topology, conditions: Conditions) -> tuple[Incident, Calls]:
    return Incident((), conditions, solved(topology, conditions)), run(topology, conditions)


def test_quantiles_of_groups_are_those_of_each_group_alone() -> None:
    group = np.array([0, 2, 0, 2, 0, 2, 2])
    values = np.array([3.0, 10.0, 1.0, 40.0, 2.0, 20.0, 30.0])
    median, top = grouped_quantiles(group, values, 3, (0.5, 1.0))
    assert median[[0, 2]].tolist() == [2.0, 20.0]
    assert top[[0, 2]].tolist() == [3.0, 40.0]
    assert np.isnan(median[1])


def test_every_call_has_a_span_on_both_sides() -> None:
    topology = chain()
    calls = run(topology, Conditions.quiet(topology, BINS))
    show = instruments()
    ids = identify(calls, topology, show, dice())
    spans = emit_spans(calls, ids, topology, show, EPOCH_NS, dice())
    # Three services on the callee's side, two on the caller's.
    assert len(spans) == 4000 * (3 + 2)
    assert len(set(spans.trace_id.tolist())) == 4000
    assert (spans.parent_span_id == b"").sum() == 4000


@pytest.mark.parametrize(("forwards", "traces"), [(True, 4000), (False, 8000)])
def test_a_service_without_spans_keeps_or_breaks_the_trace(forwards: bool, traces: int) -> None:
    topology = chain()
    blind = list(topology.services)
    blind[MIDDLE] = replace(blind[MIDDLE], has_spans=False)
    topology = topology.with_services(tuple(blind))
    calls = run(topology, Conditions.quiet(topology, BINS))
    show = instruments(forwards)
    ids = identify(calls, topology, show, dice())
    spans = emit_spans(calls, ids, topology, show, EPOCH_NS, dice())
    seen = {spans.services[code] for code in set(spans.service_code.tolist())}
    assert seen == {"leaf", "entry"}
    assert len(set(spans.trace_id.tolist())) == traces


def test_metrics_show_the_latency_the_calls_had() -> None:
    topology = chain()
    conditions = Conditions.quiet(topology, BINS)
    conditions.work_factor[LEAF] = second_half(5.0, 1.0)
    incident, calls = happened(topology, conditions)
    meter = Meter(topology, instruments(), incident, np.ones(3), calls, EPOCH_NS, dice())
    series = {(s.service, s.name): s for s in meter.read().series}
    latency = series["leaf", "response_time_p50_ms"]
    at_s = (latency.times_ns - EPOCH_NS) / 1e9
    assert latency.values[at_s <= HALF_S] == pytest.approx(10, rel=0.15)
    assert latency.values[at_s > HALF_S + 20] == pytest.approx(50, rel=0.15)


def test_taken_processors_and_full_memory_show_where_they_are_and_nowhere_else() -> None:
    topology = chain()
    conditions = Conditions.quiet(topology, BINS)
    conditions.cpu_hog[LEAF] = second_half(0.6, 0.0)
    conditions.memory[MIDDLE] = second_half(0.5, 0.0)
    incident, calls = happened(topology, conditions)
    meter = Meter(topology, instruments(), incident, np.ones(3), calls, EPOCH_NS, dice())
    step = {
        (s.service, s.name): float(np.median(s.values[5:]) - np.median(s.values[:5]))
        for s in meter.read().series
    }
    assert step["leaf", "cpu_usage_percent"] > 50
    assert step["middle", "memory_usage_percent"] > 40
    assert abs(step["middle", "cpu_usage_percent"]) < 5
    assert abs(step["leaf", "memory_usage_percent"]) < 5


def test_a_request_that_returns_early_leaves_out_the_lines_of_what_it_did_not_do() -> None:
    topology = chain()
    conditions = Conditions.quiet(topology, BINS)
    conditions.early_return[MIDDLE] = second_half(1.0, 0.0)
    incident, calls = happened(topology, conditions)
    show = instruments()
    ids = identify(calls, topology, show, dice())
    logs = Reporter(topology, show, incident, calls, ids, EPOCH_NS, dice()).write()
    mine = logs.service_code == logs.services.index("middle")
    late = (logs.time_ns - EPOCH_NS) / 1e9 >= HALF_S + 1
    in_requests = logs.trace_id != b""
    before = int((mine & ~late & in_requests).sum())
    after = int((mine & late & in_requests).sum())
    # Start, one line after the call, and the end: the middle one is gone.
    assert before == pytest.approx(3 * 2020, rel=0.01)
    assert after == pytest.approx(2 * 1980, rel=0.01)


def test_the_caller_says_whom_it_could_not_reach() -> None:
    topology = chain()
    conditions = Conditions.quiet(topology, BINS)
    conditions.down[LEAF] = second_half(1.0, 0.0)
    incident, calls = happened(topology, conditions)
    show = instruments()
    ids = identify(calls, topology, show, dice())
    logs = Reporter(topology, show, incident, calls, ids, EPOCH_NS, dice()).write()
    text = "call to leaf failed: connection refused"
    rows = [row for row, body in enumerate(logs.body) if body == text]
    assert len(rows) == pytest.approx(2000, abs=5)
    assert {logs.services[logs.service_code[row]] for row in rows} == {"middle"}
    assert {logs.levels[logs.level_code[row]] for row in rows} == {"ERROR"}

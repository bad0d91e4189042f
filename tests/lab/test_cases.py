"""Whole cases: what is written, how it hangs together, and that a seed fixes it."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from typer import BadParameter

from aegis.adapters.cases.validation import validate
from aegis.model.diagnosis import FAMILIES
from aegis.model.telemetry import LogTable, SpanTable
from lab.simulator.__main__ import simulate
from lab.simulator.incident import System, draw_incident
from lab.simulator.load import plain_rates, size_services
from lab.simulator.plan import FIRST_FROZEN_SEED, draw_plan, streams_of
from lab.simulator.traffic import entry_rates
from lab.simulator.world import Recording, record_seed

SEEDS = range(500, 510)


@cache
def recording(seed: int) -> Recording:
    return record_seed(seed)


def same_columns(one: SpanTable | LogTable, other: SpanTable | LogTable) -> bool:
    pairs = ((getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    return all(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b for a, b in pairs)


def test_the_same_seed_gives_the_same_case() -> None:
    one, again = recording(500), record_seed(500)
    assert one.header == again.header
    assert one.truth == again.truth
    assert same_columns(one.spans, again.spans)
    assert same_columns(one.logs, again.logs)
    assert len(one.metrics.series) == len(again.metrics.series)
    for a, b in zip(one.metrics.series, again.metrics.series, strict=True):
        assert (a.service, a.name, a.labels) == (b.service, b.name, b.labels)
        assert np.array_equal(a.times_ns, b.times_ns)
        assert np.array_equal(a.values, b.values)


def test_different_seeds_give_different_worlds() -> None:
    assert len({recording(seed).header.services for seed in SEEDS}) == len(SEEDS)
    styles = {recording(seed).metrics.series[0].name for seed in SEEDS}
    assert len(styles) >= 3


@pytest.mark.parametrize("seed", SEEDS)
def test_every_case_follows_the_format(seed: int, tmp_path: Path) -> None:
    recording(seed).write(tmp_path / "case")
    assert not validate(tmp_path / "case")


@pytest.mark.parametrize("seed", SEEDS)
def test_the_truth_is_a_service_that_some_instrument_sees(seed: int) -> None:
    case = recording(seed)
    seen = {series.service for series in case.metrics.series}
    seen |= {case.spans.services[code] for code in set(case.spans.service_code.tolist())}
    for cause in case.truth:
        assert cause.service in case.header.services
        assert cause.service in seen


def test_every_span_but_a_root_has_its_parent_in_its_trace() -> None:
    traced = [recording(seed).spans for seed in SEEDS if len(recording(seed).spans)]
    assert len(traced) >= 4
    for spans in traced:
        known = set(zip(spans.trace_id.tolist(), spans.span_id.tolist(), strict=True))
        children = np.flatnonzero(spans.parent_span_id != b"")
        trace, parent = spans.trace_id[children].tolist(), spans.parent_span_id[children].tolist()
        orphans = [pair for pair in zip(trace, parent, strict=True) if pair not in known]
        # Only a hole in the recording can take a parent away from its child.
        assert len(orphans) <= 0.01 * len(children)


def test_an_ordinary_day_has_no_step() -> None:
    case = record_seed(501, no_fault_share=1.0)
    assert case.truth == ()
    calls, start = case.calls, case.header.fault_window.start
    epoch_s = min(int(series.times_ns[0]) for series in case.metrics.series) / 1e9
    at = start.timestamp() - epoch_s
    entry = (calls.site == -1) & calls.reached
    taken = calls.finished - calls.arrived
    before, after = taken[entry & (calls.sent < at)], taken[entry & (calls.sent >= at)]
    assert np.median(after) == pytest.approx(np.median(before), rel=0.1)
    assert calls.callee_failed[entry & (calls.sent >= at)].mean() < 0.02


@pytest.mark.slow
def test_seventy_cases_have_all_families_and_ordinary_days() -> None:
    families: Counter[str] = Counter()
    for seed in range(70):
        streams = streams_of(seed)
        plan = draw_plan(seed, streams, 0.1)
        if not plan.has_fault:
            families["none"] += 1
            continue
        rates = entry_rates(plan.topology, plan.rate, plan.wave)[:, -40:]
        usual = plain_rates(plan.topology, rates).max(axis=1)
        capacity = size_services(plan.topology, usual, streams["requests"])
        system = System(plan.topology, capacity, rates, plan.instruments.has_spans)
        incident = draw_incident(system, 80, 200, streams["incident"])
        (fault,) = incident.faults
        families[fault.family] += 1
    assert set(families) == {*FAMILIES, "none"}
    assert all(families[family] >= 4 for family in FAMILIES)
    assert 3 <= families["none"] <= 15


def test_a_run_does_not_cross_into_the_frozen_half(tmp_path: Path) -> None:
    with pytest.raises(BadParameter, match="frozen"):
        simulate(tmp_path, seed=FIRST_FROZEN_SEED - 1, cases=2)
    assert list(tmp_path.iterdir()) == []

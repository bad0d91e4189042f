"""Whole timelines: what is asked when, what truth says of it, and what was not recorded."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from aegis.adapters.cases.truth import read_truth
from aegis.adapters.cases.validation import validate
from aegis.model.telemetry import EPOCH, LogTable, Matrix, Series, SpanTable, to_ns
from lab.__main__ import app
from lab.simulator.gaps import (
    Gap,
    draw_gaps,
    leave_out_lines,
    leave_out_series,
    leave_out_spans,
    not_kept,
    restart_gaps,
)
from lab.simulator.plan import FIRST_FROZEN_SEED
from lab.simulator.timeline import LONGEST_S, SHORTEST_S, Timeline, draw_timeline, streams_of
from lab.simulator.timeline_case import TimelineRecording, record_timeline

SEEDS = (2, 6, 10, 12)
"""Small worlds, with earlier incidents, restarts and logs among them."""
QUIET = 14
EARLY = [36, 52, 58]
"""Those below 60 whose incident began before the recording."""
MINUTE = timedelta(minutes=1)


@cache
def recording(seed: int) -> TimelineRecording:
    return record_timeline(seed)


@cache
def drawn(seed: int) -> Timeline:
    return draw_timeline(seed, streams_of(seed), 0.25)


def same(one: SpanTable | LogTable, other: SpanTable | LogTable) -> bool:
    return np.array_equal(one.service_code, other.service_code) and (
        np.array_equal(one.trace_id, other.trace_id) and np.array_equal(one.span_id, other.span_id)
    )


def test_the_same_seed_gives_the_same_timeline() -> None:
    one, again = recording(12), record_timeline(12)
    assert (one.header, one.truth, one.onset) == (again.header, again.truth, again.onset)
    assert same(one.spans, again.spans)
    assert np.array_equal(one.spans.duration_ns, again.spans.duration_ns)
    assert one.logs.body == again.logs.body
    assert np.array_equal(one.logs.time_ns, again.logs.time_ns)
    for a, b in zip(one.metrics.series, again.metrics.series, strict=True):
        assert (a.service, a.name, a.labels) == (b.service, b.name, b.labels)
        assert np.array_equal(a.times_ns, b.times_ns)
        assert np.array_equal(a.values, b.values)


@pytest.mark.parametrize("seed", [*SEEDS, QUIET])
def test_every_timeline_is_a_small_valid_case_with_a_question(seed: int, tmp_path: Path) -> None:
    folder = tmp_path / "case"
    recording(seed).write(folder)
    assert validate(folder) == []
    assert sum(file.stat().st_size for file in folder.iterdir()) < 6_000_000
    assert json.loads((folder / "case.json").read_text())["asked"]["question"]


@pytest.mark.parametrize("seed", [*SEEDS, QUIET])
def test_truth_tells_the_onset_beside_causes_that_the_reader_reads(
    seed: int, tmp_path: Path
) -> None:
    made = recording(seed)
    made.write(tmp_path / "case")
    assert read_truth(tmp_path / "case") == made.truth
    told = json.loads((tmp_path / "case" / "truth.json").read_text())["onset"]
    if made.onset is None:
        assert told is None
    else:
        assert datetime.fromisoformat(told) == made.onset


@pytest.mark.parametrize("seed", SEEDS)
def test_the_onset_lies_in_the_fault_window_and_the_question_looks_into_it(seed: int) -> None:
    made = recording(seed)
    window, asked = made.header.fault_window, made.header.asked
    assert asked is not None
    assert made.onset is not None
    assert made.onset == window.start
    assert 3 * MINUTE <= asked.end - made.onset <= 25 * MINUTE
    assert asked.start < min(asked.end, window.end)
    assert made.truth


@pytest.mark.parametrize("seed", SEEDS)
def test_only_the_asked_incident_is_in_the_truth_and_earlier_ones_lie_before(seed: int) -> None:
    made = recording(seed)
    names = [service.name for service in made.timeline.topology.services]
    *earlier, asked = made.story.chapters
    assert [cause.service for cause in made.truth] == [names[f.service] for f in asked.faults]
    for chapter in earlier:
        assert chapter.episode.end_s + 45 * 60 < asked.episode.start_s


def entry_steps(made: TimelineRecording, begin_s: float, end_s: float) -> tuple[float, float]:
    """(median time now by that before, share of failures now) of requests from outside."""
    calls = made.calls
    entry = (calls.site == -1) & calls.reached
    now = entry & (calls.sent >= begin_s) & (calls.sent < end_s)
    before = entry & (calls.sent >= begin_s - 1800) & (calls.sent < begin_s)
    taken = calls.finished - calls.arrived
    slower = float(np.median(taken[now]) / np.median(taken[before]))
    return slower, float(calls.callee_failed[now].mean())


def test_nothing_happens_in_the_asked_window_of_a_quiet_timeline() -> None:
    made = recording(QUIET)
    assert made.truth == ()
    assert made.onset is None
    assert made.header.asked is not None
    assert made.header.fault_window.end == made.header.asked.end
    asked_s, back_s = made.timeline.asked_s, made.timeline.asked_back_s
    slower, failing = entry_steps(made, asked_s - back_s, asked_s)
    assert slower == pytest.approx(1, abs=0.1)
    assert failing < 0.02
    conditions = made.story.incident.conditions
    first, last = int((asked_s - 4500) // 5), int(asked_s // 5)
    assert (conditions.work_factor[:, first:last] == 1).all()
    assert (conditions.down[:, first:last] == 0).all()
    assert (conditions.demand[:, first:last] == 1).all()


def test_questions_come_while_it_burns_after_it_ended_and_when_nothing_is_wrong() -> None:
    timelines = [drawn(seed) for seed in range(60)]
    asked = [(line, line.asked) for line in timelines]
    burning = [line for line, episode in asked if episode and episode.end_s > line.asked_s]
    ended = [line for line, episode in asked if episode and episode.end_s <= line.asked_s]
    quiet = [line for line, episode in asked if episode is None]
    assert len(burning) > len(ended) >= 8
    assert len(quiet) >= 8
    for line in quiet:
        assert all(one.end_s + 75 * 60 < line.asked_s for one in line.episodes)
    for line in timelines:
        assert SHORTEST_S <= line.end_s <= LONGEST_S
        assert len(line.episodes) <= 3
        assert line.end_s - line.asked_s >= 15 * 60
        assert 10 <= len(line.topology.services) <= 40


def test_most_services_of_a_wide_world_have_something_to_do() -> None:
    shares = []
    for seed in range(30):
        topology = drawn(seed).topology
        used = {topology.operations[site.callee].service for site in topology.sites}
        used |= {topology.operations[operation].service for operation, _ in topology.request_types}
        shares.append(len(used) / len(topology.services))
    assert np.mean(shares) > 0.85


EPOCH_NS = 1_700_000_000 * 10**9


def series_of(service: str) -> Series:
    times = np.arange(10, dtype=np.int64) * 60 * 10**9 + EPOCH_NS
    return Series(service, "m", (), times, np.arange(10.0), "")


def test_a_gap_takes_only_its_signal_of_its_service_and_time() -> None:
    gaps = [Gap("metrics", 1, 120, 240), Gap("logs", None, 0, 600), Gap("spans", 0, 0, 600)]
    matrix = Matrix((series_of("a"), series_of("b")))
    a, b = leave_out_series(matrix, gaps, ["a", "b"], EPOCH_NS).series
    assert a.values.tolist() == list(range(10))
    assert b.values.tolist() == [0, 1, 4, 5, 6, 7, 8, 9]
    made = recording(12)
    start = made.timeline.epoch_s * 10**9
    hour = [Gap("spans", 0, 0, 3600.0), Gap("logs", None, 0, 3600.0)]
    spans = leave_out_spans(made.spans, hour, start)
    lines = leave_out_lines(made.logs, hour, start)
    late = made.spans.start_ns >= start + 3600 * 10**9
    assert len(spans) == int((late | (made.spans.service_code != 0)).sum())
    assert len(lines) == int((made.logs.time_ns >= start + 3600 * 10**9).sum())


def test_gaps_of_everybody_spare_the_incident_and_gaps_of_one_spare_the_causes() -> None:
    spared = (5000.0, 6000.0)
    gaps = [
        gap
        for seed in range(200)
        for gap in draw_gaps(np.random.default_rng(seed), 10, 14_400.0, {3, 4}, spared)
    ]
    everybody = [gap for gap in gaps if gap.service is None]
    assert {gap.signal for gap in everybody} == {"metrics", "spans", "logs"}
    assert not [g for g in everybody if g.begin_s < spared[1] and g.end_s > spared[0] - 300]
    assert not {gap.service for gap in gaps} & {3, 4}
    assert [gap for gap in gaps if gap.signal == "logs" and gap.end_s == 14_400.0]


def test_a_process_that_was_killed_exports_nothing_until_it_is_back() -> None:
    made = recording(12)
    assert [cause.fault for cause in made.truth] == ["memory_leak"]
    (name,) = (cause.service for cause in made.truth)
    gaps = restart_gaps(made.story.incident.conditions)
    assert gaps
    start = to_ns(EPOCH) + made.timeline.epoch_s * 10**9
    mine = [series for series in made.metrics.series if series.service == name]
    assert mine
    for gap in gaps:
        assert 10 <= gap.end_s - gap.begin_s <= 60
        for series in mine:
            since = (series.times_ns - start) / 1e9
            assert not ((since >= gap.begin_s) & (since < gap.end_s)).any()


def test_the_command_writes_timelines_and_does_not_cross_into_the_frozen_half(
    tmp_path: Path,
) -> None:
    arguments = ["simulate", "--timeline", "--seed", "6", str(tmp_path / "out")]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert [folder.name for folder in (tmp_path / "out").iterdir()] == ["timeline-0000006"]
    crossing = ["simulate", "--timeline", "--seed", str(FIRST_FROZEN_SEED - 1), "--cases", "2"]
    refused = CliRunner().invoke(app, [*crossing, str(tmp_path / "no")])
    assert refused.exit_code == 2
    assert not (tmp_path / "no").exists()


def test_some_incidents_began_before_what_is_kept_and_can_still_be_labelled() -> None:
    early = [seed for seed in range(60) if drawn(seed).recorded_from_s]
    assert early == EARLY
    for seed in early:
        plan = drawn(seed)
        (episode,) = plan.episodes
        assert plan.recorded_from_s - episode.start_s >= 30 * 60
        assert 30 * 60 <= plan.asked_s - plan.recorded_from_s <= 90 * 60
        assert plan.asked_s - episode.start_s >= 2 * 3600
        assert episode.end_s < plan.end_s


def test_nothing_is_kept_from_before_the_recording() -> None:
    made = recording(EARLY[0])
    began = made.timeline.epoch_s * 10**9 + int(made.timeline.recorded_from_s * 1e9)
    times = [one.times_ns for one in made.metrics.series]
    assert min(int(one.min()) for one in times) >= began
    assert min(int(one.min()) for one in times) < began + 120 * 10**9
    for column in (made.spans.start_ns, made.logs.time_ns):
        assert not len(column) or int(column.min()) >= began
    assert made.onset is not None
    assert to_ns(made.onset) < began
    assert abs(to_ns(made.header.fault_window.start) - began) <= 10**6


def test_everything_before_a_moment_is_a_gap_of_everybody() -> None:
    assert not_kept(0.0) == ()
    assert set(not_kept(90.0)) == {
        Gap("metrics", None, 0.0, 90.0),
        Gap("spans", None, 0.0, 90.0),
        Gap("logs", None, 0.0, 90.0),
    }

"""Simulates a timeline and writes what was recorded of it as a case with a question."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from aegis.adapters.cases.truth import FILE as TRUTH_FILE
from aegis.adapters.cases.writer import write_case
from aegis.model.incident import Asked, CaseHeader, TrueCause
from aegis.model.telemetry import (
    Alarm,
    Change,
    Floats,
    LogTable,
    Matrix,
    SpanTable,
    TimeWindow,
    from_ns,
)
from lab.simulator.emit_logs import Reporter
from lab.simulator.emit_metrics import Meter
from lab.simulator.emit_spans import emit_spans, identify
from lab.simulator.episodes import Chapter, Story, tell
from lab.simulator.faults import FaultKind
from lab.simulator.gaps import (
    draw_gaps,
    leave_out_lines,
    leave_out_series,
    leave_out_spans,
    not_kept,
    restart_gaps,
)
from lab.simulator.load import Capacity, plain_rates, size_services
from lab.simulator.questions import draw_question
from lab.simulator.requests import Calls, RequestRunner
from lab.simulator.symptoms import loudest
from lab.simulator.timeline import Timeline, draw_timeline, streams_of
from lab.simulator.timeline_faults import TIMELINE_KINDS
from lab.simulator.traffic import arrivals, entry_rates
from lab.simulator.world import listed_calls

Streams = dict[str, np.random.Generator]
QUIET_SHARE = 0.25
BEFORE_S = 1800.0
"""Who is loudest is told by comparing with this time before."""
ROLLED_BACK = 0.6
"""Share of the guilty changes that somebody took back, which ended the incident."""


@dataclass(frozen=True, slots=True)
class TimelineRecording:
    """A finished case. `onset` is when what is asked about began, None where nothing was.

    `timeline`, `story` and `calls` are for those who look behind the telemetry.
    """

    header: CaseHeader
    metrics: Matrix
    spans: SpanTable
    logs: LogTable
    truth: tuple[TrueCause, ...]
    onset: datetime | None
    timeline: Timeline
    story: Story
    calls: Calls

    def write(self, folder: Path) -> None:
        """The case folder; truth.json says beside the causes when they began."""
        write_case(folder, self.header, self.metrics, self.spans, self.logs, self.truth)
        path = folder / TRUTH_FILE
        told = json.loads(path.read_text(encoding="utf-8"))
        onset = None if self.onset is None else self.onset.isoformat().replace("+00:00", "Z")
        path.write_text(json.dumps({**told, "onset": onset}, indent=1) + "\n", encoding="utf-8")


def record_timeline(seed: int, quiet_share: float = QUIET_SHARE) -> TimelineRecording:
    """The timeline of a seed; the same for ever."""
    streams = streams_of(seed)
    return record(draw_timeline(seed, streams, quiet_share), streams)


def record(
    timeline: Timeline, streams: Streams, kinds: tuple[FaultKind, ...] = TIMELINE_KINDS
) -> TimelineRecording:
    """Lets the timeline happen and measures it."""
    topology = timeline.topology
    rates = entry_rates(topology, timeline.rate, timeline.wave)
    all_rates = plain_rates(topology, rates)
    usual_peak = np.quantile(all_rates, 0.95, axis=1)
    capacity = size_services(topology, usual_peak, streams["requests"])
    story = tell(timeline, capacity, rates, streams["incident"], kinds)
    share = min(1.0, timeline.calls / (float(all_rates.sum()) * timeline.end_s / rates.shape[1]))
    calls = _run(timeline, story, rates * share, streams["requests"])
    metrics, spans, logs = _observe(timeline, story, capacity, calls, streams)
    asked = timeline.asked
    causes = story.chapters[-1].faults if asked else ()
    epoch_ns = timeline.epoch_s * 10**9
    names = [service.name for service in topology.services]
    gaps = (
        *not_kept(timeline.recorded_from_s),
        *restart_gaps(story.incident.conditions),
        *draw_gaps(
            streams["gaps"],
            len(names),
            timeline.end_s,
            {fault.service for fault in story.incident.faults},
            (asked.start_s, timeline.asked_s) if asked else None,
        ),
    )
    return TimelineRecording(
        header=_header(timeline, story, calls, streams),
        metrics=leave_out_series(metrics, gaps, names, epoch_ns),
        spans=leave_out_spans(spans, gaps, epoch_ns),
        logs=leave_out_lines(logs, gaps, epoch_ns),
        truth=tuple(TrueCause(names[f.service], f.kind, f.family) for f in causes),
        onset=_moment(timeline, asked.start_s) if asked else None,
        timeline=timeline,
        story=story,
        calls=calls,
    )


def _run(timeline: Timeline, story: Story, rates: Floats, rng: np.random.Generator) -> Calls:
    happened = story.incident
    runner = RequestRunner(timeline.topology, happened.conditions, happened.load, rng)
    wanted = rates * happened.conditions.demand
    for operation, _ in timeline.topology.request_types:
        runner.run(operation, arrivals(rng, wanted[operation]))
    return runner.calls()


def _observe(
    timeline: Timeline, story: Story, capacity: Capacity, calls: Calls, streams: Streams
) -> tuple[Matrix, SpanTable, LogTable]:
    """What the instruments would have recorded without any gap."""
    topology, show, happened = timeline.topology, timeline.instruments, story.incident
    epoch_ns = timeline.epoch_s * 10**9
    ids = identify(calls, topology, show, streams["ids"])
    spans = emit_spans(calls, ids, topology, show, epoch_ns, streams["spans"])
    meter = Meter(topology, show, happened, capacity.cores, calls, epoch_ns, streams["metrics"])
    logs = Reporter(topology, show, happened, calls, ids, epoch_ns, streams["logs"]).write()
    return meter.read(), spans, logs


def _moment(timeline: Timeline, seconds: float) -> datetime:
    """A time of the recording, to the millisecond."""
    return from_ns(timeline.epoch_s * 10**9) + timedelta(milliseconds=round(seconds * 1000))


def _header(timeline: Timeline, story: Story, calls: Calls, streams: Streams) -> CaseHeader:
    def at(seconds: float) -> datetime:
        return _moment(timeline, seconds)

    asked = timeline.asked
    chapter = story.chapters[-1] if asked else None
    alarm = _alarm(timeline, chapter, calls, streams["header"])
    harm = None if chapter is None else chapter.faults[0].harm
    question = draw_question(streams["question"], alarm, harm)
    looked_at = (timeline.asked_s - timeline.asked_back_s, timeline.asked_s)
    happened = looked_at
    if asked:
        first_s = max(asked.start_s, timeline.recorded_from_s)
        happened = (first_s, min(asked.end_s, timeline.end_s))
    return CaseHeader(
        id=timeline.id,
        source="simulator",
        fault_window=TimeWindow(at(happened[0]), at(happened[1])),
        alarm=alarm,
        services=tuple(sorted(service.name for service in timeline.topology.services)),
        calls=listed_calls(timeline.topology, timeline.lists_all_calls),
        changes=_changes(timeline, story, streams["header"]),
        asked=Asked(question, at(looked_at[0]), at(looked_at[1])),
    )


def _changes(timeline: Timeline, story: Story, rng: np.random.Generator) -> tuple[Change, ...]:
    """Innocent changes, those that brought a fault, and those that took it back."""
    found = list(timeline.innocent)
    for fault in story.incident.faults:
        kept_quiet = rng.random() < 0.25
        if fault.change is None or (fault.change == "deploy" and kept_quiet):
            continue
        found.append((fault.service, fault.start_s - float(rng.uniform(2, 90)), fault.change))
        if fault.end_s < timeline.end_s and rng.random() < ROLLED_BACK:
            found.append((fault.service, fault.end_s - float(rng.uniform(1, 20)), "rollback"))
    names = [service.name for service in timeline.topology.services]
    return tuple(
        Change(
            names[service],
            _moment(timeline, max(0.0, seconds)),
            kind,
            f"v{rng.integers(1, 9)}.{rng.integers(0, 60)}.{rng.integers(0, 9)}",
        )
        for service, seconds, kind in sorted(found, key=lambda change: change[1])
    )


def _alarm(
    timeline: Timeline, chapter: Chapter | None, calls: Calls, rng: np.random.Generator
) -> Alarm | None:
    """What rang: mostly an entry, else the loudest service; nothing or a false one if quiet."""
    services = timeline.topology.services
    entries = [i for i, service in enumerate(services) if service.role == "entry"]
    if chapter is None:
        rings = rng.random() < 0.5
        return Alarm(services[int(rng.choice(entries))].name, None) if rings else None
    first = chapter.faults[0]
    if first.harm == "late":
        return Alarm(services[first.service].name, None)
    everyone = list(range(len(services)))
    among = entries if rng.random() < 0.75 else everyone
    start_s = chapter.episode.start_s
    between = (start_s - BEFORE_S, min(chapter.episode.end_s, timeline.asked_s))
    service, kind = loudest(timeline.topology, calls, among, start_s, between)
    told = bool(rng.random() < 0.75) and first.harm == "felt"
    return Alarm(services[service].name, kind if told else None)

"""Simulates a plan and writes what was recorded of it as a case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from aegis.adapters.cases.tables import log_rows, span_rows
from aegis.adapters.cases.writer import write_case
from aegis.model.incident import Asked, CaseHeader, TrueCause
from aegis.model.telemetry import (
    Alarm,
    Bools,
    Change,
    Int64s,
    LogTable,
    Matrix,
    Series,
    SpanTable,
    TimeWindow,
    from_ns,
)
from lab.simulator.emit_logs import Reporter
from lab.simulator.emit_metrics import Meter
from lab.simulator.emit_spans import emit_spans, identify
from lab.simulator.incident import Incident, System, draw_incident, no_incident
from lab.simulator.load import plain_rates, size_services
from lab.simulator.plan import Plan, draw_plan, streams_of
from lab.simulator.requests import Calls, RequestRunner
from lab.simulator.symptoms import loudest
from lab.simulator.topology import Topology
from lab.simulator.traffic import arrivals, entry_rates

Streams = dict[str, np.random.Generator]
NO_FAULT_SHARE = 0.1
QUESTIONS = (
    "why is {service} slow?",
    "why is {service} failing?",
    "what is wrong with {service}?",
    "{service} 为什么变慢了？",
    "{service} 出了什么问题？",
)


@dataclass(frozen=True, slots=True)
class Recording:
    """A finished case; `incident` and `calls` are for those who look behind the telemetry."""

    header: CaseHeader
    metrics: Matrix
    spans: SpanTable
    logs: LogTable
    truth: tuple[TrueCause, ...]
    incident: Incident
    calls: Calls

    def write(self, folder: Path) -> None:
        write_case(folder, self.header, self.metrics, self.spans, self.logs, self.truth)


def record_seed(seed: int, no_fault_share: float = NO_FAULT_SHARE) -> Recording:
    """The case of a seed; the same for ever."""
    streams = streams_of(seed)
    return record(draw_plan(seed, streams, no_fault_share), streams)


def record(plan: Plan, streams: Streams) -> Recording:
    """Lets the plan happen and measures it."""
    rates = entry_rates(plan.topology, plan.rate, plan.wave)
    all_rates = plain_rates(plan.topology, rates)
    usual_peak = np.quantile(all_rates, 0.95, axis=1)
    capacity = size_services(plan.topology, usual_peak, streams["requests"])
    system = System(plan.topology, capacity, rates, plan.instruments.has_spans)
    incident = no_incident(system)
    if plan.has_fault:
        between = (plan.start_s, plan.end_s)
        incident = draw_incident(system, *between, streams["incident"], plan.kind, plan.place)
    share = min(1.0, plan.calls / (float(all_rates.sum()) * plan.end_s / plan.wave.size))
    runner = RequestRunner(plan.topology, incident.conditions, incident.load, streams["requests"])
    for operation, _ in plan.topology.request_types:
        runner.run(operation, arrivals(streams["requests"], rates[operation] * share))
    calls = runner.calls()
    epoch_ns = plan.epoch_s * 10**9
    topology, show = plan.topology, plan.instruments
    ids = identify(calls, topology, show, streams["ids"])
    spans = emit_spans(calls, ids, topology, show, epoch_ns, streams["spans"])
    meter = Meter(topology, show, incident, capacity.cores, calls, epoch_ns, streams["metrics"])
    logs = Reporter(topology, show, incident, calls, ids, epoch_ns, streams["logs"]).write()
    truth = tuple(
        TrueCause(topology.services[fault.service].name, fault.kind, fault.family)
        for fault in incident.faults
    )
    return Recording(
        header=_header(plan, incident, calls, streams["header"]),
        metrics=Matrix(tuple(_cut_series(plan, series) for series in meter.read().series)),
        spans=span_rows(spans, _recorded(plan, spans.start_ns)),
        logs=log_rows(logs, _recorded(plan, logs.time_ns)),
        truth=truth,
        incident=incident,
        calls=calls,
    )


def _recorded(plan: Plan, times_ns: Int64s) -> Bools:
    """Rows that do not fall into a hole of the recording."""
    since = (times_ns - plan.epoch_s * 10**9) / 1e9
    kept = np.ones(len(times_ns), dtype=np.bool_)
    for begin, end in plan.holes:
        kept &= (since < begin) | (since >= end)
    return kept


def _cut_series(plan: Plan, series: Series) -> Series:
    kept = _recorded(plan, series.times_ns)
    return Series(
        series.service,
        series.name,
        series.labels,
        series.times_ns[kept],
        series.values[kept],
        series.query,
    )


def _header(plan: Plan, incident: Incident, calls: Calls, rng: np.random.Generator) -> CaseHeader:
    epoch = from_ns(plan.epoch_s * 10**9)

    def at(seconds: float) -> timedelta:
        return timedelta(milliseconds=round(seconds * 1000))

    # The last scrape carries the last moment as its time and belongs to the window.
    window = TimeWindow(epoch + at(plan.window_start_s), epoch + at(plan.end_s + 1))
    alarm = _alarm(plan, incident, calls, rng)
    asked = None
    if plan.asks and alarm.service is not None:
        end = epoch + at(rng.uniform(plan.start_s + 90, plan.end_s))
        text = plan.question or str(rng.choice(QUESTIONS)).format(service=alarm.service)
        asked = Asked(text, end - timedelta(minutes=15), end)
    found = [*plan.innocent, *_guilty_change(plan, incident, rng)]
    changes = tuple(
        Change(
            plan.topology.services[service].name,
            epoch + at(seconds),
            kind,
            f"v{rng.integers(1, 9)}.{rng.integers(0, 60)}.{rng.integers(0, 9)}",
        )
        for service, seconds, kind in sorted(found, key=lambda change: change[1])
    )
    return CaseHeader(
        id=plan.id,
        source="simulator",
        fault_window=window,
        alarm=alarm,
        services=tuple(sorted(service.name for service in plan.topology.services)),
        calls=listed_calls(plan.topology, plan.lists_all_calls),
        changes=changes,
        asked=asked,
    )


def listed_calls(topology: Topology, everything: bool) -> tuple[tuple[str, str], ...]:
    """All calls, or those that traces cannot show (a service catalogue knows the stores)."""
    pairs = topology.call_pairs()
    if everything:
        return pairs
    traced = {service.name for service in topology.services if service.has_spans}
    return tuple(pair for pair in pairs if not set(pair) <= traced)


def _guilty_change(
    plan: Plan, incident: Incident, rng: np.random.Generator
) -> list[tuple[int, float, str]]:
    """The change that brought the fault: always recorded for config, mostly for code."""
    out = []
    for fault in incident.faults:
        if fault.change is None or (fault.change == "deploy" and rng.random() < 0.25):
            continue
        out.append((fault.service, fault.start_s - float(rng.uniform(2, 90)), fault.change))
    return out


def _alarm(plan: Plan, incident: Incident, calls: Calls, rng: np.random.Generator) -> Alarm:
    """What rang: mostly an entry, else the loudest service; the kind is not always told."""
    entries = [i for i, s in enumerate(plan.topology.services) if s.role == "entry"]
    everyone = list(range(len(plan.topology.services)))
    among = entries if rng.random() < 0.75 or not plan.has_fault else everyone
    service, kind = loudest(plan.topology, calls, among, plan.start_s)
    told = rng.random() < 0.75
    silent = all(fault.harm == "silent" for fault in incident.faults)
    return Alarm(plan.topology.services[service].name, kind if told and not silent else None)

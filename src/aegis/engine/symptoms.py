"""The symptoms of each service: its findings weighed and sorted into families."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from hashlib import sha256
from math import log2, sqrt

from aegis.engine.findings import Finding
from aegis.engine.spans import SpanFindings
from aegis.engine.world import World
from aegis.model.evidence import Signal
from aegis.model.telemetry import Alarm

WEIGHTS: Mapping[Signal, float] = {
    "cpu": 1.0,
    "memory": 1.3,
    "disk": 0.8,
    "network": 0.25,
    "latency": 0.7,
    "errors": 1.0,
    "saturation": 0.35,
    "traffic": 0.35,
    "restarts": 0.6,
    "self_time": 1.2,
    "call_time": 1.2,
    "error_spans": 1.0,
    "call_structure": 0.7,
    "error_logs": 1.0,
    "log_rate": 0.8,
    "log_sequence": 1.1,
}
CAPPED: frozenset[Signal] = frozenset({"traffic", "network", "disk", "saturation"})
CAP = 1.6
TRACED_LATENCY = 0.6
MANY_TESTS_DECADES = 0.6
GATED: frozenset[Signal] = frozenset(
    {"errors", "error_spans", "call_structure", "error_logs", "log_rate", "log_sequence"}
)
GATE_FLOOR = 0.7
GATE_FULL_SHARE = 0.5
ALARM_MATCH = 1.2
ALARM_MISMATCH = 0.65
SLOW_SHARE_POWER = 0.6
SLOW_COUNT_WEIGHT = 0.2
NEVER_NS = 2**63 - 1

LATENCY: frozenset[Signal] = frozenset({"self_time", "latency", "call_time"})
ERRORS: frozenset[Signal] = frozenset({"errors", "error_spans", "error_logs"})
FLOW: frozenset[Signal] = frozenset({"call_structure", "log_rate"})
SEQUENCE: frozenset[Signal] = frozenset({"log_sequence"})
RESOURCES: frozenset[Signal] = frozenset(
    {"cpu", "memory", "disk", "network", "restarts", "saturation"}
)
WORK: frozenset[Signal] = frozenset({"traffic"})
SYMPTOM_FAMILIES = (LATENCY, ERRORS, FLOW, SEQUENCE, RESOURCES, WORK)


@dataclass(slots=True)
class Symptoms:
    """Weighed strength by signal (0 where nothing was found), and what it came from.

    `inner` and `outbound` split the own time: work inside, and leaf spans that may be calls
    to a service without spans. `delays` is the increase of each latency metric, by its name.
    """

    by_signal: dict[Signal, float] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    touched: dict[Signal, float] = field(default_factory=dict)
    inner: float = 0.0
    outbound: float = 0.0
    failed_outbound: bool = False
    delays: dict[str, float] = field(default_factory=dict)

    def of(self, signal: Signal) -> float:
        return self.by_signal.get(signal, 0.0)

    def add(self, finding: Finding, *, traced: bool) -> None:
        """Take in a finding of the service; metrics say less where spans are recorded."""
        strength = weigh(finding)
        if strength <= 0.0:
            return
        signal = finding.signal
        if signal == "latency" and traced:
            strength *= TRACED_LATENCY
        self.findings.append(finding)
        self.by_signal[signal] = max(self.of(signal), strength)
        self.touched[signal] = max(self.touched.get(signal, 0.0), finding.share)
        if signal == "self_time" and finding.outbound:
            self.outbound = max(self.outbound, strength)
        elif signal == "self_time":
            self.inner = max(self.inner, strength)
        elif signal in ERRORS and finding.outbound:
            self.failed_outbound = True
        elif signal == "latency" and finding.peer is None:
            increase = (finding.observed or 0.0) - (finding.baseline or 0.0)
            self.delays[finding.subject] = max(self.delays.get(finding.subject, 0.0), increase)

    def strongest(self, signals: Iterable[Signal]) -> float:
        return max((self.of(signal) for signal in signals), default=0.0)

    def outbound_in(self, family: AbstractSet[Signal]) -> bool:
        """Do leaf spans, which may be calls to something unseen, show such symptoms?"""
        return self.failed_outbound if family == ERRORS else self.outbound > self.inner

    def fingerprint(self) -> tuple[int, str]:
        """Breaks ties by evidence: earlier onset is larger, then the bytes of the data."""
        onsets = [item.onset_ns for item in self.findings if item.onset_ns is not None]
        digests = sorted(item.digest() for item in self.findings)
        return (
            -min(onsets) if onsets else -NEVER_NS,
            sha256("".join(digests).encode()).hexdigest(),
        )

    def touched_share(self, signals: Iterable[Signal]) -> float:
        """The largest share of requests that a finding of these signals touches."""
        return max((self.touched.get(signal, 0.0) for signal in signals), default=0.0)


def weigh(finding: Finding) -> float:
    """Strength of one finding: weight · log2(1 + surprise), gated by the share it touches.

    Surprise from spans and logs is first reduced for the many tests that were made.
    """
    surprise = finding.surprise
    if finding.source != "metrics":
        surprise = max(surprise - MANY_TESTS_DECADES, 0.0)
    strength = WEIGHTS[finding.signal] * log2(1.0 + surprise)
    if finding.signal in CAPPED:
        strength = min(strength, CAP * WEIGHTS[finding.signal])
    if finding.signal in GATED:
        strength *= GATE_FLOOR + (1.0 - GATE_FLOOR) * min(1.0, finding.share / GATE_FULL_SHARE)
    return strength


def symptoms_of(
    findings: Iterable[Finding],
    spans: SpanFindings,
    alarm: Alarm | None,
    world: World,
) -> dict[str, Symptoms]:
    """Symptoms by service. Slow calls belong to both ends: the fault may be at either."""
    found: dict[str, Symptoms] = defaultdict(Symptoms)
    slow: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.signal == "call_time" and finding.peer is not None:
            slow[finding.service].append(finding)
            slow[finding.peer].append(finding)
        else:
            found[finding.service].add(finding, traced=finding.service in world.traced)
    for service, calls in slow.items():
        strength = _slow_calls(service, calls, spans)
        if strength > 0.0:
            found[service].by_signal["call_time"] = strength
            found[service].findings.extend(calls)
    if alarm is not None and alarm.kind is not None:
        for symptoms in found.values():
            _favour_alarm(symptoms, alarm)
    return {name: symptoms for name, symptoms in found.items() if symptoms.findings}


def certainly_slow(symptoms: Symptoms) -> float:
    """0..1: how sure a service's own metrics are that it is slow; certain at strength 1."""
    return min(1.0, symptoms.of("latency"))


def proportion(callee: Symptoms, own: Symptoms, family: Iterable[Signal]) -> float:
    """A callee that touches few requests cannot explain a service that touches many."""
    mine = own.touched_share(family)
    return min(1.0, sqrt(callee.touched_share(family) / mine)) if mine > 0.0 else 1.0


def _slow_calls(service: str, calls: list[Finding], spans: SpanFindings) -> float:
    """log2(1 + largest surprise) · share of slow calls^0.6 · (1 + 0.2·log2 of their number).

    The share is the larger of that among all calls of the service and among the calls to it:
    when every call to a service is slow, the service (or its network) is.
    """
    worst = max(finding.surprise for finding in calls) - MANY_TESTS_DECADES
    if worst <= 0.0:
        return 0.0
    slow = {
        (finding.service, finding.peer)
        for finding in calls
        if finding.surprise > MANY_TESTS_DECADES
    }
    incident = {call for call in spans.judged_calls if service in call}
    incoming = {call for call in incident if call[1] == service}
    share = len(slow & incident) / max(1, len(incident))
    if incoming:
        share = max(share, len(slow & incoming) / len(incoming))
    spread = 1.0 + SLOW_COUNT_WEIGHT * log2(max(1, len(slow)))
    return WEIGHTS["call_time"] * log2(1.0 + worst) * float(share**SLOW_SHARE_POWER) * spread


def _favour_alarm(symptoms: Symptoms, alarm: Alarm) -> None:
    matching, other = (LATENCY, ERRORS) if alarm.kind == "latency" else (ERRORS, LATENCY)
    for signal in symptoms.by_signal:
        if signal in matching:
            symptoms.by_signal[signal] *= ALARM_MATCH
        elif signal in other:
            symptoms.by_signal[signal] *= ALARM_MISMATCH

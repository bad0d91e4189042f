"""Hand-made diagnoses for tests of what is said about them.

The default incident: payment starves for CPU at 10:02:13 UTC, checkout and frontend wait
for it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from aegis.engine.statements import (
    describe,
    explained_by_statement,
    gap_statement,
    impact_statement,
)
from aegis.model.diagnosis import (
    Diagnosis,
    Family,
    Impact,
    RootCause,
    RuledOut,
    TimelineEntry,
)
from aegis.model.evidence import Evidence, EvidenceGap, GapReason, Signal, Source
from aegis.model.telemetry import Alarm, TimeWindow, to_ns

START = datetime(2024, 5, 14, 10, 0, tzinfo=UTC)
WINDOW = TimeWindow(START, START + timedelta(minutes=15))
ONSET_NS = to_ns(START + timedelta(minutes=2, seconds=13))
LATER_NS = to_ns(START + timedelta(minutes=4, seconds=40))

_SOURCES: dict[Signal, Source] = {
    "self_time": "traces",
    "call_time": "traces",
    "error_spans": "traces",
    "call_structure": "traces",
    "error_logs": "logs",
    "log_rate": "logs",
    "log_sequence": "logs",
    "change": "changes",
}


def evidence(
    id: str,  # noqa: A002 (the field's own name)
    signal: Signal,
    service: str = "payment",
    *,
    peer: str | None = None,
    subject: str = "process_cpu",
    baseline: float | None = 21.0,
    observed: float | None = 93.0,
    unit: str = "%",
    query: str | None = None,
    strength: float = 3.0,
    onset_ns: int | None = ONSET_NS,
) -> Evidence:
    """One measurement; its statement is what `describe` says of it."""
    statement = describe(
        signal=signal,
        service=service,
        peer=peer,
        subject=subject,
        baseline=baseline,
        observed=observed,
        unit=unit,
    )
    return Evidence(
        id=id,
        source=_SOURCES.get(signal, "metrics"),
        signal=signal,
        service=service,
        peer=peer,
        subject=subject,
        query=f'{subject}{{service="{service}"}}' if query is None else query,
        window=WINDOW,
        data_window=WINDOW,
        sha256="0" * 64,
        baseline=baseline,
        observed=observed,
        unit=unit,
        strength=strength,
        onset_ns=onset_ns,
        statement=statement,
    )


def cause(
    service: str = "payment",
    probability: float = 0.86,
    family: Family = "cpu",
    evidence_ids: tuple[str, ...] = ("m1", "t1"),
    against_ids: tuple[str, ...] = (),
    onset_ns: int | None = ONSET_NS,
) -> RootCause:
    return RootCause(service, probability, family, 4.2, evidence_ids, against_ids, onset_ns)


def gap(
    source: Source, reason: GapReason, service: str | None = None, count: int | None = None
) -> EvidenceGap:
    return EvidenceGap(source, reason, service, gap_statement(source, reason, service, count))


def ruled_out(
    service: str = "frontend", by: str | None = "payment", via: tuple[str, ...] = ("checkout",)
) -> RuledOut:
    return RuledOut(service, by, (), explained_by_statement(service, by, via))


CPU = evidence("m1", "cpu")
OWN_TIME = evidence(
    "t1", "self_time", subject="POST /pay", baseline=12.0, observed=420.0, unit="ms"
)
SLOW_CHECKOUT = evidence(
    "m2", "latency", "checkout", subject="p95_latency", baseline=0.34, observed=1.2, unit="s"
)
STEADY_ERRORS = evidence(
    "m7", "errors", subject="error_rate", baseline=0.11, observed=0.12, strength=0.0
)
IMPACT = Impact(
    "checkout",
    ONSET_NS,
    ("m2",),
    impact_statement("checkout", "latency", 0.34, 1.2, "s", ONSET_NS, WINDOW),
)
NO_IMPACT = Impact(None, None, (), impact_statement(None, None, None, None, "", None, WINDOW))


def diagnosis(
    *causes: RootCause,
    more: tuple[Evidence, ...] = (),
    gaps: tuple[EvidenceGap, ...] = (),
    rest: tuple[RuledOut, ...] = (),
    timeline: tuple[TimelineEntry, ...] = (),
    alarm: Alarm | None = None,
) -> Diagnosis:
    """A diagnosis of these causes (default: payment); what is left over is "none"."""
    found = causes or (cause(),)
    return Diagnosis(
        window=WINDOW,
        alarm=alarm,
        causes=found,
        none_probability=1.0 - sum(c.probability for c in found),
        evidence=(CPU, OWN_TIME, SLOW_CHECKOUT, STEADY_ERRORS, *more),
        gaps=gaps,
        impact=IMPACT,
        timeline=timeline,
        ruled_out=rest,
    )


def quiet(*, gaps: tuple[EvidenceGap, ...] = (), causes: tuple[RootCause, ...] = ()) -> Diagnosis:
    """A diagnosis in which nothing stands out."""
    return replace(
        diagnosis(gaps=gaps),
        causes=causes,
        none_probability=1.0 - sum(c.probability for c in causes),
        evidence=(CPU, OWN_TIME) if causes else (),
        impact=NO_IMPACT,
    )

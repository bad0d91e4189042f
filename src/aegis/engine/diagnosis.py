"""From observations to a diagnosis: the engine's one entry point.

findings (metrics, spans, logs) → symptoms by service → explain-away along the call graph →
scores → probabilities → the evidence for and against each candidate. Every step is a pure
function; sums over services use `math.fsum`, so that no order of the input can show.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from hashlib import sha256

from aegis.engine.calibration import probabilities
from aegis.engine.calm_changes import calm_changes
from aegis.engine.candidates import Candidates
from aegis.engine.findings import Finding
from aegis.engine.gaps import gaps_of
from aegis.engine.graph import traced_calls
from aegis.engine.impact import amid, impact_of
from aegis.engine.log_lines import read_lines
from aegis.engine.logs import log_findings
from aegis.engine.measured import MeasuredSeries, measured
from aegis.engine.metrics import metric_findings
from aegis.engine.proof import Docket
from aegis.engine.ranking import Scored, rank
from aegis.engine.spans import SpanFindings, span_findings
from aegis.engine.statements import impact_unknown_statement
from aegis.engine.symptoms import NEVER_NS, Symptoms, symptoms_of
from aegis.engine.timeline import timeline_of
from aegis.engine.trace_tree import TraceTree, leaf_users
from aegis.engine.turned_away import turned_away
from aegis.engine.unseen import credit_unseen
from aegis.engine.verdict import blind
from aegis.engine.world import World
from aegis.model.diagnosis import Diagnosis
from aegis.model.evidence import EvidenceGap, Signal
from aegis.model.incident import Observations
from aegis.model.telemetry import LogTable, Matrix, SpanTable

KINDS_OF_EVIDENCE: dict[str, frozenset[Signal]] = {
    "slow-spans": frozenset({"self_time", "call_time"}),
    "failed-spans": frozenset({"error_spans"}),
    "call-structure": frozenset({"call_structure"}),
    "log-rates": frozenset({"error_logs", "log_rate"}),
    "log-sequences": frozenset({"log_sequence"}),
    "error-metrics": frozenset({"errors"}),
    "latency-metrics": frozenset({"latency"}),
    "resource-metrics": frozenset({"cpu", "memory", "disk", "network", "saturation", "restarts"}),
    "traffic-metrics": frozenset({"traffic"}),
}
ABLATIONS = (
    *("graph", "unseen", "alarm", "onset", "metrics", "spans", "logs", "changes"),
    *KINDS_OF_EVIDENCE,
)
"""Kinds of evidence and steps that can be left out, for measuring their worth.

"onset" is left out by whoever would call it: the asked window is taken as it is. A kind of
evidence that is left out still shows in the call graph and in what is said of gaps.
"""
NO_ABLATION: frozenset[str] = frozenset()


def diagnose(observations: Observations, *, ablate: AbstractSet[str] = NO_ABLATION) -> Diagnosis:
    """Rank the causes of what happens in `observations.window`.

    Deterministic, and blind to names: renaming services renames the answer. `ablate` leaves
    out parts of the engine (see ABLATIONS). Raises ValueError for an unknown ablation.
    """
    if "alarm" in ablate:
        observations = replace(observations, alarm=None)
    unknown = ablate - set(ABLATIONS)
    if unknown:
        raise ValueError(f"unknown ablation: {', '.join(sorted(unknown))}")
    read = _Reading.of(observations, ablate)
    scored = rank(read.symptoms, read.world, use_graph="graph" not in ablate)
    chances, none = probabilities({item.service: item.score for item in scored})
    ordered = _ordered(scored, read.symptoms, observations.metrics)
    docket = Docket(observations.window)
    candidates = Candidates(read.symptoms, read.world, read.usable, observations, docket, ordered)
    causes = candidates.causes(chances)
    innocent = calm_changes(candidates, chances)
    impact = impact_of(read.symptoms, read.world.graph, read.tree, observations.alarm, docket)
    if read.world.surge is not None:
        impact = amid(impact, read.world.surge, read.findings, docket)
    timeline = timeline_of(causes, impact, observations.changes, docket)
    ruled_out = candidates.ruled_out()
    diagnosis = Diagnosis(
        window=observations.window,
        alarm=observations.alarm,
        causes=causes,
        none_probability=none,
        evidence=docket.evidence(),
        gaps=_silence_first((*observations.gaps, *gaps_of(observations, read.world))),
        impact=impact,
        timeline=timeline,
        ruled_out=(*innocent, *ruled_out),
    )
    if impact.service is None and blind(diagnosis):
        unmeasured = replace(impact, statement=impact_unknown_statement(observations.window))
        return replace(diagnosis, impact=unmeasured)
    return diagnosis


def _silence_first(gaps: tuple[EvidenceGap, ...]) -> tuple[EvidenceGap, ...]:
    """A service that stopped telling of itself may be the incident."""
    return tuple(sorted(gaps, key=lambda gap: gap.reason != "stopped"))


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """The observations, understood."""

    usable: list[MeasuredSeries]
    tree: TraceTree
    world: World
    spans: SpanFindings
    findings: list[Finding]
    symptoms: dict[str, Symptoms]

    @staticmethod
    def of(observations: Observations, ablate: AbstractSet[str]) -> _Reading:
        window = observations.window
        metrics = Matrix() if "metrics" in ablate else observations.metrics
        usable = measured(metrics)
        tree = TraceTree.of(SpanTable.empty() if "spans" in ablate else observations.spans)
        logs = LogTable.empty() if "logs" in ablate else observations.logs
        spans: SpanFindings = span_findings(tree, window)
        gone = {signal for kind in ablate for signal in KINDS_OF_EVIDENCE.get(kind, ())}
        world = World.of(
            observations,
            usable,
            traced_calls(tree),
            leaf_users(tree),
            turned_away(tree, window.contains(tree.spans.start_ns)),
            use_changes="changes" not in ablate,
        )
        overloaded = frozenset() if world.surge is None else world.surge.nearly_full
        findings: list[Finding] = [
            finding
            for finding in (
                *metric_findings(usable, window, observations.alarm, overloaded),
                *spans.findings,
                *log_findings(read_lines(logs, tree), tree, window),
            )
            if finding.signal not in gone
        ]
        if "graph" not in ablate:
            findings.extend(world.credited(findings))
        symptoms = symptoms_of(findings, spans, observations.alarm, world)
        if ablate.isdisjoint({"graph", "unseen"}):
            world = world.vouched_for(credit_unseen(symptoms, world))
        return _Reading(usable, tree, world, spans, findings, symptoms)


def _ordered(
    scored: list[Scored], symptoms: Mapping[str, Symptoms], matrix: Matrix
) -> list[Scored]:
    """Highest score first; equal ones by effect, onset and the bytes of what was measured.

    The name decides only between services whose every measurement is the same.
    """
    rows: dict[str, list[str]] = {}
    for series in matrix.series:
        if series.service not in symptoms:
            rows.setdefault(series.service, []).append(
                sha256(series.times_ns.tobytes() + series.values.tobytes()).hexdigest()
            )

    def key(item: Scored) -> tuple[float, float, int, str, str]:
        own = symptoms.get(item.service)
        if own is not None:
            onset, digest = own.fingerprint()
        else:
            onset, digest = -NEVER_NS, "".join(sorted(rows.get(item.service, [])))
        return (round(item.score, 9), round(item.raw, 9), onset, digest, item.service)

    return sorted(scored, key=key, reverse=True)

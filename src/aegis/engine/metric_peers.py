"""What callers measure of a callee, credited to the callee."""

from __future__ import annotations

from dataclasses import replace

from aegis.engine.findings import Finding
from aegis.engine.measured import MeasuredSeries
from aegis.engine.metric_load import LEAST_SURPRISE, is_starved
from aegis.model.evidence import Signal

PEER_CREDIT = 0.8
CALM_PEER = 0.5


def credited_to_peers(findings: list[Finding], usable: list[MeasuredSeries]) -> list[Finding]:
    """What callers measured of a callee, as findings of the callee.

    Weighed by the share of the callers that agree, and halved where the callee measures the
    same signal itself and finds nothing: then the fault is on the way, or at the caller. (A
    callee that hardly gets requests any more finds nothing because it is not reached.)
    """
    callers: dict[tuple[str, Signal], set[str]] = {}
    measures_itself: set[tuple[str, Signal]] = set()
    for item in usable:
        peer, signal = item.meaning.peer, item.meaning.signal
        if peer is not None:
            callers.setdefault((peer, signal), set()).add(item.series.service)
        elif not item.meaning.caller_side:
            measures_itself.add((item.series.service, signal))
    agreeing: dict[tuple[str, Signal], set[str]] = {}
    found_itself: set[tuple[str, Signal]] = set()
    starved = {finding.service for finding in findings if is_starved(finding)}
    for finding in findings:
        if finding.peer is not None:
            agreeing.setdefault((finding.peer, finding.signal), set()).add(finding.service)
        else:
            found_itself.add((finding.service, finding.signal))
    credited = []
    for finding in findings:
        if finding.peer is None:
            continue
        key = (finding.peer, finding.signal)
        credit = PEER_CREDIT * len(agreeing[key]) / len(callers[key])
        if key in measures_itself and key not in found_itself and finding.peer not in starved:
            credit *= CALM_PEER
        if credit * finding.surprise > LEAST_SURPRISE:
            credited.append(
                replace(finding, service=finding.peer, surprise=credit * finding.surprise)
            )
    return credited

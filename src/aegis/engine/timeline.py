"""What happened in which order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aegis.engine.proof import Docket
from aegis.engine.statements import change_event, onset_event
from aegis.model.diagnosis import Impact, RootCause, TimelineEntry
from aegis.model.telemetry import Change, to_ns

MOST_ENTRIES = 12
CAUSES_SHOWN = 3
CHANGES_REACH_S = 7200.0


def timeline_of(
    causes: Sequence[RootCause], impact: Impact, changes: Iterable[Change], docket: Docket
) -> tuple[TimelineEntry, ...]:
    """Changes, the first sign of each leading cause's evidence, and when users felt it."""
    window = docket.window
    evidence = {item.id: item for item in docket.evidence()}
    shown: dict[str, int] = {}
    for cause in causes[:CAUSES_SHOWN]:
        for name in cause.evidence_ids:
            onset = evidence[name].onset_ns
            if onset is not None and evidence[name].source != "changes":
                shown.setdefault(name, onset)
    for name in impact.evidence_ids:
        onset = evidence[name].onset_ns
        if onset is not None:
            shown.setdefault(name, onset)
    entries = [
        TimelineEntry(onset, onset_event(evidence[name].service, evidence[name].statement), name)
        for name, onset in shown.items()
    ]
    entries.sort(key=lambda item: item.time_ns)
    happened = [
        TimelineEntry(
            to_ns(change.time),
            change_event(change.service, change.kind, change.version, change.title),
            next(
                (
                    item.id
                    for item in evidence.values()
                    if item.source == "changes"
                    and item.service == change.service
                    and item.onset_ns == to_ns(change.time)
                ),
                None,
            ),
        )
        for change in changes
        if change.time < window.end
        and (window.start - change.time).total_seconds() < CHANGES_REACH_S
    ]
    kept = [*happened, *entries][:MOST_ENTRIES]
    return tuple(sorted(kept, key=lambda item: item.time_ns))

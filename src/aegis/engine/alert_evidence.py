"""Alerts as evidence: they are told beside what was measured, and change no rank.

What rang says where somebody looked, not where the cause is: a rank that followed alerts
would follow whoever wrote the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from aegis.engine.findings import Finding
from aegis.engine.quantities import clock_time, tidy
from aegis.model.alert import Alert
from aegis.model.diagnosis import Diagnosis, RootCause, TimelineEntry
from aegis.model.evidence import Evidence
from aegis.model.label_text import label_name, quoted
from aegis.model.redaction import redacted
from aegis.model.telemetry import TimeWindow, from_ns, to_ns
from aegis.model.text import Text

REACH = timedelta(hours=2)
"""An alert that began earlier before the window has little to do with it."""
MOST_OF_A_SERVICE = 3
MOST_TOLD = 8
CAUSES_TOLD = 5
LONGEST_SUMMARY = 160
_VALUE = 256


@dataclass(frozen=True, slots=True)
class ServiceAlert:
    """An alert and the service, as the telemetry names it, that it is about."""

    service: str
    alert: Alert


def with_alerts(diagnosis: Diagnosis, alerts: Sequence[ServiceAlert]) -> Diagnosis:
    """The diagnosis with what rang near its window: in the evidence of leading causes, and in
    the timeline whoever it rang for."""
    window = diagnosis.window
    told = _chosen(alerts, diagnosis)
    if not told:
        return diagnosis
    items = {
        id(one): _evidence(f"a{number}", one, window) for number, one in enumerate(told, start=1)
    }
    of_service: dict[str, list[str]] = {}
    for one in told:
        of_service.setdefault(one.service, []).append(items[id(one)].id)
    causes = tuple(
        _with_ids(cause, of_service.get(cause.service, ())) if place < CAUSES_TOLD else cause
        for place, cause in enumerate(diagnosis.causes)
    )
    entries = [
        TimelineEntry(to_ns(one.alert.starts_at), items[id(one)].statement, items[id(one)].id)
        for one in told
    ]
    timeline = sorted((*diagnosis.timeline, *entries), key=lambda entry: entry.time_ns)
    evidence = (*diagnosis.evidence, *items.values())
    return replace(diagnosis, causes=causes, evidence=evidence, timeline=tuple(timeline))


def alert_finding(service: str, alert: Alert) -> Finding:
    """The row an alert's evidence rests on: when it began."""
    start_ns = to_ns(alert.starts_at)
    return Finding(
        source="alerts",
        signal="alert",
        service=service,
        peer=None,
        subject=alert.name,
        query=alert_query(alert),
        surprise=0.0,
        baseline=None,
        observed=None,
        unit="",
        times_ns=np.array([start_ns], dtype=np.int64),
        values=np.ones(1),
        onset_ns=start_ns,
    )


def alert_query(alert: Alert) -> str:
    """Matchers that name the alert, as Alertmanager and `ALERTS` of Prometheus take them."""
    pairs = [f"{label_name(name)}={quoted(value[:_VALUE])}" for name, value in alert.labels]
    return f"{{{','.join(pairs)}}}"


def _chosen(alerts: Sequence[ServiceAlert], diagnosis: Diagnosis) -> list[ServiceAlert]:
    """Those that began near the window, of the most probable services first; then by time."""
    window = diagnosis.window
    near = [
        one
        for one in alerts
        if one.alert.state != "unprocessed"
        and window.start - REACH <= one.alert.starts_at < window.end
    ]
    near.sort(key=lambda one: (one.alert.starts_at, one.alert.fingerprint))
    kept: list[ServiceAlert] = []
    for one in near:
        if sum(other.service == one.service for other in kept) < MOST_OF_A_SERVICE:
            kept.append(one)
    rank = {cause.service: place for place, cause in enumerate(diagnosis.causes)}
    kept.sort(key=lambda one: rank.get(one.service, len(rank)))
    chosen = kept[:MOST_TOLD]
    return sorted(chosen, key=lambda one: (one.alert.starts_at, one.alert.fingerprint))


def _with_ids(cause: RootCause, ids: Sequence[str]) -> RootCause:
    return replace(cause, evidence_ids=(*cause.evidence_ids, *ids)) if ids else cause


def _evidence(name: str, one: ServiceAlert, window: TimeWindow) -> Evidence:
    finding = alert_finding(one.service, one.alert)
    start_ns = to_ns(one.alert.starts_at)
    reach = TimeWindow(from_ns(start_ns), window.end)
    return Evidence(
        id=name,
        source="alerts",
        signal="alert",
        service=one.service,
        peer=None,
        subject=one.alert.name,
        query=finding.query,
        window=window,
        data_window=reach,
        sha256=finding.digest(),
        baseline=None,
        observed=None,
        unit="",
        strength=0.0,
        onset_ns=start_ns,
        statement=alert_statement(one, window),
    )


def alert_statement(one: ServiceAlert, window: TimeWindow) -> Text:
    """Which alert rang for whom since when, with its own words where it has any."""
    name, service = tidy(one.alert.name) or "?", tidy(one.service)
    since = clock_time(to_ns(one.alert.starts_at), window)
    summary = tidy(redacted(dict(one.alert.annotations).get("summary", "")), LONGEST_SUMMARY)
    is_quiet = one.alert.state == "suppressed"
    zh_quiet, en_quiet = ("（已静默）", " (silenced)") if is_quiet else ("", "")
    zh, en = (f"：{summary}", f": {summary}") if summary else ("。", ".")
    return Text(
        f"{service} 的告警 {name}{zh_quiet} 自 UTC {since} 起触发{zh}",
        f"Alert {name} of {service}{en_quiet} has been firing since {since} UTC{en}",
    )

"""The alerts of a window, from one read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aegis.adapters.http_client.answers import Answer, storable
from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.http_client.routes import Route
from aegis.model.alert import Alert, AlertState, Labels
from aegis.model.errors import AnswerTooLarge, SourceRejected
from aegis.model.evidence import EvidenceGap, GapReason
from aegis.model.telemetry import TimeWindow
from aegis.model.text import Text
from aegis.ports import Clock

ALERTS = Route("GET", "/api/v2/alerts")
ONLY_ACTIVE = (("silenced", "false"), ("inhibited", "false"), ("unprocessed", "false"))
MOST_ALERTS = 2000
LONGEST_TEXT = 4096
FRESH = timedelta(minutes=5)
"""How long an alert that no longer fires is usually still kept."""

_STATES: Mapping[object, AlertState] = {
    "active": "active",
    "suppressed": "suppressed",
    "unprocessed": "unprocessed",
}


@dataclass(frozen=True, slots=True)
class AlertmanagerAlerts:
    """An AlertSource for one question; costs one request, two in a storm."""

    client: BackendClient
    clock: Clock

    async def read_alerts(
        self, window: TimeWindow
    ) -> tuple[tuple[Alert, ...], tuple[EvidenceGap, ...]]:
        """See AlertSource. Alertmanager has no history: it tells what fires now.

        `endsAt` of an alert that fires is when it would be dropped, so it says nothing.
        """
        gaps = []
        try:
            answer = await self.client.ask(ALERTS)
        except AnswerTooLarge:
            answer = await self.client.ask(ALERTS, ONLY_ACTIVE)
            gaps.append(_gap("sampled", "告警过多：略去了被静默和被抑制的告警。", _STORM))
        found, unreadable = alerts_of(answer)
        begun = [alert for alert in found if alert.starts_at < window.end]
        if len(begun) > MOST_ALERTS:
            zh = f"告警过多：只保留最近开始的 {MOST_ALERTS:,} 条，共 {len(begun):,} 条。"
            en = f"Too many alerts: the {MOST_ALERTS:,} latest of {len(begun):,} were kept."
            gaps.append(_gap("sampled", zh, en))
        if unreadable:
            zh = f"有 {unreadable} 条告警无法读取，已略去。"
            gaps.append(_gap("unavailable", zh, f"{unreadable} alerts could not be read."))
        if window.end < self.clock.now() - FRESH:
            gaps.append(_gap("not_recorded", _ENDED_ZH, _ENDED))
        return tuple(begun[-MOST_ALERTS:]), tuple(gaps)


_STORM = "Too many alerts: silenced and inhibited ones were left out."
_ENDED = "Alertmanager keeps no history: an alert that fired then and has ended is not shown."
_ENDED_ZH = "Alertmanager 不保留历史：当时触发、如今已恢复的告警不会显示。"


def _gap(reason: GapReason, zh: str, en: str) -> EvidenceGap:
    return EvidenceGap("alerts", reason, None, Text(zh, en))


def alerts_of(answer: Answer) -> tuple[list[Alert], int]:
    """By start, then by fingerprint; and how many could not be read."""
    given = answer.json()
    if not isinstance(given, list):
        raise SourceRejected(f"{answer.where} does not answer as Alertmanager does")
    read = [_alert(one) for one in given]
    found = {alert.fingerprint: alert for alert in read if alert is not None}
    ordered = sorted(found.values(), key=lambda one: (one.starts_at, one.fingerprint))
    return ordered, sum(one is None for one in read)


def _alert(given: object) -> Alert | None:
    if not isinstance(given, dict):
        return None
    labels, starts_at = _texts(given.get("labels")), moment_of(given.get("startsAt"))
    if not labels or starts_at is None:
        return None
    status = given.get("status")
    state = status.get("state") if isinstance(status, dict) else None
    known = _STATES.get(state, "active") if isinstance(state, str) else "active"
    return Alert(
        labels, _texts(given.get("annotations")), starts_at, known, _names(given.get("receivers"))
    )


def _names(given: object) -> tuple[str, ...]:
    named = (
        [one.get("name") for one in given if isinstance(one, dict)]
        if isinstance(given, list)
        else []
    )
    return tuple(sorted(storable(name, LONGEST_TEXT) for name in named))


def _texts(given: object) -> Labels:
    """Names may be any UTF-8 since Prometheus 3."""
    pairs = given.items() if isinstance(given, dict) else ()
    return tuple(
        sorted((storable(name, LONGEST_TEXT), storable(text, LONGEST_TEXT)) for name, text in pairs)
    )


def moment_of(given: object) -> datetime | None:
    """Aware, UTC; None for what is no time."""
    try:
        found = datetime.fromisoformat(given) if isinstance(given, str) else None
        return found.astimezone(UTC) if found is not None and found.tzinfo else None
    except (ValueError, OverflowError):
        return None

"""What one webhook call would tell, as if nothing had been told before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from aegis.model.delivery import ChatState, Draft, DueItem, DueRow, EpisodeKey, Known
from aegis.model.episode import Episode, History, Transition
from aegis.model.routing import targets_of
from aegis.model.webhook import ReceivedAlert, Webhook
from aegis.workflows.deliver_messages.compose import compose
from aegis.workflows.deliver_messages.style import Style

_CLOSED: tuple[Transition, ...] = ("opened", "closed")


@dataclass(frozen=True, slots=True)
class Preview:
    """A message and the chat it would go to; `not_before` is the end of quiet hours."""

    chat_id: str
    not_before: datetime | None
    draft: Draft


def preview(webhook: Webhook, style: Style, now: datetime) -> tuple[Preview, ...]:
    """By chat, in the order in which they first hear of something; empty where nobody does."""
    told: dict[tuple[str, datetime | None], list[Known]] = {}
    for alert in webhook.alerts:
        known = Known(_episode(alert, webhook.group_key, now), History(1, None))
        for target in targets_of(style.routing, alert.labels, now):
            told.setdefault((target.chat_id, target.not_before), []).append(known)
    return tuple(
        Preview(chat_id, not_before, draft)
        for (chat_id, not_before), episodes in told.items()
        for draft in compose(_state(webhook, chat_id, not_before, episodes, now), style)
    )


def _state(
    webhook: Webhook,
    chat_id: str,
    not_before: datetime | None,
    episodes: list[Known],
    now: datetime,
) -> ChatState:
    items = tuple(
        DueItem(one.episode.fingerprint, one.episode.number, transition)
        for one in episodes
        for transition in (_CLOSED[:1] if one.episode.is_open else _CLOSED)
    )
    held = not_before is not None
    row = DueRow(
        "preview", webhook.group_key, webhook.group_labels, items, webhook.truncated_alerts, held
    )
    return ChatState(chat_id, not_before or now, (row,), (), {_key(one): one for one in episodes})


def _episode(alert: ReceivedAlert, group_key: str, now: datetime) -> Episode:
    resolved_at = None if alert.status == "firing" else (alert.ends_at or now)
    return Episode(
        fingerprint=alert.fingerprint,
        number=1,
        labels=alert.labels,
        annotations=alert.annotations,
        group_key=group_key,
        starts_at=alert.starts_at,
        first_seen=now,
        last_seen=now,
        resolved_at=resolved_at,
    )


def _key(one: Known) -> EpisodeKey:
    return (one.episode.fingerprint, one.episode.number)

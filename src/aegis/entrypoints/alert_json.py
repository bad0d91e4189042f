"""The ledger of alerts as JSON: the same over HTTP and on the command line."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aegis.model.episode import Episode
from aegis.model.ledger import (
    Delivery,
    LedgerEntry,
    LedgerPage,
    Quarantined,
    Undelivered,
    UndeliveredAnswer,
)


def page_json(page: LedgerPage) -> dict[str, Any]:
    return {"alerts": [entry_json(one) for one in page.entries], "next": page.next}


def entry_json(entry: LedgerEntry) -> dict[str, Any]:
    told = [delivery_json(one) for one in entry.deliveries]
    return {**episode_json(entry.episode), "deliveries": told}


def episode_json(episode: Episode) -> dict[str, Any]:
    return {
        "fingerprint": episode.fingerprint,
        "episode": episode.number,
        "state": "open" if episode.is_open else "resolved",
        "alertname": episode.name,
        "severity": episode.severity,
        "labels": dict(episode.labels),
        "annotations": dict(episode.annotations),
        "group_key": episode.group_key,
        "starts_at": _written(episode.starts_at),
        "first_seen": _written(episode.first_seen),
        "last_seen": _written(episode.last_seen),
        "resolved_at": _written(episode.resolved_at),
    }


def delivery_json(delivery: Delivery) -> dict[str, Any]:
    return {
        "chat_id": delivery.chat_id,
        "transition": delivery.transition,
        "state": delivery.state,
        "since": _written(delivery.created_at),
        "sent_at": _written(delivery.sent_at),
        "attempts": delivery.attempts,
        "code": delivery.code,
        "error": delivery.error,
        "doubtful": delivery.doubtful,
    }


def quarantined_json(found: Quarantined) -> dict[str, Any]:
    return {
        "id": found.id,
        "body_id": found.body_id,
        "position": found.position,
        "reason": found.reason,
        "raw": found.raw,
        "received_at": _written(found.received_at),
    }


def undelivered_json(found: Undelivered) -> dict[str, Any]:
    return {**episode_json(found.episode), "delivery": delivery_json(found.delivery)}


def answer_delivery_json(found: UndeliveredAnswer) -> dict[str, Any]:
    return {
        "chat_id": found.chat_id,
        "state": found.state,
        "since": _written(found.created_at),
        "attempts": found.attempts,
        "code": found.code,
        "error": found.error,
    }


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()

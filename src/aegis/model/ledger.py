"""What the store was given, what it remembers, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aegis.model.alert import Alert
from aegis.model.episode import Episode, Transition
from aegis.model.webhook import Webhook

EpisodeState = Literal["open", "resolved"]
DeliveryState = Literal["waiting", "ready", "sent", "refused"]
"""In the outbox; stored as a message; taken by the platform; refused by it for good."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One call of the webhook: its bytes, and what they say."""

    received_at: datetime
    body: bytes
    webhook: Webhook


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A row of the outbox that was just kept; `not_before` is None where it is due at once."""

    id: str
    chat_id: str
    not_before: datetime | None


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one call. `chats` hear of its alerts, or did before; sorted."""

    chats: tuple[str, ...]
    waiting: tuple[WaitingRow, ...] = ()


@dataclass(frozen=True, slots=True)
class LedgerQuery:
    """Which episodes: None or none is any. `after` is the `next` of the page before."""

    state: EpisodeState | None = None
    name: str | None = None
    severity: str | None = None
    group_keys: tuple[str, ...] = ()
    chat_id: str | None = None
    fingerprint: str | None = None
    limit: int = 100
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one chat was told of an episode, or is yet to be told.

    `code` and `error` are those of the newest attempt that failed, None once it was sent.
    `doubtful`: it may be in the chat twice.
    """

    chat_id: str
    transition: Transition
    state: DeliveryState
    created_at: datetime
    sent_at: datetime | None = None
    attempts: int = 0
    code: int | None = None
    error: str | None = None
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """An episode with its deliveries, oldest first; none where no chat is to hear of it."""

    episode: Episode
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """Newest first; `next` is None on the last page."""

    entries: tuple[LedgerEntry, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An item of a body that is no alert. `raw` is its beginning."""

    id: str
    body_id: str
    position: int
    reason: str
    raw: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Undelivered:
    """One transition that a chat has not been told, and how that stands."""

    episode: Episode
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class UndeliveredAnswer:
    """The answer to a question that a chat was to be told and has not been."""

    chat_id: str
    state: DeliveryState
    created_at: datetime
    attempts: int
    code: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class FiringNow:
    """The alerts Alertmanager has. `complete` is false where some may be missing.

    `began_at` is when it started: for a while afterwards it knows only what it was sent anew.
    """

    alerts: tuple[Alert, ...]
    began_at: datetime
    complete: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """What a reconciliation closed, and what is to be told of it."""

    closed: int
    waiting: tuple[WaitingRow, ...]

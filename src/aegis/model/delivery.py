"""What a chat is to be told next, and what is then sent to it.

The store hands over a `ChatState`; composing turns it into `Draft`s; the store keeps those as
messages and marks the rows they cover, in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aegis.model.alert import Labels
from aegis.model.episode import Episode, History, Transition
from aegis.model.message import MessageKind, Operation

RECENT = timedelta(minutes=15)
"""For so long an open card of several groups is part of the state whatever it shows: a storm's
card takes new groups in."""

EpisodeKey = tuple[str, int]
"""Fingerprint and number."""


@dataclass(frozen=True, slots=True)
class DueItem:
    """One thing to tell: an episode that opened or closed."""

    fingerprint: str
    episode: int
    transition: Transition

    @property
    def key(self) -> EpisodeKey:
        return (self.fingerprint, self.episode)


@dataclass(frozen=True, slots=True)
class DueRow:
    """One outbox row that waits, is due and is covered by no message yet.

    `truncated` says how many alerts Alertmanager left out of that call. `held` is true where
    the row waited for the end of quiet hours: what was held is told in one digest.
    """

    id: str
    group_key: str
    group_labels: Labels
    items: tuple[DueItem, ...]
    truncated: int = 0
    held: bool = False


@dataclass(frozen=True, slots=True)
class CardGroup:
    """A group a card shows: Alertmanager's key of it, and the labels its alerts share."""

    key: str
    labels: Labels


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card of the chat, as it was sent or is about to be.

    `episodes` are all that it shows: those of every row its messages cover. `closed` is true
    once all of them were resolved. `gone` is true where the platform said that it cannot be
    updated any more (recalled, sent as plain text): then its place is taken by a new card.
    `last_woke_at` is when its newest creation or reply was stored; None is "unknown".
    `truncated` is the largest of its rows.
    """

    id: str
    opened_at: datetime
    groups: tuple[CardGroup, ...]
    episodes: tuple[EpisodeKey, ...]
    closed: bool = False
    gone: bool = False
    last_woke_at: datetime | None = None
    truncated: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """An episode with what the store remembers of the ones before it."""

    episode: Episode
    history: History


@dataclass(frozen=True, slots=True)
class ChatState:
    """All that composing needs of one chat, read in one transaction.

    `rows` are in the order they were kept. `cards` are those that show an episode of `rows`,
    and of the open ones those that show a group of `rows`, those that are gone, and those of
    several groups that opened within RECENT. `episodes` holds every episode that rows or
    cards name.
    """

    chat_id: str
    now: datetime
    rows: tuple[DueRow, ...]
    cards: tuple[ShownCard, ...] = ()
    episodes: Mapping[EpisodeKey, Known] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """One message to store and send, in the order they are given.

    `card_id` is the card to update or to answer; None opens a new one, whose id the store gives.
    `content` is the JSON text to send as it is. `fallback` is the content of a message of kind
    "text" that says the same, for a platform that refuses the card (230099): sent as a new
    message in place of a creation, as a reply to the card in place of a reply or an update.

    `covers` are ids of rows: each due row is covered by exactly one creation or update, and
    replies cover none. Where a card proves to be gone, put the rows of its unsent or refused
    messages back to waiting and compose anew with `gone`.

    `groups` are those the card shows from now on. `closes` is true where everything on the card
    is resolved. `replaces` are cards whose place a creation takes: they are closed.
    `wakes` are the episodes somebody is mentioned for; empty where nobody is.
    """

    operation: Operation
    kind: MessageKind
    content: str
    fallback: str
    card_id: str | None = None
    covers: tuple[str, ...] = ()
    groups: tuple[CardGroup, ...] = ()
    closes: bool = False
    replaces: tuple[str, ...] = ()
    wakes: tuple[EpisodeKey, ...] = ()

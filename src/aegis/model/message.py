"""What is sent to a chat, as it was stored before it was sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

MessageKind = Literal["text", "post", "interactive"]
Operation = Literal["create", "reply", "update"]


@dataclass(frozen=True, slots=True)
class Message:
    """One call of the chat platform. A retry sends the same bytes under the same `uuid`.

    `content` is the JSON text of the body, at most 28 KB for a card. `target` is the message a
    reply answers (in its thread) or an update replaces; None for a new message. `uuid` has at
    most 50 characters and makes a creation or a reply happen once; an update is idempotent by
    itself. `id` is time-sortable text.
    """

    id: str
    chat_id: str
    operation: Operation
    kind: MessageKind
    content: str
    uuid: str
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A new message that stands by itself: no alert is behind it and nothing updates it later.

    `content` is a card's; `fallback` is the content of a text that says the same, for a platform
    that refuses the card.
    """

    content: str
    fallback: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The message of a chat that is to be sent next, and what was tried so far.

    `fallback` is the content of a text that says the same, empty where there is none.
    `first_attempt_at` is None before the first attempt. `unsure` is true where an attempt may
    have arrived. `chat_attempt_at` is the newest attempt to send anything to the chat, by
    whatever replica. `lost` is true where the card to answer or to replace never came to be.
    `stands_alone` is true for a notice: it cannot be composed anew.
    """

    message: Message
    fallback: str
    attempts: int = 0
    first_attempt_at: datetime | None = None
    unsure: bool = False
    chat_attempt_at: datetime | None = None
    lost: bool = False
    stands_alone: bool = False


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is due and not told: how many rows and notices, since when the oldest is due.

    `refused` counts messages that the platform refused for good, as long as they are kept.
    """

    waiting: int
    oldest: datetime | None
    refused: int


@dataclass(frozen=True, slots=True)
class Mention:
    """Who is woken: everybody in the chat, some people by their open_id, or nobody."""

    everybody: bool = False
    people: tuple[str, ...] = ()


NOBODY = Mention()

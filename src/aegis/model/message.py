"""What is sent to a chat, as it was stored before it was sent."""

from __future__ import annotations

from dataclasses import dataclass
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
class Mention:
    """Who is woken: everybody in the chat, some people by their open_id, or nobody."""

    everybody: bool = False
    people: tuple[str, ...] = ()


NOBODY = Mention()

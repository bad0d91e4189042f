"""What the platform remembers: chats, and what was said in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Chat:
    """`admits_bot`: the bot is a member. `everybody`: it may wake all members at once."""

    chat_id: str
    admits_bot: bool = True
    everybody: bool = True
    available: bool = True


@dataclass
class Held:
    """A message in a chat. `pings` are whom it woke; an edit wakes nobody.

    `versions` are all contents it ever had, the last one shown now; `at` the platform's
    seconds. `waits_for_click` is true while a card's callback is not yet answered.
    """

    message_id: str
    chat_id: str
    kind: str
    versions: list[dict[str, Any]]
    pings: frozenset[str]
    uuid: str
    at: float
    parent_id: str = ""
    thread_id: str = ""
    recalled: bool = False
    gone: bool = False
    waits_for_click: bool = False
    card_id: str | None = None

    @property
    def content(self) -> dict[str, Any]:
        return self.versions[-1]


@dataclass
class Memory:
    """`complaints` are things Feishu takes without a word and a careful bot never does."""

    chats: dict[str, Chat] = field(default_factory=dict)
    messages: dict[str, Held] = field(default_factory=dict)
    images: dict[str, bytes] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def in_chat(self, chat_id: str) -> list[Held]:
        """In the order they came."""
        return [one for one in self.messages.values() if one.chat_id == chat_id]

"""A message stays within the platform's limits: bytes as they are sent, and components."""

from __future__ import annotations

import json
from dataclasses import dataclass

MOST_COMPONENTS = 180
"""The platform allows 200."""

AROUND_BYTES = 300
"""Of a request beside the content: the chat's id, the kind, the uuid, their names and quotes."""


def content_of(body: dict[str, object]) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def sent_bytes(content: str) -> int:
    """Of the whole request at most, which is what the platform limits."""
    return _quoted_bytes(content) + AROUND_BYTES


def element_bytes(element: dict[str, object]) -> int:
    """What an element adds to a card, its comma included."""
    return _quoted_bytes(content_of(element)) - 1


def _quoted_bytes(content: str) -> int:
    """As it goes out: a string inside the JSON of a request."""
    return len(json.dumps(content, ensure_ascii=False).encode())


@dataclass
class Room:
    """What is left of a card's bytes and components."""

    bytes_left: int
    components_left: int = MOST_COMPONENTS

    def take(self, element: dict[str, object]) -> bool:
        """Makes room for an element without children; False where there is none."""
        size = element_bytes(element)
        if size > self.bytes_left or self.components_left < 1:
            return False
        self.bytes_left -= size
        self.components_left -= 1
        return True

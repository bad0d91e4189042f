"""How a site wants its messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from aegis.model.routing import Routing
from aegis.model.text import Language

MOST_BYTES = 28_000
"""Of the whole request that carries a card, with room below the platform's 30 KB."""


@dataclass(frozen=True, slots=True)
class Style:
    """`link_hosts` are hosts (`host`, `host:port`, `.domain` for all below it) a link may lead
    to; other addresses are shown as text. `public_url` is where people reach Aegis, None where
    they cannot: then a command is shown in place of a link.
    """

    language: Language
    timezone: ZoneInfo
    public_url: str | None = None
    link_hosts: tuple[str, ...] = ()
    routing: Routing = field(default_factory=Routing)
    most_bytes: int = MOST_BYTES

"""How one chat is spoken to at one moment."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from aegis.model.alert import Labels
from aegis.model.delivery import CardGroup, Known
from aegis.model.severity import Severity, severity_of
from aegis.model.text import Text
from aegis.workflows.deliver_messages import wording
from aegis.workflows.deliver_messages.quoting import (
    cleaned,
    escaped_link,
    in_markdown,
    in_plain_text,
)
from aegis.workflows.deliver_messages.style import Style

_LONGEST_QUERY = 600
_LONGEST_COMMAND_KEY = 160


@dataclass(frozen=True, slots=True)
class Voice:
    style: Style
    now: datetime

    def say(self, text: Text) -> str:
        return text.in_language(self.style.language)

    def name(self, one: Known) -> str:
        """As it is labelled: not yet harmless."""
        return cleaned(one.episode.name, 80) or self.say(wording.UNNAMED)

    def severity(self, one: Known) -> str:
        return cleaned(one.episode.severity, 24) or self.say(wording.NO_SEVERITY)

    def ledger(self, groups: tuple[CardGroup, ...], plain: bool = False) -> str:
        """Where every alert can be found: a link where people can reach Aegis, else a command."""
        if self.style.public_url is None:
            command = in_plain_text(_command(groups), 250) if plain else _markdown_command(groups)
            return self.say(wording.look_up(command))
        address = f"{self.style.public_url}/alerts{_query(groups)}"
        if plain:
            return self.say(wording.look_up(address))
        return f"[{self.say(wording.ALL_ALERTS)}]({escaped_link(address)})"


def mark_of(one: Known) -> str:
    if not one.episode.is_open:
        return wording.RESOLVED_MARK
    return wording.MARKS[severity_of(one.episode.severity)]


def rank(one: Known) -> tuple[bool, Severity, str, str, datetime, Labels, int]:
    """What fires before what ended, worse before better, then by name, age and labels."""
    episode = one.episode
    return (
        not episode.is_open,
        severity_of(episode.severity),
        episode.severity,
        episode.name,
        wording.since_of(episode),
        episode.labels,
        episode.number,
    )


def latest(shown: tuple[Known, ...]) -> tuple[Known, ...]:
    """The newest episode of each alert, in the order in which they are shown."""
    newest: dict[str, Known] = {}
    for one in shown:
        before = newest.get(one.episode.fingerprint)
        if before is None or before.episode.number < one.episode.number:
            newest[one.episode.fingerprint] = one
    return tuple(sorted(newest.values(), key=rank))


def _query(groups: tuple[CardGroup, ...]) -> str:
    """Empty, for all of them, where there are several groups or the key is very long."""
    if len(groups) != 1:
        return ""
    key = quote(groups[0].key, safe="", errors="replace")
    return f"?group={key}" if len(key) <= _LONGEST_QUERY else ""


def _command(groups: tuple[CardGroup, ...]) -> str:
    key = groups[0].key if len(groups) == 1 else ""
    if not key or len(key) > _LONGEST_COMMAND_KEY or cleaned(key, len(key)) != key:
        return "aegis alerts list"
    return f"aegis alerts list --group {shlex.quote(key)}"


def _markdown_command(groups: tuple[CardGroup, ...]) -> str:
    return in_markdown(_command(groups), 250)

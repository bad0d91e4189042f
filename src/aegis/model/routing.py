"""Which chat hears of an alert, who is woken there, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

from aegis.model.alert import Labels
from aegis.model.message import NOBODY, Mention

MatchOperator = Literal["=", "!=", "=~", "!~"]


@dataclass(frozen=True, slots=True)
class Matcher:
    """Alertmanager's: a label that is missing has the empty value; a pattern matches the whole."""

    name: str
    operator: MatchOperator
    value: str


@dataclass(frozen=True, slots=True)
class MentionRule:
    """Who is woken for firing alerts of these severities, compared in lower case.

    No severities: all of them. The first rule that fits decides.
    """

    mention: Mention
    severities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Alerts that open in this time wait for its end, but for those severities that break through.

    `days` are 0 (Monday) to 6, the days on which it starts; `until` may be on the next day.
    Times are those of the wall clock in `timezone`; equal ones mean the whole day.
    """

    days: tuple[int, ...]
    start: time
    until: time
    timezone: ZoneInfo
    breaking_through: tuple[str, ...] = ("critical",)


@dataclass(frozen=True, slots=True)
class Route:
    """All matchers must match; none match everything. `goes_on` looks at the next routes too."""

    name: str
    chat_id: str
    matchers: tuple[Matcher, ...] = ()
    goes_on: bool = False
    mentions: tuple[MentionRule, ...] = ()
    quiet: tuple[QuietHours, ...] = ()


@dataclass(frozen=True, slots=True)
class Routing:
    """Routes in order; what none of them takes goes by `default`, None drops it.

    `mentions` is for routes that have no rules of their own.
    """

    routes: tuple[Route, ...] = ()
    default: Route | None = None
    mentions: tuple[MentionRule, ...] = (MentionRule(Mention(everybody=True)),)


@dataclass(frozen=True, slots=True)
class Target:
    """A chat that hears of an alert. `not_before` is the end of quiet hours, None is at once."""

    chat_id: str
    route: str
    mention: Mention = NOBODY
    not_before: datetime | None = None


def targets_of(routing: Routing, labels: Labels, opened_at: datetime) -> tuple[Target, ...]:
    """Each chat once, the first route to it decides; empty where no route takes the alert.

    `opened_at` is when the episode was first seen, for its end too: so an episode that opened
    in quiet hours and closed in them is told once, in the digest, and one that was told before
    is struck on its card at once. `not_before` may lie in the past: then it is due.
    """
    raise NotImplementedError


def mention_for(routing: Routing, chat_id: str, labels: Labels) -> Mention:
    """Who in this chat is woken for a firing alert of these labels."""
    raise NotImplementedError

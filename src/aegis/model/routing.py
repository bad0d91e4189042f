"""Which chat hears of an alert, who is woken there, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from aegis.model.alert import Labels
from aegis.model.message import NOBODY, Mention
from aegis.model.pattern import Pattern
from aegis.model.severity import Severity, severity_of

MatchOperator = Literal["=", "!=", "=~", "!~"]

MOST_IN_A_ROW = 14
"""Quiet times without a break between them; longer is a week that never ends."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """Alertmanager's: a label that is missing has the empty value; a pattern matches the whole."""

    name: str
    operator: MatchOperator
    value: str

    def matches(self, labels: dict[str, str]) -> bool:
        found = labels.get(self.name, "")
        if self.operator in ("=", "!="):
            return (found == self.value) is (self.operator == "=")
        return _compiled(self.value).matches(found) is (self.operator == "=~")


@dataclass(frozen=True, slots=True)
class MentionRule:
    """Who is woken for firing alerts of these severities, compared in lower case.

    No severities: all of them. The first rule that fits decides.
    """

    mention: Mention
    severities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Alerts that open in this time wait for its end, but for those that break through.

    `days` are 0 (Monday) to 6, the days on which it starts; `until` may be on the next day.
    Times are those of the wall clock in `timezone`; equal ones mean 24 hours.
    `breaking_through` are severities in lower case; None is whatever means critical.
    """

    days: tuple[int, ...]
    start: time
    until: time
    timezone: ZoneInfo
    breaking_through: tuple[str, ...] | None = None

    def holds(self, severity: str) -> bool:
        if self.breaking_through is None:
            return severity_of(severity) is not Severity.CRITICAL
        return severity.strip().lower() not in self.breaking_through

    def end_of(self, moment: datetime) -> datetime | None:
        """When the quiet time around `moment` ends; None where it lies in none."""
        today = moment.astimezone(self.timezone).date()
        for day in (today, today - timedelta(days=1)):
            if day.weekday() not in self.days:
                continue
            last_day = day if self.start < self.until else day + timedelta(days=1)
            start = datetime.combine(day, self.start, self.timezone).astimezone(UTC)
            end = datetime.combine(last_day, self.until, self.timezone).astimezone(UTC)
            if start <= moment < end:
                return end
        return None


@dataclass(frozen=True, slots=True)
class Route:
    """All matchers must match; none match everything. `goes_on` looks at the next routes too.

    Without a `chat_id` the alerts it takes are told to nobody.
    """

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

    @property
    def everywhere(self) -> tuple[Route, ...]:
        """The default last."""
        return (*self.routes, *(() if self.default is None else (self.default,)))


@dataclass(frozen=True, slots=True)
class Target:
    """A chat that hears of an alert. `not_before` is the end of quiet hours, None is at once."""

    chat_id: str
    route: str
    mention: Mention = NOBODY
    not_before: datetime | None = None


def targets_of(routing: Routing, labels: Labels, opened_at: datetime) -> tuple[Target, ...]:
    """Each chat once, the first route to it decides; empty where nobody is told.

    `opened_at` is when the episode was first seen, for its end too: so an episode that opened
    in quiet hours and closed in them is told once, in the digest, and one that was told before
    is struck on its card at once. `not_before` may lie in the past: then it is due.
    """
    severity = dict(labels).get("severity", "")
    found: dict[str, Target] = {}
    for route in routes_of(routing, labels):
        if route.chat_id and route.chat_id not in found:
            mention = _mention_of(route.mentions or routing.mentions, severity)
            not_before = _quiet_until(route.quiet, severity, opened_at)
            found[route.chat_id] = Target(route.chat_id, route.name, mention, not_before)
    return tuple(found.values())


def mention_for(routing: Routing, chat_id: str, labels: Labels) -> Mention:
    """Who in this chat is woken for a firing alert of these labels.

    A chat that no route leads to any more is treated as a route without rules of its own.
    """
    for route in routes_of(routing, labels):
        if route.chat_id == chat_id:
            rules = route.mentions or routing.mentions
            break
    else:
        rules = routing.mentions
    return _mention_of(rules, dict(labels).get("severity", ""))


def routes_of(routing: Routing, labels: Labels) -> Iterator[Route]:
    """The routes an alert takes, in order."""
    values = dict(labels)
    taken = False
    for route in routing.routes:
        if all(one.matches(values) for one in route.matchers):
            taken = True
            yield route
            if not route.goes_on:
                return
    if not taken and routing.default is not None:
        yield routing.default


@lru_cache(maxsize=1_000)
def _compiled(text: str) -> Pattern:
    return Pattern.of(text)


def _mention_of(rules: tuple[MentionRule, ...], severity: str) -> Mention:
    wanted = severity.strip().lower()
    for rule in rules:
        if not rule.severities or wanted in rule.severities:
            return rule.mention
    return NOBODY


def _quiet_until(
    quiet: tuple[QuietHours, ...], severity: str, opened_at: datetime
) -> datetime | None:
    """The end of the quiet time, and of those that follow it without a break."""
    if not quiet:
        return None
    holding = [one for one in quiet if one.holds(severity)]
    until: datetime | None = None
    for _ in range(MOST_IN_A_ROW):
        at = until or opened_at
        ends = [end for one in holding if (end := one.end_of(at)) is not None]
        if not ends:
            break
        until = max(ends)
    return until

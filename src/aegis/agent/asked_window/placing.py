"""Where in time a moment can lie: every reading of it, the likeliest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import TypeAlias

from aegis.agent.asked_window.clock_hours import LAST_SMALL_HOUR, NIGHTS, times_of_day
from aegis.agent.asked_window.grammar import Moment
from aegis.agent.asked_window.local_time import (
    ONE_DAY,
    earliest,
    latest,
    midnight,
    spans_of,
)
from aegis.agent.asked_window.terms import DaysFromToday, Part

Reach: TypeAlias = tuple[datetime, datetime]
"""The first and the last instant of a moment; for a clock time both are that time."""


@dataclass(frozen=True, slots=True)
class Place:
    """When and where the question is asked; `now` is UTC."""

    now: datetime
    zone: tzinfo

    def zone_of(self, moment: Moment) -> tzinfo:
        return moment.zone or self.zone

    def today(self, moment: Moment) -> date:
        return self.now.astimezone(self.zone_of(moment)).date()


def reaches(moment: Moment, place: Place, dates: Sequence[date] | None = None) -> tuple[Reach, ...]:
    """`dates` are the days to look at for a moment without one, last first."""
    zone = place.zone_of(moment)
    if moment.ago is not None:
        return ((place.now - moment.ago, place.now - moment.ago),)
    if moment.clock is not None:
        local = local_times(moment, place, dates)
        return tuple((earliest(one, zone), latest(one, zone)) for one in local)
    return tuple(
        (earliest(first, zone), latest(last, zone)) for first, last in _stretches(moment, place)
    )


def local_times(
    moment: Moment, place: Place, dates: Sequence[date] | None = None
) -> tuple[datetime, ...]:
    """What the clock shows; empty for a moment without a clock time."""
    if moment.clock is None:
        return ()
    today = place.today(moment)
    times = times_of_day(moment.clock, moment.parts)
    if moment.day is None:
        days = dates if dates is not None else recent_days(today)
        return _last_first(midnight(day) + time for day in days for time in times)
    found: list[datetime] = []
    for day in days_of(moment, place):
        if day == today:
            # "tonight at 2" is long past at ten in the morning, if it is past at all; after
            # midnight "tonight at 11" was yesterday.
            still_night = _is_still_night(moment, place)
            small = [time - ONE_DAY for time in times if time >= ONE_DAY or still_night]
            found += _last_first(midnight(day) + time for time in (*times, *small))
        else:
            found += [midnight(day) + time for time in times]
    return tuple(found)


def days_of(moment: Moment, place: Place) -> tuple[date, ...]:
    """The single days that a dated moment can mean; a week is none."""
    if moment.ago is not None:
        return (place.today(moment),)
    if moment.day is None:
        return ()
    spans = spans_of(moment.day, place.today(moment))
    return tuple(first for first, last in spans if last - first == ONE_DAY)


def recent_days(today: date) -> tuple[date, ...]:
    return today, today - ONE_DAY, today - 2 * ONE_DAY


def _stretches(moment: Moment, place: Place) -> tuple[tuple[datetime, datetime], ...]:
    """Whole days, or a part of a day."""
    today = place.today(moment)
    if moment.day is None:
        spans = tuple((day, day + ONE_DAY) for day in recent_days(today))
    else:
        spans = spans_of(moment.day, today)
    if not moment.parts:
        return tuple((midnight(first), midnight(last)) for first, last in spans)
    found = [_part_of(first, moment.parts) for first, last in spans if last - first == ONE_DAY]
    if moment.day == DaysFromToday(0):
        found += _before_it_came(today, moment.parts, place.now.astimezone(place.zone_of(moment)))
    return tuple(found)


def _part_of(day: date, parts: tuple[Part, ...]) -> tuple[datetime, datetime]:
    first, last = parts[0].first_hour, parts[0].last_hour
    if len(parts) > 1 and Part.DAWN in parts:
        first, last = (24, 30) if parts[0] in NIGHTS else (0, 6)
    start = midnight(day)
    return start + timedelta(hours=first), start + timedelta(hours=last)


def _is_still_night(moment: Moment, place: Place) -> bool:
    hour = place.now.astimezone(place.zone_of(moment)).hour
    return bool(moment.parts) and moment.parts[0] in NIGHTS and hour <= LAST_SMALL_HOUR


def _before_it_came(
    today: date, parts: tuple[Part, ...], local_now: datetime
) -> list[tuple[datetime, datetime]]:
    """ "tonight" said after midnight began yesterday; "this morning" may be said at five."""
    if parts[0] in NIGHTS and local_now.hour <= LAST_SMALL_HOUR:
        return [_part_of(today - ONE_DAY, parts)]
    if parts[0] is Part.MORNING:
        return [(midnight(today), midnight(today) + timedelta(hours=12))]
    return []


def _last_first(times: Iterable[datetime]) -> tuple[datetime, ...]:
    return tuple(sorted(times, reverse=True))

"""Places what was said in time: at the latest past time that it can mean."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from typing import Literal

from aegis.agent.asked_window.clock_hours import in_either_half
from aegis.agent.asked_window.grammar import Form, Moment, Phrase
from aegis.agent.asked_window.local_time import ONE_DAY, occurrences
from aegis.agent.asked_window.placing import (
    Place,
    Reach,
    days_of,
    local_times,
    reaches,
    recent_days,
)
from aegis.agent.asked_window.window import AskedWindow

AROUND_A_CLOCK_TIME = timedelta(minutes=15)
AROUND_HOURS_AGO = timedelta(minutes=30)
BEFORE_A_LIMIT = timedelta(minutes=30)
ROUNDED_UP_BY = timedelta(minutes=5)
"""People say "at 15:00" at 14:57."""
NAMELESS: dict[Form, timedelta] = {
    "just": timedelta(minutes=15),
    "now": timedelta(minutes=15),
    "lately": timedelta(hours=1),
}
LONGEST_UNDATED = timedelta(hours=25)
LONGEST_DATED = timedelta(days=366)

Kind = Literal["range", "point", "lookback", "vague"]


def meant(phrase: Phrase, place: Place, text: str) -> AskedWindow | None:
    """None where the phrase speaks of the future only, or of a day that does not exist."""
    said = text[phrase.start : phrase.end]
    if phrase.form in NAMELESS:
        return AskedWindow(place.now - NAMELESS[phrase.form], place.now, "vague", said)
    if phrase.form in ("back", "ongoing") and phrase.length is not None:
        return AskedWindow(place.now - phrase.length, place.now, "lookback", said)
    if phrase.first is None:
        return None
    if phrase.form == "stated" or _same_time_twice(phrase):
        return _stated(phrase.first, place, said)
    if phrase.form == "between" and phrase.last is not None:
        return _between(phrase.first, phrase.last, place, said)
    if phrase.form == "onwards":
        return _onwards(phrase.first, place, said)
    return _measured(phrase, phrase.first, place, said)


def _stated(moment: Moment, place: Place, said: str) -> AskedWindow | None:
    if moment.ago is not None:
        half = AROUND_HOURS_AGO if moment.ago >= timedelta(hours=1) else AROUND_A_CLOCK_TIME
        at = place.now - moment.ago
        return AskedWindow(at - half, min(at + half, place.now), "point", said, at)
    if moment.clock is None:
        past = _latest_past(reaches(moment, place), place)
        return _cut(past, place, "vague", said)
    soon = place.now + ROUNDED_UP_BY
    zone = place.zone_of(moment)
    for local in local_times(moment, place):
        times = [time for time in occurrences(local, zone) if time <= soon]
        if not times:
            continue
        if moment.clock.loose:
            return _cut((times[0], times[-1] + timedelta(hours=1)), place, "vague", said)
        start, end = times[0] - AROUND_A_CLOCK_TIME, times[-1] + AROUND_A_CLOCK_TIME
        at = min(times[-1], place.now)
        return AskedWindow(start, min(end, place.now), "point", said, at)
    return None


def _onwards(moment: Moment, place: Place, said: str) -> AskedWindow | None:
    past = _latest_past(reaches(moment, place), place)
    return None if past is None else AskedWindow(past[0], place.now, "lookback", said)


def _measured(phrase: Phrase, moment: Moment, place: Place, said: str) -> AskedWindow | None:
    """Up to a limit, around a time, or for a while after it."""
    if moment.clock is None and moment.ago is None:
        # "before yesterday" has no beginning; of "yesterday for an hour" the day is sure.
        return None if phrase.length is None else _stated(moment, place, said)
    past = _latest_past(reaches(moment, place), place)
    if past is None:
        return None
    if phrase.length is None:
        return _cut((past[0] - BEFORE_A_LIMIT, past[1]), place, "vague", said)
    before = phrase.length if phrase.form == "around" else timedelta(0)
    return _cut((past[0] - before, past[1] + phrase.length), place, "range", said)


def _between(first: Moment, last: Moment, place: Place, said: str) -> AskedWindow | None:
    """Of all readings of both ends the shortest window that has begun, then the latest."""
    first, last = _same_zone(*_same_half(first, last))
    found = _shortest(first, last, place)
    if found is None and first.dated and last.dated:
        found = _shortest(last, first, place)
    return _cut(found, place, "range", said)


def _shortest(first: Moment, last: Moment, place: Place) -> Reach | None:
    # The likeliest reading comes first; it is the end with a day that knows it.
    limit = LONGEST_DATED if first.dated and last.dated else LONGEST_UNDATED
    starts = reaches(first, place, _days_near(last, place, first, -ONE_DAY))
    ends = reaches(last, place, _days_near(first, place, last, ONE_DAY))
    if last.dated and not first.dated:
        combined = [(start, end) for end, start in product(ends, starts)]
    else:
        combined = list(product(starts, ends))
    pairs = [
        (start, end)
        for start, end in combined
        if start[0] < place.now and timedelta(0) < end[1] - start[0] <= limit
    ]
    shortest = min(pairs, key=lambda pair: _length(pair, first, last, place), default=None)
    return None if shortest is None else (shortest[0][0], shortest[1][1])


def _length(pair: tuple[Reach, Reach], first: Moment, last: Moment, place: Place) -> timedelta:
    """By the clock on the wall or in truth: no changed clock makes a window longer."""
    start, end = (
        reach[0].astimezone(place.zone_of(moment)).replace(tzinfo=None)
        for reach, moment in zip(pair, (first, last), strict=True)
    )
    return min(end - start, pair[1][0] - pair[0][0])


def _days_near(other: Moment, place: Place, moment: Moment, step: timedelta) -> tuple[date, ...]:
    """The days on which one end of a range can lie, from the days of the other end."""
    days = days_of(other, place) or recent_days(place.today(moment))
    return tuple(sorted({*days, *(day + step for day in days)}, reverse=True))


def _same_half(first: Moment, last: Moment) -> tuple[Moment, Moment]:
    """ "9 to 9:30pm", 下午3:00到3:30: one end says which half of the day, for both."""
    if first.clock is None or last.clock is None:
        return first, last
    first_settled = bool(first.parts) or first.clock.reading in ("am", "pm")
    last_settled = bool(last.parts) or last.clock.reading in ("am", "pm")
    said_last = last.part_follows or last.clock.reading in ("am", "pm")
    if not first_settled and said_last and first.clock.hour <= 12:
        return replace(first, clock=in_either_half(first.clock)), last
    if first_settled and not last_settled and last.clock.hour <= 12:
        return first, replace(last, clock=in_either_half(last.clock))
    return first, last


def _same_zone(first: Moment, last: Moment) -> tuple[Moment, Moment]:
    zone = last.zone or first.zone
    return replace(first, zone=first.zone or zone), replace(last, zone=zone)


def _same_time_twice(phrase: Phrase) -> bool:
    first, last = phrase.first, phrase.last
    if first is None or last is None or first.clock is None:
        return False
    elsewhere = first.zone is not None and last.zone is not None and first.zone != last.zone
    return first.clock == last.clock and not (elsewhere or last.dated or last.parts)


def _latest_past(found: tuple[Reach, ...], place: Place) -> Reach | None:
    return next((reach for reach in found if reach[0] < place.now), None)


def _cut(reach: Reach | None, place: Place, kind: Kind, said: str) -> AskedWindow | None:
    """What lies in the future is cut off."""
    if reach is None or min(reach[1], place.now) <= reach[0]:
        return None
    return AskedWindow(reach[0], min(reach[1], place.now), kind, said)

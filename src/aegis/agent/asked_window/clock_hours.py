"""Which hours of a day a clock time can mean, given the part of the day said with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from aegis.agent.asked_window.terms import Clock, Part

NIGHTS = (Part.EVENING, Part.NIGHT, Part.DEAD_OF_NIGHT)
LAST_SMALL_HOUR = 5
"""Up to here an hour of the night belongs to the next day (昨晚两点 is today at 02:00)."""
FIRST_USUAL_HOUR = 7
"""Of a past day, a spoken hour before this one means the afternoon (昨天三点)."""


def times_of_day(clock: Clock, parts: tuple[Part, ...]) -> tuple[timedelta, ...]:
    """Times after the midnight before the day, likeliest first; 24 hours and more is next day.

    Chinese numerals and o'clock leave the half of the day open; am, pm and a part of the day
    settle it; HH:MM is a 24-hour clock unless a part of the day says otherwise (下午 3:30).
    """
    rest = timedelta(minutes=clock.minute, seconds=clock.second, microseconds=clock.microsecond)
    return tuple(timedelta(hours=hour) + rest for hour in _hours(clock, parts))


def in_either_half(clock: Clock) -> Clock:
    """The same, with the half of the day left open."""
    return replace(clock, reading="spoken")


def _hours(clock: Clock, parts: tuple[Part, ...]) -> tuple[int, ...]:
    hour = clock.hour
    if clock.reading in ("am", "pm"):
        hour = hour % 12 + (12 if clock.reading == "pm" else 0)
        small = hour <= LAST_SMALL_HOUR and any(part in NIGHTS for part in parts)
        return (hour + 24 if small else hour,)
    if parts:
        return (_hour_in_part(hour, parts),)
    if clock.reading == "exact" or hour > 12:
        return (hour,)
    morning, afternoon = hour % 12, hour % 12 + 12
    late = hour < FIRST_USUAL_HOUR or hour == 12
    return (afternoon, morning) if late else (morning, afternoon)


def _hour_in_part(hour: int, parts: tuple[Part, ...]) -> int:
    if Part.DAWN in parts:
        small = hour % 12 if hour <= 12 else hour
        return small + 24 if any(part in NIGHTS for part in parts) else small
    part = parts[0]
    if part in NIGHTS:
        if hour % 12 == 0:
            return 24
        starts = 4 if part is Part.EVENING else LAST_SMALL_HOUR + 1
        return hour + 24 if hour < starts else hour + 12 if hour < 12 else hour
    if part is Part.NOON:
        return hour + 12 if hour <= 3 else hour
    if part in (Part.AFTERNOON, Part.DUSK):
        return hour + 12 if 0 < hour < 12 else hour
    return hour

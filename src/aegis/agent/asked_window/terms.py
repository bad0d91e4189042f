"""The words that a time phrase is made of, once they are recognised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta, tzinfo
from enum import Enum, auto
from typing import Literal, TypeAlias


class Mark(Enum):
    """A word that joins or bends times but names none."""

    FILLER = auto()
    AT = auto()
    AROUND = auto()
    TO = auto()
    AND = auto()
    BETWEEN = auto()
    SINCE = auto()
    ONWARDS = auto()
    UNTIL = auto()
    BEFORE = auto()
    AGO = auto()
    LAST = auto()
    WITHIN = auto()
    FOR = auto()
    DURING = auto()
    BEEN = auto()
    COMPARED = auto()
    JUST = auto()
    LATELY = auto()
    NOW = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day. `hour` is 0-24.

    `reading` says how far the hour is known: "exact" is a 24-hour clock, "spoken" may be
    either half of the day. `loose` is "some time after that hour" (三点多).
    """

    hour: int
    minute: int = 0
    second: int = 0
    microsecond: int = 0
    reading: Literal["exact", "spoken", "am", "pm"] = "exact"
    loose: bool = False


@dataclass(frozen=True, slots=True)
class BareHour:
    """A number that is an hour only if its neighbours are times."""

    hour: int


class Part(Enum):
    """A part of the day, as hours after the midnight before it; a night ends on the next day."""

    DAWN = (0, 6)
    MORNING = (6, 12)
    NOON = (11, 14)
    AFTERNOON = (12, 18)
    DUSK = (17, 20)
    EVENING = (18, 24)
    NIGHT = (18, 30)
    DEAD_OF_NIGHT = (22, 30)

    @property
    def first_hour(self) -> int:
        return self.value[0]

    @property
    def last_hour(self) -> int:
        return self.value[1]


@dataclass(frozen=True, slots=True)
class DaysFromToday:
    days: int


@dataclass(frozen=True, slots=True)
class Weekday:
    """0 is Monday. `week` counts calendar weeks from this one; None is the latest such day.

    `before_today` excludes today ("last Friday" said on a Friday).
    """

    index: int
    week: int | None = None
    before_today: bool = False


@dataclass(frozen=True, slots=True)
class CalendarDate:
    """Without a year: the latest such day."""

    year: int | None
    month: int
    day: int


@dataclass(frozen=True, slots=True)
class DayOfMonth:
    """`month` counts months from this one; None is the latest such day."""

    day: int
    month: int | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Several days: `count` weeks, weekends or months from the present one."""

    unit: Literal["week", "weekend", "month"]
    count: int


Day: TypeAlias = DaysFromToday | Weekday | CalendarDate | DayOfMonth | Stretch


@dataclass(frozen=True, slots=True)
class Duration:
    """`unit` is what it was counted in; it tells how exactly it was meant."""

    length: timedelta
    unit: Literal["second", "minute", "hour", "day"]


@dataclass(frozen=True, slots=True)
class Zone:
    zone: tzinfo


Value: TypeAlias = Mark | Clock | BareHour | Part | Day | Duration | Zone


@dataclass(frozen=True, slots=True)
class Token:
    """`value` stands at text[start:end]; two tokens may stand at the same place (昨晚)."""

    value: Value
    start: int
    end: int

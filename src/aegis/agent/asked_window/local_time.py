"""Local days and clock times as instants.

Clocks that are changed make some local times occur twice (a fold) and some never (a gap).
A window takes the earlier reading of its start and the later one of its end, so it is never
empty and covers both occurrences. A point takes the readings that exist; one that falls in a
gap is read with the offset before the change (RFC 5545), which is how a clock that was not
changed yet shows it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo

from aegis.agent.asked_window.terms import (
    CalendarDate,
    Day,
    DayOfMonth,
    DaysFromToday,
    Stretch,
    Weekday,
)

ONE_DAY = timedelta(days=1)
FIRST_YEAR = 1971
LAST_YEAR = 9000


def earliest(local: datetime, zone: tzinfo) -> datetime:
    return min(_readings(local, zone))


def latest(local: datetime, zone: tzinfo) -> datetime:
    return max(_readings(local, zone))


def occurrences(local: datetime, zone: tzinfo) -> tuple[datetime, ...]:
    """The instants at which a clock in `zone` shows `local`, ascending; one for a gap."""
    readings = _readings(local, zone)
    exist = [one for one in readings if one.astimezone(zone).replace(tzinfo=None) == local]
    return tuple(sorted(set(exist))) or (readings[0],)


def midnight(day: date) -> datetime:
    """The start of a day, without a zone."""
    return datetime.combine(day, datetime.min.time())


def spans_of(day: Day, today: date) -> tuple[tuple[date, date], ...]:
    """The days that can be meant, as [first, last) and most likely first; may be empty."""
    match day:
        case DaysFromToday(days):
            return (_one(today + timedelta(days=days)),)
        case Weekday():
            return _weekdays(day, today)
        case CalendarDate(None, month, number):
            years = range(today.year, today.year - 8, -1)
            return tuple(_one(one) for year in years if (one := _date(year, month, number)))
        case CalendarDate(year, month, number):
            named = _date(year, month, number) if year is not None else None
            return (_one(named),) if named else ()
        case DayOfMonth(number, back):
            months = range(0, -13, -1) if back is None else [back]
            dates = (_date(*_month(today, count), number) for count in months)
            return tuple(_one(one) for one in dates if one)
        case Stretch():
            return (_stretch(day, today),)


def _readings(local: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    return (
        local.replace(tzinfo=zone, fold=0).astimezone(UTC),
        local.replace(tzinfo=zone, fold=1).astimezone(UTC),
    )


def _weekdays(day: Weekday, today: date) -> tuple[tuple[date, date], ...]:
    monday = today - timedelta(days=today.weekday())
    if day.week is not None:
        return (_one(monday + timedelta(days=day.index, weeks=day.week)),)
    back = (today.weekday() - day.index) % 7
    if back == 0 and day.before_today:
        back = 7
    nearest = today - timedelta(days=back)
    return _one(nearest), _one(nearest - timedelta(weeks=1))


def _stretch(day: Stretch, today: date) -> tuple[date, date]:
    monday = today - timedelta(days=today.weekday())
    if day.unit == "month":
        return date(*_month(today, day.count), 1), date(*_month(today, day.count + 1), 1)
    first = monday + timedelta(weeks=day.count)
    if day.unit == "weekend":
        return first + timedelta(days=5), first + timedelta(days=7)
    return first, first + timedelta(weeks=1)


def _month(today: date, count: int) -> tuple[int, int]:
    months = today.year * 12 + today.month - 1 + count
    return months // 12, months % 12 + 1


def _date(year: int, month: int, day: int) -> date | None:
    """None where there is no such day, or none that telemetry can be of."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _one(day: date) -> tuple[date, date]:
    return day, day + ONE_DAY

"""Days, dates and parts of the day, as people write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

from aegis.agent.asked_window.numerals import CHINESE, whole_number
from aegis.agent.asked_window.terms import (
    BareHour,
    CalendarDate,
    Clock,
    Day,
    DayOfMonth,
    DaysFromToday,
    Duration,
    Mark,
    Part,
    Stretch,
    Token,
    Value,
    Weekday,
)

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_WEEKDAY = r"((?:mon|tues|wednes|thurs|fri|satur|sun)day)"
_SHORT_WEEKDAY = r"(mon|tues?|wed|thu(?:rs?)?|fri|sat|sun)"
_A_CLOCK = r"\d{1,2}(?::\d{2}|\s?[点點])"

ISO_DATE = re.compile(r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})(?:t(?=\d)|(?![\w/-]|\.\d))", re.ASCII)
DOTTED_DATE = re.compile(rf"(\d{{4}})\.(\d{{1,2}})\.(\d{{1,2}})(?=\s{{1,2}}{_A_CLOCK})", re.ASCII)
COMPACT_DATE = re.compile(rf"(20\d\d)([01]\d)([0-3]\d)(?=\s{{1,2}}{_A_CLOCK})", re.ASCII)
COMPACT_TIME = re.compile(r"(20\d\d)([01]\d)([0-3]\d)t([0-2]\d)([0-5]\d)([0-5]\d)?(?!\d)", re.ASCII)
CHINESE_DATE = re.compile(
    rf"(?:(\d{{4}})\s?年\s?)?(\d{{1,2}}|{CHINESE}{{1,2}})\s?月\s?"
    rf"(\d{{1,2}}|{CHINESE}{{1,3}})\s?(?:[日号]|(?=\s?{_A_CLOCK}))"
)
MONTH_AND_DAY = re.compile(rf"(\d{{1,2}})([-/])(\d{{1,2}})(?=\s{{1,2}}{_A_CLOCK})", re.ASCII)
SHOPPING_DAY = re.compile(r"双(十一|十二|11|12)")
ENGLISH_DATE = re.compile(
    rf"{_MONTH}\s(\d{{1,2}})(st|nd|rd|th)?(?:,?\s(20\d\d))?(?![\w:%]|\.\d)", re.ASCII
)
ENGLISH_DATE_DAY_FIRST = re.compile(
    rf"(\d{{1,2}})(st|nd|rd|th)?\s(?:of\s)?{_MONTH}(?:,?\s(20\d\d))?(?![\w:%])", re.ASCII
)
CHINESE_DAY_OF_MONTH = re.compile(
    rf"(?:(上个?月|本月|这个?月)(\d{{1,2}}|{CHINESE}{{1,3}})[日号]"
    rf"|(\d{{1,2}}|{CHINESE}{{1,3}})[日号](?=\s?(?:上午|下午|早上|晚上|凌晨|中午|{_A_CLOCK})))"
)
ENGLISH_DAY_OF_MONTH = re.compile(
    r"the\s(\d{1,2})(?:st|nd|rd|th)(?=\s(?:at|around|of|in|between|from)\b|\s?[,.?!;]|\s*$|\s\d)",
    re.ASCII,
)
CHINESE_DAY = re.compile(
    r"(大前|前|昨|今|当|明|大?后)(?:[天日]|(?=[晚夜早晨]))(?!端|台|缀|续|期|志)"
)
ENGLISH_DAY = re.compile(
    r"(the day before yesterday|yesterday|today|tonight|overnight|tomorrow|"
    r"(?:last|yester)(?=\s?night\b)|this(?=\s(?:early\s)?(?:morning|afternoon|evening)\b))",
    re.ASCII,
)
CHINESE_WEEKDAY = re.compile(
    r"(上上个?|上个?|这个?|本|下个?)?(?:周|星期|礼拜)([一二三四五六日天末])(?![期次])"
)
CHINESE_STRETCH = re.compile(
    r"(上上个?|上个?|这个?|本|下个?)(周|星期|礼拜|月)(?![期报刊初末底份\d])"
)
ENGLISH_WEEKDAY = re.compile(
    rf"(?:(last|this past|past|previous|this|next)\s)?{_WEEKDAY}(\s(?:of\s)?last week)?\b", re.ASCII
)
SHORT_WEEKDAY = re.compile(
    rf"(?:(last|this|on|since|next)\s{_SHORT_WEEKDAY}|{_SHORT_WEEKDAY}"
    r"(?=\s(?:\d{1,2}:\d\d|\d{1,2}\s?[ap]m|morning|afternoon|evening|night)))\b",
    re.ASCII,
)
ENGLISH_STRETCH = re.compile(
    r"(?:(last|this|next|past)\s(week|month|weekend)|the\s(weekend))\b", re.ASCII
)
CHINESE_PART = re.compile(
    r"(凌晨|清晨|早晨|早上|大清早|早间|上午|中午|午间|下午|午后|傍晚|黄昏|晚上|晚间|夜晚|"
    r"大半夜|后半夜|半夜|深夜|夜里|夜间|[早午晚]高峰|(?<=[天日今昨前当一二三四五六])[晚夜早晨]|"
    rf"(?<![最更较稍过])[早晚](?=\s?(?:\d{{1,2}}|{CHINESE}{{1,2}})\s?[点點时:]))(?!好)"
)
ENGLISH_PART = re.compile(
    r"(?:(in the|during the)\s)?(?:early\s)?(morning|afternoon|evening|night|early hours)"
    r"(?!\s?ly)\b",
    re.ASCII,
)
_CHINESE_DAYS = {"大前": -3, "前": -2, "昨": -1, "今": 0, "当": 0, "明": 1, "后": 2, "大后": 3}
_PARTS = {
    **dict.fromkeys(("凌晨", "early hours"), Part.DAWN),
    **dict.fromkeys(
        ("清晨", "早晨", "早上", "大清早", "早间", "上午", "早", "晨", "早高峰", "morning"),
        Part.MORNING,
    ),
    **dict.fromkeys(("中午", "午间", "午高峰"), Part.NOON),
    **dict.fromkeys(("下午", "午后", "afternoon"), Part.AFTERNOON),
    **dict.fromkeys(("傍晚", "黄昏", "晚高峰"), Part.DUSK),
    "evening": Part.EVENING,
    **dict.fromkeys(("晚上", "晚间", "夜晚", "晚", "夜", "night"), Part.NIGHT),
    **dict.fromkeys(("大半夜", "后半夜", "半夜", "深夜", "夜里", "夜间"), Part.DEAD_OF_NIGHT),
}


def full_date(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    """A date that does not exist (2026-02-30) is kept: what was said of it is of no day."""
    year, month, day = (int(part) for part in found.groups() if part.isdigit())
    return [CalendarDate(year, month, day)]


def compact_time(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    year, month, day, hour, minute, second = found.groups()
    named = _date(int(year), int(month), int(day))
    if named is None or int(hour) > 23:
        return None
    return [*named, Clock(int(hour), int(minute), int(second or 0))]


def shopping_day(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    """双十一, 双十二: the days on which shops break."""
    number = 11 if found[1] in ("十一", "11") else 12
    return _date(None, number, number)


def chinese_date(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    year, month, day = found.groups()
    return _date(int(year) if year else None, whole_number(month), whole_number(day))


def month_and_day(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    """11-02 10:15, as logs write it: the month first."""
    return _date(None, int(found[1]), int(found[3]))


def english_date(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    """Nov 2; "may" and "march" are also verbs, so they need more to be a month."""
    month, day, ordinal, year = found.groups()
    if month in ("may", "march") and not (ordinal or year or _introduced(before, found)):
        return None
    return _date(int(year) if year else None, _month(month), int(day))


def english_date_day_first(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    day, ordinal, month, year = found.groups()
    if month in ("may", "march") and not (ordinal or year or _introduced(before, found)):
        return None
    return _date(int(year) if year else None, _month(month), int(day))


def chinese_day_of_month(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    month_said, day_in_month, day_alone = found.groups()
    day = whole_number(day_in_month or day_alone)
    if day is None or not 1 <= day <= 31:
        return None
    return [DayOfMonth(day, None if not month_said else -1 if "上" in month_said else 0)]


def english_day_of_month(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    return [DayOfMonth(int(found[1]))] if 1 <= int(found[1]) <= 31 else None


def chinese_day(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    return [DaysFromToday(_CHINESE_DAYS[found[1]])]


def english_day(found: re.Match[str], before: Sequence[Token]) -> list[Value]:
    word = found[1]
    if word == "tonight":
        return [DaysFromToday(0), Part.NIGHT]
    if word == "overnight":
        return [DaysFromToday(-1), Part.DEAD_OF_NIGHT]
    days = {"the day before yesterday": -2, "yesterday": -1, "last": -1, "yester": -1}
    return [DaysFromToday(days.get(word, 1 if word == "tomorrow" else 0))]


def chinese_weekday(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    which, day = found.groups()
    week = _weeks(which)
    if day == "末":
        return [Stretch("weekend", -1 if week is None else week)]
    return [Weekday(6 if day == "天" else "一二三四五六日".index(day), week)]


def chinese_stretch(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    return [Stretch("month" if found[2] == "月" else "week", _weeks(found[1]) or 0)]


def english_weekday(found: re.Match[str], before: Sequence[Token]) -> list[Value]:
    which, name, last_week = found.groups()
    return [_english_weekday(which, name, last_week is not None)]


def short_weekday(found: re.Match[str], before: Sequence[Token]) -> list[Value]:
    which, name, alone = found.groups()
    day = _english_weekday(which, name or alone, last_week=False)
    return [Mark.SINCE, day] if which == "since" else [day]


def english_stretch(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    """ "the last week" is seven days back, not a calendar week."""
    which, unit, weekend = found.groups()
    if weekend:
        return [Stretch("weekend", -1)]
    if which == "past" or _follows_the(found):
        return None if unit == "weekend" else [Mark.LAST, *_back(unit)]
    count = {"last": -1, "this": 0, "next": 1}[which]
    if unit == "week":
        return [Stretch("week", count)]
    return [Stretch("month" if unit == "month" else "weekend", count)]


def chinese_part(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    return [_PARTS[found[1]]]


def english_part(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    """A part of a named day, or "in the morning"; "good morning" is none."""
    named = found[1] is not None or found[2] == "early hours"
    if named or (before and isinstance(before[-1].value, Day | Clock)):
        return [_PARTS[found[2]]]
    told = [token.value for token in before[-2:]]
    if len(told) == 2 and told[1] is Mark.AT and isinstance(told[0], Clock | BareHour):
        return [_PARTS[found[2]]]
    return None


def _follows_the(found: re.Match[str]) -> bool:
    return found.string[: found.start()][-4:].endswith("the ")


def _back(unit: str) -> list[Value]:
    return [Duration(timedelta(days=7 if unit == "week" else 30), "day")]


def _english_weekday(which: str | None, name: str, last_week: bool) -> Weekday:
    index = _WEEKDAYS.index(name[:3])
    if last_week:
        return Weekday(index, -1)
    if which in ("this", "next"):
        return Weekday(index, 0 if which == "this" else 1)
    return Weekday(index, None, before_today=which in ("last", "past", "this past", "previous"))


def _weeks(which: str | None) -> int | None:
    if which is None:
        return None
    return {"上上": -2, "上": -1, "下": 1}.get(which.rstrip("个"), 0)


def _introduced(before: Sequence[Token], found: re.Match[str]) -> bool:
    if not before or found.string[before[-1].end : found.start()].strip():
        return False
    return before[-1].value in (Mark.SINCE, Mark.AT, Mark.FILLER, Mark.BETWEEN)


def _month(name: str) -> int:
    return _MONTHS.index(name[:3]) + 1


def _date(year: int | None, month: int | None, day: int | None) -> list[Value] | None:
    """None where there is no such day; 29 February exists in some year."""
    if month is None or day is None or (year is not None and not 1971 <= year <= 9000):
        return None
    try:
        date(2000 if year is None else year, month, day)
    except ValueError:
        return None
    named: Day = CalendarDate(year, month, day)
    return [named]

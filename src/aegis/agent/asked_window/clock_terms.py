"""Times of day and time zones, as people write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aegis.agent.asked_window.numerals import CHINESE, ENGLISH_HOURS, whole_number
from aegis.agent.asked_window.terms import (
    BareHour,
    Clock,
    Day,
    Mark,
    Part,
    Token,
    Value,
    Zone,
)

_NAMED_ZONES = {
    "北京时间": "Asia/Shanghai",
    "beijing time": "Asia/Shanghai",
    "china time": "Asia/Shanghai",
    "东八区": "Asia/Shanghai",
    "格林尼治": "UTC",
    "格林威治": "UTC",
    "jst": "Asia/Tokyo",
    "sgt": "Asia/Singapore",
    "cest": "Europe/Berlin",
    "cet": "Europe/Berlin",
    "est": "America/New_York",
    "edt": "America/New_York",
    "pst": "America/Los_Angeles",
    "pdt": "America/Los_Angeles",
}

DIGITAL = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:\s?(?:hrs|h)\b)?"
    r"(?!\s?[ap]\.?m\b)(?!\w(?<!z)|z\w|:|\.\d)",
    re.ASCII,
)
MERIDIEM = re.compile(
    rf"(\d{{1,2}}|{ENGLISH_HOURS})(?:[:.](\d{{2}}))?(?::(\d{{2}}))?\s?([ap])(?:m\b|\.m\.?)",
    re.ASCII,
)
OCLOCK = re.compile(rf"(\d{{1,2}}|{ENGLISH_HOURS})\s?o'?clock\b", re.ASCII)
PAST_THE_HOUR = re.compile(
    r"(half|a quarter|quarter|five|ten|twenty|\d{1,2}(?=\s(?:minutes|past)))\s"
    r"(?:minutes\s)?(past|to)\s"
    rf"(\d{{1,2}}|{ENGLISH_HOURS})(?:\s?([ap])\.?m)?\b",
    re.ASCII,
)
CHINESE_CLOCK = re.compile(
    rf"(\d{{1,2}}|{CHINESE}{{1,3}})\s?(?:[点點](?:钟)?|时(?![候间段刻延]))"
    rf"(?:(半|整|一刻|三刻)|\s?(\d{{1,2}}|{CHINESE}{{1,3}})\s?分(?!钟前|之)(?:(\d{{1,2}}|{CHINESE}{{1,3}})秒)?|(\d{{2}}|{CHINESE}{{2,3}}|\s\d{{2}}(?=\s?(?:[,，。?~到至左的开起-]|$)))"
    rf"(?![\dx个台次条秒倍%.]|\s?ms))?"
    rf"(?!{CHINESE}|\d{{1,2}}(?![\dx]))(多|过)?"
)
_NUMERALS = tuple(CHINESE.strip("[]"))
MINUTES_LATER = re.compile(rf"(\d{{1,2}}|{CHINESE}{{1,3}})\s?分(?!钟)")
IN_WORDS = re.compile(
    rf"({ENGLISH_HOURS})\s(ten|fifteen|twenty|thirty|forty[ -]five|forty|fifty)"
    r"(?:\s?([ap])\.?m)?\b",
    re.ASCII,
)
_NOT_AN_HOUR = re.compile(r"\s?(?:个?建议|个?疑问|个?原因|个?问题|[秒倍]|需要|要求)")
_AFTER_ONE_O_CLOCK = re.compile(r"\s?(?:左右|多|过|整|钟|半|到|至|~|-|开始|以后|之后|起)")
NOON_OR_MIDNIGHT = re.compile(r"(?:12\s)?(noon|midday|midnight)\b|(正午|午夜)", re.ASCII)
BARE = re.compile(
    rf"(\d{{1,2}}|(?:{ENGLISH_HOURS})\b)(?![\w%:]|\.\d|/\d|\s?(?:pods?|instances?|replicas?|nodes?|"
    r"requests?|errors?|times|services?|percent|seconds?|hosts?|retries|users|orders|of|out|"
    r"alerts?|x\b|%|[个台次条秒倍分小只号]))",
    re.ASCII,
)
ZONE = re.compile(
    r"\(?(?:(?:utc|gmt)\s?([+-])\s?(\d{1,2})(?::?(\d{2}))?|(utc|gmt)(?!\w)|(z)(?!\w)|"
    r"(北京时间|东八区|格林[尼威]治|beijing time|china time|"
    r"(?:jst|sgt|cest|cet|est|edt|pst|pdt)\b)|"
    r"((?:africa|america|asia|atlantic|australia|europe|indian|pacific|etc)/[a-z_+-]{2,30}"
    r"(?:/[a-z_]{2,30})?)|([+-])(\d{2})(?::?(\d{2}))?(?![\w:]))(?:\s?(?:时间|time\b))?\)?",
    re.ASCII,
)


def digital(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    hour, minute, second, fraction = found.groups()
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    clock = _clock(int(hour), int(minute), int(second or 0), micro)
    return [clock] if clock else None


def meridiem(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    said, minute, second, half = found.groups()
    hour = whole_number(said)
    clock = _clock(hour, int(minute or 0), int(second or 0))
    if clock is None or hour is None:
        return None
    if hour > 12:
        return [clock]
    return [_with_half(clock, half)]


def oclock(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    hour = whole_number(found[1])
    return None if hour is None or hour > 12 else [Clock(hour, reading="spoken")]


def past_the_hour(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    said, side, hour_said, half = found.groups()
    minutes = 30 if said == "half" else 15 if "quarter" in said else whole_number(said)
    hour = whole_number(hour_said)
    if minutes is None or hour is None or not 0 < minutes < 60 or not 0 < hour <= 12:
        return None
    clock = Clock(hour, minutes, reading="spoken")
    if side == "to":
        clock = Clock(hour - 1 or 12, 60 - minutes, reading="spoken")
    return [_with_half(clock, half) if half else clock]


def chinese_clock(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    """三点, 23点, 十点半, 10点15分, 三点多; not 一点 in 快一点, not 三点五秒."""
    hour_said, named, minute_said, second_said, bare_minute, more = found.groups()
    rest = found.string[found.end() :][:8]
    if _NOT_AN_HOUR.match(rest):
        return None
    if hour_said[0] in _NUMERALS and _inside_a_number(before, found):
        return None
    vague_words = hour_said in ("一", "两") and found[0][1:] in ("点", "點")
    if vague_words and not (_follows_a_time(before, found) or _AFTER_ONE_O_CLOCK.match(rest)):
        return None
    minute = {"半": 30, "一刻": 15, "三刻": 45, "整": 0}.get(named or "")
    if minute is None:
        said = (minute_said or bare_minute or "").strip()
        minute = whole_number(said) if said else 0
    clock = _clock(whole_number(hour_said), minute, whole_number(second_said or "0"))
    if clock is None:
        return None
    spoken = 0 < clock.hour <= 12
    return [replace(clock, reading="spoken" if spoken else "exact", loose=more is not None)]


def minutes_later(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    """The 20 in 10点10分到20分: the same hour."""
    told = [token.value for token in before[-2:]]
    minute = whole_number(found[1])
    if len(told) < 2 or not isinstance(told[0], Clock) or told[1] is not Mark.TO or minute is None:
        return None
    return [replace(told[0], minute=minute, second=0)] if told[0].minute < minute < 60 else None


def in_words(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    """Ten thirty, where it stands after "at" or before "pm": else two numbers."""
    hour_said, minute_said, half = found.groups()
    hour, minute = whole_number(hour_said), whole_number(minute_said.replace("-", " "))
    if hour is None or minute is None or not (half or _last(before) is Mark.AT):
        return None
    clock = Clock(hour, minute, reading="spoken")
    return [_with_half(clock, half) if half else clock]


def noon_or_midnight(found: re.Match[str], before: Sequence[Token]) -> list[Value]:
    """Midnight is the end of the day it is said of."""
    return [Clock(12 if (found[1] or found[2]) in ("noon", "midday", "正午") else 24)]


def bare_hour(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    hour = whole_number(found[1])
    if hour is None or hour > 24 or (found[1].isalpha() and _last(before) is not Mark.AT):
        return None
    return [BareHour(hour)]


def zone(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    """An offset alone must touch a clock; after one, "-" is an offset only in ISO times."""
    sign, hours, minutes, utc, zulu, named, iana, only_sign, only_hours, only_minutes = (
        found.groups()
    )
    if only_sign or zulu:
        if not _touches_clock(before, found, iso=only_sign == "-"):
            return None
        sign, hours, minutes = only_sign, only_hours, only_minutes
    if utc or zulu:
        return [Zone(UTC)]
    if named or iana:
        try:
            return [Zone(ZoneInfo(_NAMED_ZONES[named] if named else _iana(iana)))]
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return None
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    if offset > timedelta(hours=14):
        return None
    return [Zone(timezone(-offset if sign == "-" else offset))]


def _iana(name: str) -> str:
    """europe/berlin to Europe/Berlin, america/new_york to America/New_York."""
    cased = re.sub(r"[a-z]+", lambda word: word[0].capitalize(), name)
    return cased.replace("Etc/Utc", "Etc/UTC").replace("Etc/Gmt", "Etc/GMT")


def _touches_clock(before: Sequence[Token], found: re.Match[str], *, iso: bool) -> bool:
    """今天10:00-10:15 is a range, 2026-11-02T10:00-05:00 an offset."""
    if not before or not isinstance(before[-1].value, Clock) or before[-1].end != found.start():
        return False
    written_as_iso = found.string[: before[-1].start].endswith("t")
    return not iso or (written_as_iso and len(before) > 1 and before[-2].end == before[-1].start)


def _follows_a_time(before: Sequence[Token], found: re.Match[str]) -> bool:
    """Whether the word just before it belongs to a time phrase."""
    if not before or found.string[before[-1].end : found.start()].strip():
        return False
    value = before[-1].value
    if isinstance(value, Mark):
        return value in (Mark.TO, Mark.AT, Mark.SINCE, Mark.BETWEEN, Mark.LATELY)
    return isinstance(value, Part | Day)


def _inside_a_number(before: Sequence[Token], found: re.Match[str]) -> bool:
    """Whether a numeral that no time phrase took stands right before it."""
    left_over = bool(before) and before[-1].value is Mark.OTHER
    return left_over and found.string[: found.start()].endswith(_NUMERALS)


def _last(before: Sequence[Token]) -> Value | None:
    return before[-1].value if before else None


def _with_half(clock: Clock, half: str) -> Clock:
    return replace(clock, reading="am" if half == "a" else "pm")


def _clock(
    hour: int | None, minute: int | None, second: int | None, microsecond: int = 0
) -> Clock | None:
    if hour is None or minute is None or second is None:
        return None
    if minute > 59 or second > 59 or hour > 24 or (hour == 24 and minute + second > 0):
        return None
    return Clock(hour, minute, second, microsecond)

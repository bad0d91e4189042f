"""Lengths of time, and the words that join times to windows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from aegis.agent.asked_window.numerals import CHINESE, ENGLISH, amount
from aegis.agent.asked_window.terms import Clock, Duration, Mark, Token, Value, Zone

LONGEST = timedelta(days=366)

_ENGLISH_UNIT = (
    r"(seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w|months?)(?![\w/])"
)
_ENGLISH_AMOUNT = (
    r"(\d{1,6}(?:\.\d{1,2})?|(?:a\s)?couple(?:\sof)?|(?:a\s)?few|several|half\san?|half|"
    rf"(?:a\s)?quarter\sof\san?|(?:{ENGLISH})(?=\s))"
)
ENGLISH_DURATION = re.compile(rf"{_ENGLISH_AMOUNT}[\s-]?{_ENGLISH_UNIT}(\sand\sa\shalf)?", re.ASCII)
ENGLISH_RANGE_OF_AMOUNTS = re.compile(
    rf"(\d{{1,4}})\s?(?:-|~|to|or|到|至|或)\s?(\d{{1,4}})\s?个?(?:{_ENGLISH_UNIT}|(小时|分钟|天))",
    re.ASCII,
)
AND_A_HALF = re.compile(rf"({ENGLISH}|\d{{1,3}})\sand\sa\shalf\s{_ENGLISH_UNIT}", re.ASCII)
HOURS_AND_MINUTES = re.compile(
    r"(\d{1,3})\s?(?:hours?|hrs?|h|个?小时)\s?(?:and\s)?(\d{1,3})\s?"
    r"(?:(?:minutes?|mins?|m)(?!\w)|分钟?)",
    re.ASCII,
)
CHINESE_DURATION = re.compile(
    rf"(\d{{1,6}}(?:\.\d{{1,2}})?|十[几来]|几十|[几数半]|{CHINESE}{{1,3}})\s?([多来])?(个半|个)?\s?"
    r"(小时|钟头|分钟|刻钟|秒钟?|天|周|星期|礼拜|月|分(?=前|之前|以前))(半)?"
)
_ENGLISH_UNIT_ALONE = re.compile(
    r"(half[\s-])?(minute|hour|day|week|month)(?![\w-])(?!\s(?:change|deploy|fix))"
    r"(\sand\sa\shalf)?",
    re.ASCII,
)
LAST_HOUR_IN_CHINESE = re.compile(r"上一?个?(小时|钟头)")

_SECONDS: dict[str, tuple[float, str]] = {
    "s": (1, "second"),
    "m": (60, "minute"),
    "h": (3600, "hour"),
    "d": (86_400, "day"),
    "w": (7 * 86_400, "day"),
    "months": (30 * 86_400, "day"),
    "秒": (1, "second"),
    "分": (60, "minute"),
    "刻": (900, "minute"),
    "小": (3600, "hour"),
    "钟": (3600, "hour"),
    "天": (86_400, "day"),
    "周": (7 * 86_400, "day"),
    "星": (7 * 86_400, "day"),
    "礼": (7 * 86_400, "day"),
    "月": (30 * 86_400, "day"),
}


_NUMBER = r"[一二两三四五六七八九十几半数\d]"
_SOON_A_NUMBER = rf"\s{{0,2}}{_NUMBER}"


def _words(words: str, *, after: str = r"(?!\w)") -> re.Pattern[str]:
    return re.compile(rf"(?:{words}){after}", re.ASCII)


MARKS: tuple[tuple[re.Pattern[str], Mark], ...] = (
    (_words(r"just now|(?:a )?moments? ago|a (?:little )?while ago|earlier on"), Mark.JUST),
    (_words("刚才|刚刚|方才|不久前|一会儿?前|刚(?=挂|崩|出现|报)", after=""), Mark.JUST),
    (_words(r"right now|now|currently|at the moment|at present|present|the present"), Mark.NOW),
    (_words("现在|目前|当前|此刻|眼下", after=""), Mark.NOW),
    (_words(r"until now|till now|up to now|to date|onwards?|and later|and after"), Mark.ONWARDS),
    (
        _words(
            "(?:一?直?到)(?:现在|目前)|至今|开始|以来|[以之]后|后(?![台端续缀])|起(?!来)", after=""
        ),
        Mark.ONWARDS,
    ),
    (
        _words(
            r"(?:ever )?since|after|as of|(?:start(?:ed|ing|s)?|began|begun|beginning)"
            r"(?: (?:at|from|on|around|about))?(?: (?:at|around|about))?"
        ),
        Mark.SINCE,
    ),
    (_words("自从|自(?!动|己|身|愈)", after=""), Mark.SINCE),
    (_words("between|from"), Mark.BETWEEN),
    (_words("从", after=""), Mark.BETWEEN),
    (_words("until|till|up to"), Mark.UNTIL),
    (_words("直到", after=""), Mark.UNTIL),
    (_words("through|thru|to"), Mark.TO),
    (_words("[到至~]|-{1,2}(?!>)|/(?=\\d{4}-)", after=""), Mark.TO),
    (_words(r"(?:[-=]>|→|\.{2,3}|…)(?=\s?\d{1,2}[:点])", after=""), Mark.TO),
    (_words("[与和跟同](?=[^，。,?？]{1,12}(?:相比|比较|对比))", after=""), Mark.COMPARED),
    (_words("and"), Mark.AND),
    (_words("[和与/]", after=""), Mark.AND),
    (_words("before(?! now)|prior to"), Mark.BEFORE),
    (_words("ago|earlier|back|before now"), Mark.AGO),
    (
        _words(
            r"(?:with)?in the (?:last|past|previous|preceding)|last|past|previous|preceding"
        ),
        Mark.LAST,
    ),
    (_words(rf"(?:最近的?|近|过去的?)(?={_SOON_A_NUMBER})", after=""), Mark.LAST),
    (_words(f"[这前](?={_NUMBER})", after=""), Mark.LAST),
    (_words("[之以]?前(?![端台缀])(?!后)", after=""), Mark.AGO),
    (_words("最近(?!一次|一个|的?(?:发布|部署|上线|变更|改动|版本))", after=""), Mark.LATELY),
    (_words("(?:持续|已经)了?|连续", after=""), Mark.DURING),
    (_words("within(?: about)?|last(?:ed|ing)(?: for)?(?: about)?"), Mark.DURING),
    (_words("以来|之?内|里", after=""), Mark.WITHIN),
    (_words("for"), Mark.FOR),
    (
        _words("been|already|down|slow|failing|broken|unavailable|unreachable|degraded"),
        Mark.BEEN,
    ),
    (_words(r"(?:slower|faster|higher|lower|worse|better|more|less|other|rather)? ?than|"
            r"(?:as )?compared (?:to|with)|versus|vs\.?|unlike|like|same as|as"), Mark.COMPARED),
    (_words("相比于?|对比|比起|比(?![例较如率])|同比|环比", after=""), Mark.COMPARED),
    (_words("recently|lately|近期|近来"), Mark.LATELY),
    (_words("plus or minus"), Mark.AROUND),
    (_words(r"前后|上下|±|\+/-", after=""), Mark.AROUND),
    (_words(r"at|around|about|circa|near"), Mark.AT),
    (_words("@", after=""), Mark.AT),
    (_words("on|the|of|in|during|time|local|exactly|approximately|roughly|sharp"), Mark.FILLER),
    (_words(r"approx\.?|'s"), Mark.FILLER),
    (
        _words(
            "大概|大约|左右|附近|那会儿|的?时候|当时|时间|之间|期间|那段|突然|"
            "[的在于约是整就又才许]|[,，、()\\[\\]\"':=]",
            after="",
        ),
        Mark.FILLER,
    ),
)  # fmt: skip


def english_duration(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    said, unit, and_a_half = found.groups()
    value = _a_few(said, unit)
    if value is not None and and_a_half:
        value += 0.5
    return _duration(value, unit)


def and_a_half(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    value = amount(found[1])
    return _duration(None if value is None else value + 0.5, found[2])


def range_of_amounts(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    """2-3 hours: the middle. What follows a clock (10:00 - 5 m…) is none."""
    if before and before[-1].end == found.start() and isinstance(before[-1].value, Clock | Zone):
        return None
    return _duration((int(found[1]) + int(found[2])) / 2, found[3] or found[4])


def hours_and_minutes(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    return _duration(int(found[1]) * 60 + int(found[2]), "m")


def chinese_duration(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    """两个半小时, 半个小时, 十几分钟, 两三天; 月 needs its 个, and 分 alone its 前."""
    said, _, piece, unit, half = found.groups()
    value = _a_few(said, unit)
    if value is None or (unit == "月" and piece is None):
        return None
    if piece == "个半" or half:
        value += 0.5
    return _duration(value, unit)


def unit_alone(found: re.Match[str], before: Sequence[Token]) -> list[Value] | None:
    """ "hour" in "the last hour"; "minute" needs more than "last" before it (last minute fix)."""
    if not before or before[-1].value is not Mark.LAST:
        return None
    said = found.string[before[-1].start : before[-1].end]
    follows_the = found.string[: before[-1].start].rstrip().endswith("the")
    if found[2] == "minute" and said == "last" and not follows_the:
        return None
    return _duration(0.5 if found[1] else 1.5 if found[3] else 1, found[2])


def last_hour_in_chinese(found: re.Match[str], before: Sequence[Token]) -> list[Value]:
    return [Mark.LAST, Duration(timedelta(hours=1), "hour")]


UNIT_ALONE = _ENGLISH_UNIT_ALONE


def _a_few(said: str, unit: str) -> float | None:
    """A few minutes are more of them than a few hours."""
    few = "few" in said or said in ("几", "数")
    return 5.0 if few and unit[0] in "m分" else amount(said)


def _duration(value: float | None, unit: str) -> list[Value] | None:
    if value is None:
        return None
    name = "months" if unit.startswith("mo") else unit[0]
    seconds, counted_in = _SECONDS[name]
    if not 0 < value * seconds <= LONGEST.total_seconds():
        return None
    length = timedelta(seconds=value * seconds)
    match counted_in:
        case "second":
            return [Duration(length, "second")]
        case "minute":
            return [Duration(length, "minute")]
        case "hour":
            return [Duration(length, "hour")]
        case _:
            return [Duration(length, "day")]

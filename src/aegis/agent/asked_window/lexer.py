"""Cuts a question into the words of time phrases; everything else becomes Mark.OTHER.

Each position is tried against a fixed list of patterns, all of bounded length, and what no
pattern knows is skipped a whole word at a time. So the work grows with the length of the
text only, and nothing inside a word (an address, an id, a version) is ever read as a time.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import TypeAlias

from aegis.agent.asked_window import clock_terms, day_terms, span_terms
from aegis.agent.asked_window.terms import Mark, Token, Value

Reading: TypeAlias = Callable[[re.Match[str], Sequence[Token]], list[Value] | None]

_RULES: tuple[tuple[re.Pattern[str], Reading], ...] = (
    (day_terms.ISO_DATE, day_terms.full_date),
    (day_terms.DOTTED_DATE, day_terms.full_date),
    (day_terms.COMPACT_TIME, day_terms.compact_time),
    (day_terms.COMPACT_DATE, day_terms.full_date),
    (day_terms.CHINESE_DATE, day_terms.chinese_date),
    (day_terms.MONTH_AND_DAY, day_terms.month_and_day),
    (day_terms.SHOPPING_DAY, day_terms.shopping_day),
    (day_terms.ENGLISH_DATE, day_terms.english_date),
    (day_terms.ENGLISH_DATE_DAY_FIRST, day_terms.english_date_day_first),
    (day_terms.CHINESE_DAY_OF_MONTH, day_terms.chinese_day_of_month),
    (day_terms.ENGLISH_DAY_OF_MONTH, day_terms.english_day_of_month),
    (clock_terms.ZONE, clock_terms.zone),
    (clock_terms.MERIDIEM, clock_terms.meridiem),
    (clock_terms.DIGITAL, clock_terms.digital),
    (clock_terms.IN_WORDS, clock_terms.in_words),
    (clock_terms.OCLOCK, clock_terms.oclock),
    (clock_terms.PAST_THE_HOUR, clock_terms.past_the_hour),
    (span_terms.HOURS_AND_MINUTES, span_terms.hours_and_minutes),
    (span_terms.ENGLISH_RANGE_OF_AMOUNTS, span_terms.range_of_amounts),
    (span_terms.AND_A_HALF, span_terms.and_a_half),
    (span_terms.ENGLISH_DURATION, span_terms.english_duration),
    (span_terms.CHINESE_DURATION, span_terms.chinese_duration),
    (span_terms.LAST_HOUR_IN_CHINESE, span_terms.last_hour_in_chinese),
    (span_terms.UNIT_ALONE, span_terms.unit_alone),
    (clock_terms.CHINESE_CLOCK, clock_terms.chinese_clock),
    (clock_terms.MINUTES_LATER, clock_terms.minutes_later),
    (clock_terms.NOON_OR_MIDNIGHT, clock_terms.noon_or_midnight),
    (day_terms.CHINESE_DAY, day_terms.chinese_day),
    (day_terms.ENGLISH_DAY, day_terms.english_day),
    (day_terms.CHINESE_WEEKDAY, day_terms.chinese_weekday),
    (day_terms.CHINESE_STRETCH, day_terms.chinese_stretch),
    (day_terms.ENGLISH_WEEKDAY, day_terms.english_weekday),
    (day_terms.SHORT_WEEKDAY, day_terms.short_weekday),
    (day_terms.ENGLISH_STRETCH, day_terms.english_stretch),
    (day_terms.CHINESE_PART, day_terms.chinese_part),
    (day_terms.ENGLISH_PART, day_terms.english_part),
    (clock_terms.BARE, clock_terms.bare_hour),
)
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"\w+(?:[.:/@'-]\w+)*|.", re.ASCII | re.DOTALL)
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−－", "-") | {"〜": "~", "’": "'", "，": ","})


def plain(text: str) -> str:
    """Lower case, half-width, one kind of dash; every character stays at its place."""
    return "".join(map(_plain_char, text.translate(_DASHES)))


def tokens_of(text: str) -> tuple[Token, ...]:
    """The words of an already `plain` text, in order; a run of other words is one OTHER."""
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        space = _SPACE.match(text, at)
        if space:
            at = space.end()
            continue
        values, end = _read(text, at, tokens)
        if values == [Mark.OTHER] and tokens and tokens[-1].value is Mark.OTHER:
            tokens[-1] = Token(Mark.OTHER, tokens[-1].start, end)
        else:
            tokens += [Token(value, at, end) for value in values]
        at = end
    return tuple(tokens)


def _read(text: str, at: int, before: Sequence[Token]) -> tuple[list[Value], int]:
    for pattern, reading in _RULES:
        found = pattern.match(text, at)
        if found is not None:
            values = reading(found, before)
            if values is not None:
                return values, found.end()
    for pattern, mark in span_terms.MARKS:
        found = pattern.match(text, at)
        if found is not None and found.end() > at:
            return [mark], found.end()
    word = _WORD.match(text, at)
    return [Mark.OTHER], at + 1 if word is None else word.end()


def _plain_char(char: str) -> str:
    if char.isascii():
        return char.lower()
    folded = unicodedata.normalize("NFKC", char).lower()
    return folded if len(folded) == 1 else char

"""Puts the words of a question together to time phrases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta, tzinfo
from typing import Literal, TypeAlias

from aegis.agent.asked_window.terms import (
    BareHour,
    Clock,
    Day,
    DaysFromToday,
    Duration,
    Mark,
    Part,
    Token,
    Value,
    Zone,
)

MOST_FILLERS = 3
_SHORTEST_STATE = timedelta(minutes=1)
"""Below this "within 30 s" is a limit, not a time to look at."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as it was said, to be placed later: a day, a part of it, a clock time, or "ago".

    `bare` is a clock time of a mere number ("at 9"), to be believed only beside a day.
    `part_follows`: the part of the day was said after the clock time ("11 last night").
    """

    start: int
    end: int
    day: Day | None = None
    parts: tuple[Part, ...] = ()
    clock: Clock | None = None
    zone: tzinfo | None = None
    ago: timedelta | None = None
    bare: bool = False
    part_follows: bool = False

    @property
    def dated(self) -> bool:
        return self.day is not None or self.ago is not None


Form: TypeAlias = Literal[
    "stated",
    "between",
    "onwards",
    "up to",
    "lasting",
    "around",
    "back",
    "ongoing",
    "just",
    "lately",
    "now",
]


@dataclass(frozen=True, slots=True)
class Phrase:
    """`last` belongs to "between"; `length` to "lasting", "around", "back" and "ongoing"."""

    form: Form
    start: int
    end: int
    first: Moment | None = None
    last: Moment | None = None
    length: timedelta | None = None


Parsed: TypeAlias = tuple[Phrase | None, int]
_WORDS: dict[Value, Form] = {Mark.JUST: "just", Mark.LATELY: "lately", Mark.NOW: "now"}


def phrases_of(tokens: Sequence[Token]) -> tuple[Phrase, ...]:
    """In the order said. What something is compared with ("than yesterday") is left out."""
    phrases: list[Phrase] = []
    at = 0
    while at < len(tokens):
        compared = tokens[at].value is Mark.COMPARED
        start = _skip(tokens, at + 1) if compared else at
        phrase, after = _phrase(tokens, start)
        if phrase is None:
            at += 1
            continue
        if not compared:
            phrases.append(phrase)
        elif _value(tokens, after) is Mark.COMPARED:
            after += 1  # 与昨天相比 says it twice
        at = max(after, at + 1)
    return tuple(phrases)


def _phrase(tokens: Sequence[Token], at: int) -> Parsed:
    value = _value(tokens, at)
    if isinstance(value, Mark):
        if value in _WORDS:
            token = tokens[at]
            return Phrase(_WORDS[value], token.start, token.end), at + 1
        if value in (Mark.LAST, Mark.FOR, Mark.DURING):
            return _lookback(tokens, at)
        if value is Mark.BETWEEN:
            return _from(tokens, at)
        if value is Mark.SINCE:
            return _bound(tokens, at, "onwards")
        if value in (Mark.BEFORE, Mark.UNTIL):
            return _bound(tokens, at, "up to")
        if value is not Mark.AT:
            return None, at
    if isinstance(value, Duration) and _value(tokens, at + 1) is Mark.WITHIN:
        return _back(tokens, at, at, at + 2)
    first, after = _moment(tokens, at, bare=True)
    if first is None:
        return None, at
    phrase, end = _continued(tokens, first, after)
    if phrase is not None and phrase.form != "between" and first.bare:
        # A mere number is an hour only after "at"; without it only the day was said.
        sure, after = _moment(tokens, at)
        return (None, at) if sure is None else _continued(tokens, sure, after)
    return phrase, end


def _continued(tokens: Sequence[Token], first: Moment, after: int) -> Parsed:
    """What follows a moment tells what it is the start, the end or the middle of."""
    at = _skip(tokens, after)
    value = _value(tokens, at)
    if value in (Mark.TO, Mark.UNTIL):
        phrase, end = _to(tokens, first, at)
        if phrase is not None:
            return phrase, end
    if value is Mark.ONWARDS:
        beyond = _skip(tokens, at + 1)
        told_of = _value(tokens, beyond + 1) in (Mark.AGO, Mark.WITHIN)
        if isinstance(_value(tokens, beyond), Duration) and not told_of:
            return _with_length(tokens, first, beyond, "lasting")
        return Phrase("onwards", first.start, tokens[at].end, first), at + 1
    if value is Mark.AGO:
        return Phrase("up to", first.start, tokens[at].end, first), at + 1
    following = _value(tokens, at + 1)
    if value in (Mark.FOR, Mark.AROUND) and isinstance(following, Duration):
        return _with_length(tokens, first, at + 1, "lasting" if value is Mark.FOR else "around")
    return Phrase("stated", first.start, first.end, first), after


def _to(tokens: Sequence[Token], first: Moment, at: int, *, introduced: bool = False) -> Parsed:
    """The end of a range whose start and joining word were read; "between" introduces one."""
    beyond = _skip(tokens, at + 1)
    if _value(tokens, beyond) is Mark.NOW:
        return Phrase("onwards", first.start, tokens[beyond].end, first), beyond + 1
    last, after = _moment(tokens, beyond, bare=True)
    if last is None or not (introduced or _believable(first, last)):
        return None, at
    if (first.clock is None) != (last.clock is None) and (first.bare or last.bare):
        return None, at
    return Phrase("between", first.start, last.end, first, last), after


def _from(tokens: Sequence[Token], at: int) -> Parsed:
    """ "between A and B", "from A to B", and "from A", which goes on until now."""
    first, after = _moment(tokens, _skip(tokens, at + 1), bare=True)
    if first is None:
        return None, at
    joint = _skip(tokens, after)
    if _value(tokens, joint) in (Mark.TO, Mark.UNTIL, Mark.AND):
        phrase, end = _to(tokens, first, joint, introduced=True)
        if phrase is not None:
            return replace(phrase, start=tokens[at].start), end
    return _bound(tokens, at, "onwards")


def _bound(tokens: Sequence[Token], at: int, form: Form) -> Parsed:
    """ "since A", "before A"; a bare number must end the sentence (since 9)."""
    first, after = _moment(tokens, _skip(tokens, at + 1), bare=True)
    if first is None:
        return None, at
    if first.bare and not first.dated and not first.parts and after < len(tokens):
        return None, at
    phrase, end = _continued(tokens, replace(first, bare=False), after)
    if phrase is not None and phrase.form != "stated":
        return replace(phrase, start=tokens[at].start), end
    return Phrase(form, tokens[at].start, first.end, replace(first, bare=False)), after


def _lookback(tokens: Sequence[Token], at: int) -> Parsed:
    """ "last 2 hours", "within 10 minutes of 23:00"; "for 2 hours" after "has been"."""
    duration_at = _skip(tokens, at + 1)
    duration = _value(tokens, duration_at)
    if not isinstance(duration, Duration):
        return None, at
    beyond = _value(tokens, duration_at + 1)
    if tokens[at].value is Mark.FOR:
        told = any(token.value is Mark.BEEN for token in tokens[max(0, at - 8) : at])
        if not told and beyond not in (Mark.NOW, Mark.BEEN):
            return None, at
    if beyond is Mark.FILLER:
        middle, after = _moment(tokens, _skip(tokens, duration_at + 1))
        if middle is not None and middle.clock is not None:
            phrase, _ = _with_length(tokens, middle, duration_at, "around")
            return phrase, after
    return _back(tokens, at, duration_at, duration_at + 1)


def _back(tokens: Sequence[Token], at: int, duration_at: int, after: int) -> Parsed:
    duration = _value(tokens, duration_at)
    if not isinstance(duration, Duration) or _value(tokens, duration_at + 1) is Mark.AGO:
        return None, at
    if tokens[at].value is not Mark.LAST and duration.length < _SHORTEST_STATE:
        return None, at
    end = tokens[after - 1].end
    form: Form = "ongoing" if tokens[at].value in (Mark.FOR, Mark.DURING) else "back"
    return Phrase(form, tokens[at].start, end, length=duration.length), after


def _with_length(tokens: Sequence[Token], first: Moment, at: int, form: Form) -> Parsed:
    duration = tokens[at].value
    if not isinstance(duration, Duration):
        return None, at
    start, end = min(first.start, tokens[at].start), max(first.end, tokens[at].end)
    return Phrase(form, start, end, first, length=duration.length), at + 1


def _moment(tokens: Sequence[Token], at: int, *, bare: bool = False) -> tuple[Moment | None, int]:
    """Words that say one time together, in any order, each kind of word once."""
    moment: Moment | None = None
    after = at
    fillers = 0
    while at < len(tokens) and fillers <= MOST_FILLERS:
        token = tokens[at]
        if token.value in (Mark.FILLER, Mark.AT, Mark.AROUND):
            if token.value is Mark.AROUND and isinstance(_value(tokens, at + 1), Duration):
                break
            fillers += 1
            at += 1
            continue
        so_far = moment or Moment(token.start, token.end)
        told = _with(so_far, token.value, tokens, at, bare=bare)
        if told is None:
            break
        at += 2 if isinstance(token.value, Duration) else 1
        moment = replace(told, end=tokens[at - 1].end)
        after, fillers = at, 0
    if moment is None or (moment.clock is None and not moment.dated and not moment.parts):
        return None, after
    return moment, after


def _with(
    moment: Moment, value: Value, tokens: Sequence[Token], at: int, *, bare: bool
) -> Moment | None:
    """The moment with one more word; None where the word belongs to another moment."""
    match value:
        case Clock() if moment.clock is None and moment.ago is None:
            return replace(moment, clock=value)
        case BareHour(hour) if moment.clock is None and moment.ago is None:
            if not (bare or _value(tokens, at - 1) is Mark.AT):
                return None
            reading: Literal["spoken", "exact"] = "spoken" if 0 < hour <= 12 else "exact"
            return replace(moment, clock=Clock(hour, reading=reading), bare=True)
        case Part() if len(moment.parts) < 2 and moment.ago is None:
            parts, follows = (*moment.parts, value), moment.clock is not None
            # "11 at night": the part of the day makes an hour of the number.
            return replace(moment, parts=parts, part_follows=follows, bare=False)
        case Zone(zone) if moment.zone is None:
            return replace(moment, zone=zone)
        case Duration(length, unit) if _value(tokens, at + 1) is Mark.AGO and not moment.dated:
            if unit == "day":
                return replace(moment, day=DaysFromToday(-length.days))
            return None if moment.clock or moment.parts else replace(moment, ago=length)
        case _ if isinstance(value, Day) and not moment.dated:
            return replace(moment, day=value)
        case _:
            return None


def _believable(first: Moment, last: Moment) -> bool:
    """Numbers alone are no times: 3 to 5; with a day or one real clock time they are."""
    clocks = [one for one in (first, last) if one.clock is not None]
    sure = [one for one in clocks if not one.bare]
    named = any(one.dated or one.parts for one in (first, last))
    return not clocks or bool(sure) or (len(clocks) == 2 and named)


def _skip(tokens: Sequence[Token], at: int) -> int:
    """Past fillers, a few at most."""
    end = at + MOST_FILLERS
    while at < end and _value(tokens, at) in (Mark.FILLER, Mark.AT):
        at += 1
    return at


def _value(tokens: Sequence[Token], at: int) -> Value | None:
    return tokens[at].value if 0 <= at < len(tokens) else None

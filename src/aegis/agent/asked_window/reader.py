"""Finds the time that a question names."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from aegis.agent.asked_window.grammar import Moment, Phrase, phrases_of
from aegis.agent.asked_window.lexer import plain, tokens_of
from aegis.agent.asked_window.meaning import meant
from aegis.agent.asked_window.placing import Place
from aegis.agent.asked_window.terms import Stretch
from aegis.agent.asked_window.window import AskedWindow


def read_window(question: str, now: datetime, timezone: ZoneInfo) -> AskedWindow | None:
    """The window a question names, in Chinese, English or both; None where it names no time.

    Times without a zone of their own are in `timezone`. Of several times the most definite
    counts (a range, a beginning, a clock time, a day), then the first said. A time without a
    date is the latest such time that has begun by `now`, which must be aware.
    """
    place = Place(now.astimezone(UTC), timezone)
    phrases = phrases_of(tokens_of(plain(question)))
    phrases = _lasting_from_a_clock_time(_with_day_said_elsewhere(phrases))
    for phrase in sorted(phrases, key=_rank):
        window = meant(phrase, place, question)
        if window is not None:
            return window
    return None


def _rank(phrase: Phrase) -> int:
    """The most definite first. A lone "now" tells least: it stands in many questions."""
    forms = ("between", "lasting", "around", "onwards", "back", "ongoing", "stated", "up to")
    if phrase.form not in forms:
        return 8 if phrase.form == "now" else 7
    moment = phrase.first
    if moment is None or moment.clock is not None:
        return {"onwards": 1, "back": 2, "ongoing": 2, "stated": 3, "up to": 3}.get(phrase.form, 0)
    if moment.ago is not None:
        return {"onwards": 1}.get(phrase.form, 4) if phrase.form != "between" else 0
    return {"between": 0, "lasting": 0, "onwards": 4}.get(phrase.form, 5)


def _with_day_said_elsewhere(phrases: tuple[Phrase, ...]) -> tuple[Phrase, ...]:
    """A clock time takes the one day that is named apart from it (昨天支付很慢，23:00 最严重)."""
    days = [phrase for phrase in phrases if _names_only_a_day(phrase)]
    clocks = [phrase for phrase in phrases if _lacks_a_day(phrase)]
    if len({(one.first.day, one.first.parts) for one in days if one.first}) == 1 and clocks:
        moment = days[0].first
        phrases = tuple(
            _on_day(one, moment) if one in clocks and moment else one
            for one in phrases
            if one not in days
        )
    return tuple(one for one in phrases if one.first is None or not _alone(one))


def _lasting_from_a_clock_time(phrases: tuple[Phrase, ...]) -> tuple[Phrase, ...]:
    """What lasted five minutes began at the time said before it (7:35 开始报错，持续了 5 分钟)."""
    found: list[Phrase] = []
    for phrase in phrases:
        began = found[-1] if found else None
        if phrase.form == "ongoing" and began is not None and _states_a_clock_time(began):
            found[-1] = replace(began, form="lasting", length=phrase.length)
        else:
            found.append(phrase)
    return tuple(found)


def _states_a_clock_time(phrase: Phrase) -> bool:
    stated = phrase.form in ("stated", "onwards")
    return stated and phrase.first is not None and phrase.first.clock is not None


def _names_only_a_day(phrase: Phrase) -> bool:
    moment = phrase.first
    if phrase.form != "stated" or moment is None or moment.clock is not None:
        return False
    return moment.day is not None and not isinstance(moment.day, Stretch)


def _lacks_a_day(phrase: Phrase) -> bool:
    moment = phrase.first
    if moment is None or moment.clock is None or moment.dated:
        return False
    return phrase.last is None or not phrase.last.dated


def _alone(phrase: Phrase) -> bool:
    """Mere numbers with nothing that makes them hours."""
    ends = [one for one in (phrase.first, phrase.last) if one is not None]
    return not any(one.dated or one.parts or not one.bare for one in ends)


def _on_day(phrase: Phrase, day: Moment) -> Phrase:
    if phrase.first is None:
        return phrase
    parts = phrase.first.parts or day.parts
    return replace(phrase, first=replace(phrase.first, day=day.day, parts=parts))

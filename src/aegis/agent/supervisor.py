"""Understands a question without a model: which time, which services, which kind of symptom."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from aegis.agent.asked_window import AskedWindow, read_window
from aegis.agent.service_names import Mention, ambiguous_services, mentions
from aegis.model.telemetry import Alarm
from aegis.model.text import Language

AlarmKind = Literal["latency", "errors"]

_STATUS = (
    r"(?:5xx|5(?:0[0-4]|2[0-4])s?(?![\w.%])"
    r"(?!\s?(?:ms|s\b|m\b|[kmg]i?b|pods?|requests?|毫秒|[个台次条秒])))"
)
_WORDS: dict[AlarmKind, re.Pattern[str]] = {
    "latency": re.compile(
        r"\b(?:slow(?:er|ly|ness|s|ed|ing)?|sluggish|latenc(?:y|ies)|lag(?:s|gy|ging)?|"
        r"tim(?:e|es|ed|ing)[ -]?outs?|hang(?:s|ing)?|hung|stuck|p9\d(?:\.\d+)?|p50|"
        r"response times?|delay(?:s|ed)?|tak(?:es|ing) (?:too |so )?long)\b|"
        r"慢|超时|延迟|延时|耗时|卡顿|卡住|卡死|很卡|响应时间|迟缓",
        re.ASCII,
    ),
    "errors": re.compile(
        rf"(?<![\w.]){_STATUS}|\b(?:errors?|erroring|fail(?:s|ed|ing|ures?)?|exceptions?|"
        r"crash(?:es|ed|ing)?|down|unavailable|broken?|broke|outage|refused|reject(?:s|ed|ing)?)\b|"
        r"报错|出错|错误|失败|抛异常|抛出异常|挂了|挂掉|崩溃|崩了|宕机|不可用|被拒绝",
        re.ASCII,
    ),
}
_DENIED = re.compile(
    r"(?:\b(?:no|not|without|never|isn't|aren't|wasn't|zero)(?: \w+)?|没有?|并?不|无|未)\s?$",
    re.ASCII,
)
_CHINESE = re.compile("[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Route:
    """What a question asks for.

    `window` is None where it names no time. `services` come in order of mention;
    `ambiguous` are those among them whose name fits others as well.
    """

    window: AskedWindow | None
    services: tuple[str, ...]
    ambiguous: tuple[str, ...]
    alarm_kind: AlarmKind | None
    language: Language


def route(
    question: str, *, now: datetime, timezone: ZoneInfo, known_services: Sequence[str]
) -> Route:
    """`now` must be aware; times in the question are in `timezone` unless it says otherwise."""
    found = mentions(question, known_services)
    return Route(
        window=read_window(question, now, timezone),
        services=_in_order(found),
        ambiguous=ambiguous_services(found),
        alarm_kind=alarm_kind(question),
        language=language_of(question),
    )


def alarm_kind(question: str) -> AlarmKind | None:
    """The first symptom that is named and not denied ("no errors, but slow" is latency)."""
    text = question.lower()
    told = [
        (found.start(), kind)
        for kind, words in _WORDS.items()
        for found in words.finditer(text)
        if not _DENIED.search(text, max(0, found.start() - 24), found.start())
    ]
    return min(told)[1] if told else None


def alarm_named(question: str) -> Alarm | None:
    """The kind of symptom as an alarm of no service; None where no symptom is named.

    Services that are named do not make an alarm: people name where they noticed it.
    """
    kind = alarm_kind(question)
    return None if kind is None else Alarm(None, kind)


def language_of(question: str) -> Language:
    """English unless the text has a Chinese character."""
    return "zh" if _CHINESE.search(question) else "en"


def _in_order(found: Sequence[Mention]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(service for one in found for service in one.services))

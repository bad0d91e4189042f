"""The onset in words: four outcomes in two languages."""

from __future__ import annotations

import pytest

from aegis.engine.onset_words import onset_statement
from aegis.model.diagnosis import OnsetOutcome
from aegis.model.text import Text
from tests.engine.burning import minutes
from tests.engine.telemetry import at_ns

ASKED = minutes(45, 60)
WINDOW = minutes(47, 70)


def said(outcome: OnsetOutcome, start_min: float | None, end_min: float | None) -> Text:
    start, end = (None if one is None else at_ns(60 * one) for one in (start_min, end_min))
    return onset_statement(outcome, ASKED, start, end, WINDOW)


@pytest.mark.parametrize(
    ("outcome", "start", "end", "en", "zh"),
    [
        (
            "ongoing",
            47,
            None,
            "It began at 10:47:00 UTC, 13 minutes before you asked, and still goes on.",
            "始于 UTC 10:47:00，即提问时间之前 13 分钟，仍在持续。",
        ),
        (
            "ended",
            47,
            58,
            "It began at 10:47:00 UTC, 13 minutes before you asked; "
            "it ended at 10:58:00 UTC and lasted 11 minutes.",
            "始于 UTC 10:47:00，即提问时间之前 13 分钟；UTC 10:58:00 结束，持续 11 分钟。",
        ),
        (
            "ended",
            63,
            64,
            "It began at 11:03:00 UTC, 3 minutes after the time asked about; "
            "it ended at 11:04:00 UTC and lasted 1 minute.",
            "始于 UTC 11:03:00，即所问时间之后 3 分钟；UTC 11:04:00 结束，持续 1 分钟。",
        ),
        (
            "before_history",
            None,
            None,
            "It began before the history that was read (from 10:47:00 UTC), and it still goes on.",
            "在读到的历史（自 UTC 10:47:00 起）之前就已开始，至今仍在持续。",
        ),
        (
            "before_history",
            None,
            55,
            "It began before the history that was read (from 10:47:00 UTC), "
            "and it ended at 10:55:00 UTC.",
            "在读到的历史（自 UTC 10:47:00 起）之前就已开始，于 UTC 10:55:00 结束。",
        ),
        (
            "nothing",
            None,
            None,
            "Nothing began around the time asked about.",
            "所问时间前后没有发现任何开始异常的迹象。",
        ),
    ],
)
def test_each_outcome_has_its_sentence(
    outcome: OnsetOutcome, start: float | None, end: float | None, en: str, zh: str
) -> None:
    assert said(outcome, start, end) == Text(zh, en)


def test_what_begins_as_the_asked_time_ends_began_before_the_question() -> None:
    assert "less than a minute before you asked" in said("ongoing", 60, None).en


def test_lengths_are_told_in_the_unit_people_use() -> None:
    assert "lasted less than a minute" in said("ended", 47, 47.2).en
    assert "持续 不到一分钟" in said("ended", 47, 47.2).zh
    assert "lasted 119 minutes" in said("ended", 47, 166).en
    assert "lasted 2.5 hours" in said("ended", 47, 197).en
    assert "持续 2.5 小时" in said("ended", 47, 197).zh

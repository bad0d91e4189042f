"""Midnight, changed clocks, and zones that a question states."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from aegis.agent.asked_window import read_window
from tests.agent.windows import Row, expected, instant, shown, understood

BERLIN = "Europe/Berlin"
NEW_YORK = "America/New_York"

MIDNIGHT = [
    Row("23:50~00:10", "range 11-03 23:50 > 11-04 00:05", "2026-11-04 00:05"),
    Row("23:50~00:10", "range 11-03 23:50 > 11-03 23:55", "2026-11-03 23:55"),
    Row("昨天 23:50~00:10", "range 11-03 23:50 > 11-04 00:10"),
    Row("昨晚 23:50 到 00:10", "range 11-03 23:50 > 11-04 00:10"),
    Row("11pm to 1am", "range 11-03 23:00 > 11-04 01:00"),
    Row("昨天晚上11点", "point 11-03 22:45 > 11-03 23:15", "2026-11-04 01:00"),
    Row("昨晚", "vague 11-03 18:00 > 11-04 01:00", "2026-11-04 01:00"),
    Row("tonight", "vague 11-03 18:00 > 11-04 01:00", "2026-11-04 01:00"),
    Row("今晚8点", "point 11-04 19:45 > 11-04 20:15", "2026-11-04 23:00"),
    Row("今晚 11 点", "point 11-03 22:45 > 11-03 23:15", "2026-11-04 00:30"),
    Row("tonight at 11", "point 11-03 22:45 > 11-03 23:15", "2026-11-04 00:30"),
    Row("今晚 11 点", None, "2026-11-04 09:00"),
    Row("this morning", "vague 11-04 00:00 > 11-04 05:00", "2026-11-04 05:00"),
    Row("今天半夜两点", "point 11-04 01:45 > 11-04 02:15"),
    Row("00:00", "point 11-03 23:45 > 11-04 00:15"),
    Row("0点", "point 11-03 23:45 > 11-04 00:03", "2026-11-04 00:03"),
    Row("at 24:00", "point 11-03 23:45 > 11-04 00:15"),
    Row("at midnight", "point 11-03 23:45 > 11-03 23:58", "2026-11-03 23:58"),
    Row("今天", "vague 11-04 00:00 > 11-04 00:01", "2026-11-04 00:01"),
    Row("今天", None, "2026-11-04 00:00"),
    Row("12月31日 23:50 到 00:10", "range 2025-12-31 23:50 > 2026-01-01 00:10"),
    Row("2月29日 10:00", "point 2024-02-29 09:45 > 2024-02-29 10:15"),
    Row("上个月31号 10:15", "point 10-31 10:00 > 10-31 10:30"),
    Row("at 15:00", "point 11-04 14:45 > 11-04 14:57", "2026-11-04 14:57"),
    Row("at 15:00", "point 11-04 14:45 > 11-04 14:55", "2026-11-04 14:55"),
    Row("at 15:00", "point 11-03 14:45 > 11-03 15:15", "2026-11-04 14:54"),
    Row("昨天晚上 23 点", "point 2025-12-31 22:45 > 2025-12-31 23:15", "2026-01-01 10:00"),
    Row("since 15:00", "lookback 11-03 15:00 > 11-04 14:57", "2026-11-04 14:57"),
    Row("3点", "point 11-04 14:45 > 11-04 15:15", "2026-11-04 16:00"),
    Row("3点到4点", "range 11-04 15:00 > 11-04 16:00", "2026-11-04 16:30"),
    Row("3:00", "point 11-04 02:45 > 11-04 03:15", "2026-11-04 16:00"),
    Row("昨天三点", "point 11-03 14:45 > 11-03 15:15"),
    Row("周三 9:00", "point 11-04 08:45 > 11-04 09:15"),
    Row("周三 11:00", "point 10-28 10:45 > 10-28 11:15"),
    Row("last Wednesday 9:00", "point 10-28 08:45 > 10-28 09:15"),
    Row("10:00~10:00", "point 11-03 09:45 > 11-03 10:15", "2026-11-04 09:00"),
    Row("today 9:00 to yesterday 23:00", "range 11-03 23:00 > 11-04 09:00"),
]

CHANGED_CLOCKS = [
    # Berlin 2026-03-29: 02:00 to 03:00 does not exist.
    Row("02:30~02:45", "range 03-29T01:30+01:00 > 03-29T03:45+02:00", "2026-03-29 12:00", BERLIN),
    Row("02:30~03:00", "range 03-29T01:30+01:00 > 03-29T03:00+02:00", "2026-03-29 12:00", BERLIN),
    Row("01:45~03:15", "range 03-29T01:45+01:00 > 03-29T03:15+02:00", "2026-03-29 12:00", BERLIN),
    Row("today", "vague 03-29T00:00+01:00 > 03-29T12:00+02:00", "2026-03-29 12:00", BERLIN),
    Row("yesterday", "vague 03-29T00:00+01:00 > 03-30T00:00+02:00", "2026-03-30 12:00", BERLIN),
    # Berlin 2026-10-25: 02:00 to 03:00 occurs twice.
    Row("01:30~03:30", "range 10-25T01:30+02:00 > 10-25T03:30+01:00", "2026-10-25 09:00", BERLIN),
    Row("at 02:30", "point 10-25T02:15+02:00 > 10-25T02:45+01:00", "2026-10-25 12:00", BERLIN),
    Row("at 02:30", "point 10-25T02:15+02:00 > 10-25T02:45+02:00", "2026-10-25T00:50Z", BERLIN),
    Row("since 02:30", "lookback 10-25T02:30+02:00 > 10-25 12:00", "2026-10-25 12:00", BERLIN),
    Row("01:30~02:30", "range 10-25T01:30+02:00 > 10-25T02:30+01:00", "2026-10-25 12:00", BERLIN),
    Row("2 hours ago", "point 10-25T02:30+02:00 > 10-25T02:30+01:00", "2026-10-25 04:00", BERLIN),
    # New York 2026-03-08: 02:00 to 03:00 does not exist; 2026-11-01: 01:00 to 02:00 occurs twice.
    Row("at 2:30am", "point 03-08T03:15-04:00 > 03-08T03:45-04:00", "2026-03-08 12:00", NEW_YORK),
    Row("at 1:30am", "point 11-01T01:15-04:00 > 11-01T01:45-05:00", "2026-11-01 12:00", NEW_YORK),
    Row("last night", "vague 10-31T18:00-04:00 > 11-01T06:00-05:00", "2026-11-01 12:00", NEW_YORK),
    Row("last 24 hours", "lookback 10-31 13:00 > 11-01 12:00", "2026-11-01 12:00", NEW_YORK),
    # Shanghai changes no clocks.
    Row("凌晨2:30", "point 10-25 02:15 > 10-25 02:45", "2026-10-25 12:00"),
]  # fmt: skip

STATED_ZONES = [
    Row("22:40 UTC 开始", "lookback 11-03T22:40+00:00 > 11-04 10:00"),
    Row("yesterday 23:00 UTC", "point 11-02T22:45+00:00 > 11-02T23:15+00:00", "2026-11-04 06:00"),
    Row("14:00~14:30 UTC", "range 11-03T14:00+00:00 > 11-03T14:30+00:00"),
    Row("14:00 UTC to 14:30", "range 11-03T14:00+00:00 > 11-03T14:30+00:00"),
    Row("10:00 UTC+1 to 10:00 UTC", "range 11-03T09:00+00:00 > 11-03T10:00+00:00"),
    Row("9am PST", "point 11-03T16:45+00:00 > 11-03T17:15+00:00"),
    Row("9:00 Europe/Berlin", "point 11-03T07:45+00:00 > 11-03T08:15+00:00"),
    Row("9:00 America/New_York", "point 11-03T13:45+00:00 > 11-03T14:15+00:00"),
    Row("UTC 时间 02:15", "point 11-03T02:00+00:00 > 11-03T02:30+00:00"),
    Row("10:00-11:00", "range 11-03 10:00 > 11-03 11:00"),
    Row("2026-11-02T10:15-05:00", "point 11-02T15:00+00:00 > 11-02T15:30+00:00"),
    Row(
        "2026-11-02T10:15Z/2026-11-02T10:30Z",
        "range 11-02T10:15+00:00 > 11-02T10:30+00:00",
    ),
]


@pytest.mark.parametrize("row", MIDNIGHT, ids=str)
def test_a_time_near_midnight_falls_on_the_day_that_is_meant(row: Row) -> None:
    assert shown(understood(row)) == expected(row)


@pytest.mark.parametrize("row", CHANGED_CLOCKS, ids=str)
def test_a_window_covers_every_reading_of_a_changed_clock(row: Row) -> None:
    assert shown(understood(row)) == expected(row)


@pytest.mark.parametrize("row", STATED_ZONES, ids=str)
def test_a_zone_in_the_question_overrides_the_configured_one(row: Row) -> None:
    assert shown(understood(row)) == expected(row)


def test_a_point_keeps_the_time_it_stands_for() -> None:
    window = understood(Row("昨天晚上 23 点", None))
    assert window is not None
    assert window.at == instant("2026-11-03 23:00", "Asia/Shanghai")


def test_a_point_that_is_rounded_up_is_now() -> None:
    window = understood(Row("at 15:00", None, "2026-11-04 14:57"))
    assert window is not None
    assert window.at == window.end == instant("2026-11-04 14:57", "Asia/Shanghai")


@pytest.mark.parametrize("said", ["yesterday", "10:00~10:15", "last 2 hours"])
def test_what_is_no_point_stands_for_no_single_time(said: str) -> None:
    window = understood(Row(said, None))
    assert window is not None
    assert window.at is None


@pytest.mark.parametrize(
    ("question", "phrase"),
    [
        ("Why was Checkout slow Last Night at 23:00?", "Last Night at 23:00"),
        ("昨天晚上２３点 支付", "昨天晚上２３点"),
        ("支付从 22:40 开始超时", "从 22:40 开始"),
        ("errors in the last 45 minutes", "in the last 45 minutes"),
    ],
)
def test_the_phrase_is_the_part_of_the_question_that_was_understood(
    question: str, phrase: str
) -> None:
    window = understood(Row(question, None))
    assert window is not None
    assert window.phrase == phrase


def test_now_may_be_given_in_any_zone() -> None:
    shanghai = ZoneInfo("Asia/Shanghai")
    here = datetime(2026, 11, 4, 10, 0, tzinfo=shanghai)
    said = "昨天 23 点"
    assert read_window(said, here, shanghai) == read_window(said, here.astimezone(UTC), shanghai)

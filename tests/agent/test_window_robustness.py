"""Whatever is typed: no error, no empty window, nothing after now, and no long wait."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.agent.asked_window import read_window

ZONES = st.sampled_from(
    ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Africa/Cairo", "UTC"]
).map(ZoneInfo)
NOWS = st.integers(0, 100 * 365 * 86_400).map(
    lambda seconds: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
WORDS = [
    *("昨天", "今天", "前天", "上周五", "周一", "上周", "周末", "昨晚", "凌晨", "晚上", "下午"),
    *("半夜", "中午", "3点", "三点半", "23点", "12点", "零点", "24:00", "10:00", "00:10", "02:30"),
    *("10:15:30", "9am", "12am", "9:30pm", "noon", "midnight", "yesterday", "today", "last night"),
    *("this morning", "Friday", "on", "to", "~", "-", "到", "between", "and", "from", "从"),
    *("since", "开始", "以来", "之后", "before", "之前", "前", "ago", "until", "now", "现在"),
    *("刚才", "最近", "last", "past", "2", "30", "hours", "minutes", "小时", "分钟", "天", "半"),
    *("一个半小时", "half an", "hour", "for", "at", "around", "左右", "前后", "多", "的", ","),
    *("UTC", "+08:00", "Z", "America/New_York", "2026-11-02", "2026-11-02T10:15", "11月2日"),
    *("Nov 2nd", "2号", "than", "比", "502", "pods", "上个月", "0", "999999", "天前"),
    *("2 hours ago", "10:00~10:15", "9-9:30am", "2-3 hours"),
]
PHRASES = st.lists(st.sampled_from(WORDS), max_size=12).flatmap(
    lambda words: st.sampled_from(["", " "]).map(lambda joint: joint.join(words))
)
PATIENCE_S = 2.0


@given(st.one_of(PHRASES, st.text(max_size=80)), NOWS, ZONES)
def test_a_window_is_never_empty_and_never_ends_after_now(
    question: str, now: datetime, zone: ZoneInfo
) -> None:
    window = read_window(question, now, zone)
    if window is None:
        return
    assert window.start < window.end <= now
    assert window.start.utcoffset() == window.end.utcoffset() == timedelta(0)
    assert window.phrase
    assert window.phrase in question
    assert (window.at is not None) == (window.kind == "point")
    if window.at is not None:
        assert window.start < window.at <= window.end


@given(NOWS, ZONES)
def test_time_gone_by_is_counted_in_real_hours_whatever_clocks_do(
    now: datetime, zone: ZoneInfo
) -> None:
    window = read_window("the last 3 hours", now, zone)
    assert window is not None
    assert window.end - window.start == timedelta(hours=3)


@pytest.mark.parametrize(
    "piece",
    [
        *("1", "10:00~", "上周五晚上", "last night at ", "2026-11-", "三点", " ", "十", "from "),
        *("one and a half ", "10:", "1h", "between 9 and ", "昨天", "前", "最近", "与", "a.b-"),
        *("last ", "for ", "since ", "at 9 ", "１", "+08:00", "half an", "1 to ", "utc+", "a/b"),
        *("than ", "'s ", "yesterday 9 ", "9:00 ", "昨天 9:00 ", "1:", "nov 2 ", "("),
    ],
)
def test_long_hostile_text_is_read_fast(piece: str) -> None:
    question = (piece * 4000)[:4000]
    began = time.process_time()
    read_window(question, datetime(2026, 11, 4, 2, 0, tzinfo=UTC), ZoneInfo("Asia/Shanghai"))
    assert time.process_time() - began < PATIENCE_S

"""Each measurement is told in one sentence with both values, the change and the unit."""

from __future__ import annotations

import math
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.engine.statements import describe
from aegis.model.evidence import Signal
from aegis.model.text import Text
from tests.engine.wording import assert_bilingual

SIGNALS: tuple[Signal, ...] = get_args(Signal)
UNITS = ("%", "ms", "s", "bytes", "per_s", "per_min", "per_trace", "per_line", "share", "count")


def said(
    signal: Signal,
    subject: str = "x",
    baseline: float | None = 12.0,
    observed: float | None = 420.0,
    unit: str = "ms",
    peer: str | None = None,
) -> Text:
    return describe(
        signal=signal,
        service="cart",
        peer=peer,
        subject=subject,
        baseline=baseline,
        observed=observed,
        unit=unit,
    )


@pytest.mark.parametrize(
    ("text", "en", "zh"),
    [
        (
            said("errors", "error_rate", 0.1, 4.1, "%"),
            "cart errors (error_rate) rose from 0.1 % to 4.1 % (41×).",
            "cart 的错误（error_rate）从 0.1 % 升至 4.1 %（41 倍）。",
        ),
        (
            said("latency", "p95", 0.34, 1.2, "s", peer="db"),
            "cart latency in its calls to db (p95) rose from 340 ms to 1.2 s (3.5×).",
            "cart 调用 db 时的延迟（p95）从 340 ms 升至 1.2 s（3.5 倍）。",
        ),
        (
            said("latency", "p95", 0.34, 1.2, "s", peer="cart"),
            "cart latency as its callers see it (p95) rose from 340 ms to 1.2 s (3.5×).",
            "调用方看到的 cart 的延迟（p95）从 340 ms 升至 1.2 s（3.5 倍）。",
        ),
        (
            said("cpu", "cpu_usage", 60.0, 94.0, "%"),
            "cart CPU (cpu_usage) rose from 60 % to 94 % (up 34 percentage points).",
            "cart 的 CPU（cpu_usage）从 60 % 升至 94 %（上升 34 个百分点）。",
        ),
        (
            said("memory", "rss", 2.0**30, 1.5 * 2.0**30, "bytes"),
            "cart memory (rss) rose from 1 GiB to 1.5 GiB (up 50 %).",
            "cart 的内存（rss）从 1 GiB 升至 1.5 GiB（上升 50 %）。",
        ),
        (
            said("disk", "io", 2e6, 5e6, ""),
            "cart disk (io) rose from 2M to 5M (2.5×).",
            "cart 的磁盘（io）从 2M 升至 5M（2.5 倍）。",
        ),
        (
            said("network", "rx", 1240.0, 310.0, "per_s"),
            "cart network (rx) fell from 1,240 to 310 per second (down 75 %).",
            "cart 的网络（rx）从 1,240 降至 310 次/秒（下降 75 %）。",
        ),
        (
            said("saturation", "queue", 3.0, 96.0, "count"),
            "cart saturation (queue) rose from 3 to 96 (32×).",
            "cart 的饱和度（queue）从 3 升至 96（32 倍）。",
        ),
        (
            said("restarts", "restarts", 0.0, 3.0, "count"),
            "cart restarts rose from 0 to 3 (none before).",
            "cart 的重启次数从 0 升至 3（此前为零）。",
        ),
        (
            said("traffic", "requests", 80.0, 0.0, "per_s"),
            "cart traffic (requests) fell from 80 to 0 per second (nothing left).",
            "cart 的流量（requests）从 80 降至 0 次/秒（已归零）。",
        ),
        (
            said("self_time", "GET /a"),
            'cart\'s own time in "GET /a", callees excluded, rose from 12 ms to 420 ms (35×).',
            "cart 处理“GET /a”的自身耗时（不含下游）从 12 ms 升至 420 ms（35 倍）。",
        ),
        (
            said("call_time", "GET /a", peer="db"),
            'The time cart waits for db in "GET /a" rose from 12 ms to 420 ms (35×).',
            "cart 等待 db 的时间（在“GET /a”中）从 12 ms 升至 420 ms（35 倍）。",
        ),
        (
            said("error_spans", "GET /a", 0.01, 0.31, "per_trace"),
            'Error spans that begin in cart ("GET /a") rose from 0.01 to 0.31 per trace (31×).',
            "cart 自身产生的错误 span（“GET /a”）从 0.01 升至 0.31 次/调用链（31 倍）。",
        ),
        (
            said("call_structure", "GET /a → get", 0.97, 0.12, "share", peer="db"),
            'The share of cart\'s "GET /a" that call "get" of db fell from 97 % to 12 % '
            "(down 85 percentage points).",
            "cart 的“GET /a”中调用 db 的“get”的比例从 97 % 降至 12 %（下降 85 个百分点）。",
        ),
        (
            said("call_structure", "GET /a", 0.97, 0.12, "share", peer="db"),
            'The share of cart\'s "GET /a" that call db fell from 97 % to 12 % '
            "(down 85 percentage points).",
            "cart 的“GET /a”中调用 db 的比例从 97 % 降至 12 %（下降 85 个百分点）。",
        ),
        (
            said("call_structure", "GET /a → load", 0.97, 0.12, "share", peer="cart"),
            'The share of cart\'s "GET /a" that call "load" inside itself fell from 97 % to 12 % '
            "(down 85 percentage points).",
            "cart 的“GET /a”中调用内部“load”的比例从 97 % 降至 12 %（下降 85 个百分点）。",
        ),
        (
            said("error_logs", "no route to <*>", 0.0, 0.4, "per_trace"),
            'cart severe log line "no route to <*>" rose from 0 to 0.4 per trace (none before).',
            "cart 的严重日志“no route to <*>”从 0 升至 0.4 次/调用链（此前为零）。",
        ),
        (
            said("log_rate", "cache hit", 30.0, 6.0, "per_min"),
            'cart log line "cache hit" fell from 30 to 6 per minute (down 80 %).',
            "cart 的日志“cache hit”从 30 降至 6 次/分钟（下降 80 %）。",
        ),
        (
            said("log_rate", "cache hit", 0.3, 0.06, "per_line"),
            'The share of log line "cache hit" among cart\'s lines fell from 30 % to 6 % '
            "(down 24 percentage points).",
            "cart 的日志“cache hit”占其日志行的比例从 30 % 降至 6 %（下降 24 个百分点）。",
        ),
        (
            said("log_sequence", "begin → commit", 0.97, 0.12, "share"),
            'In cart, the chance that "commit" directly follows "begin" fell from 97 % to 12 % '
            "(down 85 percentage points).",
            "cart 打印“begin”之后紧接着打印“commit”的概率从 97 % 降至 12 %（下降 85 个百分点）。",
        ),
        (
            said("change", "v1.2.3", None, 4.0, "min"),
            "cart was changed to v1.2.3, 4 min before the onset.",
            "cart 变更为 v1.2.3，4 分钟后异常开始。",
        ),
    ],
)
def test_each_signal_reads_as_a_sentence(text: Text, en: str, zh: str) -> None:
    assert text.en == en
    assert text.zh == zh
    assert_bilingual(
        text, "cart", "db", "GET", "begin", "commit", "get", "load", "no route to", "cache hit",
        "error_rate", "p95", "cpu_usage", "rss", "queue", "rx", "requests", "v1.2.3", "io",
    )  # fmt: skip


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("peer", [None, "peer-1", "cart"])
@pytest.mark.parametrize("subject", ["", "subject-1"])
def test_every_signal_is_told_in_both_languages(
    signal: Signal, peer: str | None, subject: str
) -> None:
    for unit in UNITS:
        _reads_well(said(signal, subject, 0.2, 0.7, unit, peer))


def _reads_well(text: Text) -> None:
    assert_bilingual(text, "cart", "peer-1", "subject-1")
    assert "cart" in text.zh
    assert "cart" in text.en
    assert text.zh.endswith("。")
    assert text.en.endswith(".")
    assert "  " not in text.zh + text.en
    assert '""' not in text.en
    assert "“”" not in text.zh


@pytest.mark.parametrize(
    ("minutes", "en", "zh"),
    [
        (None, "how long before the onset is unknown", "与异常开始的先后未知"),
        (0.0, "at the moment of the onset", "与异常同时开始"),
        (-3.0, "3 min after the onset", "在异常开始之后 3 分钟"),
        (0.5, "30 s before the onset", "30 s 后异常开始"),
        (240.0, "4 h before the onset", "4 小时后异常开始"),
    ],
)
def test_a_change_is_told_by_its_distance_to_the_onset(
    minutes: float | None, en: str, zh: str
) -> None:
    text = said("change", "v2", None, minutes, "min")
    assert en in text.en
    assert zh in text.zh


def test_a_change_without_a_version_is_still_a_change() -> None:
    text = said("change", "", None, 4.0, "min")
    assert text.en == "cart was changed, 4 min before the onset."
    assert text.zh == "cart 有变更，4 分钟后异常开始。"


@pytest.mark.parametrize("missing", [None, math.nan, math.inf])
def test_a_missing_value_is_said_to_be_missing(missing: float | None) -> None:
    assert said("cpu", "c", missing, 40.0, "%").en == "cart CPU (c) came to 40 % (no baseline)."
    assert said("cpu", "c", 40.0, missing, "%").en == "cart CPU (c) went missing (before: 40 %)."
    assert said("cpu", "c", missing, missing, "%").en == (
        "cart CPU (c) changed, without comparable values."
    )
    assert "没有可比的基线" in said("cpu", "c", missing, 40.0, "%").zh
    assert "现在没有数值" in said("cpu", "c", 40.0, missing, "%").zh
    assert "没有可比的数值" in said("cpu", "c", missing, missing, "%").zh


def test_long_lines_lose_their_middle_and_keep_both_ends() -> None:
    text = said("error_logs", "begin " + "y" * 200 + " end", 1.0, 2.0, "per_min")
    quoted = text.en.split('"')[1]
    assert len(quoted) == 80
    assert quoted.startswith("begin y")
    assert quoted.endswith("y end")
    assert quoted.count("…") == 1
    assert f"“{quoted}”" in text.zh


def test_both_lines_of_a_long_sequence_are_recognisable() -> None:
    text = said("log_sequence", "a" * 90 + " → " + "b" * 90, 0.9, 0.1, "share")
    first, second = text.en.split('"')[3], text.en.split('"')[1]
    assert set(first) == {"a", "…"}
    assert set(second) == {"b", "…"}
    assert len(first) == len(second) == 60


def test_ids_that_differ_in_every_line_leave_room_for_what_it_says() -> None:
    template = "Cart#12 TraceID: <*> SpanID: <*> lookup failed for <*>"
    assert '"Cart#12 lookup failed for <*>"' in said("error_logs", template).en
    assert '"Cart#12 lookup failed for <*>"' in said("log_sequence", f"{template} → done").en


def test_a_line_that_holds_an_arrow_itself_is_not_cut_at_it() -> None:
    text = said("log_sequence", "a → b → c", 0.9, 0.1, "share")
    assert '"a → b → c"' in text.en


def test_control_characters_never_reach_the_text() -> None:
    hostile = "\x1b[31mred\x1b[0m\n\tnext\x00\u202etrap\x07"
    text = describe(
        signal="error_logs",
        service="ca\x1b[2Jrt\n",
        peer=None,
        subject=hostile,
        baseline=1.0,
        observed=2.0,
        unit="per_min",
    )
    assert text.en.startswith('cart severe log line "red nexttrap" rose')
    assert all(c.isprintable() for c in text.zh + text.en)


magnitudes = st.one_of(
    st.none(),
    st.just(0.0),
    st.floats(min_value=-1e120, max_value=1e120, allow_nan=False),
)


@given(
    signal=st.sampled_from(SIGNALS),
    baseline=magnitudes,
    observed=magnitudes,
    unit=st.sampled_from((*UNITS, "", "min")),
)
def test_any_pair_of_values_gives_the_same_numbers_in_both_languages(
    signal: Signal, baseline: float | None, observed: float | None, unit: str
) -> None:
    text = said(signal, "y", baseline, observed, unit)
    assert_bilingual(text, "cart")
    assert text == said(signal, "y", baseline, observed, unit)


@given(
    baseline=st.floats(min_value=0.0, max_value=1e9),
    observed=st.floats(min_value=0.0, max_value=1e9),
)
def test_the_verb_never_contradicts_the_values(baseline: float, observed: float) -> None:
    text = said("latency", "y", baseline, observed, "ms")
    if " rose " in text.en:
        assert observed > baseline
        assert "升至" in text.zh
    elif " fell " in text.en:
        assert observed < baseline
        assert "降至" in text.zh
    else:
        assert observed == pytest.approx(baseline, rel=1e-4, abs=1e-9)
        assert "保持在" in text.zh

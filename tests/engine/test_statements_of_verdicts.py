"""Impact, events, exonerations and gaps are told plainly, with times in UTC."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest

from aegis.engine.statements import (
    change_event,
    explained_by_statement,
    gap_statement,
    impact_statement,
    onset_event,
)
from aegis.model.evidence import GapReason, Signal, Source
from aegis.model.text import Text
from tests.engine.diagnoses import ONSET_NS, WINDOW
from tests.engine.wording import assert_bilingual

TWO_DAYS = replace(WINDOW, end=WINDOW.end + timedelta(days=1))


def test_impact_names_who_feels_what_since_when() -> None:
    text = impact_statement("cart", "latency", 0.34, 1.2, "s", ONSET_NS, WINDOW)
    assert text.en == (
        "Since 10:02:13 UTC, cart is slow: latency rose from 340 ms to 1.2 s (3.5×)."
    )
    assert text.zh == "自 UTC 10:02:13 起，cart 变慢：延迟从 340 ms 升至 1.2 s（3.5 倍）。"


def test_impact_carries_the_date_when_the_window_spans_days() -> None:
    text = impact_statement("cart", "errors", 0.0, 4.0, "%", ONSET_NS, TWO_DAYS)
    assert text.en.startswith("Since 2024-05-14 10:02:13 UTC, cart is failing: errors rose")
    assert text.zh.startswith("自 UTC 2024-05-14 10:02:13 起，cart 报错：错误从")


def test_impact_is_honest_when_nothing_was_felt() -> None:
    text = impact_statement(None, None, None, None, "", None, WINDOW)
    assert text.en == "No effect on users was measured between 10:00:00 and 10:15:00 UTC."
    assert text.zh == "UTC 10:00:00 至 10:15:00 之间没有测到对用户的影响。"


def test_impact_says_when_its_beginning_is_unknown() -> None:
    text = impact_statement("cart", "errors", 0.1, 4.0, "%", None, WINDOW)
    assert "when it began could not be told (looked at 10:00:00 to 10:15:00 UTC)" in text.en
    assert "开始时间无法确定（查看的是 UTC 10:00:00 至 10:15:00）" in text.zh


def test_impact_without_numbers_invents_none() -> None:
    text = impact_statement("cart", None, None, None, "", ONSET_NS, WINDOW)
    assert text.en == "Since 10:02:13 UTC, cart is affected, without a number to compare."


@pytest.mark.parametrize("signal", get_args(Signal))
def test_impact_of_every_signal_reads_in_both_languages(signal: Signal) -> None:
    text = impact_statement("cart", signal, 1.0, 5.0, "", ONSET_NS, WINDOW)
    assert_bilingual(text, "cart")
    assert "5" in text.en


@pytest.mark.parametrize(
    ("cause", "via", "en", "zh"),
    [
        (
            "db",
            ("cart", "api", "db"),
            "cart's symptoms are explained by db (through api).",
            "cart 的症状可由 db 解释（经由 api）。",
        ),
        ("db", (), "cart's symptoms are explained by db.", "cart 的症状可由 db 解释。"),
        (
            None,
            ("db", "mq"),
            "cart's symptoms are explained by what it calls: db, mq.",
            "cart 的症状可由它调用的 db、mq 解释。",
        ),
        (
            None,
            (),
            "cart's symptoms are too weak to make it a cause.",
            "cart 的症状太弱，不足以说明它是原因。",
        ),
    ],
)
def test_a_service_is_cleared_by_what_explains_it(
    cause: str | None, via: tuple[str, ...], en: str, zh: str
) -> None:
    text = explained_by_statement("cart", cause, via)
    assert text.en == en
    assert text.zh == zh


def test_the_onset_tells_the_measurement_that_showed_it() -> None:
    text = onset_event("cart", Text("错误升高。", "Errors rose."))
    assert text.en == "cart becomes abnormal: Errors rose."
    assert text.zh == "cart 开始异常：错误升高。"
    named = Text("cart 的错误升高。", "cart errors rose.")
    assert onset_event("cart", named) == named


@pytest.mark.parametrize(
    ("kind", "version", "en", "zh"),
    [
        ("deploy", "v2", "cart: deploy to v2.", "cart 部署至 v2。"),
        ("config", None, "cart: config.", "cart 配置变更。"),
        ("helm", "v2", "cart: helm to v2.", "cart 变更（helm）至 v2。"),
        (None, None, "cart: change.", "cart 变更。"),
    ],
)
def test_a_change_is_told_with_what_is_known(
    kind: str | None, version: str | None, en: str, zh: str
) -> None:
    text = change_event("cart", kind, version)
    assert text.en == en
    assert text.zh == zh


def test_a_change_is_told_in_the_words_of_whoever_made_it() -> None:
    text = change_event("cart", "deploy", "v2", "cache\nthe prices")
    assert text.en == "cart: deploy to v2 (cache the prices)."
    assert text.zh == "cart 部署至 v2（cache the prices）。"


@pytest.mark.parametrize("source", get_args(Source))
@pytest.mark.parametrize("reason", get_args(GapReason))
def test_every_gap_says_what_was_not_seen(source: Source, reason: GapReason) -> None:
    whole, one = gap_statement(source, reason, None, 12345), gap_statement(source, reason, "cart")
    assert_bilingual(whole)
    assert_bilingual(one, "cart")
    assert "12,345" in whole.en
    assert "of cart" in one.en
    assert "cart 的" in one.zh


def test_gaps_of_different_reasons_differ() -> None:
    texts = {gap_statement("logs", reason, None) for reason in get_args(GapReason)}
    assert len(texts) == len(get_args(GapReason))

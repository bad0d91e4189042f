"""A question becomes a window, services, a symptom and a language, without a model."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from aegis.agent.supervisor import AlarmKind, Route, alarm_kind, language_of, route

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 4, 2, 0, tzinfo=UTC)
KNOWN = ("cart", "checkout", "payment-a", "payment-b")


def routed(question: str) -> Route:
    return route(question, now=NOW, timezone=SHANGHAI, known_services=KNOWN)


def test_a_chinese_question_is_routed() -> None:
    found = routed("昨天晚上 23 点 chekout 为什么超时？")
    assert found.window is not None
    assert found.window.kind == "point"
    assert found.window.at == datetime(2026, 11, 3, 15, 0, tzinfo=UTC)
    assert found.services == ("checkout",)
    assert found.ambiguous == ()
    assert found.alarm_kind == "latency"
    assert found.language == "zh"


def test_an_english_question_is_routed() -> None:
    found = routed("Payment and cart return 502s since 22:40")
    assert found.window is not None
    assert found.window.kind == "lookback"
    assert (found.window.start, found.window.end) == (
        datetime(2026, 11, 3, 14, 40, tzinfo=UTC),
        NOW,
    )
    assert found.services == ("payment-a", "payment-b", "cart")
    assert found.ambiguous == ("payment-a", "payment-b")
    assert found.alarm_kind == "errors"
    assert found.language == "en"


def test_a_question_that_names_nothing_asks_for_nothing() -> None:
    assert routed("what is wrong?") == Route(None, (), (), None, "en")


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("why is checkout slow?", "latency"),
        ("checkout 为什么这么慢", "latency"),
        ("支付超时", "latency"),
        ("lots of timeouts", "latency"),
        ("requests time out", "latency"),
        ("p99 spiked", "latency"),
        ("P95延迟升高", "latency"),
        ("checkout hangs", "latency"),
        ("5xx on cart", "errors"),
        ("lots of 502s", "errors"),
        ("502 很多", "errors"),
        ("HTTP 503", "errors"),
        ("支付报错", "errors"),
        ("下单失败", "errors"),
        ("cart is down", "errors"),
        ("服务挂了", "errors"),
        ("failing health checks", "errors"),
        ("no errors, but slow", "latency"),
        ("没有报错，但是很慢", "latency"),
        ("not slow but failing", "errors"),
        ("不慢，但是失败很多", "errors"),
        ("slow and failing", "latency"),
        ("errors and slow", "errors"),
        ("500 ms p50 of cart", "latency"),
        ("500 pods", None),
        ("took 503 s", None),
        ("502 个实例", None),
        ("port 5020", None),
        ("有什么异常吗", None),
        ("what changed?", None),
        ("download page", None),
        ("", None),
    ],
)
def test_the_symptom_is_the_first_that_is_named_and_not_denied(
    question: str, kind: AlarmKind | None
) -> None:
    assert alarm_kind(question) == kind


@pytest.mark.parametrize(
    ("question", "language"),
    [("why?", "en"), ("", "en"), ("为什么?", "zh"), ("why is 支付 slow", "zh"), ("café…", "en")],
)
def test_a_question_is_english_unless_it_has_a_chinese_character(
    question: str, language: str
) -> None:
    assert language_of(question) == language

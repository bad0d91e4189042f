"""Whose symptoms: findings go to their service, slow calls to both ends, alarms favour kinds."""

from __future__ import annotations

import pytest

from aegis.engine.findings import Finding
from aegis.engine.symptoms import symptoms_of
from aegis.model.telemetry import Alarm
from tests.engine.telemetry import finding
from tests.engine.worlds import judged_calls, near, world


def slow_call(caller: str, callee: str, surprise: float = 3.6, subject: str = "GET") -> Finding:
    return finding(caller, "call_time", surprise, peer=callee, subject=subject)


def strengths(findings: list[Finding], judged: str) -> dict[str, float]:
    found = symptoms_of(findings, judged_calls(judged), None, world(judged))
    return {name: item.of("call_time") for name, item in found.items()}


def test_one_slow_call_is_a_symptom_of_caller_and_callee() -> None:
    # 1.2 · log2(1 + 3)
    assert strengths([slow_call("shop", "db")], "shop>db") == {"shop": near(2.4), "db": near(2.4)}


def test_slow_calls_count_by_the_share_of_judged_calls_to_the_power_of_six_tenths() -> None:
    # shop: one of two, 0.5^0.6 = 0.659754; db: its only one
    found = strengths([slow_call("shop", "db")], "shop>db shop>cart")

    assert found == {"shop": near(2.4 * 0.659754), "db": near(2.4)}


def test_several_slow_calls_count_a_fifth_more_with_every_doubling() -> None:
    # db: two of two, 1 + 0.2 · log2(2)
    found = strengths([slow_call("shop", "db"), slow_call("app", "db")], "shop>db app>db")

    assert found == {"shop": near(2.4), "app": near(2.4), "db": near(2.88)}


def test_when_every_call_to_a_service_is_slow_its_own_calls_do_not_dilute_that() -> None:
    found = strengths([slow_call("shop", "db")], "shop>db db>disk db>tape")

    assert found["db"] == near(2.4)


def test_where_only_its_own_calls_are_slow_they_count_among_all() -> None:
    # two of three, (2/3)^0.6 = 0.784053; · 1.2
    found = strengths([slow_call("db", "disk"), slow_call("db", "tape")], "shop>db db>disk db>tape")

    assert found["db"] == near(2.4 * 0.784053 * 1.2)


def test_the_worst_operation_of_a_call_counts_and_the_call_counts_once() -> None:
    # 1.2 · log2(8)
    calls = [slow_call("shop", "db", 1.6, "a"), slow_call("shop", "db", 7.6, "b")]

    assert strengths(calls, "shop>db") == {"shop": near(3.6), "db": near(3.6)}


def test_a_call_no_more_surprising_than_many_tests_is_not_slow() -> None:
    # shop: one of two as above
    calls = [slow_call("shop", "db"), slow_call("shop", "cart", 0.6)]

    assert strengths(calls, "shop>db shop>cart") == {
        "shop": near(2.4 * 0.659754),
        "db": near(2.4),
    }


@pytest.mark.parametrize(("surprise", "count"), [(0.6, 0), (0.61, 2)])
def test_calls_within_the_noise_are_no_symptom(surprise: float, count: int) -> None:
    assert len(strengths([slow_call("shop", "db", surprise)], "shop>db")) == count


def test_a_slow_call_among_unjudged_ones_says_nothing() -> None:
    assert strengths([slow_call("shop", "db")], "app>cart") == {}


def test_findings_of_slow_calls_stand_at_both_ends() -> None:
    call = slow_call("shop", "db")
    found = symptoms_of([call], judged_calls("shop>db"), None, world("shop>db"))

    assert found["shop"].findings == found["db"].findings == [call]


def test_findings_go_to_their_service_and_traced_ones_are_told_apart() -> None:
    found = symptoms_of(
        [finding("shop", "latency", 1.0), finding("db", "latency", 1.0), finding("db", "cpu", 0.0)],
        judged_calls(""),
        None,
        world("shop>db", traced="shop"),
    )

    assert found["shop"].by_signal == {"latency": near(0.42)}
    assert found["db"].by_signal == {"latency": near(0.7)}


def test_other_measurements_of_a_call_belong_to_whom_they_were_credited() -> None:
    found = symptoms_of(
        [finding("shop", "latency", 1.0, peer="db"), finding("app", "call_time", 3.6)],
        judged_calls("shop>db"),
        None,
        world("shop>db", "app"),
    )

    assert found["shop"].by_signal == {"latency": near(0.7)}
    assert found["app"].by_signal == {"call_time": near(2.4)}
    assert set(found) == {"shop", "app"}


def test_a_service_whose_findings_all_weigh_nothing_has_no_symptoms() -> None:
    assert symptoms_of([finding("db", "cpu", 0.0)], judged_calls(""), None, world("a>db")) == {}


@pytest.mark.parametrize(
    ("alarm", "slow", "failing"),
    [
        (None, 1.0, 1.0),
        (Alarm("shop", None), 1.0, 1.0),
        (Alarm("shop", "latency"), 1.2, 0.65),
        (Alarm("shop", "errors"), 0.65, 1.2),
        (Alarm(None, "errors"), 0.65, 1.2),
    ],
)
def test_an_alarm_favours_symptoms_of_its_kind(
    alarm: Alarm | None, slow: float, failing: float
) -> None:
    found = symptoms_of(
        [
            finding("db", "latency", 1.0),
            finding("db", "errors", 1.0),
            finding("db", "cpu", 1.0),
            slow_call("shop", "db"),
        ],
        judged_calls("shop>db"),
        alarm,
        world("shop>db"),
    )

    assert found["db"].by_signal == {
        "latency": near(0.7 * slow),
        "call_time": near(2.4 * slow),
        "errors": near(failing),
        "cpu": near(1.0),
    }

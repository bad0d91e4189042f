"""What kind of fault it is: each weight is shown by a rival just weaker and just stronger."""

from __future__ import annotations

import pytest

from aegis.engine.family import family_of
from aegis.engine.surge import Surge
from aegis.model.diagnosis import Family
from aegis.model.evidence import Signal
from tests.engine.worlds import sick, world

JUST = 0.01


def judged(
    by_signal: dict[Signal, float], *, recency: float = 0.0, kind: str = "", silent: str = ""
) -> Family:
    here = world(services="cart", recency={"cart": recency} if recency else {}, silent=silent)
    return family_of("cart", sick(by_signal), here, {"cart": kind} if kind else {})


@pytest.mark.parametrize(
    ("by_signal", "family", "support", "rival"),
    [
        ({"cpu": 1.0}, "cpu", 1.5, "disk"),
        ({"cpu": 1.0, "self_time": 1.0}, "cpu", 1.8, "disk"),  # 1.5 + 0.3
        ({"memory": 1.0}, "memory", 1.6, "disk"),
        ({"restarts": 1.0}, "memory", 0.7, "disk"),
        ({"memory": 0.5, "restarts": 1.0}, "memory", 1.5, "disk"),  # 0.8 + 0.7
        ({"disk": 1.0}, "disk", 1.0, "network"),
        ({"call_time": 1.0}, "network", 0.8, "disk"),
        ({"network": 1.0}, "network", 1.0, "disk"),
        ({"latency": 1.0}, "network", 0.5, "disk"),
        ({"call_time": 1.0, "network": 1.0, "latency": 1.0}, "network", 2.3, "disk"),
        ({"errors": 1.0}, "code", 1.0, "disk"),
        ({"error_spans": 1.0}, "code", 1.0, "disk"),
        ({"error_logs": 1.0}, "code", 1.0, "disk"),
        ({"call_structure": 1.0}, "code", 1.0, "disk"),
        ({"log_rate": 1.0}, "code", 1.0, "disk"),
        ({"log_sequence": 1.0}, "code", 1.0, "disk"),
        ({"self_time": 1.0}, "code", 0.6, "disk"),
        ({"self_time": 2.0, "errors": 1.0}, "code", 1.2, "disk"),  # the larger of 1.2 and 1.0
        ({"errors": 1.0, "log_sequence": 0.4}, "code", 1.0, "disk"),
    ],
)
def test_a_family_wins_until_a_rival_has_more_support(
    by_signal: dict[Signal, float], family: Family, support: float, rival: Signal
) -> None:
    assert judged({**by_signal, rival: support - JUST}) == family
    assert judged({**by_signal, rival: support + JUST}) == rival


def test_own_time_without_cpu_does_not_speak_for_cpu() -> None:
    assert judged({"self_time": 3.0}) == "code"


def test_nothing_at_all_is_called_code() -> None:
    assert judged({}) == "code"


def test_code_comes_first_among_equals_and_then_the_order_of_the_families() -> None:
    assert judged({"errors": 1.0, "disk": 1.0, "network": 1.0}) == "code"
    assert judged({"disk": 1.0, "network": 1.0}) == "disk"


def test_saturation_after_a_recent_change_is_a_wrong_configuration() -> None:
    # 0.8 · 2 = 1.6; the change itself gives code 0.8
    full: dict[Signal, float] = {"saturation": 2.0}

    assert judged({**full, "disk": 1.6 - JUST}, recency=0.31) == "config"
    assert judged({**full, "disk": 1.6 + JUST}, recency=0.31) == "disk"


def test_a_change_is_recent_above_three_tenths() -> None:
    assert judged({"saturation": 2.0}, recency=0.30) == "code"
    assert judged({"saturation": 2.0}, recency=0.31) == "config"


def test_saturation_without_a_change_is_no_configuration() -> None:
    assert judged({"saturation": 2.0, "disk": 0.1}) == "disk"


def test_a_recent_configuration_change_takes_the_blame_for_errors() -> None:
    # 1.5 · max(1, 2) = 3 against code 2
    errors: dict[Signal, float] = {"errors": 2.0}

    assert judged(errors, recency=0.5, kind="ConfigMap") == "config"
    assert judged({**errors, "disk": 3.0 - JUST}, recency=0.5, kind="ConfigMap") == "config"
    assert judged({**errors, "disk": 3.0 + JUST}, recency=0.5, kind="ConfigMap") == "disk"


def test_a_recent_configuration_change_counts_as_one_and_a_half_without_errors() -> None:
    assert judged({"disk": 1.5 - JUST}, recency=0.5, kind="config") == "config"
    assert judged({"disk": 1.5 + JUST}, recency=0.5, kind="config") == "disk"


def test_a_configuration_change_adds_to_saturation() -> None:
    # 0.8 · 1 + 1.5
    full: dict[Signal, float] = {"saturation": 1.0}

    assert judged({**full, "disk": 2.3 - JUST}, recency=0.5, kind="config") == "config"
    assert judged({**full, "disk": 2.3 + JUST}, recency=0.5, kind="config") == "disk"


def test_an_old_configuration_change_takes_no_blame() -> None:
    assert judged({"errors": 2.0}, recency=0.2, kind="config") == "code"


def test_a_recent_deploy_adds_one_and_a_half_to_code() -> None:
    assert judged({"errors": 1.0, "disk": 2.5 - JUST}, recency=0.5, kind="deploy") == "code"
    assert judged({"errors": 1.0, "disk": 2.5 + JUST}, recency=0.5, kind="deploy") == "disk"


@pytest.mark.parametrize(
    ("scarce", "left"),
    [({"cpu": 0.5}, 2.5), ({"memory": 1.0}, 2.5), ({"cpu": 0.5, "memory": 0.9}, 2.5)],
)
def test_errors_that_scarce_processors_or_memory_bring_about_are_not_the_codes(
    scarce: dict[Signal, float], left: float
) -> None:
    failing: dict[Signal, float] = {"errors": 3.0, **scarce}

    assert judged({**failing, "disk": left - JUST}) == "code"
    assert judged({**failing, "disk": left + JUST}) == "disk"


@pytest.mark.parametrize("signal", ["network", "errors"])
def test_what_only_callers_can_see_is_a_dependency(signal: Signal) -> None:
    here = world("shop>db", unseen="db")
    stands_out: list[tuple[float, Family]] = [
        (0.8 / 3 - JUST, "dependency"),
        (0.8 / 3 + JUST, "disk"),
    ]
    for busy, family in stands_out:
        found = sick({signal: 1.0, "disk": busy})
        assert family_of("db", found, here, {}) == family


def test_what_calls_others_or_was_changed_is_seen_well_enough() -> None:
    failing = sick({"errors": 2.0, "disk": 1.0})

    assert family_of("db", failing, world("shop>db db>disk", unseen="db"), {}) == "code"
    changed = world("shop>db", unseen="db", recency={"db": 1.0})
    assert family_of("db", failing, changed, {"db": "deploy"}) == "code"


@pytest.mark.parametrize(("used", "family"), [(0.7, "cpu"), (0.69, "code")])
def test_a_surge_takes_the_processors_of_whoever_has_little_headroom(
    used: float, family: Family
) -> None:
    here = world(services="cart", surge=Surge(2.0, frozenset(), {"cart": used}))

    assert family_of("cart", sick({"errors": 9.0}), here, {}) == family


def test_a_silent_service_is_a_failing_dependency_unless_something_stands_out_enormously() -> None:
    assert judged({"errors": 3.0, "disk": 10.0 - JUST}, silent="cart") == "dependency"
    assert judged({"errors": 3.0, "disk": 10.0 + JUST}, silent="cart") == "disk"

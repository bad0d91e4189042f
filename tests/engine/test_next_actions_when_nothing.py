"""When nothing stood out, the next actions look wider and fill the gaps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aegis.engine.next_actions import next_actions
from aegis.model.diagnosis import Diagnosis
from aegis.model.evidence import EvidenceGap, GapReason, Source
from aegis.model.telemetry import Alarm
from aegis.model.text import Text
from tests.engine.diagnoses import STEADY_ERRORS, cause, diagnosis, evidence, gap, quiet


def english(case: Diagnosis) -> list[str]:
    return [text.en for text in next_actions(case)]


def one_with(case: Diagnosis, piece: str) -> str:
    """The one action that holds `piece`."""
    found = [text for text in english(case) if piece in text]
    assert len(found) == 1, english(case)
    return found[0]


def test_nothing_found_widens_the_window_and_names_the_missing_source() -> None:
    first, second, third = english(quiet(gaps=(gap("logs", "unavailable"),)))
    assert first == "Ask again once logs can be read; `aegis doctor` says what to change"
    assert second.startswith("Ask again for 09:45:00–10:15:00 UTC:")
    assert third.endswith('`max_over_time(ALERTS{alertstate="firing"}[15m])`')


def test_nothing_found_looks_beyond_the_service_that_rang() -> None:
    case = replace(quiet(), alarm=Alarm("cart", "latency"))
    one_with(case, "services other than cart")
    assert any("是否有 cart 之外的服务" in text.zh for text in next_actions(case))


def test_nothing_found_checks_the_largest_departure_and_the_suspect() -> None:
    weak = evidence("m8", "memory", subject="rss", strength=0.5)
    case = quiet(causes=(cause(probability=0.4),))
    case = replace(case, evidence=(weak, *case.evidence))
    assert "[m1]" in one_with(case, "Check the largest departure")
    one_with(case, "Tell throttling from a crowded node")
    faint = replace(case, causes=(cause(probability=0.1),), none_probability=0.9)
    assert not any("throttling" in text for text in english(faint))


def test_the_suspect_is_tested_after_looking_wider_and_before_looking_elsewhere() -> None:
    actions = english(quiet(causes=(cause(probability=0.4),)))
    pieces = ("Ask again for", "largest departure", "Tell throttling", "See which alerts fired")
    places = [next(i for i, text in enumerate(actions) if piece in text) for piece in pieces]
    assert places == [0, 1, 2, 3]


def test_what_did_not_move_is_no_departure() -> None:
    calm = replace(quiet(), evidence=(STEADY_ERRORS,))
    assert not any("largest departure" in text for text in english(calm))


def test_a_departure_counts_from_the_least_surprise_on() -> None:
    least = replace(quiet(), evidence=(replace(STEADY_ERRORS, strength=0.3),))
    one_with(least, "Check the largest departure")


SOURCES = ("logs", "traces")
WIDER, ELSEWHERE = "Ask again for 09:45", "See which alerts fired"


@pytest.mark.parametrize(
    ("reason", "asks", "place"),
    [
        ("unavailable", "Ask again once", 0),
        ("no_data", "Find out why", 1),
        ("no_baseline", "that holds normal time", 1),
        ("not_configured", "Configure a source", 2),
        ("not_recorded", "Start recording", 2),
        ("short", "a longer window", 2),
        ("sampled", "a narrower window", 2),
    ],
)
def test_a_blind_spot_is_weighed_against_looking_wider_and_elsewhere(
    reason: GapReason, asks: str, place: int
) -> None:
    """What keeps the answer from being seen at all goes first, what blurs it last."""
    actions = english(quiet(gaps=(gap("traces", reason),)))
    assert asks in actions.pop(place)
    assert [text[: len(WIDER)] for text in actions] == [WIDER, ELSEWHERE[: len(WIDER)]]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (gap("logs", "no_data"), gap("traces", "no_baseline")),
        (gap("logs", "not_configured"), gap("traces", "short")),
        (gap("logs", "not_recorded"), gap("traces", "short")),
        (gap("logs", "short"), gap("traces", "sampled")),
        (gap("logs", "sampled"), gap("traces", "no_data", "cart")),
        (gap("logs", "unavailable", "cart"), gap("traces", "sampled")),
    ],
)
def test_the_blinder_spot_is_asked_about_first(first: EvidenceGap, second: EvidenceGap) -> None:
    """A source that is absent for one service counts half: about as much as a sampled one."""
    for gaps in ((first, second), (second, first)):
        actions = english(quiet(gaps=gaps))
        about = [next(i for i, text in enumerate(actions) if one in text) for one in SOURCES]
        assert about == sorted(about)


def test_two_close_causes_are_decided_before_a_silent_source_is_waited_for() -> None:
    unclear = diagnosis(
        cause(probability=0.15),
        cause("mail", 0.14, "code", ("m2",)),
        gaps=(gap("logs", "unavailable"),),
    )
    first, second, *_ = english(replace(unclear, none_probability=0.3))
    assert first.startswith("Decide between payment and mail first")
    assert second == "Ask again once logs can be read; `aegis doctor` says what to change"


def test_whole_sources_are_missed_before_those_of_single_services() -> None:
    case = quiet(gaps=(gap("traces", "no_data", "cart"), gap("traces", "no_data")))
    one_with(case, "Find out why there are no traces")
    assert "Find out why there are no traces" in english(case)


def test_a_gap_that_nobody_can_fill_asks_for_nothing() -> None:
    case = quiet(gaps=(gap("logs", "undated"), gap("metrics", "zero")))
    assert english(case) == english(quiet())


def test_alerts_can_be_missing_too() -> None:
    missing = EvidenceGap("alerts", "unavailable", None, Text("告警读不到。", "No alerts came."))
    one_with(quiet(gaps=(missing,)), "Ask again once alerts can be read")


def test_gaps_of_one_kind_become_one_action() -> None:
    case = quiet(gaps=tuple(gap("metrics", "no_data", name) for name in ("b", "a")))
    action = one_with(case, "Find out why there are no metrics of b, a")
    assert "`up == 0`" in action
    zh = next(text.zh for text in next_actions(case) if "up == 0" in text.zh)
    assert zh.startswith("补上 b、a 的指标")


def test_an_unclear_cause_also_asks_for_what_is_missing() -> None:
    unclear = diagnosis(
        cause(probability=0.15), cause("mail", 0.04), gaps=(gap("traces", "not_recorded"),)
    )
    unclear = replace(unclear, none_probability=0.3)
    one_with(unclear, "Start recording traces")
    edge = replace(unclear, causes=(cause(probability=0.2),))
    assert not any("Start recording" in text for text in english(edge))
    clear = replace(diagnosis(gaps=(gap("traces", "not_recorded"),)))
    assert not any("Start recording" in text for text in english(clear))


def test_where_nothing_could_be_read_nothing_but_that_is_to_be_mended() -> None:
    """No other window helps, and nobody could answer what alerts fired."""
    sources: tuple[Source, ...] = ("metrics", "traces", "logs", "alerts")
    dark = quiet(gaps=tuple(gap(source, "unavailable") for source in sources))

    assert english(dark) == [
        "Ask again once metrics, traces, logs, alerts can be read; "
        "`aegis doctor` says what to change"
    ]


def test_sources_that_lack_the_same_become_one_action() -> None:
    case = quiet(gaps=(gap("traces", "not_recorded"), gap("logs", "not_recorded")))
    assert "Start recording traces, logs" in english(case)
    assert any("接入调用链、日志" in text.zh for text in next_actions(case))

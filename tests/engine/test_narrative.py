"""The answer leads with the impact, is honest about its certainty and invents no number."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aegis.engine.narrative import narrate
from aegis.model.diagnosis import FAMILIES, Answer, Diagnosis, Family
from aegis.model.text import Language, Text
from tests.engine.diagnoses import (
    LATER_NS,
    STEADY_ERRORS,
    cause,
    diagnosis,
    evidence,
    gap,
    quiet,
    ruled_out,
)
from tests.engine.wording import assert_bilingual, numbers

NAMES = ("payment", "checkout", "frontend", "process_cpu", "POST /pay", "p95_latency", "error_rate")
WAITING = evidence(
    "t4", "call_time", "checkout", peer="payment", subject="buy", baseline=9.0, observed=400.0,
    unit="ms",
)  # fmt: skip
FULL = diagnosis(
    cause(probability=0.42, against_ids=("m7",)),
    cause("checkout", 0.31, "code", ("m2",), (), LATER_NS),
    cause("mail", 0.11, "disk", (), (), None),
    rest=(ruled_out(), ruled_out("mail", None, ())),
    gaps=(gap("logs", "sampled", None, 120_000), gap("traces", "no_baseline", "mail")),
)
EVERY_KIND = (
    FULL,
    diagnosis(),
    diagnosis(cause(probability=0.12), cause("checkout", 0.11, evidence_ids=("m2",))),
    quiet(),
    quiet(gaps=(gap("logs", "unavailable"), gap("traces", "not_recorded"))),
    quiet(causes=(cause(probability=0.4),)),
    quiet(gaps=tuple(gap(s, "not_recorded") for s in ("metrics", "traces", "logs"))),
)


def told(answer: Answer) -> tuple[str, ...]:
    """Everything but the next actions, whose queries carry numbers of their own."""
    return (
        answer.summary,
        answer.impact,
        *answer.cause_descriptions,
        *answer.ruled_out,
        *answer.blind_spots,
    )


def known_numbers(case: Diagnosis, language: Language) -> set[str]:
    texts = [item.statement.in_language(language) for item in case.evidence]
    texts += [item.statement.in_language(language) for item in case.gaps]
    texts += [item.why.in_language(language) for item in case.ruled_out]
    texts += [case.impact.statement.in_language(language), "10:00:00 10:15:00 10:02:13 10:04:40"]
    texts += [item.id for item in case.evidence]
    texts += [str(round(100 * c.probability)) for c in case.causes]
    texts += [str(round(100 * case.none_probability)) if case.none_probability < 0.995 else "99"]
    return set(numbers(" ".join(texts)))


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("case", EVERY_KIND)
def test_no_number_is_invented(case: Diagnosis, language: Language) -> None:
    known = known_numbers(case, language)
    for text in told(narrate(case, language, "why is checkout slow?")):
        assert set(numbers(text)) <= known


@pytest.mark.parametrize("case", EVERY_KIND)
def test_both_languages_tell_the_same(case: Diagnosis) -> None:
    zh, en = narrate(case, "zh", ""), narrate(case, "en", "")
    assert (zh.language, en.language) == ("zh", "en")
    for a, b in zip(told(zh), told(en), strict=True):
        assert_bilingual(Text(a, b), *NAMES, "mail", "m1", "m2", "m7", "t1")
    assert len(zh.next_actions) == len(en.next_actions)


def test_a_sure_answer_leads_with_impact_then_cause_and_two_proofs() -> None:
    lines = narrate(diagnosis(), "en", "").summary.split("\n")
    assert lines[0].startswith("Since 10:02:13 UTC, checkout is slow: latency rose from 340 ms")
    assert lines[1] == (
        "payment is very likely the cause (86 %, CPU starvation). Proof: payment CPU (process_cpu)"
        ' rose from 21 % to 93 % (4.4×) [m1]; payment\'s own time in "POST /pay", callees excluded,'
        " rose from 12 ms to 420 ms (35×) [t1]."
    )
    assert len(lines) == 2


def test_a_sure_answer_in_chinese() -> None:
    lines = narrate(diagnosis(), "zh", "").summary.split("\n")
    assert lines[0] == "自 UTC 10:02:13 起，checkout 变慢：延迟从 340 ms 升至 1.2 s（3.5 倍）。"
    assert lines[1].startswith(
        "payment 极有可能是原因（86 %，CPU 不足）。证据：payment 的 CPU（process_cpu）从 21 %"
    )
    assert lines[1].endswith("[t1]。")


@pytest.mark.parametrize(
    ("probability", "en", "zh"),
    [
        (0.8, "payment is very likely the cause (80 %", "payment 极有可能是原因（80 %"),
        (0.79, "payment is probably the cause (79 %", "payment 很可能是原因（79 %"),
        (0.5, "payment is probably the cause (50 %", "payment 很可能是原因（50 %"),
        (0.49, "payment is possibly the cause (49 %", "payment 可能是原因（49 %"),
        (0.2, "payment is possibly the cause (20 %", "payment 可能是原因（20 %"),
        (0.19, "No clear cause; the strongest candidate is payment (19 %", "没有明确的原因；"),
    ],
)
def test_the_wording_is_as_sure_as_the_probability(probability: float, en: str, zh: str) -> None:
    case = replace(diagnosis(cause(probability=probability)), none_probability=0.1)
    assert narrate(case, "en", "").summary.split("\n")[1].startswith(en)
    assert narrate(case, "zh", "").summary.split("\n")[1].startswith(zh)


def test_certainty_is_never_claimed() -> None:
    case = diagnosis(cause(probability=0.9999))
    assert "(>99 %, CPU starvation)" in narrate(case, "en", "").summary
    assert "100 %" not in narrate(case, "en", "").summary


def test_every_family_is_named_in_words() -> None:
    def words(family: Family, language: Language) -> str:
        return narrate(diagnosis(cause(family=family)), language, "").cause_descriptions[0]

    assert "网络故障" in words("network", "zh")
    assert "memory pressure" in words("memory", "en")
    assert len({words(family, "zh") for family in FAMILIES}) == len(FAMILIES)
    assert len({words(family, "en") for family in FAMILIES}) == len(FAMILIES)


def test_the_second_proof_is_of_another_kind_where_there_is_one() -> None:
    twin = evidence("m9", "cpu", subject="cpu_p99")
    case = diagnosis(cause(evidence_ids=("m1", "m9", "t1")), more=(twin,))
    summary = narrate(case, "en", "").summary
    assert "[m1]" in summary
    assert "[t1]" in summary
    assert "[m9]" not in summary
    only = diagnosis(cause(evidence_ids=("m1", "m9")), more=(twin,))
    assert "[m9]" in narrate(only, "en", "").summary


def test_two_close_causes_come_with_what_tells_them_apart() -> None:
    line = narrate(FULL, "en", "").summary.split("\n")[2]
    assert line == (
        "Close behind: checkout (31 %, a fault in its code). To tell them apart, payment is "
        "abnormal since 10:02:13 UTC, checkout since 10:04:40 UTC; an earlier sign in checkout "
        "would clear payment."
    )


def test_the_earlier_of_two_close_causes_is_the_one_to_clear() -> None:
    case = diagnosis(
        cause(probability=0.4, onset_ns=LATER_NS),
        cause("checkout", 0.3, "code", ("m2",)),
    )
    assert "an earlier sign in payment would clear checkout" in narrate(case, "en", "").summary
    assert "若 payment 更早就有异常，checkout 就不是原因" in narrate(case, "zh", "").summary


def test_caller_and_callee_are_told_apart_by_the_callers_own_time() -> None:
    case = diagnosis(
        cause(probability=0.4), cause("checkout", 0.3, "code", ("m2",)), more=(WAITING,)
    )
    expected = (
        "look at checkout's own time and own errors without its calls to payment: "
        "normal means payment is the cause, abnormal means checkout is"
    )
    assert expected in narrate(case, "en", "").summary


def test_causes_without_onsets_are_told_apart_by_recovery() -> None:
    case = diagnosis(
        cause(probability=0.4, onset_ns=None), cause("checkout", 0.3, "code", ("m2",), (), None)
    )
    assert "see which recovers first" in narrate(case, "en", "").summary


@pytest.mark.parametrize(("second", "close"), [(0.3, False), (0.31, True)])
def test_a_second_cause_is_close_below_one_and_a_half_times(second: float, close: bool) -> None:
    case = diagnosis(cause(probability=0.45), cause("checkout", second, "code", ("m2",)))
    assert ("Close behind" in narrate(case, "en", "").summary) is close


def test_each_of_the_first_three_causes_has_its_best_counter_evidence() -> None:
    first, second, third = narrate(FULL, "en", "").cause_descriptions
    assert first.startswith("payment (42 %, CPU starvation), abnormal since 10:02:13 UTC. For: ")
    assert first.endswith(
        f"Against: within its usual noise: {STEADY_ERRORS.statement.en.rstrip('.')} [m7]."
    )
    assert second.endswith("Nothing measured speaks against it.")
    assert third == "mail (11 %, a slow or full disk). Nothing measured speaks against it."


def test_counter_evidence_elsewhere_points_there() -> None:
    rival = evidence("m5", "memory", "mail", subject="rss")
    case = diagnosis(cause(against_ids=("m1", "m5")), more=(rival,))
    assert (
        "Against: what points to mail instead: mail memory (rss) rose"
        in (narrate(case, "en", "").cause_descriptions[0])
    )
    assert "反对：指向 mail 的证据：mail 的内存" in narrate(case, "zh", "").cause_descriptions[0]


def test_counter_evidence_of_a_call_to_the_cause_does_not_point_elsewhere() -> None:
    case = diagnosis(cause(against_ids=("t4",)), more=(WAITING,))
    assert (
        "Against: The time checkout waits for payment"
        in (narrate(case, "en", "").cause_descriptions[0])
    )


def test_evidence_for_a_cause_is_not_also_against_it() -> None:
    case = diagnosis(cause(against_ids=("m1",)))
    assert narrate(case, "en", "").cause_descriptions[0].endswith("speaks against it.")


def test_only_three_causes_are_described() -> None:
    case = diagnosis(*(cause(f"s{n}", 0.2) for n in range(4)))
    assert len(narrate(case, "en", "").cause_descriptions) == 3


def test_what_was_ruled_out_and_not_seen_closes_the_summary() -> None:
    *_, out, unseen = narrate(FULL, "zh", "").summary.split("\n")
    assert out == (
        "已排除：frontend 的症状可由 payment 解释（经由 checkout）；"
        "mail 的症状太弱，不足以说明它是原因。"
    )
    assert unseen.startswith("未能看到：日志：数据太多，只读取了均匀抽样（120,000 条）；mail 的")


def test_a_service_in_the_question_is_cleared_first() -> None:
    asked = narrate(FULL, "en", "why is mail slow?").ruled_out
    assert asked[0].startswith("mail's")
    other = narrate(FULL, "en", "why is mail-relay slow?").ruled_out
    assert other[0].startswith("frontend's")


def test_a_reason_that_does_not_name_its_service_gets_the_name_in_front() -> None:
    item = replace(ruled_out("cart"), why=Text("只是跟随。", "It only follows cart-db."))
    answer = narrate(diagnosis(rest=(item,)), "en", "")
    assert answer.ruled_out == ("cart: It only follows cart-db.",)


def test_long_lists_are_cut_in_the_summary_and_whole_in_the_answer() -> None:
    many = tuple(gap("metrics", "no_data", f"svc-{n}") for n in range(6))
    answer = narrate(diagnosis(gaps=(*many, many[0])), "en", "")
    assert len(answer.blind_spots) == 6
    assert "svc-2" in answer.summary
    assert "svc-3" not in answer.summary
    assert answer.summary.endswith("; and others.")


def test_nothing_abnormal_says_what_was_looked_at_and_what_was_not() -> None:
    answer = narrate(quiet(gaps=(gap("logs", "unavailable"),)), "en", "")
    assert answer.summary.split("\n") == [
        "No effect on users was measured between 10:00:00 and 10:15:00 UTC.",
        "Nothing abnormal stood out in 10:00:00–10:15:00 UTC (>99 %). Looked at: metrics, traces.",
        "Not seen: Logs: did not answer, could not be asked.",
    ]
    assert answer.cause_descriptions == ()


@pytest.mark.parametrize(("none", "nothing"), [(0.5, True), (0.49, False)])
def test_nothing_abnormal_from_even_odds(none: float, nothing: bool) -> None:
    case = replace(diagnosis(cause(probability=1.0 - none)), none_probability=none)
    assert ("Nothing abnormal" in narrate(case, "en", "").summary) is nothing


def test_a_suspicion_is_kept_when_nothing_dominates() -> None:
    strong = narrate(quiet(causes=(cause(probability=0.4),)), "en", "").summary
    assert "The strongest suspect is payment (40 %, CPU starvation): payment CPU" in strong
    faint = narrate(quiet(causes=(cause(probability=0.1),)), "en", "").summary
    assert "suspect" not in faint


def test_without_any_telemetry_there_is_no_verdict() -> None:
    blind = quiet(gaps=tuple(gap(s, "unavailable") for s in ("metrics", "traces", "logs")))
    summary = narrate(blind, "en", "").summary
    assert "No verdict: there was no telemetry to look at." in summary
    assert "Nothing abnormal" not in summary
    assert "无法判断" in narrate(blind, "zh", "").summary


def test_the_same_diagnosis_gives_the_same_words() -> None:
    assert narrate(FULL, "zh", "为什么慢") == narrate(FULL, "zh", "为什么慢")


def test_without_a_time_to_compare_with_there_is_no_verdict_though_a_change_is_known() -> None:
    deploy = evidence("c1", "change", subject="v2", baseline=None, observed=2.0, unit="min")
    blind = replace(
        quiet(
            gaps=(
                gap("metrics", "no_baseline"),
                gap("traces", "not_recorded"),
                gap("logs", "not_recorded"),
            )
        ),
        evidence=(deploy,),
    )

    answer = narrate(blind, "en", "")

    assert "No verdict: all that was read lies in this time, with nothing normal to compare." in (
        answer.summary
    )
    assert "无法判断：所读数据全在这段时间之内" in narrate(blind, "zh", "").summary
    assert (
        answer.next_actions[0]
        == "Ask with a window that holds normal time: no baseline for metrics"
    )
    assert not any("Ask again for" in action for action in answer.next_actions)
    assert "Start recording traces, logs" in answer.next_actions

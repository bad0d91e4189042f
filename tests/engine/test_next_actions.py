"""Next actions are few, fit the family and the evidence, and change nothing unasked."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from aegis.engine.next_actions import next_actions
from aegis.model.diagnosis import FAMILIES, Diagnosis, Family, TimelineEntry
from aegis.model.evidence import Evidence
from aegis.model.text import Text
from tests.engine.diagnoses import (
    IMPACT,
    LATER_NS,
    ONSET_NS,
    cause,
    diagnosis,
    evidence,
    gap,
    quiet,
    ruled_out,
)
from tests.engine.wording import assert_bilingual, english_words

MINUTE_NS = 60_000_000_000
DEPLOY = evidence(
    "c1", "change", subject="v2.4.1", baseline=None, observed=2.0, unit="min",
    onset_ns=ONSET_NS - 2 * MINUTE_NS,
)  # fmt: skip
LOGS = evidence(
    "l1", "error_logs", subject="no route to <*>", baseline=0.0, observed=4.0, unit="per_min",
    query='{app="payment"} |= "no route to"',
)  # fmt: skip
BANNED = re.compile(r"check the logs|monitor the system|查看日志$|监控系统", re.IGNORECASE)
HARMFUL = re.compile(r"\b(restart|roll back|delete|scale|kill|drain|patch|apply)\b", re.IGNORECASE)


def english(case: Diagnosis) -> list[str]:
    return [text.en for text in next_actions(case)]


def one_with(case: Diagnosis, piece: str) -> str:
    """The one action that holds `piece`."""
    found = [text for text in english(case) if piece in text]
    assert len(found) == 1, english(case)
    return found[0]


def cases() -> list[Diagnosis]:
    alone = [diagnosis(cause(family=family)) for family in FAMILIES]
    kinds = [
        evidence("x1", "call_structure", subject="GET /a → get", unit="share", peer="db"),
        evidence("x1", "log_sequence", subject="a → b", unit="share", query=""),
        evidence("x1", "saturation", subject="pool_active", query="pool_active"),
        evidence("x1", "restarts", subject="restarts_total"),
        evidence("x1", "call_time", subject="GET /a", unit="ms", peer="db"),
        evidence("x1", "error_spans", subject="", unit="per_trace"),
    ]
    of_kind = [
        diagnosis(cause(family=family, evidence_ids=("x1",), against_ids=("m7",)), more=(item,))
        for item in kinds
        for family in FAMILIES
    ]
    everything = diagnosis(
        cause(probability=0.4, evidence_ids=("m1", "l1", "c1"), against_ids=("m7",)),
        cause("checkout", 0.35, "code", ("m2",)),
        more=(LOGS, DEPLOY),
        rest=(ruled_out(),),
        gaps=(gap("logs", "sampled"),),
    )
    faint = diagnosis(
        *(cause(f"svc-{n}", 0.11, evidence_ids=(), onset_ns=None) for n in range(6)),
        gaps=(gap("traces", "not_recorded"), gap("metrics", "no_data", "payment")),
    )
    blind = quiet(
        gaps=tuple(
            gap(source, reason)
            for source in ("metrics", "traces", "logs")
            for reason in ("unavailable", "no_data", "sampled")
        )
    )
    return [
        *alone,
        *of_kind,
        everything,
        faint,
        blind,
        quiet(),
        quiet(causes=(cause(probability=0.4),)),
    ]


@pytest.mark.parametrize("case", cases())
def test_two_to_five_actions_in_both_languages(case: Diagnosis) -> None:
    actions = next_actions(case)
    assert 2 <= len(actions) <= 5
    assert len(set(actions)) == len(actions)
    for text in actions:
        assert_bilingual(
            text, "payment", "checkout", "frontend", "process_cpu", "POST /pay", "p95_latency",
            "error_rate", "v2.4.1", "no route to", "svc", "GET /a", "pool_active",
            "restarts_total", "m1", "m7", "db",
        )  # fmt: skip
        assert not BANNED.search(text.en)
        assert not BANNED.search(text.zh)
        assert text.en.count("`") % 2 == 0
        assert re.findall(r"`.*?`", text.zh) == re.findall(r"`.*?`", text.en)


@pytest.mark.parametrize("case", cases())
def test_nothing_that_changes_the_cluster_is_ordered(case: Diagnosis) -> None:
    for text in english(case):
        prose = re.sub(r"`.*?`", "", text)
        assert not HARMFUL.search(prose)
        for query in re.findall(r"`kubectl .*?`", text):
            assert query.startswith("`kubectl rollout history ")


@pytest.mark.parametrize(
    ("family", "comparison"),
    [
        ("cpu", "container_cpu_cfs_throttled_periods_total"),
        ("memory", "container_memory_working_set_bytes"),
        ("disk", "node_disk_io_time_seconds_total"),
        ("network", "node_netstat_Tcp_RetransSegs"),
        ("code", 'each pod of payment takes for "POST /pay"'),
        ("config", "Diff payment's configuration before and after 10:02:13 UTC"),
        ("dependency", "Compare payment's pool size"),
    ],
)
def test_each_family_has_its_own_comparison(family: Family, comparison: str) -> None:
    one_with(diagnosis(cause(family=family)), comparison)
    others = (f for f in FAMILIES if f != family)
    assert not any(comparison in a for f in others for a in english(diagnosis(cause(family=f))))


def test_a_config_diff_comes_with_a_command_only_for_names_fit_for_a_shell() -> None:
    plain = one_with(diagnosis(cause(family="config")), "Diff payment's configuration")
    assert plain.endswith(": `kubectl rollout history deployment/payment`")
    odd = one_with(diagnosis(cause("a;b", family="config")), "Diff a;b's configuration")
    assert odd.endswith("feature flags, secrets")


def test_the_strongest_measurement_comes_as_a_query_to_paste() -> None:
    action = one_with(diagnosis(), "Plot this metric")
    assert action.endswith('`max by (pod) (process_cpu{service="payment"})`')
    assert "(10:00:00–10:15:00 UTC)" in action


def test_a_second_source_adds_a_second_query() -> None:
    case = diagnosis(cause(evidence_ids=("m1", "l1")), more=(LOGS,))
    assert one_with(case, "in Loki").endswith(
        '`sum by (pod) (count_over_time({app="payment"} |= "no route to" [5m]))`'
    )


def test_no_query_is_offered_twice() -> None:
    case = diagnosis(cause(family="code"))
    assert sum("/search?service=payment" in text for text in english(case)) == 1


def test_a_change_before_the_onset_comes_first_and_rollback_only_after_a_check() -> None:
    case = diagnosis(
        cause(evidence_ids=("m1", "c1")),
        more=(DEPLOY,),
        timeline=(
            TimelineEntry(ONSET_NS - MINUTE_NS, Text("变更", "change"), "m1"),
            TimelineEntry(ONSET_NS - 2 * MINUTE_NS, Text("变更", "change"), "c1"),
        ),
    )
    first = next_actions(case)[0]
    assert first.en.startswith("Look at payment's change to v2.4.1 at 10:00:13 UTC and compare")
    assert "consider rolling back only after checking" in first.en
    assert first.zh.startswith("查看 payment 的变更 v2.4.1（UTC 10:00:13）")
    assert "确认症状只出现在新版本之后，再考虑回滚" in first.zh


def test_the_history_of_a_rollout_comes_as_a_command_where_the_name_is_fit_for_a_shell() -> None:
    first = english(diagnosis(more=(DEPLOY,)))[0]
    assert first.endswith("came with it: `kubectl rollout history deployment/payment`")
    odd = diagnosis(cause("a;b"), more=(replace(DEPLOY, service="a;b"),))
    assert one_with(odd, "consider rolling back").endswith("came with it")


def test_the_first_proof_is_plotted_before_it_is_compared_and_a_second_source_comes_after() -> None:
    actions = english(diagnosis(cause(evidence_ids=("m1", "l1")), more=(LOGS,)))
    pieces = ("Plot this metric", "Tell throttling from a crowded node", "in Loki")
    places = [next(i for i, text in enumerate(actions) if piece in text) for piece in pieces]
    assert places == sorted(places)


def test_a_change_that_no_cause_lists_is_still_looked_at() -> None:
    assert "v2.4.1" in english(diagnosis(more=(DEPLOY,)))[0]


def test_a_change_at_the_very_onset_counts() -> None:
    at_once = replace(DEPLOY, observed=0.0)
    assert "rolling back" in english(diagnosis(more=(at_once,)))[0]


@pytest.mark.parametrize(
    "harmless", [replace(DEPLOY, observed=-2.0), replace(DEPLOY, service="mail")]
)
def test_a_later_change_or_one_elsewhere_is_not_offered(harmless: Evidence) -> None:
    case = diagnosis(more=(harmless,))
    assert not any("rolling back" in text for text in english(case))


def test_two_close_causes_are_decided_before_anything_else() -> None:
    case = diagnosis(
        cause(probability=0.4, evidence_ids=("m1", "c1")),
        cause("checkout", 0.3, "code", ("m2",), (), LATER_NS),
        more=(DEPLOY,),
    )
    first, second, *_ = english(case)
    assert first.startswith("Decide between payment and checkout first: ")
    assert first.endswith('(`max by (pod) (p95_latency{service="checkout"})`)')
    assert "rolling back" in second


def test_the_strongest_counter_evidence_is_put_to_the_test() -> None:
    action = one_with(
        diagnosis(cause(against_ids=("m7",))),
        "strongest evidence against payment, within its usual noise: ",
    )
    assert "[m7]" in action
    assert 'error_rate{service="payment"}' in action


def test_evidence_that_also_proves_the_cause_is_no_counter_evidence() -> None:
    case = diagnosis(cause(against_ids=("m1",)))
    assert not any("strongest evidence against" in text for text in english(case))


def test_a_broken_sequence_is_read_on_from_its_first_line() -> None:
    broken = evidence(
        "l2", "log_sequence", subject="begin → commit", unit="share", query='{app="a"} |= "begin"'
    )
    action = one_with(diagnosis(cause(evidence_ids=("l2",)), more=(broken,)), "what now follows it")
    assert action.endswith('`{app="a"} |= "begin"`')


def test_without_counter_evidence_the_onset_would_disprove() -> None:
    case = diagnosis(cause(), cause("mail", 0.04), cause("cart", 0.03))
    expected = "payment is not the cause if any of mail, cart was abnormal before 10:02:13 UTC"
    assert expected in english(case)


def test_without_an_onset_the_healthy_pods_would_disprove() -> None:
    one_with(diagnosis(cause(onset_ns=None)), "requests served by its unaffected pods")
    beside = diagnosis(cause(onset_ns=None), cause("mail", 0.04))
    one_with(beside, "requests served by its unaffected pods")


def test_the_affected_are_told_only_when_the_cause_is_likely() -> None:
    case = diagnosis(cause(probability=0.5), rest=(ruled_out(), ruled_out("mail", "cart")))
    case = replace(case, none_probability=0.4)
    action = one_with(case, "Tell the owners of")
    assert "frontend, checkout:" in action
    assert "mail" not in action
    for probability, told in ((0.86, True), (0.49, False)):
        case = diagnosis(cause(probability=probability), rest=(ruled_out(),))
        case = replace(case, none_probability=0.1)
        assert any("Tell the owners" in text for text in english(case)) is told


def test_the_cause_itself_is_not_among_the_affected() -> None:
    case = replace(diagnosis(), impact=replace(IMPACT, service="payment"))
    assert not any("Tell the owners" in text for text in english(case))


def test_restarts_ask_why_pods_ended() -> None:
    restarts = evidence("m8", "restarts", subject="restarts_total", baseline=0.0, observed=3.0)
    case = diagnosis(cause(family="code", evidence_ids=("m8", "m1")), more=(restarts,))
    one_with(case, "kube_pod_container_status_last_terminated_reason")


def test_a_dependency_is_compared_with_its_pool() -> None:
    pool = evidence("m8", "saturation", subject="pool_active")
    wait = evidence("t8", "call_time", peer="ledger-db", subject="POST /pay", unit="ms")
    case = diagnosis(cause(family="dependency", evidence_ids=("t8", "m8")), more=(pool, wait))
    action = one_with(case, "pool size towards ledger-db")
    assert "pool_active" in action
    assert "mean ledger-db itself is slow" in action


def test_a_changed_path_is_compared_trace_by_trace() -> None:
    path = evidence(
        "t8", "call_structure", peer="db", subject="GET /a → get", unit="share",
        baseline=0.9, observed=0.1,
    )  # fmt: skip
    case = diagnosis(cause(family="code", evidence_ids=("t8",)), more=(path,))
    action = one_with(case, "Compare one trace of payment from before 10:02:13 UTC")
    assert "operation=GET+%2Fa&" in action


def test_the_same_diagnosis_gives_the_same_actions() -> None:
    for case in cases():
        assert next_actions(case) == next_actions(case)


def test_chinese_prose_has_no_english_words_beside_the_terms_of_the_field() -> None:
    zh = next_actions(diagnosis())[0].zh
    assert not english_words(zh, "payment")


def test_a_service_that_fell_silent_is_looked_at_first_whatever_the_cause() -> None:
    told = gap("metrics", "stopped", "db")

    for case in (diagnosis(gaps=(told,)), quiet(gaps=(told,))):
        assert next_actions(case)[0].en == (
            "See whether db still runs, or only scraping failed: `up == 0`; why its pods "
            "ended: `max by (pod, reason) "
            '(kube_pod_container_status_last_terminated_reason{pod=~"db-.+"}) > 0`'
        )
        assert len(next_actions(case)) <= 5

    both = diagnosis(gaps=(told, gap("metrics", "stopped", "cart")))
    assert english(both)[0] == (
        "See whether db, cart still run, or only scraping failed: `up == 0`"
    )


def test_what_a_caller_measured_of_a_cause_in_the_dark_is_looked_for_at_the_caller() -> None:
    slow = evidence("t1", "self_time", "cart", subject="SELECT", unit="ms", observed=900.0)
    refused = evidence(
        "l1", "error_logs", "cart", unit="per_min", query='{service="cart"} |= "refused"'
    )
    dark = cause("vault", 0.9, "code", ("t1", "l1"))
    told = english(replace(diagnosis(dark), evidence=(slow, refused)))

    assert any(text.startswith("Count this line of cart by pod in Loki") for text in told)
    assert any(text.startswith("Compare how long each pod of cart takes") for text in told)
    assert not any("of vault" in text for text in told)

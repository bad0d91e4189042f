"""Findings weighed and sorted: the numbers follow from weight · log2(1 + surprise)."""

from __future__ import annotations

from hashlib import sha256

import pytest

from aegis.engine.findings import Finding
from aegis.engine.symptoms import ERRORS, LATENCY, Symptoms, certainly_slow, weigh
from aegis.model.evidence import Signal
from tests.engine.telemetry import SECOND_NS, at_ns, finding
from tests.engine.worlds import near, sick

ONE_DECADE_MORE: dict[str, float] = {"metrics": 1.0, "traces": 1.6, "logs": 1.6}
"""The surprise whose log2(1 + …) is 1; spans and logs are first reduced by 0.6."""

WEIGHTS: list[tuple[Signal, float]] = [
    ("cpu", 1.0),
    ("memory", 1.3),
    ("disk", 0.8),
    ("network", 0.25),
    ("latency", 0.7),
    ("errors", 1.0),
    ("saturation", 0.35),
    ("traffic", 0.35),
    ("restarts", 0.6),
    ("self_time", 1.2),
    ("call_time", 1.2),
    ("error_spans", 1.0),
    ("call_structure", 0.7),
    ("error_logs", 1.0),
    ("log_rate", 0.8),
    ("log_sequence", 1.1),
]
GATED = {"errors", "error_spans", "call_structure", "error_logs", "log_rate", "log_sequence"}
CAPPED = {"traffic", "network", "disk", "saturation"}


def unit_finding(signal: Signal, *, share: float = 1.0) -> Finding:
    plain = finding(signal=signal)
    return finding(signal=signal, surprise=ONE_DECADE_MORE[plain.source], share=share)


@pytest.mark.parametrize(("signal", "weight"), WEIGHTS)
def test_each_signal_has_its_weight(signal: Signal, weight: float) -> None:
    assert weigh(unit_finding(signal)) == near(weight)


@pytest.mark.parametrize(("signal", "weight"), WEIGHTS)
def test_strength_grows_with_the_logarithm_and_some_signals_stop_at_a_cap(
    signal: Signal, weight: float
) -> None:
    # surprise 7 (after the reduction): log2(8) = 3; capped at 1.6 weights
    surprise = 7.0 + (0.0 if finding(signal=signal).source == "metrics" else 0.6)

    expected = 1.6 if signal in CAPPED else 3.0

    assert weigh(finding(signal=signal, surprise=surprise)) == near(expected * weight)


@pytest.mark.parametrize(("signal", "weight"), WEIGHTS)
@pytest.mark.parametrize(
    ("share", "gate"),
    [(0.0, 0.7), (0.25, 0.85), (0.5, 1.0), (0.9, 1.0)],  # 0.7 + 0.3 · share / 0.5, at most 1
)
def test_errors_and_flow_count_less_where_few_requests_are_touched(
    signal: Signal, weight: float, share: float, gate: float
) -> None:
    expected = weight * (gate if signal in GATED else 1.0)

    assert weigh(unit_finding(signal, share=share)) == near(expected)


@pytest.mark.parametrize(("surprise", "strength"), [(0.1, 0.0), (0.6, 0.0), (3.6, 2.0)])
def test_many_tests_take_six_tenths_of_a_decade_from_spans_and_logs(
    surprise: float, strength: float
) -> None:
    assert weigh(finding(signal="error_spans", surprise=surprise)) == near(strength)
    assert weigh(finding(signal="error_logs", surprise=surprise)) == near(strength)


def test_metrics_are_few_and_not_reduced() -> None:
    assert weigh(finding(signal="cpu", surprise=3.0)) == near(2.0)


def gathered(*findings: Finding, traced: bool = False) -> Symptoms:
    symptoms = Symptoms()
    for item in findings:
        symptoms.add(item, traced=traced)
    return symptoms


def test_a_finding_without_strength_is_not_kept() -> None:
    assert gathered(finding(signal="error_spans", surprise=0.5)) == Symptoms()


def test_a_weak_finding_is_kept() -> None:
    assert gathered(finding(signal="cpu", surprise=0.5)).of("cpu") == near(0.584963)  # log2(1.5)


def test_the_strongest_finding_of_a_signal_and_the_widest_reach_count() -> None:
    strong = finding(signal="errors", surprise=3.0, share=0.5)
    wide = finding(signal="errors", surprise=1.0, share=0.8)

    for found in (gathered(strong, wide), gathered(wide, strong)):
        assert found.of("errors") == near(2.0)
        assert found.touched["errors"] == 0.8
        assert len(found.findings) == 2


def test_what_was_not_found_has_no_strength() -> None:
    assert Symptoms().of("cpu") == 0.0
    assert Symptoms().strongest(LATENCY) == 0.0
    assert Symptoms().touched_share(LATENCY) == 0.0


def test_no_signals_at_all_have_no_strength_and_touch_nobody() -> None:
    found = sick({"errors": 1.0}, touched={"errors": 0.5})

    assert found.strongest(()) == 0.0
    assert found.touched_share(()) == 0.0


def test_the_strongest_of_a_family_is_the_largest() -> None:
    found = sick({"errors": 1.0, "error_logs": 2.0, "cpu": 9.0})

    assert found.strongest(ERRORS) == 2.0


def test_the_touched_share_of_a_family_is_the_largest() -> None:
    found = sick(touched={"errors": 0.1, "error_logs": 0.3, "latency": 0.9})

    assert found.touched_share(ERRORS) == 0.3


def test_latency_metrics_say_less_where_spans_are_recorded() -> None:
    slow, busy = finding(signal="latency", surprise=1.0), finding(signal="cpu", surprise=1.0)

    assert gathered(slow, traced=False).of("latency") == near(0.7)
    assert gathered(slow, traced=True).of("latency") == near(0.42)  # 0.6 · 0.7
    assert gathered(busy, traced=True).of("cpu") == near(1.0)


def test_own_time_is_split_into_work_inside_and_calls_to_the_unseen() -> None:
    found = gathered(
        finding(signal="self_time", surprise=1.6),
        finding(signal="self_time", surprise=3.6),
        finding(signal="self_time", surprise=1.6, outbound=True),
        finding(signal="self_time", surprise=7.6, outbound=True),
        finding(signal="self_time", surprise=1.6, outbound=True),
        finding(signal="self_time", surprise=1.6),
    )

    assert found.inner == near(2.4)  # 1.2 · log2(4)
    assert found.outbound == near(3.6)  # 1.2 · log2(8)
    assert found.of("self_time") == near(3.6)


def test_slow_leaf_spans_point_outward_when_they_exceed_the_work_inside() -> None:
    inside = finding(signal="self_time", surprise=3.6)
    outside = finding(signal="self_time", surprise=3.6, outbound=True)
    worse_outside = finding(signal="self_time", surprise=3.7, outbound=True)

    assert not gathered(inside, outside).outbound_in(LATENCY)
    assert gathered(inside, worse_outside).outbound_in(LATENCY)
    assert not gathered(worse_outside).outbound_in(ERRORS)


def test_any_time_of_leaf_spans_points_outward_where_there_is_none_inside() -> None:
    assert gathered(finding(signal="self_time", surprise=0.7, outbound=True)).outbound_in(LATENCY)


@pytest.mark.parametrize("signal", ["errors", "error_spans", "error_logs"])
def test_errors_of_leaf_spans_point_outward(signal: Signal) -> None:
    assert gathered(finding(signal=signal, outbound=True)).outbound_in(ERRORS)
    assert not gathered(finding(signal=signal)).outbound_in(ERRORS)
    assert not gathered(finding(signal=signal, outbound=True)).outbound_in(LATENCY)


def test_slow_calls_seen_by_metrics_of_the_caller_are_no_failed_calls() -> None:
    found = gathered(finding(signal="latency", outbound=True))

    assert not found.failed_outbound
    assert found.outbound == 0.0


def test_the_delay_of_each_latency_metric_is_its_largest_increase() -> None:
    found = gathered(
        finding(signal="latency", subject="p95", baseline=0.25, observed=1.0),
        finding(signal="latency", subject="p95", baseline=0.25, observed=0.5),
        finding(signal="latency", subject="p50", baseline=0.25, observed=0.5),
        finding(signal="latency", subject="falling", baseline=0.5, observed=0.25),
        finding(signal="latency", subject="to_db", peer="db", baseline=0.25, observed=9.0),
        finding(signal="cpu", subject="cpu", baseline=0.0, observed=9.0),
    )

    assert found.delays == {"p95": 0.75, "p50": 0.25, "falling": 0.0}


def test_a_delay_without_numbers_counts_from_zero() -> None:
    found = gathered(
        finding(signal="latency", subject="new", baseline=None, observed=0.5),
        finding(signal="latency", subject="gone", baseline=0.5, observed=None),
    )

    assert found.delays == {"new": 0.5, "gone": 0.0}


@pytest.mark.parametrize(("latency", "sure"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0), (2.0, 1.0)])
def test_metrics_are_certain_of_slowness_at_a_strength_of_one(latency: float, sure: float) -> None:
    assert certainly_slow(sick({"latency": latency})) == sure


def test_a_fingerprint_is_the_earliest_onset_and_the_bytes_of_the_data() -> None:
    early = finding(onset_s=60, values=(1, 2))
    late = finding(onset_s=120, values=(3, 4))
    undated = finding(values=(5, 6))
    digests = "".join(sorted(item.digest() for item in (early, late, undated)))

    for order in ([early, late, undated], [undated, late, early]):
        onset, digest = sick(findings=order).fingerprint()
        assert onset == -at_ns(60)
        assert digest == sha256(digests.encode()).hexdigest()


def test_an_earlier_onset_is_a_larger_fingerprint_and_none_the_smallest() -> None:
    early, late, never = (
        sick(findings=[finding(onset_s=onset)]).fingerprint() for onset in (60, 120, None)
    )

    assert early > late > never
    assert late[0] == early[0] - 60 * SECOND_NS
    assert never[0] == -9223372036854775807

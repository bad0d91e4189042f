"""The benchmark's arithmetic, on five cases worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aegis.model.diagnosis import Family
from aegis.model.incident import TrueCause
from aegis.workflows.score_cases.scores import (
    CaseResult,
    OnsetResult,
    OnsetScores,
    expected_calibration_error,
    quantile,
    score,
)


def result(
    name: str,
    ranking: tuple[tuple[str, float], ...],
    truth: tuple[TrueCause, ...] | None,
    family: Family | None = "cpu",
    cpu_s: float = 0.1,
) -> CaseResult:
    return CaseResult(name, "set", ranking, family, 0.05, truth, cpu_s)


FIVE = (
    # The one cause is named first, with its family.
    result("A", (("a", 0.9), ("b", 0.05)), (TrueCause("a", "stress", "cpu"),), "cpu", 0.1),
    # The cause is named second.
    result("B", (("a", 0.6), ("b", 0.3)), (TrueCause("b", "leak", "memory"),), "memory", 0.2),
    # Two causes, named first (with the wrong family) and third.
    result(
        "C",
        (("a", 0.5), ("b", 0.2), ("c", 0.1)),
        (TrueCause("a", "bug", "code"), TrueCause("c", "odd", None)),
        "network",
        0.3,
    ),
    # Nothing was wrong; once with a suspicion, once almost without.
    result("D", (("a", 0.55),), (), "cpu", 0.4),
    result("E", (("a", 0.1), ("b", 0.05)), (), "cpu", 0.5),
)


def test_accuracy_counts_the_causes_among_the_first_k() -> None:
    scores = score(FIVE)
    # A 1/1, B 0/1, C 1/min(1, 2)
    assert scores.ac1 == pytest.approx(2 / 3)
    # A 1, B 1, C 2/2
    assert scores.ac3 == pytest.approx(1.0)
    # AC@2 is (1 + 1 + 1/2) / 3; from 3 on all is found
    assert scores.avg5 == pytest.approx((2 / 3 + 2.5 / 3 + 1 + 1 + 1) / 5)


def test_brier_counts_a_suspicion_where_nothing_was_wrong_as_a_miss() -> None:
    by_hand = (0.1**2 + 0.6**2 + 0.5**2 + 0.55**2 + 0.1**2) / 5
    assert score(FIVE).brier == pytest.approx(by_hand)


def test_calibration_error_weighs_each_bin_by_its_cases() -> None:
    # .9–1: A .1 off; .6–.7: B .6 off; .5–.6: C and D sum to 1.05 for 1 hit; .1–.2: E .1 off
    assert score(FIVE).ece == pytest.approx((0.1 + 0.6 + 0.05 + 0.1) / 5)
    assert expected_calibration_error([(1.0, True), (0.95, False)]) == pytest.approx(0.95 / 2)


def test_family_counts_only_where_the_top_service_is_right() -> None:
    # A right, C wrong, B not asked
    assert score(FIVE).family == pytest.approx(0.5)


def test_a_label_without_a_family_is_not_scored_for_it() -> None:
    unknown = result("F", (("a", 0.9),), (TrueCause("a", "?", None),), "cpu")
    assert score([unknown]).family is None


def test_alarms_coverage_and_precision_are_shares_at_a_threshold() -> None:
    scores = score(FIVE)
    assert scores.false_alarms == {"0.5": 0.5, "0.8": 0.0, "0.9": 0.0}
    assert scores.coverage == pytest.approx({"0.5": 1.0, "0.8": 1 / 3, "0.9": 1 / 3})
    # at .5: A and C hit, B and D do not
    assert scores.precision == {"0.5": 0.5, "0.8": 1.0, "0.9": 1.0}


def test_cpu_seconds_are_quantiles_over_all_cases() -> None:
    scores = score(FIVE)
    assert scores.cpu_s_p50 == pytest.approx(0.3)
    assert scores.cpu_s_p95 == pytest.approx(0.48)
    assert quantile([2.0], 0.95) == 2.0


def test_without_labels_there_are_cases_but_no_scores() -> None:
    scores = score([result("G", (("a", 0.9),), None)])
    assert scores.cases == 1
    assert (scores.ac1, scores.avg5, scores.brier, scores.ece) == (None, None, None, None)
    assert scores.precision == {"0.5": None, "0.8": None, "0.9": None}
    assert scores.cpu_s_p50 == pytest.approx(0.1)


def test_an_empty_ranking_is_a_miss_with_no_probability() -> None:
    scores = score([result("H", (), (TrueCause("a", "x", "cpu"),), None)])
    assert (scores.ac1, scores.avg5, scores.brier, scores.family) == (0.0, 0.0, 0.0, None)


START = datetime(2026, 3, 1, 10, tzinfo=UTC)


def with_onset(
    found_s: float | None,
    true_s: float | None,
    outcome: str = "ended",
    truth: tuple[TrueCause, ...] | None = (TrueCause("a", "stress", "cpu"),),
) -> CaseResult:
    moments = [None if s is None else START + timedelta(seconds=s) for s in (found_s, true_s)]
    plain = result("O", (("a", 0.9),), truth)
    return replace(plain, onset=OnsetResult(outcome, moments[0], moments[1]))


def test_onset_errors_have_no_sign_and_are_over_all_labelled_beginnings() -> None:
    scores = score([with_onset(10, 0), with_onset(0, 30), with_onset(50, 0)]).onset
    assert scores is not None
    assert (scores.found, scores.error_s_p50, scores.false) == (1.0, 30.0, None)
    assert scores.error_s_p90 == pytest.approx(46.0)


def test_a_beginning_that_was_not_found_is_infinitely_wrong() -> None:
    missed = with_onset(None, 0, "nothing")
    half = score([with_onset(10, 0), with_onset(20, 0), with_onset(30, 0), missed]).onset
    assert half == OnsetScores(0.75, 25.0, None, None)
    assert score([missed, missed]).onset == OnsetScores(0.0, None, None, None)


def test_beginnings_named_where_nothing_was_wrong_are_false() -> None:
    quiet = [with_onset(5, None, truth=()), with_onset(None, None, "nothing", truth=())]
    assert score(quiet).onset == OnsetScores(None, None, None, 0.5)


def test_that_it_began_before_the_history_is_right_whenever_that_was() -> None:
    def error_s(found: float, true: float, outcome: str) -> float | None:
        told = with_onset(found, true, outcome).onset
        assert told is not None
        return told.error_s

    assert error_s(0, -7200, "before_history") == 0.0
    assert error_s(0, 600, "before_history") == -600.0
    assert error_s(0, -7200, "ended") == 7200.0


def test_without_any_onset_there_are_no_onset_scores() -> None:
    assert score(FIVE).onset is None

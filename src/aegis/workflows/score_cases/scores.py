"""The benchmark's arithmetic: rankings and labels in, scores out. Nothing is read here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf, isfinite

from aegis.model.diagnosis import Family
from aegis.model.incident import TrueCause

THRESHOLDS = (0.5, 0.8, 0.9)
ECE_BINS = 10


@dataclass(frozen=True, slots=True)
class OnsetResult:
    """When a case was found to begin (None: it was not), and when it did (None: unknown)."""

    outcome: str
    found: datetime | None
    true: datetime | None

    @property
    def error_s(self) -> float | None:
        """Found less true; None where either is missing.

        That it began before the history is right where it did, whenever that was.
        """
        if self.found is None or self.true is None:
            return None
        if self.outcome == "before_history" and self.true <= self.found:
            return 0.0
        return (self.found - self.true).total_seconds()


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One ranked case. `truth` is empty where nothing was wrong, None where it is unlabelled."""

    id: str
    set_name: str
    ranking: tuple[tuple[str, float], ...]
    top_family: Family | None
    none_probability: float
    truth: tuple[TrueCause, ...] | None
    cpu_s: float
    onset: OnsetResult | None = None

    @property
    def top_probability(self) -> float:
        return self.ranking[0][1] if self.ranking else 0.0

    @property
    def true_services(self) -> frozenset[str]:
        return frozenset(cause.service for cause in self.truth or ())

    @property
    def hit(self) -> bool:
        return bool(self.ranking) and self.ranking[0][0] in self.true_services


@dataclass(frozen=True, slots=True)
class OnsetScores:
    """How well beginnings were found.

    `found` is the share of the labelled onsets for which any was named; the errors, in
    seconds and without sign, are over all labelled ones: one that was not found is infinitely
    wrong, and shows as None. `false` is the share of quiet cases for which one was named.
    """

    found: float | None
    error_s_p50: float | None
    error_s_p90: float | None
    false: float | None


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of a set; a score is None where no case of the set can tell it."""

    cases: int
    ac1: float | None
    ac3: float | None
    avg5: float | None
    family: float | None
    brier: float | None
    ece: float | None
    false_alarms: dict[str, float | None]
    coverage: dict[str, float | None]
    precision: dict[str, float | None]
    cpu_s_p50: float | None
    cpu_s_p95: float | None
    onset: OnsetScores | None = None


def score(results: Sequence[CaseResult]) -> Scores:
    """Scores over the labelled ones of `results`; CPU seconds over all of them."""
    labelled = [one for one in results if one.truth is not None]
    faults = [one for one in labelled if one.truth]
    quiet = [one for one in labelled if not one.truth]
    at_k = [_mean([accuracy_at(one, k) for one in faults]) for k in range(1, 6)]

    def share(cases: Sequence[CaseResult], least: float) -> float | None:
        return _mean([float(one.top_probability >= least) for one in cases])

    def precision(cases: Sequence[CaseResult], least: float) -> float | None:
        return _mean([float(one.hit) for one in cases if one.top_probability >= least])

    def at_thresholds(
        measure: Callable[[Sequence[CaseResult], float], float | None],
        cases: Sequence[CaseResult],
    ) -> dict[str, float | None]:
        return {f"{least}": measure(cases, least) for least in THRESHOLDS}

    cpu_s = [one.cpu_s for one in results]
    return Scores(
        cases=len(results),
        ac1=at_k[0],
        ac3=at_k[2],
        avg5=_mean([value for value in at_k if value is not None]),
        family=_mean([value for value in map(family_right, faults) if value is not None]),
        brier=_mean([(one.top_probability - one.hit) ** 2 for one in labelled]),
        ece=expected_calibration_error([(one.top_probability, one.hit) for one in labelled]),
        false_alarms=at_thresholds(share, quiet),
        coverage=at_thresholds(share, faults),
        precision=at_thresholds(precision, labelled),
        cpu_s_p50=quantile(cpu_s, 0.5),
        cpu_s_p95=quantile(cpu_s, 0.95),
        onset=onset_scores(results),
    )


def onset_scores(results: Sequence[CaseResult]) -> OnsetScores | None:
    """None where no case was looked at for its onset."""
    told = [(one, one.onset) for one in results if one.onset is not None]
    if not told:
        return None
    labelled = [onset for _, onset in told if onset.true is not None]
    quiet = [onset for one, onset in told if one.truth is not None and not one.truth]
    errors = [inf if one.error_s is None else abs(one.error_s) for one in labelled]
    return OnsetScores(
        found=_mean([float(one.found is not None) for one in labelled]),
        error_s_p50=_finite(quantile(errors, 0.5)),
        error_s_p90=_finite(quantile(errors, 0.9)),
        false=_mean([float(one.found is not None) for one in quiet]),
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def accuracy_at(result: CaseResult, k: int) -> float:
    """|first k of the ranking ∩ causes| / min(k, |causes|) of a fault case."""
    causes = result.true_services
    first = {service for service, _ in result.ranking[:k]}
    return len(first & causes) / min(k, len(causes))


def family_right(result: CaseResult) -> float | None:
    """1 or 0 where the top service is right and its label names a family, else None."""
    if not result.hit:
        return None
    top = result.ranking[0][0]
    families = {cause.family for cause in result.truth or () if cause.service == top} - {None}
    return float(result.top_family in families) if families else None


def expected_calibration_error(pairs: Sequence[tuple[float, bool]]) -> float | None:
    """Weighted mean over ECE_BINS equal bins of |mean probability - share of hits|."""
    if not pairs:
        return None
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(ECE_BINS)]
    for probability, hit in pairs:
        bins[min(int(probability * ECE_BINS), ECE_BINS - 1)].append((probability, hit))
    gaps = [abs(sum(p for p, _ in one) - sum(hit for _, hit in one)) for one in bins]
    return sum(gaps) / len(pairs)


def quantile(values: Sequence[float], share: float) -> float | None:
    """Linear between the neighbouring order statistics; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    if ordered[below] == ordered[above]:  # also where both are infinite
        return ordered[below]
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None

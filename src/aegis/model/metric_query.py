"""What is asked of metrics beside the fixed plan, by a person or a model, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass

from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import Floats, Int64s, TimeWindow


@dataclass(frozen=True, slots=True)
class MetricRequest:
    """A PromQL expression that somebody wrote, over the points start, start + step … end."""

    promql: str
    window: TimeWindow
    step_s: int


@dataclass(frozen=True, slots=True, eq=False)
class QueriedSeries:
    """`labels` sorted by name; `times_ns` ascends and has the length of `values`, all finite."""

    labels: tuple[tuple[str, str], ...]
    times_ns: Int64s
    values: Floats


@dataclass(frozen=True, slots=True, eq=False)
class QueriedMetrics:
    """Series by their labels; `there` is how many the expression has, a part of them given.

    Where there are more than are given, these are the ones with the highest values.
    """

    series: tuple[QueriedSeries, ...]
    there: int
    gaps: tuple[EvidenceGap, ...] = ()


@dataclass(frozen=True, slots=True)
class MetricFacts:
    """One metric name: what its source says of it, "" where it does not.

    `labels` holds label names with some of their values, both sorted.
    """

    name: str
    kind: str
    unit: str
    told: str
    labels: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class MetricListing:
    """The names that fit, sorted; `there` is how many do, of `known` altogether."""

    metrics: tuple[MetricFacts, ...]
    there: int
    known: int

"""The words of the signal catalog: conventions, the metrics they know, what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from re import Pattern
from typing import Literal, get_args

Signal = Literal[
    "traffic", "errors", "latency", "saturation", "restarts", "cpu", "memory", "disk", "network"
]
SIGNALS: tuple[Signal, ...] = get_args(Signal)
Layer = Literal[
    "service", "kubernetes", "mesh", "gateway", "spans", "runtime", "store", "node", "generic"
]
LAYERS: tuple[Layer, ...] = get_args(Layer)
"""Where a convention measures, in the order in which its signals are wanted."""
Ask = Literal[
    "rate",
    "increase",
    "changes",
    "gauge",
    "share",
    "status_mix",
    "quantile",
    "mean",
    "ratio",
    "rate_ratio",
    "expression",
]
ASKS: tuple[Ask, ...] = get_args(Ask)
Aggregation = Literal["sum", "max", "min"]
Reading = Literal["step", "appears", "time"]


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label: `label op "value"`."""

    label: str
    op: str
    value: str


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way to write a metric's name; `dotted`: its labels keep their dots as well."""

    name: str
    dotted: bool = False


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of a convention under the short name that signals use.

    `spellings` in order of preference, or `pattern` for names that are free in part (matched
    whole). `needs`: labels without which the same name means something else. `factor` turns
    its unit into the canonical one.
    """

    spellings: tuple[Spelling, ...]
    pattern: Pattern[str] | None = None
    without: Pattern[str] | None = None
    where: tuple[Matcher, ...] = ()
    needs: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    factor: float = 1.0
    histogram: bool = False


@dataclass(frozen=True, slots=True)
class SignalEntry:
    """One series that comes out of a convention; fields not used by `ask` are empty.

    `of`, `over` and `bad_of` are short names of metrics. `bad` are alternatives: a request
    that fits one of them has failed. `per`: labels within which `of` and `over` belong
    together (an instance, a pool) before the worst is taken.
    """

    series: str
    signal: Signal
    ask: Ask
    of: str = ""
    over: str = ""
    bad_of: str = ""
    bad: tuple[Matcher, ...] = ()
    where: tuple[Matcher, ...] = ()
    status: str = ""
    fill: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    per: tuple[str, ...] = ()
    aggregation: Aggregation = "sum"
    quantile: float = 0.0
    scale: float = 1.0
    complement: bool = False
    expression: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class ChangeEntry:
    """Where a rollout or a change of scale can be read.

    `reading` tells how: "step" (the value changes then), "appears" (a new series begins
    then), "time" (the value is the Unix time of the change).
    """

    kind: str
    reading: Reading
    expression: str
    keep: tuple[str, ...] = ()
    about: str = ""


@dataclass(frozen=True, slots=True)
class Convention:
    """One way of naming metrics that people run.

    `identity`: labels that name the service, the first that is there wins; empty means the
    usual ones. `labels`: new label → labels to take it from, in order of preference.
    `workload`: the service is what runs the pod. `fallback`: left out wherever an earlier
    convention gives the series.
    """

    name: str
    layer: Layer
    about: str
    metrics: Mapping[str, Metric]
    signals: tuple[SignalEntry, ...]
    changes: tuple[ChangeEntry, ...] = ()
    identity: tuple[str, ...] = ()
    labels: tuple[tuple[str, tuple[str, ...]], ...] = ()
    workload: bool = False
    fallback: bool = False

"""What exists in a metrics backend, as discovery found it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["counter", "gauge", "histogram", "native_histogram", "summary", "unknown"]
PARTS = ("_bucket", "_count", "_sum")
"""Endings of the samples that a histogram or a summary is stored as."""


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """One metric name and how it is used.

    `unit` is "" where the backend does not say. `labels` maps each label name to values
    seen, capped: a name that is missing was seen on no series.
    """

    name: str
    kind: Kind
    unit: str = ""
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inventory:
    """Metrics with samples in the window asked, by name.

    Names are those of stored samples (`__name__`): a classic histogram is there as its
    `_bucket`, `_count` and `_sum`, a native one as itself. A family name known only from
    metadata may stand for its parts: `stores` answers for both.
    """

    metrics: Mapping[str, MetricInfo]

    def stores(self, name: str) -> bool:
        """Whether samples of this name can be asked for."""
        if name in self.metrics:
            return self.metrics[name].kind not in ("histogram", "summary") or name.endswith(PARTS)
        family = self.metrics.get(family_of(name))
        if family is None or family.name == name:
            return False
        return family.kind == "histogram" or (
            family.kind == "summary" and not name.endswith("_bucket")
        )

    def is_native(self, name: str) -> bool:
        """Whether the name holds native histograms."""
        found = self.metrics.get(name)
        return found is not None and found.kind == "native_histogram"

    def labels(self, name: str) -> Mapping[str, frozenset[str]]:
        """Label names and values seen; empty where the name is unknown."""
        found = self.metrics.get(name) or self.metrics.get(family_of(name))
        return found.labels if found is not None else {}


def family_of(name: str) -> str:
    """The name less the ending of a part of a histogram or summary."""
    for part in PARTS:
        if name.endswith(part):
            return name.removesuffix(part)
    return name

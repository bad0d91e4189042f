"""The OpenMetrics text format, with timestamps, for backfilling."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from aegis.model.telemetry import Floats, Int64s

Type = Literal["counter", "gauge", "histogram"]
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """One series; `suffix` follows the family's name (`_total`, `_bucket`, …)."""

    suffix: str
    labels: Labels
    times_ns: Int64s
    values: Floats


@dataclass(slots=True)
class Exposition:
    """Families by name; a family is written in one piece, as the format demands."""

    types: dict[str, Type] = field(default_factory=dict)
    families: dict[str, list[Samples]] = field(default_factory=dict)

    def add(self, family: str, kind: Type, samples: Iterable[Samples]) -> None:
        """ValueError where the family is known as another type."""
        if self.types.setdefault(family, kind) != kind:
            raise ValueError(f"{family} is a {self.types[family]}, not a {kind}")
        self.families.setdefault(family, []).extend(samples)

    def gauge(self, family: str, labels: Mapping[str, str], times: Int64s, values: Floats) -> None:
        self.add(family, "gauge", [Samples("", tuple(labels.items()), times, values)])

    def counter(
        self, family: str, labels: Mapping[str, str], times: Int64s, values: Floats
    ) -> None:
        """`family` without `_total`, as the format has it."""
        self.add(family, "counter", [Samples("_total", tuple(labels.items()), times, values)])

    def lines(self) -> Iterator[str]:
        for family, series in self.families.items():
            yield f"# TYPE {family} {self.types[family]}\n"
            for one in series:
                inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in one.labels)
                head = f"{family}{one.suffix}{{{inside}}}"
                moments = (one.times_ns / 1e9).tolist()
                for value, moment in zip(one.values.tolist(), moments, strict=True):
                    yield f"{head} {value:.10g} {moment:.3f}\n"
        yield "# EOF\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

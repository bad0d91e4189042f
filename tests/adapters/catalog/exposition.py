"""Exposition text as a backend would know it: samples, an inventory, and a history."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aegis.adapters.prometheus.inventory import Inventory, Kind, MetricInfo, family_of

FOLDER = Path(__file__).parent / "expositions"
WINDOW_S = 300
SCRAPE_S = 60
CUMULATIVE_ANYWAY = "# cumulative: "
"""Header line: metrics that only rise though their exporter gives no type, or says gauge."""

_SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_KINDS: dict[str, Kind] = {
    "counter": "counter",
    "gauge": "gauge",
    "histogram": "histogram",
    "summary": "summary",
}


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    labels: tuple[tuple[str, str], ...]
    value: float
    cumulative: bool


@dataclass(frozen=True, slots=True)
class Exposition:
    """One fixture; `source` says where its text comes from."""

    name: str
    source: str
    samples: tuple[Sample, ...]
    kinds: dict[str, Kind]

    def inventory(self) -> Inventory:
        labels: dict[str, dict[str, set[str]]] = {}
        for sample in self.samples:
            known = labels.setdefault(sample.name, {})
            for name, value in sample.labels:
                known.setdefault(name, set()).add(value)
        return Inventory(
            {
                name: MetricInfo(
                    name,
                    self.kind_of(name),
                    labels={key: frozenset(values) for key, values in known.items()},
                )
                for name, known in labels.items()
            }
        )

    def kind_of(self, name: str) -> Kind:
        return self.kinds.get(name) or self.kinds.get(family_of(name), "unknown")

    def history(self, end_s: int) -> Iterator[str]:
        """Lines of OpenMetrics: counters rise evenly from 0 over the window, gauges stay."""
        steps = WINDOW_S // SCRAPE_S
        for sample in self.samples:
            inside = ",".join(f'{name}="{value}"' for name, value in sample.labels)
            for step in range(steps + 1):
                value = sample.value * step / steps if sample.cumulative else sample.value
                time_s = end_s - WINDOW_S + step * SCRAPE_S
                yield f"{sample.name}{{{inside}}} {value!r} {time_s}"


def read_exposition(path: Path) -> Exposition:
    """Every sample gets the labels that a scrape adds: the fixture is the job."""
    text = path.read_text(encoding="utf-8")
    kinds: dict[str, Kind] = {}
    rising: set[str] = set()
    source = ""
    samples = []
    for line in text.splitlines():
        if line.startswith("# source: "):
            source = line.removeprefix("# source: ")
        elif line.startswith(CUMULATIVE_ANYWAY):
            rising |= set(line.removeprefix(CUMULATIVE_ANYWAY).split())
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            kinds[name] = _KINDS.get(kind, "unknown")
        elif line and not line.startswith("#"):
            samples.append(_sample(line, path.stem, kinds, rising))
    return Exposition(path.stem, source, tuple(samples), kinds)


def _sample(line: str, job: str, kinds: dict[str, Kind], rising: set[str]) -> Sample:
    found = _SAMPLE.fullmatch(line.strip())
    assert found is not None, line
    labels = dict(_LABEL.findall(found[2] or ""))
    for name, value in (("instance", f"{job}:9090"), ("job", job)):
        if name in labels:
            labels[f"exported_{name}"] = labels.pop(name)
        labels[name] = value
    name = found[1]
    kind = kinds.get(name) or kinds.get(family_of(name), "unknown")
    part = name != family_of(name) and kind in ("histogram", "summary")
    cumulative = kind == "counter" or part or name in rising
    return Sample(name, tuple(sorted(labels.items())), float(found[3]), cumulative)


def every_exposition() -> list[Exposition]:
    return [read_exposition(path) for path in sorted(FOLDER.glob("*.txt"))]

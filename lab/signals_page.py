"""Writes the tables of docs/signals.md from the signal catalog: `python -m lab.signals_page`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aegis.adapters.prometheus.catalog import Catalog, load_catalog
from aegis.adapters.prometheus.entries import LAYERS, Convention, Layer, Metric

PAGE = Path(__file__).parents[1] / "docs" / "signals.md"
BEGIN = "<!-- From here on written by `python -m lab.signals_page`. -->"
TITLES: dict[Layer, str] = {
    "service": "Services",
    "kubernetes": "Containers and Kubernetes",
    "mesh": "Meshes",
    "gateway": "Gateways and probes",
    "spans": "Metrics made from spans",
    "runtime": "Runtimes",
    "store": "Stores and queues",
    "node": "Machines",
    "generic": "By name, as a last resort",
}


def tables(catalog: Catalog) -> str:
    """One section a layer, one entry a convention."""
    parts = [BEGIN]
    for layer in LAYERS:
        inside = [one for one in catalog.conventions if one.layer == layer]
        if inside:
            parts.append(f"## {TITLES[layer]}")
            parts += ["\n".join(_entry(one)) for one in inside]
    return "\n\n".join(parts) + "\n"


def _entry(convention: Convention) -> Iterator[str]:
    yield f"### {convention.name}"
    yield ""
    yield convention.about
    yield ""
    metrics = dict.fromkeys(_told(one) for one in convention.metrics.values())
    yield f"- Metrics: {', '.join(metrics)}"
    if convention.workload:
        yield "- Service: the workload that runs the pod"
    elif convention.identity:
        yield f"- Service: {', '.join(f'`{one}`' for one in convention.identity)}"
    by_signal: dict[str, dict[str, None]] = {}
    for entry in convention.signals:
        by_signal.setdefault(entry.signal, {})[f"`{entry.series}`"] = None
    for signal, series in by_signal.items():
        yield f"- {signal.capitalize()}: {', '.join(series)}"
    if convention.changes:
        kinds = dict.fromkeys(f"{one.kind} ({one.reading})" for one in convention.changes)
        yield f"- Changes: {', '.join(kinds)}"


def _told(metric: Metric) -> str:
    if metric.pattern is not None:
        name = "`" + metric.pattern.pattern.replace("|", " or ") + "` (a pattern)"
    else:
        name = " or ".join(f"`{one.name}`" for one in metric.spellings if not one.dotted)
    labels = ", ".join(f"`{one}`" for one in metric.needs)
    return f"{name} with {labels}" if labels else name


def main() -> None:
    """Keeps what people wrote above the mark."""
    above, _, _ = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(above + tables(load_catalog()), encoding="utf-8")


if __name__ == "__main__":
    main()

"""`python -m tests.live_prometheus.bench --seed 20 --cases 20`: how alike the answers are.

For each convention: the share of incidents whose first cause from a real Prometheus is that
of the recording, with all telemetry and with metrics alone, and AC@1 of all four.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from aegis.adapters.cases.recorded import RecordedCase
from lab.exposition.requests import REQUEST_CONVENTIONS
from tests.live_prometheus.incidents import from_case, from_prometheus, incident


@dataclass(frozen=True)
class Compared:
    """First causes of one incident, (live, recorded), and what the live answer cost."""

    truth: frozenset[str]
    everything: tuple[str | None, str | None]
    metrics: tuple[str | None, str | None]
    requests: int


def compare(seed: int, convention: str) -> Compared:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with incident(seed, convention, folder) as here:
            live = from_prometheus(here)
            live_metrics = from_prometheus(here, only_metrics=True)
        told = json.loads((folder / "case" / "truth.json").read_text(encoding="utf-8"))
        case = RecordedCase.open(folder / "case")
        return Compared(
            frozenset(one["service"] for one in told["root_causes"]),
            (live.first, from_case(case).first),
            (live_metrics.first, from_case(case, only_metrics=True).first),
            live.budget.requests,
        )


def bench(
    seed: Annotated[int, typer.Option(min=0)] = 20,
    cases: Annotated[int, typer.Option(min=1)] = 20,
) -> None:
    """Compare the answers of a real Prometheus with those of the recordings."""
    console = Console()
    for convention in sorted(REQUEST_CONVENTIONS):
        found = [compare(one, convention) for one in range(seed, seed + cases)]
        line = (
            f"{convention:12} {cases} incidents, at most {max(x.requests for x in found)} requests"
        )
        for name in ("everything", "metrics"):
            pairs = [(getattr(one, name), one.truth) for one in found]
            alike = sum(live == recorded for (live, recorded), _ in pairs) / cases
            right = [sum(pair[side] in truth for pair, truth in pairs) / cases for side in (0, 1)]
            line += f"; {name}: alike {alike:.2f}, AC@1 {right[0]:.2f} live {right[1]:.2f} recorded"
        console.print(line)


if __name__ == "__main__":
    typer.run(bench)

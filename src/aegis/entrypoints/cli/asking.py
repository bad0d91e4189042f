"""Asks running backends, and shows what is being done meanwhile."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from time import perf_counter

from rich.console import Console

from aegis.bootstrap import Asked, Step
from aegis.bootstrap.live import analyze_live
from aegis.model.telemetry import TimeWindow
from aegis.model.text import Language
from aegis.settings import Settings
from aegis.workflows.analyze_incident import Analysis


def ask_live(
    settings: Settings,
    question: str,
    language: Language,
    window: TimeWindow | None,
    service: str | None,
    ablate: frozenset[str],
) -> Analysis:
    """The answer; progress goes to stderr where a person looks on."""
    asked = Asked(question, language, settings.timezone, window)
    progress = Progress(Console(stderr=True))
    return analyze_live(settings, asked, progress, service, ablate, exact=window is not None)


@dataclass(slots=True)
class Progress:
    """One line for each step that has ended; nothing where stderr is no terminal."""

    console: Console
    began_s: dict[str, float] = field(default_factory=dict)

    def thought(self, text: str) -> None: ...

    def started(self, tool: str, tool_input: str) -> None:
        self.began_s[tool] = perf_counter()

    def ended(self, step: Step) -> None:
        if not self.console.is_terminal:
            return
        took_s = perf_counter() - self.began_s[step.tool]
        self.console.print(f"  {step.tool}  {_in_short(step)}  {took_s:.1f} s", markup=False)


def _in_short(step: Step) -> str:
    """The numbers of an observation."""
    seen = json.loads(step.observation)
    counts = {name: value for name, value in seen.items() if isinstance(value, int | float)}
    return ", ".join(f"{name} {value}" for name, value in counts.items())

"""Puts the house together: the only file that names an adapter."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from aegis.adapters.cases.problems import Problem
from aegis.adapters.cases.recorded import RecordedCase
from aegis.adapters.cases.truth import read_truth
from aegis.adapters.cases.validation import validate
from aegis.agent.monitor import Scene, Sources, collect
from aegis.engine.diagnosis import ABLATIONS
from aegis.model.errors import InvalidCase
from aegis.model.evidence import EvidenceGap
from aegis.model.incident import TrueCause
from aegis.model.telemetry import LogTable, Matrix, SpanTable, TimeWindow
from aegis.workflows.analyze_incident import Analysis, Question, analyze_incident
from aegis.workflows.score_cases.benchmark import WindowChoice, rank_case
from aegis.workflows.score_cases.scores import CaseResult

if TYPE_CHECKING:
    from aegis.model.text import Language

Result = TypeVar("Result")

__all__ = [
    "Contents",
    "LabelledFolder",
    "Problem",
    "RecordedCase",
    "ablations",
    "analyze_case",
    "case_folders",
    "contents",
    "demo_case",
    "open_case",
    "rank_folder",
    "set_names",
    "validate",
]


def open_case(folder: Path) -> RecordedCase:
    return RecordedCase.open(folder)


def demo_case() -> Path:
    """The incident that comes with the package."""
    return Path(str(resources.files("aegis") / "data" / "demo-incident"))


@dataclass(frozen=True, slots=True)
class Contents:
    """All tables of a case."""

    metrics: Matrix
    spans: SpanTable
    logs: LogTable
    gaps: tuple[EvidenceGap, ...]
    services: tuple[str, ...]


def contents(case: RecordedCase) -> Contents:
    observations, _ = run_to_end(collect(_sources(case), _scene(case), case.fault_window()))
    return Contents(
        observations.metrics,
        observations.spans,
        observations.logs,
        observations.gaps,
        observations.services,
    )


def analyze_case(
    case: RecordedCase,
    text: str,
    language: Language,
    window: TimeWindow | None = None,
    service: str | None = None,
    ablate: frozenset[str] = frozenset(),
) -> Analysis:
    """Answer a question about a recorded incident; its fault window unless one is given."""
    question = Question(text, window or case.fault_window(), language, service)
    return run_to_end(analyze_incident(question, _sources(case), _scene(case), ablate))


def case_folders(roots: Sequence[Path]) -> list[Path]:
    """Every case folder at or below the roots, each once, sorted by path."""
    return sorted({folder for root in roots for folder in _case_folders(root)})


def _case_folders(root: Path) -> Iterator[Path]:
    if (root / "case.json").is_file():
        yield root
        return
    for file in root.rglob("case.json"):
        yield file.parent


@dataclass(frozen=True, slots=True)
class LabelledFolder:
    """A case folder as the benchmark needs it."""

    folder: Path
    set_name: str
    choice: WindowChoice = "fault"

    @property
    def id(self) -> str:
        return RecordedCase.open(self.folder).header.id

    def load(self) -> tuple[Sources, Scene, TimeWindow]:
        case = RecordedCase.open(self.folder)
        if self.choice == "fault":
            return _sources(case), _scene(case), case.fault_window()
        asked = case.header.asked
        if asked is None:
            raise InvalidCase(str(self.folder / "case.json"), "asked", "missing")
        window = TimeWindow(asked.start, asked.end)
        return _sources(case), replace(_scene(case), alarm=None), window

    def truth(self) -> tuple[TrueCause, ...] | None:
        return read_truth(self.folder)


def set_names(folders: Sequence[Path]) -> list[str]:
    """The set of each case: the name of the folder around it, its path where names clash."""
    parents = [folder.resolve().parent for folder in folders]
    by_name: dict[str, set[Path]] = {}
    for parent in parents:
        by_name.setdefault(parent.name, set()).add(parent)
    return [parent.name if len(by_name[parent.name]) == 1 else str(parent) for parent in parents]


def rank_folder(
    folder: Path, set_name: str, choice: WindowChoice, ablate: frozenset[str]
) -> CaseResult | None:
    """One case of a benchmark; None where its asked window is wanted and it has none."""
    if choice == "asked" and RecordedCase.open(folder).header.asked is None:
        return None
    return run_to_end(rank_case(LabelledFolder(folder, set_name, choice), ablate))


def ablations() -> tuple[str, ...]:
    """What the engine can be told to do without."""
    return ABLATIONS


def run_to_end(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """`asyncio.run` for a large result.

    When `asyncio.run` of Python 3.11 puts the signal handler back, `signal` formats it for
    an error it swallows, and with it the task and its whole result: seconds for a case. So
    the task itself returns nothing.
    """
    results: list[Result] = []

    async def keep() -> None:
        results.append(await coroutine)

    asyncio.run(keep())
    return results[0]


def _sources(case: RecordedCase) -> Sources:
    return Sources(metrics=case, traces=case, logs=case)


def _scene(case: RecordedCase) -> Scene:
    header = case.header
    return Scene(
        case.extent, header.alarm, header.services, header.calls, header.changes, case.metric_gaps
    )

"""Puts the house together: nothing outside this package names an adapter."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

from aegis.adapters.cases.problems import Problem
from aegis.adapters.cases.recorded import RecordedCase
from aegis.adapters.cases.shelf import Shelf
from aegis.adapters.cases.shelf import case_folders as folders_below
from aegis.adapters.cases.truth import read_onset, read_truth
from aegis.adapters.cases.validation import validate
from aegis.agent.monitor import Scene, Sources, collect
from aegis.agent.steps import UNWATCHED, Step, Watch
from aegis.agent.supervisor import route
from aegis.bootstrap.running import run_to_end
from aegis.engine.diagnosis import ABLATIONS
from aegis.model.errors import InvalidCase, InvalidWindow
from aegis.model.evidence import EvidenceGap
from aegis.model.incident import TrueCause
from aegis.model.telemetry import EPOCH, LogTable, Matrix, SpanTable, TimeWindow
from aegis.model.text import Language, Text
from aegis.workflows.analyze_incident import Analysis, Question, analyze_incident, state_plan
from aegis.workflows.score_cases.benchmark import Given, Task, rank_case
from aegis.workflows.score_cases.scores import CaseResult
from aegis.workflows.verify_answer.verify import Checked, Citation, unverifiable, verify_answer

LAST_MINUTES = 15
EVERYTHING = TimeWindow(EPOCH, EPOCH.replace(year=2200))

__all__ = [
    "Asked",
    "Contents",
    "LabelledFolder",
    "LastMinutes",
    "Problem",
    "RecordedCase",
    "Step",
    "ablations",
    "analyze_case",
    "analyze_recorded",
    "case_folders",
    "contents",
    "count_cases",
    "demo_case",
    "open_case",
    "rank_folder",
    "set_names",
    "validate",
    "verify_recorded",
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
    timezone: ZoneInfo | None = None,
) -> Analysis:
    """Answer a question about a recorded incident.

    A window that is given is explained as it is. Else what the time means that the question
    names (in `timezone`; None: the question is not read for one), else the fault window.
    """
    question = Question(text, window or case.fault_window(), language, service)
    meant = None
    if window is None and timezone is not None:
        meant = route(text, now=case.extent.end, timezone=timezone, known_services=()).window
    if meant is not None:
        guess = TimeWindow(meant.start, meant.end)
        question = replace(question, window=guess, exact=False, moment=meant.at)
    return run_to_end(analyze_incident(question, _sources(case), _scene(case), ablate))


@dataclass(frozen=True, slots=True)
class LastMinutes:
    """A window that ends at the clock of the cases."""

    minutes: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it comes over the wire; `when` None leaves the time to the question."""

    text: str
    language: Language
    timezone: ZoneInfo
    when: TimeWindow | LastMinutes | None = None


def analyze_recorded(root: Path, asked: Asked, watch: Watch = UNWATCHED) -> Analysis:
    """Answer from the case at `root`, or from the one below it that covers the time asked.

    The time is the one given, else the one the question names, else the last LAST_MINUTES
    before the clock of the cases, which stands where their last recording ended.
    """
    plan = state_plan(asked.language, watch)
    where = json.dumps({"folder": root.name}, ensure_ascii=False)
    watch.started("open_case", where)
    shelf = Shelf.open(root)
    window, moment = time_of(asked, shelf.now())
    case = RecordedCase.open(shelf.covering(window))
    scene = _scene(case)
    opened = Step("open_case", where, _opened(case, window))
    watch.ended(opened)
    question = Question(asked.text, window, asked.language, exact=False, moment=moment)
    answering = analyze_incident(
        question, _sources(case), scene, before=(plan, opened), watch=watch
    )
    return run_to_end(answering)


def count_cases(root: Path) -> int:
    """How many cases can be asked at `root`; InvalidCase where none can."""
    return len(Shelf.open(root).spans)


def verify_recorded(root: Path, citations: Sequence[Citation]) -> tuple[Checked, ...]:
    """Ask the case at `root` again, or for each citation the one below it that covers it."""
    shelf = Shelf.open(root)
    of_case: dict[Path, list[int]] = {}
    checked: dict[int, Checked] = {}
    for place, citation in enumerate(citations):
        try:
            of_case.setdefault(shelf.covering(citation.data_window), []).append(place)
        except InvalidWindow as error:
            checked[place] = unverifiable(citation, Text(str(error), str(error)))
    for folder, places in of_case.items():
        case = RecordedCase.open(folder)
        asked = [citations[place] for place in places]
        verdicts = run_to_end(verify_answer(asked, _sources(case), case.header.changes, EVERYTHING))
        checked.update(zip(places, verdicts, strict=True))
    return tuple(checked[place] for place in range(len(citations)))


def time_of(asked: Asked, now: datetime) -> tuple[TimeWindow, datetime | None]:
    """The window that is asked about, and the moment where the question names one.

    The time given, else the one the question names, else the last LAST_MINUTES.
    """
    if isinstance(asked.when, TimeWindow):
        return asked.when, None
    if asked.when is None:
        meant = route(asked.text, now=now, timezone=asked.timezone, known_services=()).window
        if meant is not None:
            return TimeWindow(meant.start, meant.end), meant.at
    minutes = LAST_MINUTES if asked.when is None else asked.when.minutes
    return TimeWindow(now - timedelta(minutes=minutes), now), None


def _opened(case: RecordedCase, window: TimeWindow) -> str:
    found = {
        "case": case.header.id,
        "recorded": case.extent.as_text(),
        "asked": window.as_text(),
        "services": len(case.header.services),
        "changes": len(case.header.changes),
    }
    return json.dumps(found, ensure_ascii=False)


def case_folders(roots: Sequence[Path]) -> list[Path]:
    """Every case folder at or below the roots, each once, sorted by path."""
    return sorted({folder for root in roots for folder in folders_below(root)})


FAULT_WINDOW = Given()


@dataclass(frozen=True, slots=True)
class LabelledFolder:
    """A case folder as the benchmark needs it."""

    folder: Path
    set_name: str
    given: Given = FAULT_WINDOW

    @property
    def id(self) -> str:
        return RecordedCase.open(self.folder).header.id

    def load(self) -> Task:
        case = RecordedCase.open(self.folder)
        if self.given.choice == "fault":
            return Task(_sources(case), _scene(case), case.fault_window())
        asked = case.header.asked
        if asked is None:
            raise InvalidCase(str(self.folder / "case.json"), "asked", "missing")
        window = self.given.window_of(TimeWindow(asked.start, asked.end))
        scene = replace(_scene(case), alarm=None)
        return Task(_sources(case), scene, window, asked.question)

    def truth(self) -> tuple[TrueCause, ...] | None:
        return read_truth(self.folder)

    def onset(self) -> datetime | None:
        return read_onset(self.folder)


def set_names(folders: Sequence[Path]) -> list[str]:
    """The set of each case: the name of the folder around it, its path where names clash."""
    parents = [folder.resolve().parent for folder in folders]
    by_name: dict[str, set[Path]] = {}
    for parent in parents:
        by_name.setdefault(parent.name, set()).add(parent)
    return [parent.name if len(by_name[parent.name]) == 1 else str(parent) for parent in parents]


def rank_folder(
    folder: Path, set_name: str, given: Given, ablate: frozenset[str]
) -> CaseResult | None:
    """One case of a benchmark; None where its asked window is wanted and it has none."""
    if given.choice == "asked" and RecordedCase.open(folder).header.asked is None:
        return None
    return run_to_end(rank_case(LabelledFolder(folder, set_name, given), ablate))


def ablations() -> tuple[str, ...]:
    """What the engine can be told to do without."""
    return ABLATIONS


def _sources(case: RecordedCase) -> Sources:
    return Sources(metrics=case, traces=case, logs=case)


def _scene(case: RecordedCase) -> Scene:
    header = case.header
    return Scene(case.extent, header.alarm, header.services, header.calls, header.changes)

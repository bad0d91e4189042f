"""`aegis bench`: many cases, in order, some at a time."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text as Line

from aegis import bootstrap
from aegis.entrypoints.cli.options import printable
from aegis.model.errors import AegisError, InvalidRequest
from aegis.workflows.score_cases.benchmark import (
    Given,
    Report,
    report,
    report_json,
    shuffle_labels,
)
from aegis.workflows.score_cases.scores import CaseResult, Scores


@dataclass(frozen=True, slots=True)
class Job:
    """One case to rank; travels to a worker process."""

    folder: Path
    set_name: str
    given: Given
    ablate: frozenset[str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back: a ranking, or why there is none; neither for a case that was skipped."""

    result: CaseResult | None
    failure: str | None = None


def run_bench(
    roots: Sequence[Path],
    given: Given,
    ablate: frozenset[str],
    workers: int,
    shuffle_seed: int | None,
    errors: Console,
) -> Report:
    """Rank every case below the roots; broken ones are named on `errors` and counted."""
    for root in roots:
        if not root.is_dir():
            raise InvalidRequest(str(root), "is not a folder")
    folders = bootstrap.case_folders(roots)
    if not folders:
        raise InvalidRequest(str(roots[0]), "there is no case folder in it")
    names = bootstrap.set_names(folders)
    jobs = [Job(*pair, given, ablate) for pair in zip(folders, names, strict=True)]
    results, failed = [], 0
    with _progress(errors) as progress:
        task = progress.add_task("", total=len(jobs))
        for outcome in _outcomes(jobs, workers):
            progress.advance(task)
            if outcome.failure is not None:
                failed += 1
                errors.print(f"error: {outcome.failure}", markup=False, soft_wrap=True)
            elif outcome.result is not None:
                results.append(outcome.result)
    if shuffle_seed is not None:
        results = shuffle_labels(results, shuffle_seed)
    return report(results, failed)


def print_json(console: Console, one: Report) -> None:
    text = json.dumps(report_json(one), ensure_ascii=False, indent=2)
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def print_table(console: Console, one: Report) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    names = [*one.sets, "pooled"] if len(one.sets) > 1 else list(one.sets)
    columns = [one.sets.get(name, one.pooled) for name in names]
    for name in names:
        table.add_column(Line(printable(name)), justify="right", overflow="fold")
    rows = [_row(scores) for scores in columns]
    for label in rows[0] if rows else ():
        table.add_row(label, *(row[label] for row in rows))
    console.print(table)
    if one.failed:
        console.print(f"{one.failed} could not be analysed (named above).")


def _outcomes(jobs: list[Job], workers: int) -> Iterator[Outcome]:
    """In the order of the jobs, whichever is done first."""
    if workers <= 1:
        yield from map(_attempt, jobs)
        return
    # Spawned, because threads of this process (Arrow's) do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=context) as pool:
        yield from pool.map(_attempt, jobs)


def _attempt(job: Job) -> Outcome:
    """An error comes back as text: not every exception survives the way between processes."""
    try:
        return Outcome(bootstrap.rank_folder(job.folder, job.set_name, job.given, job.ablate))
    except AegisError as error:
        return Outcome(None, str(error))


def _progress(errors: Console) -> Progress:
    return Progress(
        TextColumn("cases"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )


def _row(scores: Scores) -> dict[str, str]:
    row = {"cases": str(scores.cases)}
    for name in ("ac1", "ac3", "avg5", "family", "brier", "ece"):
        row[name] = _number(getattr(scores, name))
    for name in ("false_alarms", "coverage", "precision"):
        for threshold, value in getattr(scores, name).items():
            row[f"{name} p≥{threshold}"] = _number(value)
    row["cpu s p50"] = _number(scores.cpu_s_p50)
    row["cpu s p95"] = _number(scores.cpu_s_p95)
    if scores.onset is not None:
        row["onset found"] = _number(scores.onset.found)
        row["onset error s p50"] = _number(scores.onset.error_s_p50)
        row["onset error s p90"] = _number(scores.onset.error_s_p90)
        row["onset where quiet"] = _number(scores.onset.false)
    return row


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"

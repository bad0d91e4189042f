"""`python -m lab.mutation`: break the engine, run its tests, list what nobody noticed."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

from lab.mutation.mutants import Mutant, UnexplainedMark, find_mutants, sample_evenly
from lab.mutation.operators import OPERATORS
from lab.mutation.report import as_json, print_report, tally
from lab.mutation.runner import (
    BaselineFailed,
    ChildFailed,
    Target,
    Verdict,
    measure_baseline,
    modules_of,
    run_mutants,
)

EXIT_SURVIVORS = 1
EXIT_UNUSABLE = 2


def mutate(
    module: Annotated[
        str | None, typer.Option(help="Only this module, such as engine.ranking.")
    ] = None,
    operator: Annotated[
        list[str] | None, typer.Option(help="Only this operator; may be repeated.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Mutants tested at a time.")] = 2,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Draw this many, evenly over operators and lines.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Which sample is drawn.")] = 0,
    max_survivors: Annotated[
        float, typer.Option(min=0, max=1, help="Exit 1 if a larger share survives.")
    ] = 0.10,
    budget: Annotated[
        float | None, typer.Option(help="Start no mutant after this many seconds.")
    ] = None,
    as_json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    package: Annotated[str, typer.Option(help="The package to break.")] = "aegis.engine",
    source_root: Annotated[Path, typer.Option(help="The folder it is imported from.")] = Path(
        "src"
    ),
    tests: Annotated[Path, typer.Option(help="The tests that should notice.")] = Path(
        "tests/engine"
    ),
) -> None:
    """Exit 0: enough mutants were noticed; 1: too many survived; 2: nothing could be measured."""
    began = time.monotonic()
    errors = Console(stderr=True)
    target = Target(package, source_root, tests)
    try:
        mutants, equivalent = _find(target, module, operator or [])
        if sample is not None:
            offset = random.Random(seed).random()
            mutants = sample_evenly(mutants, sample, offset)
        verdicts = _test(target, mutants, jobs, budget, errors)
    except (BaselineFailed, ChildFailed, UnexplainedMark, LookupError) as error:
        errors.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(EXIT_UNUSABLE) from error
    seconds = time.monotonic() - began
    if as_json_output:
        typer.echo(json.dumps(as_json(verdicts, equivalent, seconds), indent=2))
    else:
        print_report(Console(), verdicts, equivalent, seconds)
    if tally(verdicts).survivor_rate > max_survivors:
        raise typer.Exit(EXIT_SURVIVORS)


def _find(target: Target, module: str | None, chosen: list[str]) -> tuple[list[Mutant], int]:
    operators = [each for each in OPERATORS if not chosen or each.name in chosen]
    unknown = set(chosen) - {each.name for each in OPERATORS}
    files = modules_of(target, module)
    if unknown or not files:
        what = f"operator {', '.join(sorted(unknown))}" if unknown else f"module {module}"
        raise LookupError(f"no {what} in {target.package}")
    mutants: list[Mutant] = []
    equivalent = 0
    for name, path in files:
        found, marked = find_mutants(name, path, operators)
        mutants += found
        equivalent += marked
    if not mutants:
        raise LookupError("no operator applies anywhere")
    return mutants, equivalent


def _test(
    target: Target, mutants: list[Mutant], jobs: int, budget: float | None, console: Console
) -> list[Verdict]:
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeElapsedColumn())
    # No refreshing thread: a process that forks should have one thread.
    with Progress(*columns, console=console, auto_refresh=False) as progress:
        bar = progress.add_task("running the unbroken tests", total=len(mutants))
        progress.refresh()
        baseline = measure_baseline(target)
        progress.update(bar, description=f"mutants ({len(baseline.lines)} tests)", refresh=True)
        verdicts: list[Verdict] = []
        for verdict in run_mutants(target, mutants, OPERATORS, baseline, jobs, budget):
            verdicts.append(verdict)
            alive = tally(verdicts).survived
            progress.update(bar, advance=1, description=f"{alive} survived", refresh=True)
    return verdicts


if __name__ == "__main__":
    typer.run(mutate)

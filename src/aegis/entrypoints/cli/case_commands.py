"""`aegis case …`: recording incidents, and looking at recorded ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aegis.entrypoints.cli.options import (
    EPILOG,
    INVALID,
    LONGEST_QUESTION,
    AsJson,
    Folder,
    console,
    minutes_of,
    print_json,
    window_of,
)

case_app = typer.Typer(
    help="Record incidents, look at recorded ones.", no_args_is_help=True, epilog=EPILOG
)


@case_app.command(epilog=EPILOG)
def record(
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="A new folder; one that exists is refused.")
    ],
    last: Annotated[
        str | None, typer.Option(metavar="TIME", help="The window: the last 30m, 2h … until now.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(help="Start of the window, ISO 8601; without an offset in AEGIS_TIMEZONE."),
    ] = None,
    end: Annotated[str | None, typer.Option(help="End of the window, exclusive.")] = None,
    question: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What an engineer would ask about it.")
    ] = None,
    max_mb: Annotated[
        int, typer.Option(min=1, max=10_000, help="Most megabytes (10^6 bytes) on disk.")
    ] = 100,
    as_json: AsJson = False,
) -> None:
    """Record an incident from the configured backends as a case.

    The window is the time given, else the one the question names, else the last 15 minutes;
    three hours before it are recorded as the baseline. Secrets and personal data that are
    known by their shape or name are taken out.
    """
    from aegis.entrypoints.cli import recording

    if question is not None and not 1 <= len(question.strip()) <= LONGEST_QUESTION:
        message = f"must have 1 to {LONGEST_QUESTION} characters"
        raise typer.BadParameter(message, param_hint="--question")
    if last is not None and (start is not None or end is not None):
        message = "give --last, or --start and --end, not both"
        raise typer.BadParameter(message, param_hint="--last")
    minutes = None if last is None else minutes_of(last, "--last")
    recorded = recording.record(out, question, minutes, window_of(start, end), max_mb)
    if as_json:
        print_json(recording.recorded_json(out, recorded))
    else:
        recording.print_recorded(console(), out, recorded)


@case_app.command(epilog=EPILOG)
def show(folder: Folder, as_json: AsJson = False) -> None:
    """Say what a case is about and how much it holds."""
    from aegis.entrypoints.cli import cases

    if as_json:
        print_json(cases.case_json(folder))
    else:
        cases.print_case(console(), folder)


@case_app.command(epilog=EPILOG)
def validate(folder: Folder, as_json: AsJson = False) -> None:
    """Say which file, row and column of a case is wrong; exit 3 where one is."""
    from aegis import bootstrap
    from aegis.entrypoints.cli import cases

    problems = bootstrap.validate(folder)
    if as_json:
        print_json(cases.problems_json(problems))
    else:
        cases.print_problems(console(), folder, problems)
    if not cases.is_valid(problems):
        raise typer.Exit(INVALID)

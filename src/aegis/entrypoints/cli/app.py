"""The `aegis` command. Heavy imports wait inside the commands: help must come at once."""

from __future__ import annotations

import io
import json
import shutil
import sys
from datetime import UTC, datetime
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aegis.model.errors import AegisError, ConfigurationError, InvalidWindow, SourceError
from aegis.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from aegis.model.telemetry import TimeWindow
    from aegis.model.text import Language
    from aegis.workflows.analyze_incident import Analysis

USAGE, INVALID, UNREADABLE = 2, 3, 4
LONGEST_QUESTION = 4000

_EPILOG = (
    "Exit codes: 0 answered; 2 wrong usage or setting; 3 invalid case or input; "
    "4 a source could not be read."
)


class Lang(StrEnum):
    zh = "zh"
    en = "en"


class Window(StrEnum):
    fault = "fault"
    asked = "asked"


app = typer.Typer(
    help="Why is this broken? Ranked root causes with evidence that can be measured again.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
case_app = typer.Typer(help="Look at recorded incidents.", no_args_is_help=True, epilog=_EPILOG)
app.add_typer(case_app, name="case")

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A case folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Language_ = Annotated[Lang | None, typer.Option("--lang", help="Language of the answer.")]
Ablate = Annotated[
    list[str] | None,
    typer.Option(
        "--ablate",
        metavar="PART",
        help="Leave out graph, metrics, spans, logs or changes, to see what they are worth.",
    ),
]


def main() -> None:
    """Run the command line; every error of ours is one line on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        app()
    except AegisError as error:
        typer.echo(f"error: {' '.join(str(error).split())}", err=True)
        sys.exit(_exit_code(error))


def _exit_code(error: AegisError) -> int:
    if isinstance(error, ConfigurationError):
        return USAGE
    return UNREADABLE if isinstance(error, SourceError) else INVALID


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"aegis {metadata.version('aegis-sre')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Why is this broken? Ranked root causes with evidence that can be measured again."""


@app.command(epilog=_EPILOG)
def analyze(
    question: Annotated[str, typer.Argument(help="What you want to know, in plain words.")],
    case: Annotated[Path, typer.Option("--case", metavar="DIR", help="A recorded incident.")],
    start: Annotated[
        str | None,
        typer.Option(help="Start of the window, ISO 8601; without an offset in AEGIS_TIMEZONE."),
    ] = None,
    end: Annotated[str | None, typer.Option(help="End of the window, exclusive.")] = None,
    service: Annotated[str | None, typer.Option(help="The service that has the alarm.")] = None,
    lang: Language_ = None,
    as_json: AsJson = False,
    ablate: Ablate = None,
) -> None:
    """Name the cause of an incident.

    Without --start and --end the fault window of the case is explained. All recorded time
    outside the window is the baseline. The answer is in Chinese where the question is.
    """
    from aegis import bootstrap
    from aegis.workflows.analyze_incident import speaks

    if not question.strip() or len(question) > LONGEST_QUESTION:
        raise typer.BadParameter(
            f"must have 1 to {LONGEST_QUESTION} characters", param_hint="question"
        )
    window = _window(start, end)
    without = _ablated(ablate)
    language: Language = lang.value if lang else speaks(question)
    opened = bootstrap.open_case(case)
    _print_analysis(
        bootstrap.analyze_case(opened, question, language, window, service, without), as_json
    )


@app.command(epilog=_EPILOG)
def demo(lang: Language_ = None, as_json: AsJson = False) -> None:
    """Name the cause of the incident that comes with Aegis."""
    from aegis import bootstrap
    from aegis.entrypoints.cli import words
    from aegis.entrypoints.cli.answer_text import print_commands

    language: Language = lang.value if lang else read_settings().language
    folder = bootstrap.demo_case()
    question = words.DEMO_QUESTION.in_language(language)
    analysis = bootstrap.analyze_case(bootstrap.open_case(folder), question, language)
    _print_analysis(analysis, as_json)
    if not as_json:
        aegis, case = _from_here(Path(sys.argv[0])), _from_here(folder)
        commands = (
            f'{aegis} analyze "{question}" --case {case}',
            f"{aegis} case show {case}",
            f"{aegis} demo --json",
            f"{aegis} bench DIR",
        )
        print_commands(_console(), language, dict(zip(words.DEMO_NEXT, commands, strict=True)))


@app.command(epilog=_EPILOG)
def bench(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders of cases.")],
    as_json: AsJson = False,
    jobs: Annotated[int, typer.Option(min=1, help="Cases to rank at the same time.")] = 1,
    window: Annotated[
        Window, typer.Option(help="What the engine is given: the fault window, or what was asked.")
    ] = Window.fault,
    ablate: Ablate = None,
    shuffle_labels: Annotated[
        int | None,
        typer.Option(metavar="SEED", help="Deal the labels anew: what chance alone would score."),
    ] = None,
) -> None:
    """Rank every case below DIR and compare with its labels.

    Scores: AC@1, AC@3, Avg@5, family accuracy, Brier, ECE; false alarms, coverage and
    precision at p >= .5, .8, .9; CPU seconds a case. A broken case is named and left out.
    """
    from rich.console import Console

    from aegis.entrypoints.cli import bench as benching

    report = benching.run_bench(
        folders, window.value, _ablated(ablate), jobs, shuffle_labels, Console(stderr=True)
    )
    printing = benching.print_json if as_json else benching.print_table
    printing(_console(), report)


@case_app.command(epilog=_EPILOG)
def show(folder: Folder, as_json: AsJson = False) -> None:
    """Say what a case is about and how much it holds."""
    from aegis.entrypoints.cli import cases

    if as_json:
        _print_json(cases.case_json(folder))
    else:
        cases.print_case(_console(), folder)


@case_app.command(epilog=_EPILOG)
def validate(folder: Folder, as_json: AsJson = False) -> None:
    """Say which file, row and column of a case is wrong; exit 3 where one is."""
    from aegis import bootstrap
    from aegis.entrypoints.cli import cases

    problems = bootstrap.validate(folder)
    if as_json:
        _print_json(cases.problems_json(problems))
    else:
        cases.print_problems(_console(), folder, problems)
    if not cases.is_valid(problems):
        raise typer.Exit(INVALID)


def _print_analysis(analysis: Analysis, as_json: bool) -> None:
    from aegis.entrypoints.answer_json import answer_json
    from aegis.entrypoints.cli.answer_text import print_answer

    if as_json:
        _print_json(answer_json(analysis))
    else:
        print_answer(_console(), analysis)


def _print_json(fields: dict[str, object]) -> None:
    typer.echo(json.dumps(fields, ensure_ascii=False, indent=2))


def _from_here(path: Path) -> str:
    """The path as one would type it in the current folder."""
    if path.is_relative_to(Path.cwd()):
        return str(path.relative_to(Path.cwd()))
    return path.name if shutil.which(path.name) == str(path) else str(path)


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)


def _window(start: str | None, end: str | None) -> TimeWindow | None:
    """The window a person gave; None where they gave none."""
    from aegis.model.telemetry import TimeWindow

    if start is None and end is None:
        return None
    if start is None or end is None:
        missing = "--start" if start is None else "--end"
        raise typer.BadParameter("give both --start and --end, or neither", param_hint=missing)
    first, last = _moment(start, "--start"), _moment(end, "--end")
    if last <= first:
        raise InvalidWindow("--end", f"{end} is not after --start {start}")
    return TimeWindow(first, last)


def _moment(text: str, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is not an ISO 8601 time such as 2026-11-02T10:15+08:00"
        raise typer.BadParameter(message, param_hint=option) from None
    aware = (
        moment
        if moment.utcoffset() is not None
        else moment.replace(tzinfo=read_settings().timezone)
    )
    if not 1970 < aware.year < 2200:
        raise typer.BadParameter(f"{text!r} is not between 1971 and 2199", param_hint=option)
    return aware.astimezone(UTC)


def _ablated(parts: Sequence[str] | None) -> frozenset[str]:
    from aegis import bootstrap

    wanted = {part for given in parts or () for part in given.split(",")}
    unknown = sorted(wanted - set(bootstrap.ablations()))
    if unknown:
        known = ", ".join(bootstrap.ablations())
        raise typer.BadParameter(f"{unknown[0]!r} is none of {known}", param_hint="--ablate")
    return frozenset(wanted)

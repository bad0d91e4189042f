"""The `aegis` command. Heavy imports wait inside the commands: help must come at once."""

from __future__ import annotations

import io
import shutil
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aegis.entrypoints.cli.alert_commands import alerts_app
from aegis.entrypoints.cli.case_commands import case_app
from aegis.entrypoints.cli.db_commands import db_app
from aegis.entrypoints.cli.ending import run
from aegis.entrypoints.cli.feishu import feishu_app
from aegis.entrypoints.cli.options import (
    EPILOG,
    INVALID,
    LONGEST_QUESTION,
    UNREADABLE,
    Ablate,
    AsJson,
    Language_,
    Service,
    Window,
    ablated,
    console,
    language_of,
    print_json,
    window_of,
)
from aegis.entrypoints.cli.route_commands import routes_app
from aegis.entrypoints.cli.tool_commands import tools_app
from aegis.settings import read_settings

if TYPE_CHECKING:
    from aegis.workflows.analyze_incident import Analysis

app = typer.Typer(
    help="Why is this broken? Ranked root causes with evidence that can be measured again.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(case_app, name="case")
app.add_typer(alerts_app, name="alerts")
app.add_typer(db_app, name="db")
app.add_typer(feishu_app, name="feishu")
app.add_typer(routes_app, name="routes")
app.add_typer(tools_app, name="tools")


def main() -> None:
    """Run the command line; every mistake is one line on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    run(app)


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


@app.command(epilog=EPILOG)
def analyze(
    question: Annotated[str, typer.Argument(help="What you want to know, in plain words.")],
    case: Annotated[
        Path | None,
        typer.Option(
            "--case", metavar="DIR", help="A recorded incident; else the configured backends."
        ),
    ] = None,
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

    With --case a recorded one: what the time means that the question names is looked for, and
    where it names none the fault window of the case is explained. Else the backends of
    PROMETHEUS_BASE_URL, LOKI_BASE_URL and JAEGER_BASE_URL are asked about the time that the
    question names, or the last 15 minutes. With --start and --end that time is explained.
    The answer is in Chinese where the question is.
    """
    from aegis import bootstrap
    from aegis.workflows.analyze_incident import speaks

    if not question.strip() or len(question) > LONGEST_QUESTION:
        raise typer.BadParameter(
            f"must have 1 to {LONGEST_QUESTION} characters", param_hint="question"
        )
    window = window_of(start, end)
    without = ablated(ablate)
    language = language_of(lang, speaks(question))
    if case is None:
        from aegis.entrypoints.cli import asking

        settings = read_settings()
        live = asking.ask_live(settings, question, language, window, service, without)
        _print_analysis(live, as_json)
        return
    opened = bootstrap.open_case(case)
    _print_analysis(
        bootstrap.analyze_case(
            opened, question, language, window, service, without, read_settings().timezone
        ),
        as_json,
    )


@app.command(epilog=EPILOG)
def demo(lang: Language_ = None, as_json: AsJson = False) -> None:
    """Name the cause of the incident that comes with Aegis."""
    from aegis import bootstrap
    from aegis.entrypoints.cli import words
    from aegis.entrypoints.cli.answer_text import print_commands

    language = language_of(lang, read_settings().language)
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
        print_commands(console(), language, dict(zip(words.DEMO_NEXT, commands, strict=True)))


@app.command(epilog=EPILOG)
def verify(
    answer: Annotated[
        Path,
        typer.Argument(metavar="ANSWER.json", help="An answer as --json prints it; - is stdin."),
    ],
    case: Annotated[
        Path | None,
        typer.Option(
            "--case",
            metavar="DIR",
            help="Where to ask again; else AEGIS_CASE_DIR, else the configured backends.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure the evidence of an answer again: match, changed, gone or unverifiable.

    Exit 3 where something is changed or gone, 4 where something could only not be verified.
    """
    from aegis.entrypoints.cli import verifying

    results = verifying.verify_file(answer, case, read_settings())
    if as_json:
        print_json({"results": results})
    else:
        verifying.print_results(console(), results)
    verdicts = {one["verdict"] for one in results}
    if verdicts & {"changed", "gone"}:
        raise typer.Exit(INVALID)
    if "unverifiable" in verdicts:
        raise typer.Exit(UNREADABLE)


@app.command(epilog=EPILOG)
def doctor(lang: Language_ = None, as_json: AsJson = False) -> None:
    """Check each setting and backend, and say what to change.

    Exit 2 where nothing is configured or a setting is wrong, 4 where a backend gave no answer.
    """
    from aegis.entrypoints.cli import doctor as examining

    settings = read_settings()
    language = language_of(lang, settings.language)
    health = examining.examine_settings(settings)
    if as_json:
        print_json(examining.health_json(health, language))
    else:
        examining.print_health(console(), health, language)
    if code := examining.exit_code(health):
        raise typer.Exit(code)


@app.command(epilog=EPILOG)
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; else AEGIS_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port; else AEGIS_PORT, else 8002.")
    ] = None,
    service: Annotated[
        Service, typer.Option(help="Serve one group of routes, on a port of its own.")
    ] = Service.all,
    case_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A case, or a folder of cases; else AEGIS_CASE_DIR."),
    ] = None,
) -> None:
    """Answer over HTTP until stopped. Others than this machine need a token."""
    from aegis.entrypoints.http import serve as serving

    serving.serve(read_settings(), service.value, host, port, case_dir)


@app.command(epilog=EPILOG)
def bench(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders of cases.")],
    as_json: AsJson = False,
    jobs: Annotated[int, typer.Option(min=1, help="Cases to rank at the same time.")] = 1,
    window: Annotated[
        Window, typer.Option(help="What the engine is given: the fault window, or what was asked.")
    ] = Window.fault,
    shift_minutes: Annotated[
        float, typer.Option(help="Move the asked window: the person is off by so much.")
    ] = 0.0,
    asked_minutes: Annotated[
        float | None,
        typer.Option(min=1, max=1440, help="Length of the asked window, before its end."),
    ] = None,
    ablate: Ablate = None,
    shuffle_labels: Annotated[
        int | None,
        typer.Option(metavar="SEED", help="Deal the labels anew: what chance alone would score."),
    ] = None,
) -> None:
    """Rank every case below DIR and compare with its labels.

    Scores: AC@1, AC@3, Avg@5, family accuracy, Brier, ECE; false alarms, coverage and
    precision at p >= .5, .8, .9; CPU seconds a case; with --window asked also how well the
    onset was found. A broken case is named and left out.
    """
    from rich.console import Console

    from aegis.entrypoints.cli import bench as benching
    from aegis.workflows.score_cases.benchmark import Given

    if window is Window.fault and (shift_minutes or asked_minutes is not None):
        moved = "--shift-minutes" if shift_minutes else "--asked-minutes"
        raise typer.BadParameter("only with --window asked", param_hint=moved)
    given = Given(window.value, shift_minutes, asked_minutes)
    report = benching.run_bench(
        folders, given, ablated(ablate), jobs, shuffle_labels, Console(stderr=True)
    )
    printing = benching.print_json if as_json else benching.print_table
    printing(console(), report)


def _print_analysis(analysis: Analysis, as_json: bool) -> None:
    from aegis.entrypoints.answer_json import answer_json
    from aegis.entrypoints.cli.answer_text import print_answer

    if as_json:
        print_json(answer_json(analysis, read_settings().addresses))
    else:
        print_answer(console(), analysis)


def _from_here(path: Path) -> str:
    """The path as one would type it in the current folder."""
    if path.is_relative_to(Path.cwd()):
        return str(path.relative_to(Path.cwd()))
    return path.name if shutil.which(path.name) == str(path) else str(path)

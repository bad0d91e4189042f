"""`aegis routes …`: who hears of an alert."""

from __future__ import annotations

from typing import Annotated

import typer

from aegis.entrypoints.cli.options import (
    EPILOG,
    AsJson,
    Language_,
    console,
    language_of,
    moment_of,
    print_json,
)
from aegis.settings import read_settings

routes_app = typer.Typer(
    help="Which chat hears of which alert.", no_args_is_help=True, epilog=EPILOG
)


@routes_app.command("test", epilog=EPILOG)
def try_labels(
    labels: Annotated[
        list[str], typer.Argument(metavar="LABEL=VALUE...", help="Labels of an alert.")
    ],
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When it opens, ISO 8601; without it, now."),
    ] = None,
    lang: Language_ = None,
    as_json: AsJson = False,
) -> None:
    """Say which chats would hear of an alert with these labels, who is woken, and when."""
    from aegis.bootstrap.present import now
    from aegis.entrypoints.cli import routes

    settings = read_settings()
    moment = now() if at is None else moment_of(at, "--at")
    found = routes.asked(settings.routing, routes.labels_of(labels), moment)
    if as_json:
        print_json(routes.told_json(found))
    else:
        routes.print_told(console(), found, language_of(lang, settings.language), settings)


@routes_app.command(epilog=EPILOG)
def check(lang: Language_ = None, as_json: AsJson = False) -> None:
    """Check AEGIS_ROUTES_FILE; exit 2 where it is wrong."""
    from aegis.entrypoints.cli import routes

    settings = read_settings()
    language = language_of(lang, settings.language)
    if as_json:
        print_json(routes.checked_json(settings.routing, language))
    else:
        routes.print_checked(console(), settings.routing, language)

"""`aegis alerts …`: the ledger of alerts, what could not be read, what was not delivered."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from aegis.entrypoints.cli.options import (
    EPILOG,
    AsJson,
    Language_,
    console,
    language_of,
    print_json,
)
from aegis.settings import read_settings

alerts_app = typer.Typer(
    help="Alerts that were received, and what became of them.", no_args_is_help=True, epilog=EPILOG
)


class State(StrEnum):
    open = "open"
    resolved = "resolved"


Limit = Annotated[int, typer.Option(min=1, max=10_000, help="Most rows.")]


@alerts_app.command("list", epilog=EPILOG)
def list_(
    state: Annotated[State | None, typer.Option(help="Only open or resolved ones.")] = None,
    name: Annotated[str | None, typer.Option(metavar="ALERTNAME", help="Of this rule.")] = None,
    severity: Annotated[str | None, typer.Option(help="Of this severity.")] = None,
    group: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="Of this group of Alertmanager.")
    ] = None,
    chat: Annotated[str | None, typer.Option(metavar="ID", help="That this chat hears of.")] = None,
    limit: Limit = 100,
    after: Annotated[
        str | None, typer.Option(metavar="NEXT", help="Go on where a page ended: its next.")
    ] = None,
    lang: Language_ = None,
    as_json: AsJson = False,
) -> None:
    """Every episode of every alert, newest first, and whether its chats were told."""
    from aegis.bootstrap import database
    from aegis.entrypoints.alert_json import page_json
    from aegis.entrypoints.cli import alerts
    from aegis.model.ledger import LedgerQuery

    settings = read_settings()
    query = LedgerQuery(
        state=state.value if state else None,
        name=name,
        severity=severity,
        group_keys=tuple(group or ()),
        chat_id=chat,
        limit=limit,
        after=after,
    )
    page = database.page_of(settings, query)
    if as_json:
        print_json(page_json(page))
    else:
        language = language_of(lang, settings.language)
        alerts.print_page(console(), page, language, settings.timezone)


@alerts_app.command(epilog=EPILOG)
def quarantine(limit: Limit = 100, lang: Language_ = None, as_json: AsJson = False) -> None:
    """What was posted and is no alert, newest first, with the reason."""
    from aegis.bootstrap import database
    from aegis.entrypoints.alert_json import quarantined_json
    from aegis.entrypoints.cli import alerts

    settings = read_settings()
    found = database.quarantined(settings, limit)
    if as_json:
        print_json({"quarantined": [quarantined_json(one) for one in found]})
    else:
        language = language_of(lang, settings.language)
        alerts.print_quarantined(console(), found, language, settings.timezone)


@alerts_app.command(epilog=EPILOG)
def undelivered(limit: Limit = 100, lang: Language_ = None, as_json: AsJson = False) -> None:
    """What a chat should know and was not told yet, or could not be told; oldest first."""
    from aegis.bootstrap import database
    from aegis.entrypoints.alert_json import answer_delivery_json, undelivered_json
    from aegis.entrypoints.cli import alerts

    settings = read_settings()
    found = database.undelivered(settings, limit)
    answers = database.undelivered_answers(settings, limit)
    if as_json:
        told = {"undelivered": [undelivered_json(one) for one in found]}
        print_json(told | {"answers": [answer_delivery_json(one) for one in answers]})
    else:
        language = language_of(lang, settings.language)
        alerts.print_undelivered(console(), found, answers, language, settings.timezone)


@alerts_app.command(epilog=EPILOG)
def preview(
    file: Annotated[Path, typer.Argument(metavar="BODY.json", help="A webhook body; - is stdin.")],
    lang: Language_ = None,
    as_json: AsJson = False,
) -> None:
    """Show the cards that a webhook body would become, if nothing had been told before.

    Nothing is stored and nothing is sent.
    """
    from aegis.entrypoints.cli import previewing

    settings = read_settings()
    found = previewing.preview_file(file, settings, language_of(lang, settings.language))
    if as_json:
        print_json(previewing.preview_json(found))
    else:
        previewing.print_preview(console(), found, settings)

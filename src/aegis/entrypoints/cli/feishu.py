"""`aegis feishu …`: seeing that Aegis can write to a chat."""

from __future__ import annotations

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
from aegis.model.text import Text
from aegis.settings import read_settings

feishu_app = typer.Typer(help="Feishu and Lark.", no_args_is_help=True, epilog=EPILOG)

_SENT = Text("已发送到 {chat}：消息 {message}", "sent to {chat}: message {message}")


@feishu_app.callback()
def _commands() -> None:
    """Feishu and Lark."""


@feishu_app.command(epilog=EPILOG)
def send_test(
    chat: Annotated[
        str | None, typer.Option(metavar="ID", help="A chat, oc_…; else FEISHU_DEFAULT_CHAT_ID.")
    ] = None,
    lang: Language_ = None,
    as_json: AsJson = False,
) -> None:
    """Send a small card to a chat; it wakes nobody."""
    from aegis.bootstrap import feishu

    settings = read_settings()
    language = language_of(lang, settings.language)
    chat_id, message_id = feishu.send_test(settings, chat, language)
    if as_json:
        print_json({"chat_id": chat_id, "message_id": message_id})
    else:
        said = _SENT.in_language(language).format(chat=chat_id, message=message_id)
        console().print(said, markup=False)

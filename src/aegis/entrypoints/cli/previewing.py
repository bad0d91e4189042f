"""`aegis alerts preview`: the cards a webhook body would become."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text as Line

from aegis.bootstrap.messages import preview_body
from aegis.entrypoints.cli.card_text import print_card
from aegis.model.errors import InvalidRequest
from aegis.model.telemetry import utc_text
from aegis.model.text import Language, Text
from aegis.settings import Settings
from aegis.workflows.deliver_messages.fitting import sent_bytes
from aegis.workflows.deliver_messages.preview import Preview

LARGEST_BODY = 32 * 1024 * 1024
MOST_REASONS = 10
_NOBODY = Text(
    "不会通知任何人：没有告警，或者没有路由和默认群（aegis routes test）。",
    "Nobody would be told: there is no alert, or no route and no default chat (aegis routes test).",
)


@dataclass(frozen=True, slots=True)
class Shown:
    """`no_alerts` says why items of the body would go into the quarantine, one text each."""

    previews: tuple[Preview, ...]
    no_alerts: tuple[str, ...]
    language: Language


def preview_file(file: Path, settings: Settings, language: Language) -> Shown:
    """InvalidRequest where the file cannot be read."""
    try:
        if str(file) == "-":
            body = sys.stdin.buffer.read(LARGEST_BODY + 1)
        else:
            with file.open("rb") as opened:
                body = opened.read(LARGEST_BODY + 1)
    except OSError as error:
        raise InvalidRequest(str(file), f"cannot be read: {error.strerror}") from None
    if len(body) > LARGEST_BODY:
        raise InvalidRequest(str(file), f"has more than {LARGEST_BODY} bytes")
    previews, no_alerts = preview_body(settings, body, language)
    return Shown(previews, no_alerts, language)


def preview_json(shown: Shown) -> dict[str, object]:
    return {
        "quarantined": len(shown.no_alerts),
        "reasons": sorted(set(shown.no_alerts)),
        "messages": [
            {
                "chat_id": one.chat_id,
                "not_before": None if one.not_before is None else utc_text(one.not_before),
                "bytes": sent_bytes(one.draft.content),
                "card": json.loads(one.draft.content),
            }
            for one in shown.previews
        ],
    }


def print_preview(console: Console, shown: Shown, settings: Settings) -> None:
    for one in shown.previews:
        size = sent_bytes(one.draft.content)
        said = Text(f"{one.chat_id}，{size} 字节", f"{one.chat_id}, {size} bytes")
        if one.not_before is not None:
            until = f"{one.not_before.astimezone(settings.timezone):%m-%d %H:%M}"
            said = Text(f"{said.zh}，静默到 {until}", f"{said.en}, quiet until {until}")
        console.print(Line(said.in_language(shown.language), style="dim"))
        print_card(console, one.draft.content)
        console.print()
    if not shown.previews:
        console.print(_NOBODY.in_language(shown.language))
    if shown.no_alerts:
        count = len(shown.no_alerts)
        said = Text(f"{count} 项不是告警，会被隔离。", f"{count} items are no alerts: quarantine.")
        console.print(Line(said.in_language(shown.language), style="yellow"))
        for reason in sorted(set(shown.no_alerts))[:MOST_REASONS]:
            console.print(Line(f"  {reason}", style="yellow"), soft_wrap=True)

"""What `aegis routes` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text as Line

from aegis.model.alert import Labels
from aegis.model.matchers import read_matchers
from aegis.model.message import NOBODY, Mention
from aegis.model.route_findings import route_findings
from aegis.model.routing import Routing, Target, targets_of
from aegis.model.telemetry import utc_text
from aegis.model.text import Language, Text
from aegis.settings import Settings

_EVERYBODY = Text("所有人", "everybody")
_NOBODY = Text("不提醒", "nobody")
_AT_ONCE = Text("立即", "at once")
_NOBODY_TOLD = Text(
    "不会通知任何人：没有路由匹配且没有默认群，或匹配的路由没有群。",
    "Nobody is told: no route takes it and there is no default chat, or its route has none.",
)
_NO_CHAT = Text(
    "没有配置任何群：请设置 FEISHU_DEFAULT_CHAT_ID 或 AEGIS_ROUTES_FILE。",
    "No chat is configured: set FEISHU_DEFAULT_CHAT_ID or AEGIS_ROUTES_FILE.",
)
_COLUMNS = (
    Text("路由", "route"),
    Text("群", "chat"),
    Text("提醒", "mentions"),
    Text("发送", "sent"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """An alert that might open at a moment, and who would be told."""

    labels: Labels
    at: datetime
    targets: tuple[Target, ...]


def labels_of(given: Sequence[str]) -> Labels:
    """`name=value` each, or several separated by commas as a matcher is written."""
    found: dict[str, str] = {}
    for text in given:
        try:
            pairs = read_matchers(text)
        except ValueError:
            name, equals, value = text.partition("=")
            if not equals or not name.strip():
                raise _no_label(text) from None
            found[name.strip()] = value
            continue
        for pair in pairs:
            if pair.operator != "=":
                raise _no_label(text)
            found[pair.name] = pair.value
    return tuple(sorted(found.items()))


def asked(routing: Routing, labels: Labels, at: datetime) -> Asked:
    return Asked(labels, at, targets_of(routing, labels, at))


def told_json(found: Asked) -> dict[str, object]:
    return {
        "labels": dict(found.labels),
        "at": utc_text(found.at),
        "targets": [
            {
                "route": one.route,
                "chat_id": one.chat_id,
                "mention": {
                    "everybody": one.mention.everybody,
                    "people": list(one.mention.people),
                },
                "not_before": None if one.not_before is None else utc_text(one.not_before),
            }
            for one in found.targets
        ],
    }


def print_told(console: Console, found: Asked, language: Language, settings: Settings) -> None:
    if not found.targets:
        console.print(_NOBODY_TOLD.in_language(language))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in _COLUMNS:
        table.add_column(column.in_language(language), overflow="fold")
    for one in found.targets:
        when = _when(one, settings).in_language(language)
        row = (one.route, one.chat_id, _mentioned(one.mention, language), when)
        table.add_row(*(Line(cell) for cell in row))
    console.print(table)


def checked_json(routing: Routing, language: Language) -> dict[str, object]:
    return {
        "ok": True,
        "routes": len(routing.routes),
        "default": None if routing.default is None else routing.default.chat_id,
        "findings": [
            {"state": one.state, "message": one.said.in_language(language)}
            for one in route_findings(routing)
        ],
    }


def print_checked(console: Console, routing: Routing, language: Language) -> None:
    found = route_findings(routing)
    for one in found:
        mark, style = ("✓", "green") if one.state == "ok" else ("!", "yellow")
        console.print(Line(f"{mark} ", style=style) + Line(one.said.in_language(language)))
    if not found:
        console.print(_NO_CHAT.in_language(language))


def _when(target: Target, settings: Settings) -> Text:
    if target.not_before is None:
        return _AT_ONCE
    local = target.not_before.astimezone(settings.timezone)
    return Text(f"静默到 {local:%m-%d %H:%M}", f"quiet until {local:%m-%d %H:%M}")


def _mentioned(mention: Mention, language: Language) -> str:
    if mention == NOBODY:
        return _NOBODY.in_language(language)
    return _EVERYBODY.in_language(language) if mention.everybody else ", ".join(mention.people)


def _no_label(text: str) -> typer.BadParameter:
    return typer.BadParameter(f"{text!r} is no label such as severity=critical", param_hint="LABEL")

"""What `aegis alerts` prints. Labels and reasons come from others: shown as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text as Line

from aegis.entrypoints.cli.options import printable
from aegis.model.episode import Episode
from aegis.model.ledger import (
    Delivery,
    LedgerEntry,
    LedgerPage,
    Quarantined,
    Undelivered,
    UndeliveredAnswer,
)
from aegis.model.text import Language, Text

_NONE = Text("没有告警。", "No alerts.")
_ALL_READ = Text("没有无法读取的内容。", "Everything that was posted could be read.")
_ALL_TOLD = Text("没有未送达的告警。", "Every chat was told what it is to know.")
_MORE = Text("还有更多：aegis alerts list --after {next}", "More: aegis alerts list --after {next}")
_SINCE, _STATE, _ALERT, _TOLD = (
    Text("始于", "since"),
    Text("状态", "state"),
    Text("告警", "alert"),
    Text("通知", "told"),
)
_WHEN, _WHERE, _WHY, _RAW = (
    Text("时间", "when"),
    Text("位置", "item"),
    Text("原因", "why"),
    Text("内容", "what"),
)
_CHAT = Text("群", "chat")
_STATES = {
    "open": Text("触发中", "open"),
    "resolved": Text("已恢复", "resolved"),
    "waiting": Text("等待", "waiting"),
    "ready": Text("待发送", "ready"),
    "sent": Text("已发送", "sent"),
    "refused": Text("被拒绝", "refused"),
}
_TWICE = Text("可能有两条", "maybe twice")
_ANSWER = Text("（一个问题的答案）", "(the answer to a question)")
_NOBODY = Text("无人", "nobody")
_TRANSITIONS = {"opened": Text("触发", "opened"), "closed": Text("恢复", "closed")}
_TRIES = Text("{count} 次尝试", "{count} attempts")
LONGEST = 200


def print_page(console: Console, page: LedgerPage, language: Language, timezone: ZoneInfo) -> None:
    if not page.entries:
        console.print(_NONE.in_language(language))
        return
    table = _table(language, _SINCE, _STATE, _ALERT, _TOLD)
    for entry in page.entries:
        state = "open" if entry.episode.is_open else "resolved"
        table.add_row(
            _time(entry.episode.starts_at, timezone),
            _STATES[state].in_language(language),
            _plain(_named(entry.episode)),
            _plain(_told(entry, language)),
        )
    console.print(table)
    if page.next is not None:
        console.print(_MORE.in_language(language).format(next=page.next), soft_wrap=True)


def print_quarantined(
    console: Console, found: Sequence[Quarantined], language: Language, timezone: ZoneInfo
) -> None:
    if not found:
        console.print(_ALL_READ.in_language(language))
        return
    table = _table(language, _WHEN, _WHERE, _WHY, _RAW)
    for one in found:
        when = _time(one.received_at, timezone)
        table.add_row(when, str(one.position), _plain(one.reason), _plain(one.raw))
    console.print(table)


def print_undelivered(
    console: Console,
    found: Sequence[Undelivered],
    answers: Sequence[UndeliveredAnswer],
    language: Language,
    timezone: ZoneInfo,
) -> None:
    if not found and not answers:
        console.print(_ALL_TOLD.in_language(language))
        return
    table = _table(language, _SINCE, _CHAT, _ALERT, _STATE)
    for one in found:
        what = _TRANSITIONS[one.delivery.transition].in_language(language)
        table.add_row(
            _time(one.delivery.created_at, timezone),
            _plain(one.delivery.chat_id),
            _plain(f"{_named(one.episode)} ({what})"),
            _plain(_how_it_stands(one.delivery, language)),
        )
    for answer in answers:
        table.add_row(
            _time(answer.created_at, timezone),
            _plain(answer.chat_id),
            _ANSWER.in_language(language),
            _plain(_how_it_stands(answer, language)),
        )
    console.print(table)


def _table(language: Language, *columns: Text) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column.in_language(language), overflow="fold")
    return table


def _time(moment: datetime, timezone: ZoneInfo) -> str:
    try:
        return f"{moment.astimezone(timezone):%Y-%m-%d %H:%M}"
    except OverflowError:  # the first and last hours there are
        return f"{moment:%Y-%m-%d %H:%M}"


def _named(episode: Episode) -> str:
    shown = {"alertname", "severity"}
    rest = ", ".join(f"{name}={text}" for name, text in episode.labels if name not in shown)
    words = [episode.severity and f"[{episode.severity}]", episode.name, rest and f"{{{rest}}}"]
    return f"{' '.join(one for one in words if one)} #{episode.number}"


def _told(entry: LedgerEntry, language: Language) -> str:
    """Of each chat how its newest message stands."""
    newest = {one.chat_id: one for one in entry.deliveries}
    told = [
        f"{one.chat_id} {_STATES[one.state].in_language(language)}"
        + (f" ({_TWICE.in_language(language)})" if one.doubtful else "")
        for one in newest.values()
    ]
    return ", ".join(told) or _NOBODY.in_language(language)


def _how_it_stands(delivery: Delivery | UndeliveredAnswer, language: Language) -> str:
    said = [_STATES[delivery.state].in_language(language)]
    if isinstance(delivery, Delivery) and delivery.doubtful:
        said.append(_TWICE.in_language(language))
    if delivery.attempts:
        said.append(_TRIES.in_language(language).format(count=delivery.attempts))
    if delivery.code is not None:
        said.append(str(delivery.code))
    return ", ".join([*said, *([delivery.error] if delivery.error else [])])


def _plain(text: str) -> Line:
    return Line(printable(text[:LONGEST]) + ("…" if len(text) > LONGEST else ""))

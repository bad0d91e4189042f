"""A table row of asked windows: what was said, when and where, and the window that is meant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from aegis.agent.asked_window import AskedWindow, read_window

WEDNESDAY = "2026-11-04 10:00"


@dataclass(frozen=True, slots=True)
class Row:
    """Times are local to `zone`, or carry an offset; `meant` is "kind start end" or None."""

    said: str
    meant: str | None
    now: str = WEDNESDAY
    zone: str = "Asia/Shanghai"

    def __str__(self) -> str:
        return f"{self.said} ({self.now} {self.zone})"


def instant(text: str, zone: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return moment.astimezone(UTC)


def understood(row: Row) -> AskedWindow | None:
    return read_window(row.said, instant(row.now, row.zone), ZoneInfo(row.zone))


def shown(window: AskedWindow | None) -> tuple[str, datetime, datetime] | None:
    return None if window is None else (window.kind, window.start, window.end)


def expected(row: Row) -> tuple[str, datetime, datetime] | None:
    """`meant` reads "point 11-03 22:45 > 11-03 23:15", in the year of now unless written."""
    if row.meant is None:
        return None
    kind, times = row.meant.split(" ", 1)
    start, end = (
        instant(text if text[4] == "-" else row.now[:5] + text, row.zone)
        for text in times.split(" > ")
    )
    return kind, start, end

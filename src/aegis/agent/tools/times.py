"""Times in the arguments of tools, and how results write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Protocol
from zoneinfo import ZoneInfo

from pydantic import Field

from aegis.agent.tools.tool import fault
from aegis.model.telemetry import TimeWindow, from_ns, utc_text
from aegis.ports import Clock

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
LAST = timedelta(minutes=15)
LONGEST_MOMENT = 64
_AGO = re.compile(r"now(?:\s*-\s*(\d{1,6})\s*([smhd]))?", re.ASCII | re.IGNORECASE)
_UNIX = re.compile(r"\d{9,10}(?:\.\d{1,9})?", re.ASCII)
_STEP = re.compile(r"(\d{1,6})\s*([smhd]?)", re.ASCII)

Moment = Annotated[
    str,
    Field(
        max_length=LONGEST_MOMENT,
        description="ISO 8601 (2026-11-02T10:15+08:00), Unix seconds, now or now-30m",
    ),
]


class Spanned(Protocol):
    """Arguments with a time."""

    @property
    def start(self) -> str: ...

    @property
    def end(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Times:
    """Reads times as people and models write them; those without offset are in `timezone`."""

    clock: Clock
    timezone: ZoneInfo

    def window(self, given: Spanned, **echo: object) -> TimeWindow | dict[str, object]:
        """The half-open time asked about, or an error that says which part is wrong."""
        raw = {"start_raw": given.start, "end_raw": given.end}
        try:
            start, end = self._moment(given.start), self._moment(given.end)
        except ValueError as error:
            return fault("invalid_datetime", str(error), **echo, **raw)
        if end <= start:
            message = f"end {utc_text(end)} is not after start {utc_text(start)}"
            return fault("invalid_time_range", message, **echo, **raw)
        return TimeWindow(start, end)

    def _moment(self, text: str) -> datetime:
        """ValueError with a sentence where the text is no time."""
        if ago := _AGO.fullmatch(text):
            back_s = int(ago[1]) * UNITS_S[ago[2].lower()] if ago[1] else 0
            return self.clock.now() - timedelta(seconds=back_s)
        if _UNIX.fullmatch(text):
            return datetime.fromtimestamp(float(text), UTC)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            message = f"{text[:LONGEST_MOMENT]!r} is not a time such as 2026-11-02T10:15+08:00"
            raise ValueError(message) from None
        aware = moment if moment.utcoffset() is not None else moment.replace(tzinfo=self.timezone)
        if not 1970 < aware.year < 2200:
            raise ValueError(f"{text[:LONGEST_MOMENT]!r} is not between 1971 and 2199")
        return aware.astimezone(UTC)


def step_seconds(text: str, window: TimeWindow, points: int) -> int | None:
    """Seconds of "60s", "1m" or "60"; `auto` gives about `points` points; None: no step."""
    if text.lower() in ("", "auto"):
        return max(15, -(-int(window.duration_s) // points))
    found = _STEP.fullmatch(text)
    seconds = int(found[1]) * UNITS_S[found[2] or "s"] if found else 0
    return seconds or None


def told(window: TimeWindow) -> Mapping[str, object]:
    return dict(window.as_text())


def moment_text(time_ns: int) -> str:
    return utc_text(from_ns(time_ns))

"""What log lines say and how a world writes them down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aegis.model.telemetry import Floats, Int64s

START = (
    "Received {op} for id {id}",
    "Start handling {op}, id={id}",
    "{op}: begin, customer {id}",
    "Incoming request {op} user={id} items={n}",
)
MIDDLE = (
    "{noun} {id} loaded, {n} rows",
    "Validated {noun} {id}",
    "Got {n} candidates for {noun} {id}",
    "Applying rule set {n} to {noun} {id}",
    "Cached {noun} {id} for {n} s",
)
DONE = (
    "Finished {op} for id {id} in {ms} ms",
    "{op} ok, {n} results, {ms} ms",
    "Responding 200 to {op}, {n} bytes",
    "{noun} {id} done: status OK, took {ms} ms",
)
EXCEPTIONS = (
    ("IllegalStateException", "unexpected state of record {id}"),
    ("ValidationError", "field amount of {id} is out of range"),
    ("TimeoutException", "lock on {id} not acquired within 2000 ms"),
)
DEFECTS = (
    ("NullPointerException", "Cannot invoke getPrice() because item is null"),
    ("KeyError", "'discount_rate' in record {id}"),
    ("IndexOutOfBoundsException", "Index {n} out of bounds for length 0"),
    ("TypeError", "cannot read properties of undefined (reading 'id')"),
)
MISCONFIGURED = (
    ("ConfigurationException", "invalid value 'O.5' for property limits.max-share"),
    ("ConfigError", "unknown region 'eu-wset-1' in routing table"),
    ("BadCredentials", "signature of request {id} rejected: unknown key id"),
)
HARMLESS = (
    ("INFO", "health check ok"),
    ("INFO", "metrics flushed, {n} samples"),
    ("INFO", "scheduled cleanup removed {n} entries in {ms} ms"),
    ("WARN", "property server.legacy-mode is deprecated and will be removed"),
    ("WARN", "slow consumer of event stream, lag {n}"),
    ("ERROR", "failed to send usage statistics: stats endpoint answered 503"),
)


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of one template: `message` may use {id}, {n} and {ms}.

    `rows` names the calls whose callee wrote them (-1: no call), `of_caller` that it was the
    caller instead.
    """

    service: int
    level: str
    place: str
    message: str
    times_s: Floats
    rows: Int64s
    took_ms: Floats
    of_caller: bool = False


class Writer:
    """Writes lines in the style of a world."""

    def __init__(self, style: str, level_column: bool, rng: np.random.Generator) -> None:
        self._style = style
        self._in_body = not level_column
        self._rng = rng

    def bodies(self, lines: Lines, day_ms: list[int]) -> list[str]:
        """One body per line; `day_ms` are the milliseconds since midnight."""
        count = len(day_ms)
        ids = self._rng.integers(10_000, 9_999_999, count).tolist()
        sizes = self._rng.integers(1, 400, count).tolist()
        before, after = self._frame(lines)
        text = lines.message
        out: list[str] = []
        for clock, number, size, took in zip(day_ms, ids, sizes, lines.took_ms, strict=True):
            message = text.format(id=number, n=size, ms=f"{took:.0f}") if "{" in text else text
            stamp = _clock(clock) + " " if self._style == "java" else ""
            out.append(f"{stamp}{before}{message}{after}")
        return out

    def _frame(self, lines: Lines) -> tuple[str, str]:
        """What stands before and after the message."""
        level, place = lines.level, lines.place
        match self._style:
            case "java":
                shown = f"{level:<5} " if self._in_body else ""
                return f"{shown}{place} - ", ""
            case "json":
                shown = f'"level":"{level.lower()}",' if self._in_body else ""
                return f'{{{shown}"caller":"{place}","msg":"', '"}'
            case "logfmt":
                shown = f"level={level.lower()} " if self._in_body else ""
                return f'{shown}caller={place} msg="', '"'
        return (f"[{level}] " if self._in_body else ""), ""


def _clock(day_ms: int) -> str:
    seconds, ms = divmod(day_ms, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}.{ms:03d}"


def place_in(style: str, unit: str, line: int) -> str:
    """A call site as the language of the style writes it."""
    return f"c.{unit[:1].lower()}.{unit}#{line}" if style == "java" else f"{unit}.go:{line}"


def stack_trace(exception: str, text: str, unit: str, line: int) -> str:
    """An exception with a few frames."""
    frames = "\n".join(
        f"\tat {unit}.{method}({unit}.java:{line + offset})"
        for method, offset in (("apply", 0), ("handle", 61), ("dispatch", 140))
    )
    return f"{exception}: {text}\n{frames}"

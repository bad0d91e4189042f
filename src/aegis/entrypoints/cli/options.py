"""What the commands share: exit codes, options, and how they are read and printed."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aegis.model.errors import (
    AegisError,
    ConfigurationError,
    DeliveryError,
    InvalidWindow,
    SourceError,
    StoreUnavailable,
)
from aegis.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rich.console import Console

    from aegis.model.telemetry import TimeWindow
    from aegis.model.text import Language

USAGE, INVALID, UNREADABLE = 2, 3, 4
LONGEST_QUESTION = 4000

EPILOG = (
    "Exit codes: 0 answered; 2 wrong usage or setting; 3 invalid case or input; "
    "4 a source could not be read, or a message not be delivered."
)


class Lang(StrEnum):
    zh = "zh"
    en = "en"


class Window(StrEnum):
    fault = "fault"
    asked = "asked"


class Service(StrEnum):
    all = "all"
    ops = "ops"
    chatops = "chatops"
    rca = "rca"
    predict = "predict"


Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A case folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Language_ = Annotated[Lang | None, typer.Option("--lang", help="Language of the answer.")]
Ablate = Annotated[
    list[str] | None,
    typer.Option(
        "--ablate",
        metavar="PART",
        help="Leave out a step or a kind of evidence, to see what it is worth: graph, unseen, "
        "alarm, onset, metrics, spans, logs, changes or one of their kinds.",
    ),
]


def language_of(given: Lang | None, usual: Language) -> Language:
    """The language that was asked for, else the usual one."""
    return given.value if given else usual


def print_json(fields: dict[str, object]) -> None:
    typer.echo(json.dumps(fields, ensure_ascii=False, indent=2))


def printable(text: str) -> str:
    """Without control characters: recorded text must not drive the terminal."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def console() -> Console:
    from rich.console import Console

    return Console(highlight=False)


def window_of(start: str | None, end: str | None) -> TimeWindow | None:
    """The window a person gave; None where they gave none."""
    from aegis.model.telemetry import TimeWindow

    if start is None and end is None:
        return None
    if start is None or end is None:
        missing = "--start" if start is None else "--end"
        raise typer.BadParameter("give both --start and --end, or neither", param_hint=missing)
    first, last = moment_of(start, "--start"), moment_of(end, "--end")
    if last <= first:
        raise InvalidWindow("--end", f"{end} is not after --start {start}")
    return TimeWindow(first, last)


def minutes_of(text: str, option: str) -> int:
    """A length of time such as 30m, 2h or 1d, at most a day, in minutes."""
    found = re.fullmatch(r"(\d{1,5})\s*(m|min|h|d)", text.strip(), re.ASCII)
    minutes = int(found[1]) * {"m": 1, "min": 1, "h": 60, "d": 1440}[found[2]] if found else 0
    if not 1 <= minutes <= 1440:
        message = f"{text[:20]!r} is not a time from 1m to 24h such as 30m or 2h"
        raise typer.BadParameter(message, param_hint=option)
    return minutes


def moment_of(text: str, option: str) -> datetime:
    """A moment a person gave, ISO 8601; without an offset in AEGIS_TIMEZONE."""
    from aegis.entrypoints.moments import read_moment

    try:
        return read_moment(text, read_settings().timezone)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def ablated(parts: Sequence[str] | None) -> frozenset[str]:
    from aegis import bootstrap

    wanted = {part for given in parts or () for part in given.split(",")}
    unknown = sorted(wanted - set(bootstrap.ablations()))
    if unknown:
        known = ", ".join(bootstrap.ablations())
        raise typer.BadParameter(f"{unknown[0]!r} is none of {known}", param_hint="--ablate")
    return frozenset(wanted)


def exit_code(error: AegisError) -> int:
    """Of a command that ends with this error."""
    if isinstance(error, ConfigurationError):
        return USAGE
    passing = SourceError | DeliveryError | StoreUnavailable
    return UNREADABLE if isinstance(error, passing) else INVALID

"""What a question says about time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class AskedWindow:
    """The time a question names, as aware UTC datetimes; `end` is after `start`, not after now.

    "range": both ends were said. "lookback": from `start` until now. "vague": a named stretch
    (yesterday, last night, just now), somewhere in which it happened. "point": the moment `at`
    was said; start and end are the window it stands for when no onset is found near it. `at`
    is None for the others. `phrase` is the part of the question that was understood.
    """

    start: datetime
    end: datetime
    kind: Literal["range", "point", "lookback", "vague"]
    phrase: str
    at: datetime | None = None

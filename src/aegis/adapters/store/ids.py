"""Ids that sort as text in the order in which they were made."""

from __future__ import annotations

import secrets
import threading

from aegis.adapters.store.columns import microseconds
from aegis.ports import Clock


class SortableIds:
    """Made by one process one after the other; any number of threads may ask.

    14 hex digits of microseconds since 1970, which never repeat nor go back within a process,
    then 8 of chance that tell the processes apart.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._process = secrets.token_hex(4)
        self._last = 0
        self._lock = threading.Lock()

    def new(self) -> str:
        with self._lock:
            self._last = max(self._last + 1, microseconds(self._clock.now()))
            return f"{self._last:014x}{self._process}"

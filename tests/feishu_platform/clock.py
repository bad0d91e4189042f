"""The time of the platform: it runs as usual, and a test moves it on."""

from __future__ import annotations

import time

EPOCH_S = 1_764_000_000.0


class PlatformClock:
    """Seconds. A day passes in no time with `advance`."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._moved_s = 0.0

    def now(self) -> float:
        return EPOCH_S + time.monotonic() - self._began + self._moved_s

    def advance(self, seconds: float) -> None:
        self._moved_s += seconds

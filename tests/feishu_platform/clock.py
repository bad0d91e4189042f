"""The time of the platform: it runs as usual, and a test moves it on."""

from __future__ import annotations

import time

EPOCH_S = 1_764_000_000.0


class PlatformClock:
    """Seconds. A day passes in no time with `advance`, and no time at all after `stop`."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._moved_s = 0.0
        self._stopped_at: float | None = None

    def now(self) -> float:
        running = time.monotonic() if self._stopped_at is None else self._stopped_at
        return EPOCH_S + running - self._began + self._moved_s

    def stop(self) -> None:
        """From now on it moves by `advance` only, so that a slow machine changes nothing."""
        self._stopped_at = time.monotonic()

    def advance(self, seconds: float) -> None:
        self._moved_s += seconds

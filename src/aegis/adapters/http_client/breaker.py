"""Leaves a backend alone that has failed several times in a row."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

MOST_FAILURES = 5
PAUSE_S = 30.0


@dataclass(slots=True)
class CircuitBreaker:
    """One a backend; it should outlive questions. `clock` is monotonic, in seconds.

    After the pause one request is let through; the others wait for its result.
    """

    most_failures: int = MOST_FAILURES
    pause_s: float = PAUSE_S
    clock: Callable[[], float] = field(default=time.monotonic)
    _failures: int = 0
    _closed_again: float = 0.0

    def wait_s(self) -> float:
        """Seconds until the backend may be asked again; 0 = ask, and tell what came of it."""
        if self._failures < self.most_failures:
            return 0.0
        left = self._closed_again - self.clock()
        if left <= 0:
            self._closed_again = self.clock() + self.pause_s
            return 0.0
        return left

    def worked(self) -> None:
        self._failures = 0

    def failed(self) -> None:
        self._failures += 1
        if self._failures >= self.most_failures:
            self._closed_again = self.clock() + self.pause_s

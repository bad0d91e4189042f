"""Leaves a backend alone that has failed several times in a row, or did not answer at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from aegis.model.backend import Trouble

MOST_FAILURES = 5
PAUSE_S = 30.0


@dataclass(slots=True)
class CircuitBreaker:
    """One a backend; it should outlive questions. `clock` is monotonic, in seconds.

    After the pause one request is let through; the others wait for its result. `changed`
    hears what is to be known by whoever asks the same backend from another process.
    """

    most_failures: int = MOST_FAILURES
    pause_s: float = PAUSE_S
    clock: Callable[[], float] = field(default=time.monotonic)
    changed: Callable[[Trouble], None] | None = None
    _failures: int = 0
    _closed_again: float = 0.0

    @staticmethod
    def after(known: Trouble, changed: Callable[[Trouble], None] | None = None) -> CircuitBreaker:
        """One that goes on where another, of a process that is over, has stopped."""
        breaker = CircuitBreaker(changed=changed)
        breaker._failures = min(known.failures, MOST_FAILURES)
        breaker._closed_again = breaker.clock() + min(known.rest_s, PAUSE_S)
        return breaker

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
        if self._failures:
            self._failures = 0
            self._tell(0.0)

    def failed(self) -> None:
        self._count(self._failures + 1)

    def did_not_answer(self) -> None:
        """Nothing came of a whole question: to try it again costs each of the next its deadline."""
        self._count(max(self._failures + 1, self.most_failures))

    def _count(self, failures: int) -> None:
        self._failures = failures
        pauses = failures >= self.most_failures
        if pauses:
            self._closed_again = self.clock() + self.pause_s
        self._tell(self.pause_s if pauses else 0.0)

    def _tell(self, rest_s: float) -> None:
        if self.changed is not None:
            self.changed(Trouble(self._failures, rest_s))

"""What analysts have met at the backends, for those who come after them.

Each analysis is a process of its own and forgets everything when it ends. So it tells at once
when a backend fails or works again, and the next one is told how long to leave it alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

EVENT = "backend"
"""The name of the event that tells of it; no client sees it."""


@dataclass(slots=True)
class BackendTroubles:
    """`clock` is monotonic, in seconds."""

    clock: Callable[[], float] = field(default=time.monotonic)
    _known: dict[str, tuple[int, float]] = field(default_factory=dict)

    def heard(self, event: Mapping[str, Any]) -> None:
        """What an analyst tells: `backend`, `failures` in a row, `rest_s`."""
        until = self.clock() + event["rest_s"]
        self._known[event["backend"]] = event["failures"], until

    def as_told(self) -> dict[str, dict[str, float]]:
        """For the next analyst: what each backend in trouble is still to be spared."""
        now = self.clock()
        return {
            backend: {"failures": failures, "rest_s": max(0.0, until - now)}
            for backend, (failures, until) in self._known.items()
            if failures
        }

"""An alert over time: each time it fires until it is resolved is an episode."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aegis.model.alert import Labels

Transition = Literal["opened", "closed"]
"""What is told to people. Heartbeats and stale repeats are stored and told to nobody."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode of one alert. (fingerprint, number) is its key; numbers count from 1.

    `starts_at` is what Alertmanager said first; it moves when Prometheus restarts, so it is no
    key. `resolved_at` is None while it is open. An alert whose resolution came without a
    firing before it is an episode that opened and closed at once.
    """

    fingerprint: str
    number: int
    labels: Labels
    annotations: Labels
    group_key: str
    starts_at: datetime
    first_seen: datetime
    last_seen: datetime
    resolved_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None

    @property
    def name(self) -> str:
        """The rule's name; empty where it has none."""
        return dict(self.labels).get("alertname", "")

    @property
    def severity(self) -> str:
        """As labelled; empty where it is not."""
        return dict(self.labels).get("severity", "")


@dataclass(frozen=True, slots=True)
class History:
    """What the store remembers of an alert before its present episode.

    `episodes` counts those that opened in the last seven days, the present one included;
    `last_minutes` is how long the one before it lasted, None where there was none.
    """

    episodes: int
    last_minutes: float | None

"""An alert as Alertmanager keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Labels = tuple[tuple[str, str], ...]
AlertState = Literal["active", "suppressed", "unprocessed"]

_FNV_OFFSET = 14695981039346656037
_FNV_PRIME = 1099511628211
_SEPARATOR = b"\xff"


def fingerprint(labels: Labels) -> str:
    """What Alertmanager calls the alert of these labels: FNV-1a 64 over them sorted by name."""
    text = b"".join(
        name.encode() + _SEPARATOR + value.encode() + _SEPARATOR for name, value in sorted(labels)
    )
    found, prime, mask = _FNV_OFFSET, _FNV_PRIME, 2**64 - 1  # a storm hashes megabytes
    for byte in text:
        found = ((found ^ byte) * prime) & mask
    return f"{found:016x}"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert; equal labels are the same alert. `starts_at` is aware, UTC.

    Labels and annotations are sorted by name and come from users: text to show, never to obey
    or to fetch. A `suppressed` alert is silenced or inhibited; it fires all the same.
    `receivers` are those Alertmanager routes it to, sorted.
    """

    labels: Labels
    annotations: Labels
    starts_at: datetime
    state: AlertState = "active"
    receivers: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The rule's name; empty where it has none."""
        return dict(self.labels).get("alertname", "")

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.labels)

"""An alert as Alertmanager keeps it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Labels = tuple[tuple[str, str], ...]
AlertState = Literal["active", "suppressed", "unprocessed"]

FNV_OFFSET = 14695981039346656037
FNV_PRIME = 1099511628211
_SEPARATOR = b"\xff"


def fingerprint(labels: Labels) -> str:
    """What Alertmanager calls the alert of these labels: FNV-1a 64 over them sorted by name."""
    found = FNV_OFFSET
    for byte in hashed_bytes(labels):
        found = ((found ^ byte) * FNV_PRIME) % 2**64
    return f"{found:016x}"


def hashed_bytes(labels: Labels) -> bytes:
    """Of what the fingerprint is the hash."""
    texts = [text.encode() for pair in sorted(labels) for text in pair]
    return _SEPARATOR.join([*texts, b""])


def identity(labels: Labels, replica_labels: Collection[str]) -> Labels:
    """What tells an alert from others: its labels without those that only tell replicas apart.

    An alert that has no others keeps them all.
    """
    if not replica_labels:
        return labels
    return tuple(pair for pair in labels if pair[0] not in replica_labels) or labels


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

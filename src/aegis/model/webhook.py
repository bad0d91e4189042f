"""What one call of an Alertmanager's webhook says, after each of its alerts was read alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aegis.model.alert import Labels

AlertStatus = Literal["firing", "resolved"]


@dataclass(frozen=True, slots=True)
class ReceivedAlert:
    """One alert of a webhook body. Labels and annotations are sorted by name.

    They come from users: text to show, never to obey or to fetch. `fingerprint` is that of the
    labels less the replica labels, so that both halves of a pair of Prometheus servers tell of
    the same alert. Times are aware, UTC; `ends_at` is None while it fires.
    """

    fingerprint: str
    status: AlertStatus
    labels: Labels
    annotations: Labels
    starts_at: datetime
    ends_at: datetime | None
    generator_url: str = ""

    @property
    def name(self) -> str:
        """The rule's name; empty where it has none."""
        return dict(self.labels).get("alertname", "")

    @property
    def severity(self) -> str:
        """As labelled; empty where it is not."""
        return dict(self.labels).get("severity", "")


@dataclass(frozen=True, slots=True)
class QuarantinedAlert:
    """An item of a webhook body that is no alert: kept as it came, and why it was not read."""

    position: int
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Webhook:
    """One call. `truncated_alerts` says how many alerts Alertmanager left out: data loss.

    `group_key` is Alertmanager's own; where a body has none it is derived from the group's
    labels. `external_url` is text: it is never fetched.
    """

    receiver: str
    group_key: str
    group_labels: Labels
    alerts: tuple[ReceivedAlert, ...]
    quarantined: tuple[QuarantinedAlert, ...] = ()
    truncated_alerts: int = 0
    external_url: str = ""

"""Finds what Alertmanager could not tell us, or will not: by asking it what it has.

Alertmanager gives up on a notification when its group changes, and forgets all of them when it
starts anew without its files. So an alert that fires there and is unknown here is opened, and
one that is open here and is gone there is closed; each only after two rounds, for a webhook may
be on its way.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aegis.model.alert import Alert, Labels, fingerprint, identity
from aegis.model.ledger import Arrival
from aegis.model.lifecycle import Lifecycle
from aegis.model.webhook import ReceivedAlert, Webhook
from aegis.ports import AlertStore, Clock, Deliveries, FiringSource

YOUNG = timedelta(minutes=5)
"""So long after its start Alertmanager may not have been told of everything that fires."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    opened: int
    closed: int


@dataclass(slots=True)
class Reconciliation:
    """Rounds of one Alertmanager.

    `receivers` are those whose alerts are ours; empty: those that have called the webhook.
    What Alertmanager silences, inhibits or routes elsewhere is not opened.
    """

    store: AlertStore
    source: FiringSource
    clock: Clock
    deliveries: Deliveries
    replica_labels: Collection[str] = ()
    receivers: Collection[str] = ()
    _unknown: frozenset[str] = field(default_factory=frozenset)

    async def round(self) -> Reconciled:
        """SourceError or StoreUnavailable where one of the two cannot be asked now."""
        firing = await self.source.read_firing()
        now = self.clock.now()
        ours = frozenset(self.receivers or await self.store.receivers())
        listed = {self._fingerprint(one.labels): one for one in firing.alerts}
        opened = await self._open(
            {
                name: one
                for name, one in listed.items()
                if one.state == "active" and ours & set(one.receivers)
            },
            now,
        )
        if not firing.complete or now - firing.began_at < YOUNG:
            return Reconciled(opened, 0)
        settled = await self.store.settle(listed, now)
        if settled.waiting:
            self.deliveries.wake(settled.waiting)
        return Reconciled(opened, settled.closed)

    async def _open(self, active: dict[str, Alert], now: datetime) -> int:
        """Opens those that were unknown in the round before too."""
        known = await self.store.lifecycles(active)
        unknown = {name for name in active if name not in known or not known[name].is_open}
        due = sorted(unknown & self._unknown)
        by_name: dict[str, list[ReceivedAlert]] = {}
        for name in due:
            told = _as_told(name, active[name], known.get(name), now)
            by_name.setdefault(told.name, []).append(told)
        for name, alerts in by_name.items():
            kept = await self.store.keep(_arrival(name, alerts, now))
            if kept.waiting:
                self.deliveries.wake(kept.waiting)
        self._unknown = frozenset(unknown.difference(due))
        return len(due)

    def _fingerprint(self, labels: Labels) -> str:
        return fingerprint(identity(labels, self.replica_labels))


def _as_told(name: str, alert: Alert, known: Lifecycle | None, now: datetime) -> ReceivedAlert:
    """It begins now where we were told the end of what began then, and yet it fires."""
    ended = known.closed_starts_at if known else None
    starts_at = now if ended is not None and alert.starts_at <= ended else alert.starts_at
    return ReceivedAlert(name, "firing", alert.labels, alert.annotations, starts_at, None)


def _arrival(name: str, alerts: Sequence[ReceivedAlert], now: datetime) -> Arrival:
    """As if they had come by the webhook, in a group of their name."""
    told = {"reconciled": [dict(one.labels) for one in alerts]}
    webhook = Webhook(
        receiver="",
        group_key=f"reconciled:{name[:200]}",
        group_labels=(("alertname", name),) if name else (),
        alerts=tuple(alerts),
    )
    return Arrival(now, json.dumps(told, ensure_ascii=False).encode(), webhook)

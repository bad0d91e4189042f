"""One call of the webhook, from its bytes to what is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from concurrent.futures import Executor
from dataclasses import dataclass

from aegis.model.ledger import Arrival
from aegis.model.webhook import Webhook
from aegis.ports import AlertStore, Clock, Deliveries
from aegis.workflows.receive_alerts.reading import read_webhook

READ_AT_ONCE = 128 * 1024
"""Bytes that are read in two milliseconds or so; what is larger must not hold up the others."""


@dataclass(frozen=True, slots=True)
class Received:
    """What was stored. The numbers count items; `chats` hear of them."""

    alerts: int
    resolved: int
    quarantined: int
    truncated: int
    chats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlertReceiver:
    """`readers` has one thread, so that large bodies are read one after the other."""

    store: AlertStore
    clock: Clock
    deliveries: Deliveries
    readers: Executor
    replica_labels: Collection[str] = ()

    async def receive(self, body: bytes) -> Received:
        """StoreUnavailable where nothing could be kept; whatever the body says, nothing else."""
        received_at = self.clock.now()
        if len(body) <= READ_AT_ONCE:
            webhook = read_webhook(body, received_at, self.replica_labels)
        else:
            webhook = await asyncio.get_running_loop().run_in_executor(
                self.readers, read_webhook, body, received_at, self.replica_labels
            )
        kept = await self.store.keep(Arrival(received_at, body, webhook))
        if kept.waiting:
            self.deliveries.wake(kept.waiting)
        return _received(webhook, kept.chats)


def _received(webhook: Webhook, chats: tuple[str, ...]) -> Received:
    resolved = sum(one.status == "resolved" for one in webhook.alerts)
    counts = len(webhook.alerts), resolved, len(webhook.quarantined), webhook.truncated_alerts
    return Received(*counts, chats)

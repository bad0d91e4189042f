"""What fires now, to compare with what we were told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from aegis.adapters.alertmanager.alerts import (
    ALERTS,
    LONGEST_TEXT,
    ONLY_ACTIVE,
    alerts_of,
    moment_of,
)
from aegis.adapters.http_client.answers import Answer
from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.http_client.routes import Route
from aegis.model.alert import Alert
from aegis.model.errors import AnswerTooLarge, SourceRejected
from aegis.model.ledger import FiringNow

STATUS = Route("GET", "/api/v2/status")


@dataclass(frozen=True, slots=True)
class AlertmanagerFiring:
    """A FiringSource. `connect` makes a client with a budget of its own for each read."""

    connect: Callable[[], BackendClient]

    async def read_firing(self) -> FiringNow:
        """See FiringSource. In a storm the suppressed ones are left out."""
        async with self.connect() as client:
            began_at, complete = _began_at(await client.ask(STATUS)), True
            try:
                answer = await client.ask(ALERTS)
            except AnswerTooLarge:
                answer, complete = await client.ask(ALERTS, ONLY_ACTIVE), False
        found, unreadable = alerts_of(answer)
        whole = tuple(one for one in found if not _is_cut(one))
        return FiringNow(whole, began_at, complete and not unreadable and len(whole) == len(found))


def _began_at(answer: Answer) -> datetime:
    told = answer.json()
    began_at = moment_of(told.get("uptime")) if isinstance(told, dict) else None
    if began_at is None:
        raise SourceRejected(f"{answer.where} does not answer as Alertmanager does")
    return began_at


def _is_cut(alert: Alert) -> bool:
    """Its labels were too long to be read whole, so its fingerprint would be another's."""
    return any(len(text) >= LONGEST_TEXT for pair in alert.labels for text in pair)

"""Alerts to keep, and what was kept of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import select

from aegis.adapters.store.alerts import StoredAlerts
from aegis.adapters.store.database import Database
from aegis.adapters.store.ids import SortableIds
from aegis.adapters.store.keeping import Route
from aegis.adapters.store.tables import outbox, outbox_item
from aegis.model.alert import Labels
from aegis.model.ledger import Arrival, Kept
from aegis.model.routing import Target
from aegis.workflows.receive_alerts.reading import read_webhook
from tests.webhook.bodies import body

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
Result = TypeVar("Result")


@dataclass
class TickingClock:
    """A second later each time it is asked."""

    time: datetime = NOW
    step: timedelta = field(default=timedelta(seconds=1))

    def now(self) -> datetime:
        self.time += self.step
        return self.time


_CLOCK = TickingClock()
"""One for all stores of a test, so that ids sort over all of them."""


def to_one_chat(labels: Labels, opened_at: datetime) -> tuple[Target, ...]:
    return (Target("oc_ops", "default"),)


def to_nobody(labels: Labels, opened_at: datetime) -> tuple[Target, ...]:
    return ()


def by_team(labels: Labels, opened_at: datetime) -> tuple[Target, ...]:
    """One chat a team; those with `quiet` wait an hour."""
    given = dict(labels)
    due = opened_at + timedelta(hours=1) if "quiet" in given else None
    teams = given.get("team", "ops").split("+")
    return tuple(Target(f"oc_{team}", team, not_before=due) for team in teams)


def arrival(*alerts: Any, at: datetime = NOW, **fields: Any) -> Arrival:
    raw = body(*alerts, **fields)
    return Arrival(at, raw, read_webhook(raw, at))


def store_of(database: Database, route: Route = to_one_chat) -> StoredAlerts:
    return StoredAlerts(database, SortableIds(_CLOCK), route)


def with_store(
    database: Database,
    use: Callable[[StoredAlerts], Coroutine[Any, Any, Result]],
    route: Route = to_one_chat,
) -> Result:
    store = store_of(database, route)
    try:
        return asyncio.run(use(store))
    finally:
        store.stop()


def keep(database: Database, *arrivals: Arrival, route: Route = to_one_chat) -> list[Kept]:
    """One call after the other."""

    async def keeping(store: StoredAlerts) -> list[Kept]:
        return [await store.keep(one) for one in arrivals]

    return with_store(database, keeping, route)


def told(database: Database) -> list[tuple[str, str, int, str]]:
    """(chat, fingerprint, episode, transition) of everything to tell, in order."""
    with database.reading() as connection:
        source = outbox.join(outbox_item, outbox.c.id == outbox_item.c.outbox_id)
        columns = (
            outbox.c.chat_id,
            outbox_item.c.fingerprint,
            outbox_item.c.episode,
            outbox_item.c.transition,
        )
        ordered = select(*columns).select_from(source).order_by(outbox.c.id, *columns)
        return [tuple(row) for row in connection.execute(ordered)]


def count(database: Database, table: str) -> int:
    with database.reading() as connection:
        found: int = connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()  # noqa: S608
        return found

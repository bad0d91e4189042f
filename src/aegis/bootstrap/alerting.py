"""Alerts in one serving process: the store, the receiver of the webhook, and delivering."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial

from aegis.adapters.store.alerts import StoredAlerts
from aegis.adapters.store.changes import StoredChanges
from aegis.adapters.store.database import Database, open_database
from aegis.adapters.store.ids import SortableIds
from aegis.adapters.store.locks import make_folder, only_process
from aegis.adapters.store.migrating import upgrade
from aegis.adapters.system_clock import SystemClock
from aegis.bootstrap.delivering import Delivering, StoredOnly, delivering
from aegis.bootstrap.housekeeping import housekeeping
from aegis.model.routing import targets_of
from aegis.observability.measurements import AlertMeasurements
from aegis.ports import AlertStore, ChangeStore
from aegis.settings import Settings
from aegis.workflows.deliver_messages.tell import Teller
from aegis.workflows.receive_alerts.receive import AlertReceiver

MIGRATION_PATIENCE_S = 4.0
"""Short: whoever opens the store tries again, and must be able to end."""


@dataclass(frozen=True, slots=True)
class Alerting:
    """What the routes about alerts and chats work with."""

    store: AlertStore
    changes: ChangeStore
    receiver: AlertReceiver
    delivering: Delivering | StoredOnly

    @property
    def stored_only(self) -> str | None:
        """What is missing for delivering alerts; None where chats are told."""
        return self.delivering.why

    @property
    def teller(self) -> Teller | None:
        """None where no chat can be told anything."""
        return self.delivering.teller


@asynccontextmanager
async def alerting(settings: Settings, measurements: AlertMeasurements) -> AsyncIterator[Alerting]:
    """As long as it is open. It ends with every call that was taken written.

    ConfigurationError for a setting that is wrong, or where another process has the SQLite
    file; StoreUnavailable where the database cannot be reached or brought up to date.
    """
    clock = SystemClock()
    ids = SortableIds(clock)
    route = partial(targets_of, settings.routing)
    with _lone(open_database(settings.db_url)) as database:
        await asyncio.to_thread(upgrade, database, MIGRATION_PATIENCE_S)
        async with delivering(settings, database, ids, clock, measurements) as deliveries:
            store = StoredAlerts(database, ids, route)
            readers = ThreadPoolExecutor(1, "body-reader")
            receiver = AlertReceiver(store, clock, deliveries, readers, settings.replica_labels)
            try:
                async with housekeeping(settings, store, deliveries, clock):
                    yield Alerting(store, StoredChanges(database, clock), receiver, deliveries)
            finally:
                await asyncio.to_thread(store.stop)
                readers.shutdown(cancel_futures=True)


@contextmanager
def _lone(database: Database) -> Iterator[Database]:
    """SQLite is for one serving process; the connections end with it."""
    with ExitStack() as stack:
        stack.callback(database.dispose)
        if database.file is not None:
            make_folder(database.file)
            stack.enter_context(only_process(database.file))
        yield database

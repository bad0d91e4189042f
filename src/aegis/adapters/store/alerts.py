"""The store of alerts as the rest of Aegis sees it: asynchronous, and with a deadline."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection

from aegis.adapters.store import ledger, reconciling, retention
from aegis.adapters.store.database import Database
from aegis.adapters.store.ids import SortableIds
from aegis.adapters.store.keeping import Route, load
from aegis.adapters.store.writer import AlertWriter
from aegis.model.errors import StoreUnavailable
from aegis.model.ledger import (
    Arrival,
    Kept,
    LedgerPage,
    LedgerQuery,
    Quarantined,
    Settled,
    Undelivered,
)
from aegis.model.lifecycle import Lifecycle

READ_WITHIN_S = 10.0
SETTLE_PATIENCE_S = 10.0

Result = TypeVar("Result")


class StoredAlerts:
    """An AlertStore. `stop` writes what still waits; afterwards nothing is kept any more."""

    def __init__(self, database: Database, ids: SortableIds, route: Route) -> None:
        self._database = database
        self._ids = ids
        self._route = route
        self._stopping = threading.Event()
        self._writer = AlertWriter(database, ids, route)
        # Its own threads: the usual ones may all be busy with what is slow.
        self._threads = ThreadPoolExecutor(2, "alert-reader")

    async def keep(self, arrival: Arrival) -> Kept:
        return await self._writer.keep(arrival)

    async def page(self, query: LedgerQuery) -> LedgerPage:
        return await self._read(lambda link: ledger.page_of(link, query))

    async def quarantined(self, limit: int) -> tuple[Quarantined, ...]:
        return await self._read(lambda link: ledger.quarantined(link, limit))

    async def undelivered(self, limit: int) -> tuple[Undelivered, ...]:
        return await self._read(lambda link: ledger.undelivered(link, limit))

    async def lifecycles(self, fingerprints: Collection[str]) -> Mapping[str, Lifecycle]:
        found = await self._read(lambda link: load(link, fingerprints))
        return {name: one.lifecycle for name, one in found.items()}

    async def receivers(self) -> frozenset[str]:
        return await self._read(reconciling.receivers)

    async def settle(self, listed: Collection[str], now: datetime) -> Settled:
        def settling() -> Settled:
            with self._database.writing(SETTLE_PATIENCE_S) as connection:
                return reconciling.settle(connection, listed, now, self._ids, self._route)

        return await asyncio.get_running_loop().run_in_executor(self._threads, settling)

    async def forget(self, before: datetime, most_body_bytes: int) -> int:
        """See retention.forget; takes as long as it takes, until `stop`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads,
            retention.forget,
            self._database,
            before,
            most_body_bytes,
            self._stopping.is_set,
        )

    def stop(self) -> None:
        self._stopping.set()
        self._writer.stop()
        self._threads.shutdown(cancel_futures=True)

    async def _read(self, ask: Callable[[Connection], Result]) -> Result:
        def asking() -> Result:
            with self._database.reading() as connection:
                return ask(connection)

        try:
            async with asyncio.timeout(READ_WITHIN_S):
                return await asyncio.get_running_loop().run_in_executor(self._threads, asking)
        except TimeoutError:
            told = f"AEGIS_DB_URL: the database gave no answer within {READ_WITHIN_S:g} s"
            raise StoreUnavailable(told) from None

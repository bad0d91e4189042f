"""Deploys and changes that were reported: kept once, read as evidence."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Row, select
from sqlalchemy.exc import ProgrammingError

from aegis.adapters.store.database import Database
from aegis.adapters.store.tables import change as table
from aegis.model.errors import SourceUnavailable, StoreUnavailable
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import Change, ReportedChange, TimeWindow
from aegis.ports import Clock

PATIENCE_S = 4.0
MOST_READ = 2000


@dataclass(frozen=True, slots=True)
class StoredChanges:
    """A ChangeStore and a ChangeSource."""

    database: Database
    clock: Clock

    async def keep_changes(self, changes: Sequence[ReportedChange]) -> int:
        if not changes:
            return 0
        return await asyncio.to_thread(self._keep, tuple(changes))

    async def read_changes(
        self, window: TimeWindow
    ) -> tuple[tuple[Change, ...], tuple[EvidenceGap, ...]]:
        """SourceUnavailable while the database cannot be read. At most MOST_READ, the latest."""
        try:
            return await asyncio.to_thread(self._read, window), ()
        except StoreUnavailable as error:
            raise SourceUnavailable(str(error)) from None

    def _keep(self, changes: tuple[ReportedChange, ...]) -> int:
        """The same change told twice in one call is one row as well."""
        received = self.clock.now()
        kept = 0
        with _if_made(), self.database.writing(PATIENCE_S) as connection:
            for one in changes:
                row = {
                    "id": hashlib.sha256(one.key.encode()).hexdigest(),
                    "service": one.change.service,
                    "time": one.change.time,
                    "kind": one.change.kind or "",
                    "title": one.change.title or "",
                    "url": one.change.url or "",
                    "version": one.change.version or "",
                    "source": one.source,
                    "received_at": received,
                }
                added = self.database.insert(table).values(row).on_conflict_do_nothing()
                kept += connection.execute(added.returning(table.c.id)).first() is not None
        return kept

    def _read(self, window: TimeWindow) -> tuple[Change, ...]:
        inside = (table.c.time >= window.start) & (table.c.time < window.end)
        newest_first = select(table).where(inside).order_by(table.c.time.desc(), table.c.id)
        with _if_made(), self.database.reading() as connection:
            rows = connection.execute(newest_first.limit(MOST_READ)).all()
        return tuple(_change(row) for row in reversed(rows))


@contextmanager
def _if_made() -> Iterator[None]:
    """Whoever only answers a question may find a PostgreSQL that no server has opened yet."""
    try:
        yield
    except ProgrammingError as error:
        told = "AEGIS_DB_URL: the database has not the tables of this Aegis; run aegis db upgrade"
        raise StoreUnavailable(told) from error


def _change(row: Row[tuple[object, ...]]) -> Change:
    return Change(
        row.service,
        row.time,
        row.kind or None,
        row.version or None,
        row.title or None,
        row.url or None,
    )

"""A server starts without its database too, and takes alerts as soon as that can be reached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from aegis.bootstrap.alerting import Alerting, alerting
from aegis.model.errors import ConfigurationError, StoreUnavailable
from aegis.observability.measurements import AlertMeasurements
from aegis.settings import Settings

FIRST_WITHIN_S = 30.0
"""How long the start waits for the database: most often it is there, and a migration takes its
time. What does not answer is given up long before."""
RETRY_EVERY_S = 3.0
CLOSED_WITHIN_S = 15.0

_LOG = structlog.get_logger("aegis.alerts")


@dataclass(slots=True)
class Door:
    """`alerting` is None while the database cannot be reached; then `why` says why."""

    alerting: Alerting | None = None
    why: str = "AEGIS_DB_URL: the database is not open yet"


@dataclass(slots=True)
class _Keeper:
    """Holds the door open from the first moment it can be opened until it is to be closed."""

    settings: Settings
    measurements: AlertMeasurements
    door: Door = field(default_factory=Door)
    tried: asyncio.Event = field(default_factory=asyncio.Event)
    to_close: asyncio.Event = field(default_factory=asyncio.Event)
    wrong: ConfigurationError | None = None

    async def keep(self) -> None:
        while not self.to_close.is_set():
            try:
                await self._hold()
            except StoreUnavailable as error:
                self._not_open(str(error))
            except ConfigurationError as error:
                if not self.tried.is_set():
                    self.wrong = error
                    self.tried.set()
                    return
                self._not_open(str(error))
            else:
                return
            await _at_most(RETRY_EVERY_S, self.to_close)

    async def _hold(self) -> None:
        async with alerting(self.settings, self.measurements) as found:
            self.door.alerting = found
            if self.tried.is_set():
                _LOG.warning("alerts_are_taken_again")
            self.tried.set()
            try:
                await self.to_close.wait()
            finally:
                self.door.alerting = None

    def _not_open(self, why: str) -> None:
        self.door.why = why
        self.tried.set()
        if not self.to_close.is_set():
            _LOG.error("alerts_cannot_be_taken", why=why)


@asynccontextmanager
async def opened_when_it_can_be(
    settings: Settings, measurements: AlertMeasurements
) -> AsyncIterator[Door]:
    """ConfigurationError where a setting is wrong; of what may pass only the door tells."""
    keeper = _Keeper(settings, measurements)
    keeping = asyncio.create_task(keeper.keep())
    try:
        await _at_most(FIRST_WITHIN_S, keeper.tried)
        if keeper.wrong is not None:
            raise keeper.wrong
        yield keeper.door
    finally:
        keeper.to_close.set()
        await asyncio.wait([keeping], timeout=CLOSED_WITHIN_S)
        keeping.cancel()
        await asyncio.wait([keeping], timeout=1.0)
    if keeping.done() and not keeping.cancelled() and (error := keeping.exception()) is not None:
        raise error


async def _at_most(seconds: float, event: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass

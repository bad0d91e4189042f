"""Delivering inside a serving process: durable turns, their wake-ups, and the way to Feishu."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec

import structlog

from aegis.adapters.feishu.sender import FeishuSender
from aegis.adapters.store.database import Database
from aegis.adapters.store.ids import SortableIds
from aegis.adapters.store.outbox import StoredOutbox
from aegis.bootstrap.messages import message_style
from aegis.durable.engine import Durable, Flow
from aegis.model.delivery import ChatState, Draft
from aegis.model.errors import ConfigurationError, DeliveryError
from aegis.model.ledger import WaitingRow
from aegis.model.message import Backlog, Message
from aegis.observability.measurements import AlertMeasurements
from aegis.observability.tracing import tracer
from aegis.ports import Clock, Notifier
from aegis.ports.delivery import Json, Steps
from aegis.settings import Settings
from aegis.workflows.deliver_messages.compose import compose
from aegis.workflows.deliver_messages.deliver import Delivery, deliver_messages
from aegis.workflows.deliver_messages.style import Style
from aegis.workflows.deliver_messages.tell import Teller
from aegis.workflows.deliver_messages.wake import FLOW, Wakeups

DRAIN_S = 5.0
"""How long a turn may go on after SIGTERM; what it did not do, the next process does."""
SDK = "lark_oapi"

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class StoredOnly:
    """Nobody is told: alerts are kept, and delivered once a chat can be reached."""

    why: str
    teller: None = None

    def wake(self, rows: Sequence[WaitingRow]) -> None:
        return


@dataclass(slots=True)
class Delivering:
    """Chats are told. `why` they are not told of alerts; None where they are.

    Answers are told by `teller`, also where no route leads alerts anywhere.
    """

    wakeups: Wakeups
    teller: Teller
    why: str | None

    def wake(self, rows: Sequence[WaitingRow]) -> None:
        self.wakeups.wake(rows)


@asynccontextmanager
async def delivering(
    settings: Settings,
    database: Database,
    ids: SortableIds,
    clock: Clock,
    measurements: AlertMeasurements,
) -> AsyncIterator[Delivering | StoredOnly]:
    """As long as it is open. On SQLite the caller holds the lock of the file.

    ConfigurationError where what is needed is not installed, StoreUnavailable where the
    durable tables cannot be reached.
    """
    missing = settings.lacking_to_deliver
    if missing is not None:
        _log.warning("alerts_are_stored_only", why=missing)
    feishu = settings.feishu
    if feishu is None or (missing is not None and not feishu.chats):
        yield StoredOnly(missing or "")
        return
    if find_spec(SDK) is None:
        raise ConfigurationError(
            "FEISHU_APP_ID: is set, but Aegis came without Feishu; install aegis-sre[feishu]"
        )
    sender = FeishuSender(feishu, clock)
    try:
        outbox = StoredOutbox(database, ids)
        notifier = Measured(sender, measurements)
        delivery = Delivery(outbox, notifier, composer(settings), clock)
        told = partial(note_backlog, measurements, clock)
        async with _turns(settings.db_url, delivery, told) as wakeups:
            found = Delivering(wakeups, Teller(outbox, clock, wakeups.ask), missing)
            loading = asyncio.create_task(_load(sender, found))  # takes seconds: nobody waits
            yield found
            loading.cancel()
            await asyncio.wait([loading])
    finally:
        await asyncio.to_thread(sender.close)


async def _load(sender: FeishuSender, found: Delivering) -> None:
    """An SDK that cannot be loaded stays so until somebody mends it and restarts Aegis."""
    try:
        await sender.start()
    except ConfigurationError as error:
        found.why = str(error)
        _log.error("feishu_cannot_be_loaded", why=found.why)
    except DeliveryError as error:
        _log.warning("feishu_loads_slowly", why=str(error))


@asynccontextmanager
async def _turns(
    db_url: str, delivery: Delivery, told: Callable[[Backlog], None]
) -> AsyncIterator[Wakeups]:
    loop = asyncio.get_running_loop()

    async def take_turn(payload: Mapping[str, Json], steps: Steps) -> None:
        chat = str(payload["chat"])
        more = await deliver_messages(delivery, chat, int(str(payload["turn"])), steps)
        if more and not steps.stopping:
            loop.call_soon_threadsafe(wakeups.ask, [chat])

    durable = Durable(db_url, [Flow(FLOW, take_turn)], delivery.clock)
    wakeups = Wakeups(delivery.outbox, durable, delivery.clock, told)
    await asyncio.to_thread(durable.launch)
    waking = asyncio.create_task(wakeups.run())
    try:
        yield wakeups
    finally:
        waking.cancel()
        await asyncio.wait([waking])
        await asyncio.to_thread(durable.shutdown, DRAIN_S)


@dataclass(frozen=True, slots=True)
class Measured:
    """A notifier whose calls are counted and traced."""

    notifier: Notifier
    measurements: AlertMeasurements

    async def send(self, message: Message) -> str:
        code = "0"
        spanned = tracer().start_as_current_span("send", record_exception=False)
        with self.measurements.send_seconds.time(), spanned as span:
            try:
                return await self.notifier.send(message)
            except DeliveryError as error:
                code = "none" if error.code is None else str(error.code)
                raise
            finally:
                span.set_attribute("aegis.operation", message.operation)
                span.set_attribute("aegis.code", code)
                self.measurements.sends.labels(message.operation, code).inc()


def note_backlog(measurements: AlertMeasurements, clock: Clock, backlog: Backlog) -> None:
    age = 0.0 if backlog.oldest is None else (clock.now() - backlog.oldest).total_seconds()
    measurements.waiting.set(backlog.waiting)
    measurements.oldest_seconds.set(max(0.0, age))
    measurements.refused.set(backlog.refused)


def composer(settings: Settings) -> _Composer:
    return _Composer(message_style(settings))


@dataclass(frozen=True, slots=True)
class _Composer:
    style: Style

    def __call__(self, state: ChatState, most_bytes: int) -> tuple[Draft, ...]:
        return compose(state, replace(self.style, most_bytes=most_bytes))

"""A turn of delivering to one chat: send what is ready in order, compose what is due, again.

The store is the truth, so a turn may die anywhere: composing and covering are one transaction,
and what was sent but not marked is sent again under the same uuid, which the platform knows for
an hour. An alert that is told twice is better than one that is lost.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import cast

import structlog

from aegis.model.delivery import ChatState, Draft
from aegis.model.errors import (
    ChatUnreachable,
    DeliveryError,
    DeliveryRefused,
    DeliveryUnavailable,
    MessageTooLarge,
    StoreUnavailable,
)
from aegis.model.message import Outgoing
from aegis.ports import Clock, Notifier
from aegis.ports.delivery import Json, Outbox, Steps
from aegis.workflows.deliver_messages.style import MOST_BYTES

GAP_S = 1 / 3
"""Between two messages of a chat. The platform takes five a second from all bots together."""
LONGEST_WAIT_S = 60.0
LONGEST_ASKED_WAIT_S = 600.0
STORE_WAIT_S = 5.0
UUID_KNOWN_FOR = timedelta(minutes=55)
MOST_STEPS = 200
"""Of one turn: after a crash its steps are read again one by one."""
LEAST_BYTES = 2_000
RESTS_FOR, LONGEST_REST_S = 4.0, 10.0
"""Times as long as composing took, before it is done again: in a storm a card of thousands must
not keep the process from taking calls. What comes meanwhile is told at once."""

_log = structlog.get_logger()

Composer = Callable[[ChatState, int], tuple[Draft, ...]]
"""Given the largest size of a card in bytes."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a turn works with."""

    outbox: Outbox
    notifier: Notifier
    compose: Composer
    clock: Clock
    gap_s: float = GAP_S
    rests_for: float = RESTS_FOR


async def deliver_messages(delivery: Delivery, chat_id: str, turn: int, steps: Steps) -> bool:
    """True where there may be more to do: the process stops, or the turn grew long."""
    said = _Said("to begin")
    most_bytes, rest_s = MOST_BYTES, 0.0
    for _ in range(MOST_STEPS):
        if steps.stopping:
            return True
        if said.did == "to begin":
            said = await _step(steps, "begin", partial(_begin, delivery, chat_id, turn))
        else:
            said = await _step(steps, "send", partial(_send, delivery, chat_id, most_bytes))
            if said.did == "nothing":
                await steps.sleep(rest_s)
                rest_s = 0.0
                composing = partial(_compose, delivery, chat_id, most_bytes)
                said = await _step(steps, "compose", composing)
            if said.did == "nothing":
                return False
        if said.did == "too large":
            most_bytes = max(LEAST_BYTES, most_bytes // 2)
        if said.did == "composed":
            rest_s = said.wait_s
        else:
            await steps.sleep(said.wait_s)
    return True


@dataclass(frozen=True, slots=True)
class _Said:
    """What a step did: to begin, begun, sent, refused, composed, changed, nothing, too large,
    wait; and how long to wait before the next, after composing before composing again."""

    did: str
    wait_s: float = 0.0


async def _step(steps: Steps, name: str, work: Callable[[], Awaitable[_Said]]) -> _Said:
    async def kept() -> Json:
        try:
            said = await work()
        except StoreUnavailable as error:
            _log.warning("delivery_waits_for_store", error=str(error))
            said = _Said("to begin" if name == "begin" else "wait", STORE_WAIT_S)
        return {"did": said.did, "wait_s": said.wait_s}

    found = cast("Mapping[str, str | float]", await steps.run(name, kept))
    return _Said(str(found["did"]), float(found["wait_s"]))


async def _begin(delivery: Delivery, chat_id: str, turn: int) -> _Said:
    await delivery.outbox.begin_turn(chat_id, turn)
    return _Said("begun")


async def _compose(delivery: Delivery, chat_id: str, most_bytes: int) -> _Said:
    began, now = time.monotonic(), delivery.clock.now()
    state = await delivery.outbox.state(chat_id, now)
    if state is None:
        # Composed already where the result of this step was lost in a crash.
        ready = await delivery.outbox.next_message(chat_id)
        return _Said("changed" if ready else "nothing")
    drafts = delivery.compose(state, most_bytes)
    if drafts:
        if not await delivery.outbox.keep(state, drafts, now):
            return _Said("changed")
        took_s = time.monotonic() - began
        return _Said("composed", min(LONGEST_REST_S, took_s * delivery.rests_for))
    await delivery.outbox.close_gone(chat_id, now)
    if state.rows:
        _log.error("delivery_composed_nothing", chat=chat_id, rows=len(state.rows))
    return _Said("nothing")


async def _send(delivery: Delivery, chat_id: str, most_bytes: int) -> _Said:
    outbox, clock = delivery.outbox, delivery.clock
    next_ = await outbox.next_message(chat_id)
    if next_ is None:
        return _Said("nothing")
    message = next_.message
    if next_.lost:
        await outbox.take_back(message.id, None, "its card was never created", gone=True)
        return _Said("changed")
    await asyncio.sleep(_until_its_turn(next_, delivery))
    doubtful = _is_doubtful(next_, clock)
    if not await outbox.begin_attempt(message.id, clock.now(), doubtful):
        return _Said("changed")
    if doubtful:
        _note("message_may_be_there_twice", next_)
    try:
        platform_id = await delivery.notifier.send(message)
    except DeliveryUnavailable as error:
        unsure = next_.unsure or error.may_have_arrived
        await outbox.failed(message.id, error.code, str(error), unsure)
        wait_s = _wait_after(next_, error)
        _note("message_waits", next_, error, wait_s=round(wait_s, 1))
        return _Said("wait", wait_s)
    except DeliveryRefused as error:
        return await _after_refusal(delivery, next_, error, most_bytes)
    await outbox.sent(message.id, platform_id, clock.now())
    _note("message_sent", next_)
    return _Said("sent")


async def _after_refusal(
    delivery: Delivery, next_: Outgoing, error: DeliveryRefused, most_bytes: int
) -> _Said:
    """Say it in another way where there is one; a refusal for good stays visible."""
    outbox, message, now = delivery.outbox, next_.message, delivery.clock.now()
    told = (message.id, error.code, str(error))
    if isinstance(error, ChatUnreachable) and message.operation != "create":
        _note("message_card_gone", next_, error)
        await outbox.take_back(*told, gone=True)
        return _Said("changed")
    can_shrink = (
        message.operation != "reply" and most_bytes > LEAST_BYTES and not next_.stands_alone
    )
    if isinstance(error, MessageTooLarge) and message.kind == "interactive" and can_shrink:
        _note("message_too_large", next_, error)
        await outbox.take_back(*told, gone=False)
        return _Said("too large")
    if next_.fallback and not isinstance(error, ChatUnreachable):
        _note("message_sent_as_text", next_, error)
        await outbox.fall_back(*told)
        return _Said("changed")
    _note("message_refused", next_, error)
    await outbox.refused(*told, now)
    return _Said("refused")


def _until_its_turn(next_: Outgoing, delivery: Delivery) -> float:
    """Seconds. Another replica's clock may be ahead: never more than one gap."""
    if next_.chat_attempt_at is None:
        return 0.0
    since = (delivery.clock.now() - next_.chat_attempt_at).total_seconds()
    return min(delivery.gap_s, max(0.0, delivery.gap_s - since))


def _is_doubtful(next_: Outgoing, clock: Clock) -> bool:
    """May it be in the chat already, and does the platform no longer know its uuid?"""
    if next_.first_attempt_at is None or next_.message.operation == "update":
        return False
    return next_.unsure and clock.now() - next_.first_attempt_at > UUID_KNOWN_FOR


def _wait_after(next_: Outgoing, error: DeliveryUnavailable) -> float:
    """Doubles up to a minute, less up to half by a jitter that a message and attempt fix."""
    seed = f"{next_.message.id}:{next_.attempts}".encode()
    jitter = int.from_bytes(hashlib.sha256(seed).digest()[:4]) / 2**32
    longest = min(LONGEST_WAIT_S, 0.5 * 2.0 ** min(next_.attempts, 10))
    asked = min(error.retry_after_s or 0.0, LONGEST_ASKED_WAIT_S)
    return max(asked, longest * (1 - jitter / 2))


def _note(event: str, next_: Outgoing, error: DeliveryError | None = None, **more: float) -> None:
    """Never what it says: that is the users'."""
    message = next_.message
    failure = {} if error is None else {"code": error.code, "error": str(error)}
    log = _log.info if error is None else _log.warning
    log(
        event,
        chat=message.chat_id,
        message=message.id,
        operation=message.operation,
        attempt=next_.attempts + 1,
        **failure,
        **more,
    )

"""What is to be told and is not yet, as the metrics say it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from aegis.model.errors import DeliveryRefused
from aegis.model.message import Backlog
from aegis.workflows.deliver_messages.deliver import deliver_messages
from tests.delivery.worlds import CHAT, NOON, PlainSteps, World, plain_cards


def backlog(world: World) -> Backlog:
    return asyncio.run(world.outbox.backlog(world.clock.now()))


def deliver(world: World) -> None:
    asyncio.run(deliver_messages(world.delivery(), CHAT, 1, PlainSteps(world.clock)))


async def compose(world: World) -> None:
    now = world.clock.now()
    state = await world.outbox.state(CHAT, now)
    assert state is not None
    assert await world.outbox.keep(state, plain_cards(state, 28_000), now)


def test_nothing_waits_where_everything_was_told(world: World) -> None:
    assert backlog(world) == Backlog(0, None, 0)
    world.tell("f-1")
    deliver(world)
    assert backlog(world) == Backlog(0, None, 0)


def test_what_waits_counts_from_when_it_was_kept(world: World) -> None:
    world.tell("f-1")
    world.clock.advance(60)
    world.tell("f-2")
    assert backlog(world) == Backlog(2, NOON, 0)


def test_what_is_composed_and_not_sent_waits_as_well(world: World) -> None:
    world.tell("f-1")
    asyncio.run(compose(world))
    world.clock.advance(60)
    world.tell("f-2")
    assert backlog(world) == Backlog(2, NOON, 0)


def test_what_quiet_hours_hold_back_counts_once_they_are_over(world: World) -> None:
    morning = NOON + timedelta(hours=8)
    world.tell("f-1", not_before=morning)
    assert backlog(world) == Backlog(0, None, 0)
    world.clock.advance(8 * 3600 + 60)
    assert backlog(world) == Backlog(1, morning, 0)


def test_what_was_refused_for_good_waits_no_longer_and_is_counted_apart(world: World) -> None:
    world.tell("f-1")
    world.chat.faults = [DeliveryRefused("bad card", 230099), DeliveryRefused("bad text", 230001)]
    deliver(world)
    assert backlog(world) == Backlog(0, None, 1)

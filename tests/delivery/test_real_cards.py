"""The real composer on the real store: what a card shows later is what it was told before."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from zoneinfo import ZoneInfo

from sqlalchemy import update

from aegis.adapters.store.tables import episode
from aegis.model.delivery import ChatState, Draft
from aegis.model.errors import ChatUnreachable
from aegis.workflows.deliver_messages.compose import compose
from aegis.workflows.deliver_messages.deliver import deliver_messages
from aegis.workflows.deliver_messages.style import Style
from tests.delivery.worlds import CHAT, PlainSteps, World

DAY_S = 86_400.0
STYLE = Style("en", ZoneInfo("Asia/Shanghai"))


def composed(state: ChatState, most_bytes: int) -> tuple[Draft, ...]:
    return compose(state, replace(STYLE, most_bytes=most_bytes))


def deliver(world: World) -> list[tuple[str, str]]:
    """Operation and target or message of what is sent now, and how many fire on it."""
    before = len(world.chat.calls)
    delivery = replace(world.delivery(), compose=composed)
    asyncio.run(deliver_messages(delivery, CHAT, 1, PlainSteps(world.clock)))
    return [(one.operation, one.target or "") for one in world.chat.calls[before:]]


def end(world: World, fingerprint: str) -> None:
    with world.database.writing() as connection:
        ended = update(episode).where(episode.c.fingerprint == fingerprint)
        connection.execute(ended.values(resolved_at=world.clock.now()))
    world.tell(fingerprint, transition="closed")


def test_an_alert_lives_on_one_card_until_it_ends(world: World) -> None:
    world.tell("a")
    world.tell("b")
    assert deliver(world) == [("create", "")]
    end(world, "a")
    assert deliver(world) == [("update", "om_1")]
    assert "1 firing, 1 resolved" in world.chat.shown["om_1"]
    end(world, "b")
    assert deliver(world) == [("update", "om_1")]
    assert "all 2 resolved" in world.chat.shown["om_1"]


def test_a_card_that_took_the_place_of_an_old_one_shows_its_alerts_until_they_end(
    world: World,
) -> None:
    world.tell("a")
    world.tell("b")
    deliver(world)
    world.clock.advance(14 * DAY_S)
    world.tell("c")
    assert deliver(world) == [("create", "")]
    assert "3 firing" in world.chat.shown["om_2"]
    world.tell("d")
    deliver(world)
    assert "4 firing" in world.chat.shown["om_2"]
    end(world, "a")
    assert deliver(world) == [("update", "om_2")]
    assert "3 firing, 1 resolved" in world.chat.shown["om_2"]


def test_a_card_that_was_recalled_is_replaced_with_everything_that_fires(world: World) -> None:
    world.tell("a")
    deliver(world)
    world.chat.faults = [ChatUnreachable("recalled", 230011)]
    world.tell("b")
    assert deliver(world) == [("update", "om_1"), ("create", "")]
    assert "2 firing" in world.chat.shown["om_2"]
    end(world, "a")
    assert deliver(world) == [("update", "om_2")]
    assert "1 firing, 1 resolved" in world.chat.shown["om_2"]

"""What is no alert is delivered like one: kept first, once, in order, in some form."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from itertools import count

from aegis.model.errors import DeliveryRefused, DeliveryUnavailable, MessageTooLarge
from aegis.model.message import Notice
from aegis.ports.delivery import Json
from aegis.workflows.deliver_messages.deliver import deliver_messages
from aegis.workflows.deliver_messages.tell import Teller
from tests.delivery.worlds import CHAT, NOON, Killed, MortalSteps, PlainSteps, World

ANSWER = Notice('{"card": "the store is slow"}', '{"text": "the store is slow"}')


def tell(world: World, notice: Notice = ANSWER) -> None:
    asked: list[str] = []

    def ask(chats: Iterable[str]) -> None:
        asked.extend(chats)

    asyncio.run(Teller(world.outbox, world.clock, ask).tell(CHAT, notice))
    assert asked == [CHAT]


def turn(world: World) -> None:
    asyncio.run(deliver_messages(world.delivery(), CHAT, 1, PlainSteps(world.clock)))


def test_it_is_sent_as_it_was_kept_and_once(world: World) -> None:
    tell(world)
    assert asyncio.run(world.outbox.chats_with_work(world.clock.now())) == (CHAT,)
    turn(world)
    turn(world)
    (sent,) = world.chat.calls
    assert (sent.operation, sent.kind, sent.content) == ("create", "interactive", ANSWER.content)
    assert [one.state for one in world.messages()] == ["sent"]
    assert asyncio.run(world.outbox.chats_with_work(world.clock.now())) == ()


def test_it_keeps_its_place_among_alerts(world: World) -> None:
    tell(world)
    world.tell("f-1")
    turn(world)
    assert world.chat.calls[0].content == ANSWER.content
    assert len(world.chat.calls) == 2


def test_an_outage_delays_it_with_the_same_bytes_and_uuid(world: World) -> None:
    tell(world)
    down = DeliveryUnavailable("no answer in time", may_have_arrived=True)
    world.chat.lost_answers = [down]
    world.chat.faults = [DeliveryUnavailable("down"), None]
    turn(world)
    assert len({(one.content, one.uuid) for one in world.chat.calls}) == 1
    assert len(world.chat.calls) == 3
    assert world.chat.order == [ANSWER.content]


def test_a_process_that_dies_anywhere_loses_and_doubles_nothing(world: World) -> None:
    tell(world)
    for dies_at in range(4):
        done: list[Json] = []
        for place in (dies_at, -1):
            steps = MortalSteps(world.clock, list(done), place)
            try:
                asyncio.run(deliver_messages(world.delivery(), CHAT, 1, steps))
            except Killed:
                done = steps.done
    assert world.chat.order == [ANSWER.content]
    assert [one.state for one in world.messages()] == ["sent"]


def test_what_is_refused_or_too_large_is_told_as_text(world: World) -> None:
    for fault in (MessageTooLarge("30 KB", 230025), DeliveryRefused("bad card", 230099)):
        tell(world)
        world.chat.faults = [fault]
        turn(world)
        assert world.chat.calls[-1].kind == "text"
        assert world.chat.calls[-1].content == ANSWER.fallback
    assert [one.state for one in world.messages()] == ["sent", "sent"]


def test_it_is_part_of_the_backlog_until_it_is_sent(world: World) -> None:
    tell(world)
    world.clock.advance(60)
    backlog = asyncio.run(world.outbox.backlog(world.clock.now()))
    assert (backlog.waiting, backlog.oldest) == (1, NOON)
    turn(world)
    backlog = asyncio.run(world.outbox.backlog(world.clock.now()))
    assert (backlog.waiting, backlog.oldest) == (0, None)


def test_two_answers_of_one_moment_are_two_messages(world: World) -> None:
    numbers = count(1)
    for _ in range(3):
        tell(world, Notice(f'{{"card": {next(numbers)}}}', ANSWER.fallback))
    turn(world)
    assert len(world.chat.order) == 3
    assert world.clock.now() - NOON < timedelta(minutes=1)

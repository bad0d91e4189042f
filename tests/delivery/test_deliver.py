"""A turn of delivering: in order, once, through outages, refusals and death at any point."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import timedelta
from itertools import count, pairwise

import pytest

from aegis.model.delivery import RECENT, ChatState, Draft
from aegis.model.errors import (
    ChatUnreachable,
    DeliveryRefused,
    DeliveryUnavailable,
    MessageTooLarge,
    StoreUnavailable,
)
from aegis.ports.delivery import Json
from aegis.workflows.deliver_messages.deliver import (
    LONGEST_REST_S,
    LONGEST_WAIT_S,
    Delivery,
    deliver_messages,
)
from aegis.workflows.deliver_messages.planning import STORM_LASTS
from tests.delivery.worlds import CHAT, NOON, Killed, MortalSteps, PlainSteps, World, plain_cards

DOWN = DeliveryUnavailable("connection refused")
SILENT = DeliveryUnavailable("no answer in time", may_have_arrived=True)


def turn(world: World, number: int = 1, steps: PlainSteps | None = None) -> bool:
    steps = steps or PlainSteps(world.clock)
    return asyncio.run(deliver_messages(world.delivery(), CHAT, number, steps))


def test_what_is_due_is_told_in_the_order_it_was_kept(world: World) -> None:
    for name in ("third", "first", "second"):
        world.tell(f"f-{name}", group=name)
    assert turn(world) is False
    sent = [one.content.split('"')[3] for one in world.chat.calls]
    assert sent == ["third", "first", "second"]
    assert [one.state for one in world.messages()] == ["sent"] * 3
    assert world.waiting() == 0


def test_many_rows_of_a_group_become_one_card(world: World) -> None:
    for number in range(40):
        world.tell(f"f-{number:02d}")
    turn(world)
    assert len(world.chat.calls) == 1
    assert len(list(world.told())) == 40


def test_what_comes_later_updates_the_card_that_is_there(world: World) -> None:
    world.tell("f-1")
    turn(world)
    world.tell("f-1", transition="closed")
    turn(world, 2)
    assert [one.operation for one in world.chat.calls] == ["create", "update"]
    assert world.chat.calls[1].target == "om_1"


def test_a_row_of_quiet_hours_waits_for_their_end(world: World) -> None:
    world.tell("f-1", not_before=NOON + timedelta(hours=8))
    turn(world)
    assert world.chat.calls == []
    world.clock.advance(8 * 3600)
    turn(world, 2)
    assert list(world.told()) == ["f-1#1 opened"]


def test_an_outage_delays_and_loses_nothing_and_wakes_nobody_twice(world: World) -> None:
    world.tell("f-1")
    world.chat.faults = [DOWN] * 6
    steps = PlainSteps(world.clock)
    assert turn(world, steps=steps) is False
    assert len(world.chat.by_uuid) == 1
    assert len({one.uuid for one in world.chat.calls}) == 1
    assert len({one.content for one in world.chat.calls}) == 1
    waits = steps.slept
    assert sum(waits) < 60
    assert all(later > sooner * 0.9 for sooner, later in pairwise(waits))


def test_no_wait_grows_beyond_a_minute_however_long_it_lasts(world: World) -> None:
    world.tell("f-1")
    world.chat.faults = [DOWN] * 30
    steps = PlainSteps(world.clock)
    turn(world, steps=steps)
    assert len(steps.slept) == 30
    assert max(steps.slept) <= LONGEST_WAIT_S
    assert min(steps.slept[10:]) >= LONGEST_WAIT_S / 2


def test_the_platform_is_given_the_time_it_asks_for(world: World) -> None:
    world.tell("f-1")
    world.chat.faults = [DeliveryUnavailable("slow down", 99991400, retry_after_s=17.0)]
    steps = PlainSteps(world.clock)
    turn(world, steps=steps)
    assert steps.slept == [17.0]


def test_an_answer_that_was_lost_leads_to_one_message(world: World) -> None:
    world.tell("f-1")
    world.chat.lost_answers = [SILENT]
    turn(world)
    assert len(world.chat.calls) == 2
    assert len(world.chat.by_uuid) == 1
    assert [one.doubtful for one in world.messages()] == [False]


@pytest.mark.parametrize(("error", "doubtful"), [(SILENT, True), (DOWN, False)])
def test_after_an_hour_it_is_sent_all_the_same_and_marked_where_it_may_be_there(
    world: World, error: DeliveryUnavailable, doubtful: bool
) -> None:
    world.tell("f-1")
    world.chat.faults = [error] * 110
    turn(world)
    turn(world, 2)
    assert world.clock.now() - NOON > timedelta(minutes=55)
    assert [(one.state, one.doubtful) for one in world.messages()] == [("sent", doubtful)]


def test_messages_of_a_chat_keep_their_distance(world: World) -> None:
    for number in range(4):
        world.tell(f"f-{number}", group=f"g-{number}")
    loop_times: list[float] = []

    class Timed:
        async def send(self, message: object) -> str:
            loop_times.append(asyncio.get_running_loop().time())
            world.clock.advance(0.05)
            return f"om_{len(loop_times)}"

    delivery = Delivery(world.outbox, Timed(), plain_cards, world.clock, gap_s=0.2)
    asyncio.run(deliver_messages(delivery, CHAT, 1, PlainSteps(world.clock)))
    gaps = [b - a for a, b in pairwise(loop_times)]
    assert len(gaps) == 3
    assert min(gaps) >= 0.14


def test_a_card_that_is_refused_is_told_as_text_instead(world: World) -> None:
    world.tell("f-1")
    world.chat.faults = [DeliveryRefused("ErrCode: 11310", 230099)]
    turn(world)
    assert [(one.kind, one.content) for one in world.chat.calls][1:] == [("text", "text of g")]
    assert len({one.uuid for one in world.chat.calls}) == 2
    assert [(one.state, one.code) for one in world.messages()] == [("sent", 230099)]


def test_what_was_told_as_text_is_followed_by_a_card_of_its_own(world: World) -> None:
    world.tell("f-1")
    world.chat.faults = [DeliveryRefused("ErrCode: 11310", 230099)]
    turn(world)
    world.tell("f-2")
    turn(world, 2)
    assert world.chat.calls[-1].operation == "create"
    assert world.chat.calls[-1].kind == "interactive"


def test_what_is_refused_in_every_way_stays_visible_and_blocks_nobody(world: World) -> None:
    world.tell("f-1", group="a")
    world.tell("f-2", group="b")
    refusal = DeliveryRefused("bad request", 230001)
    world.chat.faults = [refusal, refusal]
    assert turn(world) is False
    assert [(one.state, one.code) for one in world.messages()] == [
        ("refused", 230001),
        ("sent", None),
    ]


def test_a_chat_the_bot_is_not_in_is_asked_once(world: World) -> None:
    world.tell("f-1")
    world.chat.faults = [ChatUnreachable("bot is not in the chat", 230002)]
    turn(world)
    assert len(world.chat.calls) == 1
    assert [one.state for one in world.messages()] == ["refused"]


def test_a_card_that_somebody_recalled_is_replaced_by_a_new_one(world: World) -> None:
    world.tell("f-1")
    turn(world)
    world.tell("f-2")
    world.chat.faults = [ChatUnreachable("recalled", 230011)]
    assert turn(world, 2) is False
    assert [one.operation for one in world.chat.calls] == ["create", "update", "create"]
    assert "f-2#1 opened" in world.chat.calls[-1].content
    assert [one.state for one in world.messages()] == ["sent", "withdrawn", "sent"]
    assert world.waiting() == 0
    assert asyncio.run(world.outbox.chats_with_work(world.clock.now())) == ()


def test_a_gone_card_that_nothing_replaces_is_closed(world: World) -> None:
    world.tell("f-1")
    turn(world)
    world.tell("f-2")
    world.chat.faults = [ChatUnreachable("recalled", 230011)]

    def nothing(state: ChatState, most_bytes: int) -> tuple[Draft, ...]:
        return plain_cards(state, most_bytes) if not any(c.gone for c in state.cards) else ()

    delivery = Delivery(world.outbox, world.chat, nothing, world.clock, 0)
    asyncio.run(deliver_messages(delivery, CHAT, 2, PlainSteps(world.clock)))
    with world.database.reading() as connection:
        still_open = connection.exec_driver_sql(
            "SELECT count(*) FROM card WHERE closed_at IS NULL"
        ).scalar()
    assert still_open == 0


def test_composing_that_takes_long_is_not_done_again_at_once(world: World) -> None:
    world.tell("f-1")

    def slowly(state: ChatState, most_bytes: int) -> tuple[Draft, ...]:
        time.sleep(0.3)
        if len(world.chat.calls) < 2:
            world.tell(f"f-{len(world.chat.calls) + 2}")
        return plain_cards(state, most_bytes)

    steps = PlainSteps(world.clock)
    delivery = Delivery(world.outbox, world.chat, slowly, world.clock, 0)
    asyncio.run(deliver_messages(delivery, CHAT, 1, steps))
    assert len(world.chat.calls) == 3
    assert len(steps.slept) == 3
    assert all(1.2 <= one <= LONGEST_REST_S for one in steps.slept)


def test_what_is_too_large_is_composed_again_smaller(world: World) -> None:
    for number in range(300):
        world.tell(f"f-{number:03d}")
    world.chat.faults = [MessageTooLarge("too long", 230025), MessageTooLarge("too long", 230025)]
    turn(world)
    sizes = [len(one.content) for one in world.chat.calls]
    assert sizes[0] > sizes[1] > sizes[2]
    assert [one.state for one in world.messages()] == ["withdrawn", "withdrawn", "sent"]
    assert world.waiting() == 0


def test_what_never_fits_ends_as_text_or_refused_and_not_in_a_circle(world: World) -> None:
    world.tell("f-1")
    world.chat.faults = [MessageTooLarge("too long", 230025)] * 50
    assert turn(world) is False
    assert len(world.chat.calls) < 10
    assert world.messages()[-1].state == "refused"


def test_a_store_that_fails_for_a_while_is_waited_for(world: World) -> None:
    world.tell("f-1")
    failing = 3

    class Shaky:
        def __getattr__(self, name: str) -> object:
            return getattr(world.outbox, name)

        async def next_message(self, chat_id: str) -> object:
            nonlocal failing
            if failing:
                failing -= 1
                raise StoreUnavailable("locked")
            return await world.outbox.next_message(chat_id)

    shaky: object = Shaky()
    delivery = Delivery(shaky, world.chat, plain_cards, world.clock, 0)  # type: ignore[arg-type]
    assert not asyncio.run(deliver_messages(delivery, CHAT, 1, PlainSteps(world.clock)))
    assert list(world.told()) == ["f-1#1 opened"]


def test_a_process_that_stops_leaves_the_rest_for_later(world: World) -> None:
    world.tell("f-1")
    assert turn(world, steps=PlainSteps(world.clock, stopping=True)) is True
    assert world.chat.calls == []
    assert asyncio.run(world.outbox.chats_with_work(world.clock.now())) == (CHAT,)


def test_a_death_at_any_step_loses_nothing_and_doubles_nothing(world: World) -> None:
    """In every step of every turn twice: with its result lost, and with it kept."""
    deaths = 0
    for life in range(1, 13):
        world.tell(f"f-{life}", group=f"g-{life % 3}")
        done: list[Json] = []
        for death in count():
            steps = MortalSteps(world.clock, done, death // 2, keeps=death % 2 == 1)
            try:
                asyncio.run(deliver_messages(world.delivery(), CHAT, life, steps))
            except Killed:
                deaths += 1
                continue
            break
    assert deaths >= 72
    assert world.waiting() == 0
    assert {one.state for one in world.messages()} == {"sent"}
    creations = Counter(one.uuid for one in world.messages() if one.operation == "create")
    assert len(world.chat.by_uuid) == len(creations) == 3
    with world.database.reading() as connection:
        covered = connection.exec_driver_sql(
            "SELECT count(*) FROM outbox JOIN message ON message.id = outbox.message_id"
        ).scalar()
    assert covered == 12


def test_two_workers_on_one_chat_send_each_message_once(world: World) -> None:
    """It must not happen, and where it does the uuid and the covering keep it from mattering."""
    for number in range(6):
        world.tell(f"f-{number}", group=f"g-{number}")

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            for number in (1, 2):
                one = deliver_messages(world.delivery(), CHAT, number, PlainSteps(world.clock))
                group.create_task(one)

    asyncio.run(both())
    assert sorted(world.told()) == sorted(f"f-{number}#1 opened" for number in range(6))
    assert len(world.chat.by_uuid) == 6
    assert len(world.messages()) == 6


def test_a_death_between_sending_and_marking_sends_the_same_again(world: World) -> None:
    world.tell("f-1")

    class Dies:
        def __getattr__(self, name: str) -> object:
            return getattr(world.outbox, name)

        async def sent(self, *_: object) -> None:
            raise Killed

    dies: object = Dies()
    delivery = Delivery(dies, world.chat, plain_cards, world.clock, 0)  # type: ignore[arg-type]
    with pytest.raises(Killed):
        asyncio.run(deliver_messages(delivery, CHAT, 1, PlainSteps(world.clock)))
    turn(world)
    assert [one.uuid for one in world.chat.calls] == [world.chat.calls[0].uuid] * 2
    assert len(world.chat.by_uuid) == 1
    assert [(one.state, one.attempts) for one in world.messages()] == [("sent", 2)]


def test_a_storm_card_is_read_for_as_long_as_it_takes_groups_in() -> None:
    assert STORM_LASTS <= RECENT

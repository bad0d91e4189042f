"""Waking the delivery of what waits: at once, once, and by a sweep where a wake-up was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from aegis.model.errors import StoreUnavailable
from aegis.ports.delivery import Json
from aegis.workflows.deliver_messages.deliver import deliver_messages
from aegis.workflows.deliver_messages.wake import Wakeups, turn_id
from tests.delivery.worlds import CHAT, PlainSteps, World


@dataclass
class FakeFlows:
    """Flows that are known by their id, and may be out of reach."""

    known: dict[str, Mapping[str, Json]] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    unreachable: bool = False
    asked: int = 0
    mistakes: list[Exception] = field(default_factory=list)

    async def enqueue(
        self, flow: str, workflow_id: str, partition: str, payload: Mapping[str, Json]
    ) -> None:
        self.asked += 1
        if self.mistakes:
            raise self.mistakes.pop()
        if self.unreachable:
            raise StoreUnavailable("durable tables: no answer in time")
        assert (flow, partition) == ("deliver", payload["chat"])
        self.known.setdefault(workflow_id, payload)

    async def is_over(self, workflow_id: str) -> bool:
        return workflow_id in self.over


def run_turn(world: World, number: int) -> None:
    asyncio.run(deliver_messages(world.delivery(), CHAT, number, PlainSteps(world.clock)))


def test_a_storm_of_calls_is_one_waiting_turn(world: World) -> None:
    flows = FakeFlows()

    async def storm() -> None:
        wakeups = Wakeups(world.outbox, flows, world.clock)
        running = asyncio.create_task(wakeups.run())
        for _ in range(500):
            wakeups.ask([CHAT])
            await asyncio.sleep(0.001)
        running.cancel()

    world.tell("f-1")
    asyncio.run(storm())
    assert list(flows.known) == [turn_id(CHAT, 1)]
    assert flows.asked < 12


def test_what_is_kept_after_a_turn_began_gets_a_turn_of_its_own(world: World) -> None:
    flows = FakeFlows()
    wakeups = Wakeups(world.outbox, flows, world.clock)
    world.tell("f-1")
    asyncio.run(wakeups.sweep())
    asyncio.run(world.outbox.begin_turn(CHAT, 1))
    world.tell("f-2")
    asyncio.run(wakeups.sweep())
    assert list(flows.known) == [turn_id(CHAT, 1), turn_id(CHAT, 2)]


def test_the_sweep_enqueues_what_nobody_asked_for(world: World) -> None:
    flows = FakeFlows()
    wakeups = Wakeups(world.outbox, flows, world.clock)
    world.tell("f-1", chat_id="oc_a")
    world.tell("f-2", chat_id="oc_b")
    asyncio.run(wakeups.sweep())
    assert [one["chat"] for one in flows.known.values()] == ["oc_a", "oc_b"]


def test_a_chat_without_work_is_left_in_peace(world: World) -> None:
    flows = FakeFlows()
    world.tell("f-1")
    run_turn(world, 1)
    asyncio.run(Wakeups(world.outbox, flows, world.clock).sweep())
    assert flows.asked == 0


def test_an_unreachable_queue_is_asked_again_by_the_sweep(world: World) -> None:
    flows = FakeFlows(unreachable=True)

    async def later() -> None:
        wakeups = Wakeups(world.outbox, flows, world.clock)
        running = asyncio.create_task(wakeups.run(sweep_every_s=0.1))
        wakeups.ask([CHAT])
        await asyncio.sleep(0.25)
        flows.unreachable = False
        await asyncio.sleep(0.3)
        running.cancel()

    world.tell("f-1")
    asyncio.run(later())
    assert list(flows.known) == [turn_id(CHAT, 1)]


def test_a_mistake_in_a_round_does_not_end_the_waking(world: World) -> None:
    flows = FakeFlows(mistakes=[ZeroDivisionError()])

    async def goes_on() -> None:
        wakeups = Wakeups(world.outbox, flows, world.clock)
        running = asyncio.create_task(wakeups.run(sweep_every_s=0.05))
        async with asyncio.timeout(20):
            while not flows.known:  # noqa: ASYNC110 the fake has no event
                await asyncio.sleep(0.02)
        running.cancel()

    world.tell("f-1")
    asyncio.run(goes_on())
    assert list(flows.known) == [turn_id(CHAT, 1)]


def test_a_turn_that_failed_before_it_began_does_not_block_the_chat(world: World) -> None:
    flows = FakeFlows()
    wakeups = Wakeups(world.outbox, flows, world.clock)
    world.tell("f-1")
    asyncio.run(wakeups.sweep())
    flows.over.add(turn_id(CHAT, 1))
    asyncio.run(wakeups.sweep())
    asyncio.run(wakeups.sweep())
    assert turn_id(CHAT, 2) in flows.known


def test_a_turn_never_goes_back(world: World) -> None:
    async def both() -> int:
        await world.outbox.begin_turn(CHAT, 7)
        await world.outbox.begin_turn(CHAT, 3)
        return await world.outbox.turn(CHAT)

    assert asyncio.run(both()) == 7

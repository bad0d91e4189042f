"""Flows that wait, crash and go on, on SQLite."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from aegis.durable.engine import KEPT_FOR, Flow, remove_old
from aegis.model.errors import StoreUnavailable
from aegis.ports.delivery import Json, Steps
from tests.durable.conftest import Launch, until
from tests.fakes import FakeClock

pytestmark = pytest.mark.slow


def test_a_flow_runs_once_for_an_id_that_is_given_twice(launched: Launch) -> None:
    seen: list[Json] = []

    async def note(payload: Mapping[str, Json], steps: Steps) -> None:
        seen.append(payload["text"])

    async def twice() -> None:
        async with launched([Flow("note", note)]) as durable:
            for _ in range(2):
                await durable.enqueue("note", "n-1", "chat", {"text": "早"})
            await durable.enqueue("note", "n-2", "chat", {"text": "last"})
            await until(lambda: "last" in seen)

    asyncio.run(twice())
    assert seen == ["早", "last"]


def test_flows_of_a_partition_run_one_after_the_other_in_order(launched: Launch) -> None:
    at_work: list[str] = []
    most: dict[str, int] = {}
    order: list[Json] = []

    async def work(payload: Mapping[str, Json], steps: Steps) -> None:
        partition = str(payload["partition"])
        at_work.append(partition)
        most[partition] = max(most.get(partition, 0), at_work.count(partition))
        most["all"] = max(most.get("all", 0), len(at_work))
        await asyncio.sleep(0.3)
        if partition == "a":
            order.append(payload["number"])
        at_work.remove(partition)

    async def many() -> None:
        async with launched([Flow("work", work)]) as durable:
            for number in range(4):
                for name in ("a", "b"):
                    given = {"partition": name, "number": number}
                    await durable.enqueue("work", f"{name}-{number:04d}", name, given)
            await until(lambda: len(order) == 4, 20)

    asyncio.run(many())
    assert order == [0, 1, 2, 3]
    assert most["a"] == most["b"] == 1
    assert most["all"] == 2


def test_a_flow_that_was_stopped_goes_on_and_does_no_step_twice(launched: Launch) -> None:
    done: list[str] = []

    async def slow(payload: Mapping[str, Json], steps: Steps) -> None:
        async def step(name: str) -> Json:
            done.append(name)
            return name

        first = await steps.run("first", lambda: step("first"))
        if "released" not in done:
            await asyncio.Event().wait()
        await steps.run("second", lambda: step(f"after {first}"))

    async def first_life() -> None:
        async with launched([Flow("slow", slow)]) as durable:
            await durable.enqueue("slow", "s-1", "p", {})
            await until(lambda: "first" in done)
            await asyncio.sleep(0.2)

    async def second_life() -> None:
        async with launched([Flow("slow", slow)]) as durable:
            await until(lambda: len(done) == 3, 15)
            await asyncio.sleep(0.2)
            assert await durable.is_over("s-1")

    asyncio.run(first_life())
    done.append("released")
    asyncio.run(second_life())
    assert done == ["first", "released", "after first"]


def test_a_sleep_ends_at_once_where_the_process_stops(launched: Launch) -> None:
    told: list[bool] = []

    async def sleeps(payload: Mapping[str, Json], steps: Steps) -> None:
        told.append(steps.stopping)
        await steps.sleep(600)
        told.append(steps.stopping)

    async def stopped() -> float:
        loop = asyncio.get_running_loop()
        async with launched([Flow("sleeps", sleeps)]) as durable:
            await durable.enqueue("sleeps", "z-1", "p", {})
            await until(lambda: bool(told))
            began = loop.time()
        return loop.time() - began

    took = asyncio.run(stopped())
    assert told == [False, True]
    assert took < 8


def test_a_flow_that_fails_is_over_and_lets_the_next_one_run(launched: Launch) -> None:
    ran: list[str] = []

    async def fails(payload: Mapping[str, Json], steps: Steps) -> None:
        ran.append(str(payload["name"]))
        if payload["name"] == "bad":
            raise StoreUnavailable("gone")

    async def both() -> bool:
        async with launched([Flow("fails", fails)]) as durable:
            await durable.enqueue("fails", "f-1", "p", {"name": "bad"})
            await durable.enqueue("fails", "f-2", "p", {"name": "good"})
            await until(lambda: "good" in ran)
            return await durable.is_over("f-1")

    assert asyncio.run(both())
    assert ran == ["bad", "good"]


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (StoreUnavailable("gone"), "StoreUnavailable: gone"),
        (ValueError("of an alert"), "ValueError"),
    ],
)
def test_the_log_says_why_a_flow_failed_and_quotes_no_alert(
    launched: Launch, raised: Exception, told: str
) -> None:
    async def fails(payload: Mapping[str, Json], steps: Steps) -> None:
        raise raised

    async def once() -> None:
        async with launched([Flow("fails", fails)]) as durable:
            await durable.enqueue("fails", "w-1", "p", {})
            await until(lambda: any("error" in one for one in lines))

    with capture_logs() as lines:
        asyncio.run(once())
    (line,) = [one for one in lines if "error" in one]
    assert (line["event"], line["error"]) == ("durable_engine", told)
    assert line["at"].startswith("test_engine.py:")


def test_what_is_over_is_removed_after_a_day(launched: Launch) -> None:
    async def nothing(payload: Mapping[str, Json], steps: Steps) -> None:
        return

    async def later() -> list[int]:
        async with launched([Flow("nothing", nothing)]) as durable:
            await durable.enqueue("nothing", "o-1", "p", {})
            await asyncio.sleep(1.5)
            assert await durable.is_over("o-1")
            now = datetime.now(UTC)  # noqa: TID251 DBOS stamps with the clock of the machine
            soon, late = FakeClock(now), FakeClock(now + KEPT_FOR + timedelta(minutes=1))
            return [await asyncio.to_thread(remove_old, one) for one in (soon, late, late)]

    assert asyncio.run(later()) == [0, 1, 0]


def test_nothing_is_enqueued_where_it_was_not_launched(launched: Launch) -> None:
    async def after_the_end() -> None:
        async with launched([]) as durable:
            pass
        await durable.enqueue("none", "x", "p", {})

    with pytest.raises(StoreUnavailable, match="not launched"):
        asyncio.run(after_the_end())

"""What a backend costs that nobody hears from, and who hears of it later."""

from __future__ import annotations

import asyncio
import time

import pytest

from aegis.adapters.http_client.breaker import CircuitBreaker
from aegis.adapters.http_client.budget import Budget
from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.http_client.routes import Route
from aegis.model.backend import BackendConfig, Trouble
from aegis.model.errors import SourceError
from tests.adapters.stand_in import Reply, Seen, StandIn, closed_port, standing_in

pytestmark = pytest.mark.loopback

ALERTS = Route("GET", "/api/v2/alerts")


def ask_often(
    url: str, times: int, breaker: CircuitBreaker, timeout_s: float = 5.0
) -> tuple[Budget, list[str]]:
    """The budget of a question that reads so much at the same time, and its errors."""
    budget, errors = Budget(), list[str]()

    async def one(client: BackendClient, number: int) -> None:
        try:
            await client.ask(ALERTS, (("filter", str(number)),))
        except SourceError as error:
            errors.append(str(error))

    async def question() -> None:
        config = BackendConfig("alertmanager", url, timeout_s=timeout_s)
        async with BackendClient(config, budget, breaker) as client, asyncio.TaskGroup() as group:
            for number in range(times):
                group.create_task(one(client, number))

    asyncio.run(question())
    return budget, errors


def test_what_cannot_be_reached_costs_a_question_two_requests() -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    budget, errors = ask_often(url, 6, CircuitBreaker())
    assert budget.requests == 2
    assert len(errors) == 6
    assert all("cannot be reached; is ALERTMANAGER_BASE_URL right?" in one for one in errors)


@pytest.mark.parametrize("begins", [False, True])
def test_what_hangs_costs_a_question_one_request_and_the_next_none(begins: bool) -> None:
    def hanging(_: Seen) -> Reply:
        if not begins:
            stand_in.hang()
        return Reply(body=b"[1", length=100, hang=True)

    now = [0.0]
    breaker = CircuitBreaker(clock=lambda: now[0])
    with standing_in(hanging) as stand_in:
        began = time.monotonic()
        budget, errors = ask_often(stand_in.url, 6, breaker, timeout_s=0.4)
        assert (budget.requests, len(stand_in.seen)) == (1, 1)
        assert all("gave no answer within 0.4 s" in one for one in errors)
        budget, errors = ask_often(stand_in.url, 6, breaker, timeout_s=0.4)
        assert (budget.requests, len(stand_in.seen)) == (0, 1)
        assert all("it is left alone for 30 s more" in one for one in errors)
        now[0] = 30.0
        ask_often(stand_in.url, 6, breaker, timeout_s=0.4)
        assert len(stand_in.seen) == 2
        assert time.monotonic() - began < 8
        stand_in.let_go()


def test_once_something_was_answered_the_others_are_asked_together() -> None:
    with standing_in(lambda _: slowly(stand_in)) as stand_in:
        budget, errors = ask_often(stand_in.url, 6, CircuitBreaker())
    assert (budget.requests, errors) == (6, [])
    assert stand_in.most_at_once > 1


def slowly(stand_in: StandIn) -> Reply:
    time.sleep(0.05)
    return Reply(body=b"[]")


def test_one_deadline_that_passes_among_answers_does_not_end_the_asking() -> None:
    breaker = CircuitBreaker()

    def answers(seen: Seen) -> Reply:
        hangs = seen.one("filter") == "5"
        return Reply(body=b"[1", length=9, hang=True) if hangs else Reply(body=b"[]")

    with standing_in(answers) as stand_in:
        _, errors = ask_often(stand_in.url, 6, breaker, timeout_s=0.5)
        stand_in.let_go()
    assert len(errors) == 1
    assert breaker.wait_s() == 0.0


def test_what_a_breaker_knows_goes_on_in_another_process() -> None:
    told: list[Trouble] = []
    breaker = CircuitBreaker(changed=told.append)
    for _ in range(3):
        breaker.failed()
    assert told[-1] == Trouble(3, 0.0)
    breaker.did_not_answer()
    assert told[-1] == Trouble(5, 30.0)
    assert 29.0 < CircuitBreaker.after(told[-1]).wait_s() <= 30.0
    assert CircuitBreaker.after(Trouble(5, 0.0)).wait_s() == 0.0
    later = CircuitBreaker.after(Trouble(3, 0.0))
    later.failed()
    assert later.wait_s() == 0.0
    later.failed()
    assert later.wait_s() > 0.0
    breaker.worked()
    assert told[-1] == Trouble(0, 0.0)
    count = len(told)
    breaker.worked()
    assert len(told) == count  # nothing new

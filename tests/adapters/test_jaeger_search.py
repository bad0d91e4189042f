"""Narrow questions to Jaeger, in both dialects; an old release's answers are looked at again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from aegis.adapters.http_client.budget import Budget
from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.jaeger.trace_search import JaegerSearch
from aegis.model.backend import BackendConfig
from aegis.model.errors import InvalidRequest
from aegis.model.telemetry import Span, SpanTable
from aegis.model.trace_search import TraceRequest
from tests.adapters.jaeger_server import JaegerServer, Release
from tests.adapters.stand_in import standing_in
from tests.recordings import between, ns, spans_of

pytestmark = pytest.mark.loopback

MS = 1_000_000
HOUR = between(0, 60)
RELEASES: tuple[Release, ...] = ("1.57", "2.20", "next", "before v3")
Result = TypeVar("Result")


def span(number: int, service: str, operation: str, took_ms: int, *, failed: bool = False) -> Span:
    trace, own = f"{number:032x}", f"{number:016x}"
    return Span(trace, own, "", service, operation, ns(number), took_ms * MS, failed)


SPANS = [
    span(1, "cart", "add", 10),
    span(2, "cart", "add", 900),
    span(3, "cart", "read", 900),
    span(4, "cart", "add", 20, failed=True),
    span(5, "shop", "add", 900, failed=True),
]


def ask(question: Callable[[JaegerSearch], Awaitable[Result]], release: Release = "next") -> Result:
    with standing_in(JaegerServer(SPANS, release)) as server:

        async def asked() -> Result:
            async with BackendClient(BackendConfig("jaeger", server.url), Budget()) as client:
                return await question(JaegerSearch(client))

        return asyncio.run(asked())


def found(request: TraceRequest, release: Release = "next") -> tuple[list[int], list[str]]:
    """The numbers of the traces that came, and what was said of them."""

    async def question(search: JaegerSearch) -> tuple[SpanTable, list[str]]:
        table, gaps = await search.find_traces(request)
        return table, [gap.statement.en for gap in gaps]

    table, told = ask(question, release)
    return sorted(int(one.trace_id, 16) for one in spans_of(table)), told


@pytest.mark.parametrize("release", RELEASES)
def test_filters_narrow_whatever_the_release_knows(release: Release) -> None:
    asked = TraceRequest(HOUR, "cart")
    assert found(asked, release)[0] == [1, 2, 3, 4]
    assert found(replace(asked, operation="add"), release)[0] == [1, 2, 4]
    assert found(replace(asked, min_duration_ns=500 * MS), release)[0] == [2, 3]
    assert found(replace(asked, only_failed=True), release)[0] == [4]
    assert found(replace(asked, operation="add", min_duration_ns=500 * MS), release)[0] == [2]


def test_as_many_as_asked_for_may_not_be_all() -> None:
    numbers, told = found(TraceRequest(HOUR, "cart", most_traces=2))
    assert numbers == [3, 4]
    assert told == ["Only the newest 2 traces are given; there may be more."]
    assert found(TraceRequest(HOUR, "cart"))[1] == []


def test_a_service_nobody_knows_has_no_traces() -> None:
    told = "Jaeger knows no service nobody; list_services names those it knows."
    assert found(TraceRequest(HOUR, "nobody")) == ([], [told])
    assert found(TraceRequest(HOUR, "cart", operation="unheard of")) == ([], [])


@pytest.mark.parametrize(
    "spelled", ["Cart", "prod/cart", "cart@docker", "cart-service", "cart_svc"]
)
def test_a_service_is_found_however_it_is_spelled(spelled: str) -> None:
    assert found(TraceRequest(HOUR, spelled)) == found(TraceRequest(HOUR, "cart"))


def test_of_very_many_services_one_that_is_not_listed_is_asked_for() -> None:
    many = [replace(SPANS[0], service=f"a{place:03}") for place in range(500)]
    held = JaegerServer([*many, *SPANS])

    async def asked(url: str) -> SpanTable:
        async with BackendClient(BackendConfig("jaeger", url), Budget()) as client:
            return (await JaegerSearch(client).find_traces(TraceRequest(HOUR, "shop")))[0]

    with standing_in(held) as server:
        assert len(asyncio.run(asked(server.url))) == 1


@pytest.mark.parametrize("release", RELEASES)
def test_one_trace_is_read_by_its_id(release: Release) -> None:
    table = ask(lambda search: search.read_trace(f"{2:032x}"), release)
    assert [one.operation for one in spans_of(table)] == ["add"]
    assert len(ask(lambda search: search.read_trace("f" * 32), release)) == 0


def test_services_are_named() -> None:
    assert ask(lambda search: search.names(HOUR)) == ("cart", "shop")


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (TraceRequest(HOUR, "cart", most_traces=21), "limit"),
        (TraceRequest(between(0, 361), "cart"), "range"),
    ],
)
def test_too_much_is_not_asked(asked: TraceRequest, field: str) -> None:
    with pytest.raises(InvalidRequest) as told:
        found(asked)
    assert told.value.field == field

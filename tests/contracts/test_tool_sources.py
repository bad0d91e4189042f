"""What tools may rely on, whoever answers: each test runs on a case and on stand-ins."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from aegis.adapters.cases.questions import CaseQuestions
from aegis.adapters.cases.recorded import RecordedCase
from aegis.adapters.http_client.budget import Budget
from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.jaeger.trace_search import JaegerSearch
from aegis.adapters.loki.search import LokiSearch
from aegis.model.backend import BackendConfig
from aegis.model.errors import InvalidRequest
from aegis.model.log_search import LogEvidence, LogSearchRequest
from aegis.model.telemetry import SpanTable
from aegis.model.trace_search import TraceRequest
from aegis.ports import LogSearch, TraceSearch
from tests.adapters.jaeger_server import JaegerServer, Release
from tests.adapters.loki_server import HeldLoki, stored
from tests.adapters.stand_in import standing_in
from tests.recordings import SmallShop, between, lines_of, ns, spans_of

pytestmark = pytest.mark.loopback

SHOP = SmallShop().recording()
WHOLE = between(0, 40)
MS = 1_000_000
Result = TypeVar("Result")
AskTraces = Callable[[Callable[[TraceSearch], Awaitable[Result]]], Result]
AskLogs = Callable[[Callable[[LogSearch], Awaitable[Result]]], Result]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return SHOP.write(tmp_path_factory.mktemp("case") / "shop")


@pytest.fixture(params=["case", "Jaeger", "Jaeger before v3"])
def traces(request: pytest.FixtureRequest, folder: Path) -> Iterator[AskTraces[object]]:
    if request.param == "case":
        questions = CaseQuestions(RecordedCase.open(folder))

        async def of_case(question: Callable[[TraceSearch], Awaitable[object]]) -> object:
            return await question(questions)

        yield lambda question: asyncio.run(of_case(question))
        return
    release: Release = "next" if request.param == "Jaeger" else "before v3"
    with standing_in(JaegerServer(spans_of(SHOP.spans)[3:], release)) as server:

        async def asked(question: Callable[[TraceSearch], Awaitable[object]]) -> object:
            async with BackendClient(BackendConfig("jaeger", server.url), Budget()) as client:
                return await question(JaegerSearch(client))

        yield lambda question: asyncio.run(asked(question))


@pytest.fixture(params=["case", "Loki"])
def logs(request: pytest.FixtureRequest, folder: Path) -> Iterator[AskLogs[object]]:
    if request.param == "case":
        questions = CaseQuestions(RecordedCase.open(folder))

        async def of_case(question: Callable[[LogSearch], Awaitable[object]]) -> object:
            return await question(questions)

        yield lambda question: asyncio.run(of_case(question))
        return
    with standing_in(HeldLoki(stored(lines_of(SHOP.logs))).answer) as server:

        async def asked(question: Callable[[LogSearch], Awaitable[object]]) -> object:
            async with BackendClient(BackendConfig("loki", server.url), Budget()) as client:
                return await question(LokiSearch(client))

        yield lambda question: asyncio.run(asked(question))


def test_whole_traces_come_of_which_one_span_of_the_service_meets_the_filter(
    traces: AskTraces[tuple[SpanTable, tuple[object, ...]]],
) -> None:
    asked = TraceRequest(WHOLE, "store", "select", 300 * MS, most_traces=20)
    table, gaps = traces(lambda search: search.find_traces(asked))
    assert table.services == ("cart", "shop", "store")
    assert len(table) == 3 * len(set(table.trace_id.tolist())) == 60
    assert int(table.start_ns.min()) >= ns(30)
    assert gaps  # there are more than twenty
    assert table.sampled_share == 1.0


def test_what_nobody_has_is_empty(
    traces: AskTraces[tuple[SpanTable, tuple[object, ...]]],
) -> None:
    table, gaps = traces(
        lambda search: search.find_traces(TraceRequest(WHOLE, "cart", only_failed=True))
    )
    assert (len(table), gaps) == (0, ())
    table, _ = traces(lambda search: search.find_traces(TraceRequest(WHOLE, "nobody")))
    assert len(table) == 0


def test_one_trace_is_read_whole_or_not_at_all(traces: AskTraces[SpanTable]) -> None:
    known = traces(lambda search: search.read_trace(f"{7:032x}"))
    assert [one.service for one in spans_of(known)] == ["shop", "cart", "store"]
    assert len(traces(lambda search: search.read_trace("f" * 32))) == 0


@pytest.mark.parametrize("trace_id", ["../services", "", "a b", "x" * 65])
def test_what_is_no_id_is_not_asked(traces: AskTraces[SpanTable], trace_id: str) -> None:
    with pytest.raises(InvalidRequest):
        traces(lambda search: search.read_trace(trace_id))


@pytest.mark.parametrize("most", [0, 21])
def test_too_many_traces_are_not_asked(traces: AskTraces[object], most: int) -> None:
    asked = TraceRequest(WHOLE, "cart", most_traces=most)
    with pytest.raises(InvalidRequest):
        traces(lambda search: search.find_traces(asked))


def test_lines_with_a_word_are_counted_grouped_and_capped(logs: AskLogs[LogEvidence]) -> None:
    asked = LogSearchRequest(between(30, 36), ("store",), ("THROTTLED",), (), 20)
    found = logs(lambda search: search.collect_evidence(asked))
    (group,) = found.groups
    assert found.matching == (("store", 60),)
    assert (group.service, group.level, group.lines) == ("store", "ERROR", 20)
    assert group.example.startswith("select of order 3")
    assert found.gaps


def test_a_word_is_no_pattern(logs: AskLogs[LogEvidence]) -> None:
    asked = LogSearchRequest(WHOLE, (), ("select.*throttled", "("), (), 20)
    found = logs(lambda search: search.collect_evidence(asked))
    assert (found.groups, found.matching) == ((), ())


def test_nothing_at_all_is_an_empty_answer(logs: AskLogs[LogEvidence]) -> None:
    asked = LogSearchRequest(WHOLE, ("nobody",))
    found = logs(lambda search: search.collect_evidence(asked))
    assert (found.groups, found.matching) == ((), ())


@pytest.mark.parametrize("most", [0, 501])
def test_too_many_lines_are_not_asked(logs: AskLogs[object], most: int) -> None:
    with pytest.raises(InvalidRequest):
        logs(lambda search: search.collect_evidence(LogSearchRequest(WHOLE, most_lines=most)))

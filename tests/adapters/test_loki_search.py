"""Narrow questions to Loki: error lines grouped, volumes, patterns, label values."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from aegis.adapters.http_client.budget import Budget
from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.loki.search import LokiSearch
from aegis.adapters.loki.selector import ServiceSelector
from aegis.model.backend import BackendConfig
from aegis.model.errors import InvalidRequest
from aegis.model.log_search import LogEvidence, LogGroup, LogSearchRequest, LogVolume
from tests.adapters.loki_language import StoredLine
from tests.adapters.loki_server import HeldLoki
from tests.adapters.stand_in import standing_in
from tests.recordings import between, ns

pytestmark = pytest.mark.loopback

Result = TypeVar("Result")
HOUR = between(0, 60)
PATTERNS = json.loads(
    (Path(__file__).parent / "captures" / "loki" / "patterns.json").read_text(encoding="utf-8")
)["body"]["data"]


def line(minute: float, service: str, body: str, **metadata: str) -> StoredLine:
    return StoredLine(ns(minute), body, {"app": service}, metadata)


LINES = [
    line(1, "cart", "order 17 failed: connection refused", level="error", trace_id="t1"),
    line(2, "cart", "order 18 failed: connection refused", level="error", trace_id="t2"),
    line(3, "cart", "order 18 failed: connection refused", level="error", trace_id="t2"),
    line(4, "cart", "GET /cart 503 in 7 ms", level="info"),
    line(5, "cart", "took order 15030", level="info"),
    line(6, "shop", "Timeout after 5 s", level="warn"),
    *(line(7 + place / 10, "shop", f"error {place} of cart", level="error") for place in range(9)),
    line(50, "pay", "all good"),
]


def ask(
    question: Callable[[LokiSearch], Awaitable[Result]],
    loki: HeldLoki | None = None,
    selector: ServiceSelector | None = None,
) -> tuple[Result, Budget]:
    held, budget = loki or HeldLoki(LINES), Budget()
    with standing_in(held.answer) as server:

        async def asked() -> Result:
            async with BackendClient(BackendConfig("loki", server.url), budget) as client:
                return await question(LokiSearch(client, selector or ServiceSelector()))

        result = asyncio.run(asked())
    assert held.refused == []
    return result, budget


def evidence(request: LogSearchRequest, loki: HeldLoki | None = None) -> LogEvidence:
    return ask(lambda search: search.collect_evidence(request), loki)[0]


def test_error_lines_come_grouped_with_their_first_as_example() -> None:
    found = evidence(LogSearchRequest(HOUR, ("cart",)))
    assert found.groups[0] == LogGroup(
        "cart", "error", LINES[0].body, 3, ns(1), ns(3), ("t1", "t2")
    )
    assert [group.example for group in found.groups[1:]] == ["GET /cart 503 in 7 ms"]
    assert found.matching == (("cart", 4),)
    assert found.gaps == ()


def test_a_status_code_is_a_number_of_its_own() -> None:
    found = evidence(LogSearchRequest(HOUR, (), (), (503,)))
    assert [group.example for group in found.groups] == ["GET /cart 503 in 7 ms"]


def test_services_come_in_the_order_they_were_asked_for_and_errors_first() -> None:
    found = evidence(LogSearchRequest(HOUR, ("shop", "cart")))
    assert [(group.service, group.level) for group in found.groups] == [
        ("shop", "error"),
        ("shop", "warn"),
        ("cart", "error"),
        ("cart", "info"),
    ]


def test_without_services_and_words_all_lines_are_asked_for() -> None:
    found = evidence(LogSearchRequest(HOUR, (), (), ()))
    assert sum(group.lines for group in found.groups) == len(LINES)
    assert dict(found.matching) == {"cart": 5, "shop": 10, "pay": 1}
    assert found.query == '{app=~".+"}'


def test_of_too_many_lines_the_first_of_each_quarter_are_read_and_it_is_told() -> None:
    lines = [line(place / 10, "cart", f"error at {place}") for place in range(600)]
    request = LogSearchRequest(HOUR, most_lines=40)
    found = evidence(request, HeldLoki(lines))
    (group,) = found.groups
    assert group.lines == 40
    assert group.last_ns == ns(45.9)
    assert dict(found.matching)["cart"] == pytest.approx(600, abs=2)
    assert [gap.reason for gap in found.gaps] == ["sampled"]
    assert "40 were read" in found.gaps[0].statement.en


def test_a_question_takes_at_most_nine_requests() -> None:
    _, budget = ask(lambda search: search.collect_evidence(LogSearchRequest(HOUR)))
    assert budget.requests == 7
    loki = HeldLoki(NAMELESS, most_series=1)
    _, budget = ask(lambda search: search.collect_evidence(LogSearchRequest(HOUR)), loki)
    assert budget.requests == 9


NAMELESS = [
    StoredLine(
        ns(place), body, {"service_name": "unknown_service", "pod": pod, "container": "main"}
    )
    for place, (pod, body) in enumerate(
        [
            ("cart-5c4d8f9b7-xk2p9", "error: no stock"),
            ("cart-5c4d8f9b7-q8w7r", "error: no stock"),
            ("cart-worker-5c4d8f9b7-abcde", "error: no work"),
            ("shop-0", "error: shut"),
        ]
    )
]


def test_a_service_that_only_its_pods_name_is_found_by_them() -> None:
    loki = HeldLoki(NAMELESS)
    names, _ = ask(lambda search: search.names(HOUR), loki)
    assert names == ("cart", "cart-worker", "shop")
    found = evidence(LogSearchRequest(HOUR, ("cart",)), loki)
    assert [(group.service, group.lines) for group in found.groups] == [
        ("cart", 2),
        ("cart-worker", 1),
    ]
    assert dict(found.matching) == {"cart": 2, "cart-worker": 1}


def test_a_service_is_found_where_streams_have_nothing_but_a_pod() -> None:
    pods = [replace(one, stream={"pod": one.stream["pod"]}) for one in NAMELESS]
    found = evidence(LogSearchRequest(HOUR, ("shop-service",)), HeldLoki(pods))
    assert [(group.service, group.lines) for group in found.groups] == [("shop", 1)]


@pytest.mark.parametrize("spelled", ["prod/Cart_API", "cart-api", "Cart_API"])
def test_a_service_is_found_however_it_is_spelled_here(spelled: str) -> None:
    lines = [StoredLine(ns(1), "error here", {"job": spelled})]
    found = evidence(LogSearchRequest(HOUR, ("cart-api-service",)), HeldLoki(lines))
    assert found == evidence(LogSearchRequest(HOUR, ("cart-api",)), HeldLoki(lines))
    assert found.query.startswith(f'{{job="{spelled}"}}')
    assert [group.service for group in found.groups] == [spelled]


def test_a_service_without_a_stream_is_told() -> None:
    found = evidence(LogSearchRequest(HOUR, ("cart", "nobody")))
    (gap,) = found.gaps
    assert (gap.reason, gap.service) == ("no_data", "nobody")
    assert gap.statement.en.startswith("No stream is of the service nobody (label app)")


@pytest.mark.parametrize("word", ['x"} |~ ".*', ".*", "(", "[a-z]", "a|b", "\u202e", "`"])
def test_words_are_looked_for_as_they_are(word: str) -> None:
    lines = [line(1, "cart", f"before {word} after"), line(2, "cart", "something else")]
    found = evidence(LogSearchRequest(HOUR, (), (word,), ()), HeldLoki(lines))
    assert [group.example for group in found.groups] == [lines[0].body]


@pytest.mark.parametrize("name", ['x"} or {app=~".+', "a.c", "..", "a|b", "\\"])
@pytest.mark.parametrize("beside", [(), ("other",)])
def test_services_are_looked_for_as_they_are(name: str, beside: tuple[str, ...]) -> None:
    lines = [line(1, name, "error here"), line(2, "abc", "error there")]
    found = evidence(LogSearchRequest(HOUR, (name, *beside)), HeldLoki(lines))
    assert [group.service for group in found.groups] == [name]


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (LogSearchRequest(between(0, 361)), "window"),
        (LogSearchRequest(HOUR, most_lines=501), "most_lines"),
        (LogSearchRequest(HOUR, most_lines=0), "most_lines"),
        (LogSearchRequest(HOUR, status_codes=(99,)), "status_codes"),
        (LogSearchRequest(HOUR, keywords=("x" * 257,)), "pattern"),
        (LogSearchRequest(HOUR, tuple(f"service-{n}" for n in range(40))), "pattern"),
        (LogSearchRequest(HOUR, ("x" * 1025,)), "value"),
        (LogSearchRequest(HOUR, ("\ud800",)), "value"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_field(request_: LogSearchRequest, field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        evidence(request_)
    assert refused.value.field == field


def test_no_streams_are_no_evidence() -> None:
    assert evidence(LogSearchRequest(HOUR), HeldLoki([])).groups == ()


def test_volumes_come_in_bytes_where_they_are_kept_loudest_first() -> None:
    found, budget = ask(lambda search: search.volume_by_service(HOUR))
    assert [one.service for one in found] == ["shop", "cart", "pay"]
    assert {one.unit for one in found} == {"bytes"}
    assert found[-1].amount == len("all good")
    assert budget.requests == 3


def test_volumes_come_in_lines_elsewhere() -> None:
    found, _ = ask(
        lambda search: search.volume_by_service(HOUR), HeldLoki(LINES, offers_volume=False)
    )
    assert found == (
        LogVolume("shop", 10, "lines"),
        LogVolume("cart", 5, "lines"),
        LogVolume("pay", 1, "lines"),
    )


def test_patterns_come_where_loki_mines_them() -> None:
    found, _ = ask(
        lambda search: search.patterns("cart", HOUR), HeldLoki(LINES, pattern_counts=PATTERNS)
    )
    assert found is not None
    assert [one.lines for one in found] == [241, 119]
    assert ask(lambda search: search.patterns("cart", HOUR))[0] is None


def test_values_of_a_label_come_sorted_and_are_none_for_an_unknown_one() -> None:
    values, _ = ask(lambda search: search.label_values("app", HOUR))
    assert values == ("cart", "pay", "shop")
    assert ask(lambda search: search.label_values("nope", HOUR))[0] == ()


@pytest.mark.parametrize("name", ["..", "a/b", "", "ä", 'a"'])
def test_only_names_of_labels_can_be_asked_for(name: str) -> None:
    with pytest.raises(InvalidRequest):
        ask(lambda search: search.label_values(name, HOUR))

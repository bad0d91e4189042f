"""One request to a backend: what is sent, what is never sent, and what every failure says."""

from __future__ import annotations

import asyncio
import gzip
import resource
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aegis.adapters.http_client.answers import Answer
from aegis.adapters.http_client.breaker import CircuitBreaker
from aegis.adapters.http_client.budget import MIB, Budget
from aegis.adapters.http_client.client import MOST_AT_ONCE, BackendClient
from aegis.adapters.http_client.routes import Route
from aegis.model.backend import BackendConfig
from aegis.model.errors import AnswerTooLarge, SourceError, SourceRejected, SourceUnavailable
from tests.adapters.stand_in import Reply, Seen, StandIn, closed_port, standing_in

pytestmark = pytest.mark.loopback

ALERTS = Route("GET", "/api/v2/alerts")
QUERY = Route("POST", "/api/v1/query")
SECRET = "hunter2-hunter2"  # noqa: S105 (no secret of anybody)


def config_of(url: str, timeout_s: float = 5.0) -> BackendConfig:
    return BackendConfig("alertmanager", url, timeout_s=timeout_s)


def ask(
    config: BackendConfig,
    route: Route = ALERTS,
    parameters: tuple[tuple[str, str], ...] = (),
    budget: Budget | None = None,
    breaker: CircuitBreaker | None = None,
    expected: frozenset[int] = frozenset(),
    most_bytes: int = 16 * MIB,
) -> Answer:
    async def once() -> Answer:
        budgeted = budget or Budget()
        async with BackendClient(config, budgeted, breaker or CircuitBreaker()) as client:
            return await client.ask(route, parameters, expected=expected, most_bytes=most_bytes)

    return asyncio.run(once())


def answering(*replies: Reply) -> Callable[[Seen], Reply]:
    """The replies one after the other, the last one for ever."""
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


@pytest.fixture
def empty() -> Iterator[StandIn]:
    with standing_in(answering(Reply(body=b"[]"))) as stand_in:
        yield stand_in


def test_a_read_is_sent_below_the_path_of_the_base_url(empty: StandIn) -> None:
    parameters = (("filter", 'name="a b&c"'), ("active", "true"))
    assert ask(config_of(f"{empty.url}/mimir/am"), ALERTS, parameters).json() == []
    (seen,) = empty.seen
    assert (seen.method, seen.raw_path) == ("GET", "/mimir/am/api/v2/alerts")
    assert seen.parameters == parameters
    assert seen.headers["accept-encoding"] == "gzip"
    assert "authorization" not in seen.headers


def test_a_long_query_travels_in_the_body(empty: StandIn) -> None:
    config = replace(config_of(empty.url), name="prometheus")
    ask(config, QUERY, (("query", "up == 1"),))
    assert (empty.seen[0].method, empty.seen[0].body) == ("POST", b"query=up%20%3D%3D%201")


def test_tenant_and_credentials_come_from_the_configuration(
    empty: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    file = tmp_path / "token"
    file.write_text("first\n")
    config = replace(config_of(empty.url), tenant_id="shop", bearer_token_file=file)
    ask(config)
    file.write_text("second\n")
    ask(config)
    ask(replace(config_of(empty.url), username="ann", password="a:b"))  # noqa: S106
    assert [seen.headers["authorization"] for seen in empty.seen] == [
        "Bearer first",
        "Bearer second",
        "Basic YW5uOmE6Yg==",
    ]
    assert empty.seen[0].headers["x-scope-orgid"] == "shop"


@pytest.mark.parametrize("tenant", ["a|b", "a\r\nX: y", "..", "a/b", ""])
def test_a_tenant_that_is_more_than_one_is_refused(tenant: str) -> None:
    with pytest.raises(ValueError, match="LOKI_TENANT_ID"):
        BackendConfig("loki", "http://loki", tenant_id=tenant)


NEVER = [
    ("alertmanager", "POST", "/api/v2/silences"),
    ("alertmanager", "GET", "/api/v2/receivers"),
    ("prometheus", "POST", "/api/v1/admin/tsdb/delete_series"),
    ("prometheus", "GET", "/api/v1/status/config"),
    ("loki", "POST", "/loki/api/v1/push"),
    ("loki", "POST", "/loki/api/v1/query"),
    ("jaeger", "GET", "/api/archive/{trace_id}"),
]


@pytest.mark.parametrize(("name", "method", "path"), NEVER)
def test_nothing_outside_the_list_is_ever_sent(
    empty: StandIn, name: str, method: str, path: str
) -> None:
    config = replace(config_of(empty.url), name=name)  # type: ignore[arg-type]
    with pytest.raises(PermissionError):
        ask(config, Route(method, path))  # type: ignore[arg-type]
    assert empty.seen == []


def test_the_same_read_is_sent_once_in_a_question_and_again_in_the_next(empty: StandIn) -> None:
    async def question() -> Budget:
        budget = Budget()
        async with BackendClient(config_of(empty.url), budget) as client:
            async with asyncio.TaskGroup() as group:
                for _ in range(3):
                    group.create_task(client.ask(ALERTS))
            await client.ask(ALERTS, (("active", "true"),))
        return budget

    budget = asyncio.run(question())
    assert (len(empty.seen), budget.requests, budget.read_bytes) == (2, 2, 4)
    asyncio.run(question())
    assert len(empty.seen) == 4


def test_no_more_than_four_reads_run_at_the_same_time() -> None:
    def slow(_: Seen) -> Reply:
        time.sleep(0.2)
        return Reply()

    async def question(url: str) -> None:
        async with (
            BackendClient(config_of(url), Budget()) as client,
            asyncio.TaskGroup() as group,
        ):
            for number in range(12):
                group.create_task(client.ask(ALERTS, (("filter", str(number)),)))

    with standing_in(slow) as stand_in:
        asyncio.run(question(stand_in.url))
    assert len(stand_in.seen) == 12
    assert stand_in.most_at_once == MOST_AT_ONCE


def test_a_question_stops_at_its_requests_and_its_bytes(empty: StandIn) -> None:
    for spent in (Budget(requests=40), Budget(read_bytes=64 * MIB)):
        with pytest.raises(SourceRejected, match="not asked: a question may"):
            ask(config_of(empty.url), budget=spent)
    assert empty.seen == []


LOGGED_OUT = Reply(401, b'{"message":"who are you?"}')
FAILURES = [
    (LOGGED_OUT, SourceRejected, "answered 401 .who are you.*set AEGIS_ALERTMANAGER_BEARER_TOKEN"),
    (Reply(401, b"no org id", "text/plain"), SourceRejected, "set AEGIS_ALERTMANAGER_TENANT_ID"),
    (Reply(403, b""), SourceRejected, "answered 403; set AEGIS_ALERTMANAGER_BEARER_TOKEN"),
    (Reply(404, b"404 page not found", "text/plain"), SourceRejected, "answered 404 .*lack a path"),
    (Reply(302, b"", headers=(("Location", "http://x"),)), SourceRejected, "redirects are not"),
    (Reply(400, b"parse error : \x1b[31mx", "text/plain"), SourceRejected, "error : .31mx"),
    (Reply(429, b""), SourceUnavailable, "answered 429"),
    (Reply(500, b'{"error":{"message":"broken"}}'), SourceUnavailable, "answered 500 .broken"),
    (Reply(501, b""), SourceRejected, "answered 501"),
    (Reply(502, b"<html>bad gateway", "text/html"), SourceUnavailable, "502 .an HTML page"),
    (Reply(200, b"<!doctype html>", "text/plain"), SourceRejected, "an HTML page, not with data"),
    (Reply(200, b"[1, 2", length=50), SourceUnavailable, "broke off"),
    (Reply(200, [b"[1, 2"]), SourceUnavailable, "half an answer"),
    (Reply(200, b"hello", "text/plain"), SourceRejected, "no JSON; is the base URL right"),
    (Reply(200, b"[" * 200_000), SourceUnavailable, "broken JSON"),
    (
        Reply(200, gzip.compress(b"[]" * 99)[:20], headers=(("Content-Encoding", "gzip"),)),
        SourceUnavailable,
        "broke off",
    ),
    (
        Reply(200, b"no gzip at all", headers=(("Content-Encoding", "gzip"),)),
        SourceUnavailable,
        "broken gzip",
    ),
    (
        Reply(200, b"[]", headers=(("Content-Encoding", "br"),)),
        SourceRejected,
        "encoding that was not asked for",
    ),
]


@pytest.mark.parametrize(("reply", "kind", "told"), FAILURES)
def test_a_failure_names_the_setting_and_the_address(
    reply: Reply, kind: type[SourceError], told: str
) -> None:
    with (
        standing_in(answering(reply)) as stand_in,
        pytest.raises(kind, match=told) as raised,
    ):
        ask(config_of(stand_in.url)).json()
    assert str(raised.value).startswith(f"ALERTMANAGER_BASE_URL: {stand_in.url} ")
    assert "\n" not in str(raised.value)


def test_an_expected_status_is_an_answer() -> None:
    with standing_in(answering(Reply(404, b"{}"))) as stand_in:
        assert ask(config_of(stand_in.url), expected=frozenset({404})).status == 404


def test_no_message_and_no_description_holds_a_secret() -> None:
    with standing_in(answering(Reply(401, f"bad token {SECRET}".encode()))) as stand_in:
        config = replace(config_of(stand_in.url), bearer_token=SECRET)
        with pytest.raises(SourceRejected, match="check AEGIS_ALERTMANAGER_BEARER_TOKEN") as raised:
            ask(config)
    assert SECRET not in str(raised.value)
    assert SECRET not in repr(config)
    assert stand_in.seen[0].headers["authorization"] == f"Bearer {SECRET}"


def test_what_passes_is_tried_again() -> None:
    starting = Reply(503, b"Ingester not ready", "text/plain")
    busy = Reply(429, b"", headers=(("Retry-After", "0"),))
    with standing_in(answering(starting, busy, Reply(body=b"[7]"))) as stand_in:
        assert ask(config_of(stand_in.url)).json() == [7]
    assert len(stand_in.seen) == 3


def test_what_does_not_pass_before_the_deadline_is_not() -> None:
    for reply, times in (
        (Reply(503, headers=(("Retry-After", "60"),)), 1),
        (Reply(429), 1),
        (Reply(500), 1),
        (Reply(401), 1),
        (Reply(503), 3),
    ):
        with (
            standing_in(answering(reply)) as stand_in,
            pytest.raises(SourceError),
        ):
            ask(config_of(stand_in.url))
        assert len(stand_in.seen) == times, reply


def test_a_backend_that_is_down_is_named() -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    with pytest.raises(SourceUnavailable, match="cannot be reached; is ALERTMANAGER_BASE_URL"):
        ask(config_of(url))


@pytest.mark.parametrize("started", [True, False])
def test_a_backend_that_hangs_is_left_at_the_deadline(started: bool) -> None:
    def hanging(_: Seen) -> Reply:
        if not started:
            stand_in.hang()
        return Reply(body=b"[1", length=100, hang=True)

    with standing_in(hanging) as stand_in:
        began = time.monotonic()
        with pytest.raises(SourceUnavailable, match=r"within 0.3 s .AEGIS_ALERTMANAGER_TIMEOUT_S"):
            ask(config_of(stand_in.url, timeout_s=0.3))
        assert time.monotonic() - began < 8
        stand_in.let_go()


def test_after_five_failures_a_backend_is_left_alone_until_the_pause_is_over() -> None:
    now = [0.0]
    breaker = CircuitBreaker(clock=lambda: now[0])
    replies = [*[Reply(500)] * 5, Reply(body=b"[]"), Reply(body=b"[]")]
    with standing_in(answering(*replies)) as stand_in:
        config = config_of(stand_in.url)
        for _ in range(5):
            with pytest.raises(SourceUnavailable, match="answered 500"):
                ask(config, breaker=breaker)
        with pytest.raises(SourceUnavailable, match="left alone for 30 s"):
            ask(config, breaker=breaker)
        assert len(stand_in.seen) == 5
        now[0] = 30.0
        assert ask(config, breaker=breaker).json() == []
        assert ask(config, breaker=breaker).json() == []


def test_while_one_request_tries_whether_a_backend_is_back_the_others_wait() -> None:
    now = [0.0]
    breaker = CircuitBreaker(clock=lambda: now[0])
    for _ in range(5):
        breaker.failed()
    now[0] = 31.0
    assert (breaker.wait_s(), breaker.wait_s()) == (0.0, 30.0)
    breaker.worked()
    assert breaker.wait_s() == 0.0


def grown_mib(act: Callable[[], None]) -> float:
    """How much the most this process ever held has grown, in MiB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    act()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def bomb(decoded_mib: int) -> bytes:
    squeeze = zlib.compressobj(9, wbits=31)
    zeros = bytes(MIB)
    return b"".join(squeeze.compress(zeros) for _ in range(decoded_mib)) + squeeze.flush()


def test_a_huge_answer_and_a_gzip_bomb_are_cut_off() -> None:
    huge = Reply(body=(bytes(MIB) for _ in range(300)))
    packed = Reply(body=bomb(1024), headers=(("Content-Encoding", "gzip"),))
    for reply in (huge, packed):
        budget = Budget()

        def cut_off(reply: Reply = reply, budget: Budget = budget) -> None:
            with (
                standing_in(answering(reply)) as stand_in,
                pytest.raises(AnswerTooLarge, match="more than 16 MiB"),
            ):
                ask(config_of(stand_in.url), budget=budget)

        assert grown_mib(cut_off) < 128
        assert budget.read_bytes == 16 * MIB


def test_a_gzip_answer_is_counted_as_it_is_read() -> None:
    body = b"[" + b"0," * 50_000 + b"0]"
    reply = Reply(body=gzip.compress(body), headers=(("Content-Encoding", "gzip"),))
    with standing_in(answering(reply)) as stand_in:
        budget = Budget()
        assert len(ask(config_of(stand_in.url), budget=budget).json()) == 50_001
        assert budget.read_bytes == len(body)
        with pytest.raises(AnswerTooLarge):
            ask(config_of(stand_in.url), most_bytes=len(body) - 1)

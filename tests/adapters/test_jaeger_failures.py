"""Whatever Jaeger does, the reader says what is missing and sends only what it may."""

from __future__ import annotations

import asyncio
import re
import resource
import time
import zlib
from collections.abc import Awaitable, Callable

import pytest

from aegis.adapters.http_client.budget import MIB
from aegis.adapters.jaeger.traces import JaegerTraces
from aegis.model.errors import AnswerTooLarge, InvalidRequest, SourceRejected, SourceUnavailable
from aegis.model.telemetry import Span
from tests.adapters.captured import captured_reply
from tests.adapters.jaeger_server import NO_PAGE, NO_TRACES, UI, JaegerServer
from tests.adapters.reading_jaeger import ReadingJaeger
from tests.adapters.stand_in import Reply, Seen, closed_port, standing_in
from tests.recordings import SmallShop, between, spans_of

pytestmark = pytest.mark.loopback

ALLOWED = (
    r"/api/v3/(services|operations|traces|traces/[0-9a-f]{16,32}|trace-summaries)"
    r"|/api/(services|services/[^/]+/operations|operations|traces|traces/[0-9a-f]{16,32}"
    r"|dependencies)"
)
WINDOW = between(0, 40)
SHOP = spans_of(SmallShop().recording().spans)[3:]  # an id of zeros is no id
GZIPPED = (("Content-Encoding", "gzip"),)


def nothing_else_was_sent(seen: list[Seen]) -> bool:
    return all(
        one.method == "GET" and not one.body and re.fullmatch(ALLOWED, one.raw_path) for one in seen
    )


def services_then(reply: Callable[[Seen], Reply]) -> Callable[[Seen], Reply]:
    """A Jaeger that knows its services and fails in the searches."""
    shop = JaegerServer(SHOP)
    return lambda seen: reply(seen) if seen.path == "/api/v3/traces" else shop(seen)


BROKEN = [
    (Reply(401), SourceRejected, "set AEGIS_JAEGER_BEARER_TOKEN"),
    (Reply(429), SourceUnavailable, "answered 429"),
    (Reply(500), SourceUnavailable, "answered 500"),
    (UI, SourceRejected, "an HTML page"),
    (Reply(body=b'{"result": {"resourceSpans": [', length=900), SourceUnavailable, "broke off"),
    (Reply(body=[b'{"result": {"resourceSp']), SourceUnavailable, "half an answer"),
    (NO_PAGE, SourceRejected, "no such page"),
    (Reply(body=b"hello", content_type="text/plain"), SourceRejected, "no JSON"),
]


@pytest.mark.parametrize(("reply", "kind", "told"), BROKEN)
def test_a_search_that_fails_is_told(reply: Reply, kind: type[Exception], told: str) -> None:
    with standing_in(services_then(lambda _: reply)) as stand_in:
        jaeger = ReadingJaeger(stand_in.url)
        with pytest.raises(kind, match=told) as raised:
            asyncio.run(jaeger.read_spans(WINDOW))
    assert str(raised.value).startswith("JAEGER_BASE_URL: ")
    assert len(stand_in.seen) < 6
    assert nothing_else_was_sent(stand_in.seen)


@pytest.mark.parametrize("reply", [UI, NO_PAGE, captured_reply("jaeger/v2.20_index_page")])
def test_a_base_url_that_leads_to_no_jaeger_is_named(reply: Reply) -> None:
    with standing_in(lambda _: reply) as stand_in:
        jaeger = ReadingJaeger(stand_in.url)
        with pytest.raises(SourceRejected, match="JAEGER_BASE_URL"):
            asyncio.run(jaeger.read_spans(WINDOW))
    assert nothing_else_was_sent(stand_in.seen)


def test_a_jaeger_that_is_down_is_told() -> None:
    jaeger = ReadingJaeger(f"http://127.0.0.1:{closed_port()}")
    with pytest.raises(SourceUnavailable, match="cannot be reached; is JAEGER_BASE_URL right"):
        asyncio.run(jaeger.read_spans(WINDOW))


def test_a_jaeger_that_hangs_costs_no_more_than_the_deadline() -> None:
    with standing_in(services_then(lambda _: Reply(body=b"{", length=99, hang=True))) as stand_in:
        began = time.monotonic()
        with pytest.raises(SourceUnavailable, match="needs too long"):
            asyncio.run(ReadingJaeger(stand_in.url, deadline_s=0.5).read_spans(WINDOW))
        assert time.monotonic() - began < 8


def test_what_came_before_the_deadline_is_kept_and_the_rest_is_a_gap() -> None:
    shop = JaegerServer(SHOP)
    late: list[Seen] = []

    def third_search_hangs(seen: Seen) -> Reply:
        late.append(seen)
        if sum(one.path == "/api/v3/traces" for one in late) >= 3:
            return Reply(body=b"{", length=99, hang=True)
        return shop(seen)

    with standing_in(third_search_hangs) as stand_in:
        jaeger = ReadingJaeger(stand_in.url, deadline_s=4.0)
        table, gaps = asyncio.run(jaeger.read_spans(WINDOW))
    assert len(set(table.trace_id.tolist())) == 75 + 77  # both ends of a part belong to it
    assert table.sampled_share == 2 / 6
    assert [gap.reason for gap in gaps] == ["unavailable"]
    assert "4 of 6 parts" in gaps[0].statement.en


def bomb(decoded_mib: int) -> bytes:
    squeeze = zlib.compressobj(9, wbits=31)
    spaces = b" " * MIB
    return b"".join(squeeze.compress(spaces) for _ in range(decoded_mib)) + squeeze.flush()


def test_huge_answers_are_cut_off_before_they_fill_the_memory() -> None:
    packed = bomb(300)
    for reply in (
        lambda _: Reply(body=(b" " * MIB for _ in range(300))),
        lambda _: Reply(body=packed, headers=GZIPPED),
    ):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with standing_in(services_then(reply)) as stand_in:
            jaeger = ReadingJaeger(stand_in.url)
            with pytest.raises(AnswerTooLarge):
                asyncio.run(jaeger.read_spans(WINDOW))
        assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 128
        assert jaeger.budget.read_bytes <= 17 * MIB


def test_traces_that_are_too_large_are_asked_for_in_smaller_numbers() -> None:
    shop = JaegerServer(SHOP)

    def too_large(seen: Seen) -> Reply:
        many = seen.path == "/api/v3/traces" and int(seen.one("query.num_traces")) > 70
        return Reply(body=(b" " * MIB for _ in range(9))) if many else shop(seen)

    with standing_in(too_large) as stand_in:
        table, gaps = asyncio.run(ReadingJaeger(stand_in.url).read_spans(WINDOW))
    assert len(set(table.trace_id.tolist())) >= 5 * 50 + 20
    assert [gap.reason for gap in gaps] == ["sampled"]
    depths = [int(seen.one("query.num_traces", "0")) for seen in stand_in.seen[2:9]]
    assert depths == [304, *[50] * 6]


def operations_of(service: str) -> Callable[[JaegerTraces], Awaitable[tuple[str, ...]]]:
    return lambda traces: traces.operations(service)


HOSTILE = ["..", "../../api/v2/silences", "a\nb", 'q"}{', "`x`", "\u202egnp.exe", "a/b", "💥" * 99]


def test_hostile_names_change_no_request_and_are_kept_as_they_are() -> None:
    spans = [
        Span(f"{place + 1:032x}", f"{place + 1:016x}", "", name, name, WINDOW.start_ns, 5, False)
        for place, name in enumerate(HOSTILE)
    ]
    with standing_in(JaegerServer(spans, needs_service=True)) as stand_in:
        jaeger = ReadingJaeger(stand_in.url)
        table, _ = asyncio.run(jaeger.read_spans(WINDOW))
        operations = [asyncio.run(jaeger.asking(operations_of(name))) for name in HOSTILE]
    assert set(table.services) == set(HOSTILE)
    assert operations == [(name,) for name in HOSTILE]
    assert nothing_else_was_sent(stand_in.seen)


@pytest.mark.parametrize("trace_id", ["", "..", "zz", "ab", "A" * 32, "a" * 33, "a" * 31 + "/"])
def test_only_a_trace_id_is_asked_for(trace_id: str) -> None:
    with standing_in(JaegerServer(SHOP)) as stand_in:
        jaeger = ReadingJaeger(stand_in.url)
        with pytest.raises(InvalidRequest, match=r"^trace_id: "):
            asyncio.run(jaeger.asking(lambda traces: traces.read_trace(trace_id)))
    assert stand_in.seen == []


def test_a_404_that_means_nothing_is_no_error() -> None:
    for name in ("jaeger/v2.20_v3_traces_unknown_service", "jaeger/v2.20_v3_trace_not_found"):
        assert captured_reply(name).body.replace(b" ", b"") == NO_TRACES.body.replace(b" ", b"")  # type: ignore[union-attr]
    with standing_in(services_then(lambda _: NO_TRACES)) as stand_in:
        jaeger = ReadingJaeger(stand_in.url)
        table, gaps = asyncio.run(jaeger.read_spans(WINDOW))
        unknown = asyncio.run(jaeger.asking(lambda traces: traces.read_trace("ab" * 16)))
    assert (len(table), gaps, len(unknown)) == (0, (), 0)

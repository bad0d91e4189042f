"""A limit is not a sample: what is read is spread over the window, and its share is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from aegis.adapters.jaeger.cohorts import cohort_searches
from aegis.adapters.jaeger.query_api import Search
from aegis.adapters.jaeger.sampling import capped, dealt, entries_of, slices
from aegis.adapters.jaeger.span_rows import SpanRow
from aegis.model.telemetry import Span
from tests.adapters.captured import capture, captured_reply
from tests.adapters.jaeger_server import JaegerServer, Release
from tests.adapters.reading_jaeger import ReadingJaeger
from tests.adapters.stand_in import Seen, standing_in
from tests.recordings import MS, SmallShop, at, between, ns, spans_of

WINDOW = between(0, 40)
SHOP = spans_of(SmallShop().recording().spans)[3:]  # an id of zeros is no id


def test_few_services_are_chosen_that_lead_to_all_others() -> None:
    calls = {("web", "cart"): 9, ("cart", "db"): 9, ("cron", "db"): 1, ("db", "cart"): 1}
    found = entries_of(["web", "cart", "db", "cron", "alone"], calls)
    assert (found.chosen, found.unseen) == (("web", "cron", "alone"), ())


def test_what_no_search_would_show_is_named_and_a_suspect_is_shown() -> None:
    lonely = [f"s{number}" for number in range(9)]
    found = entries_of(lonely, {}, most=4)
    assert (found.chosen, found.unseen) == (("s0", "s1", "s2", "s3"), tuple(lonely[4:]))
    suspected = entries_of(lonely, {}, suspects=("s8", "nobody"), most=4)
    assert suspected.chosen == ("s0", "s1", "s2", "s8")


def test_searches_go_where_the_calls_are_and_a_service_that_is_gone_takes_one() -> None:
    assert dealt(8, (900, 0)) == [7, 1]
    assert dealt(8, (300, 300)) == [4, 4]
    assert dealt(8, (0, 0, 0)) == [6, 1, 1]
    assert dealt(2, (5, 5)) == [1, 1]


def test_slices_make_up_the_window() -> None:
    parts = slices(WINDOW, 8)
    assert [part.start for part in parts] == [at(5 * place) for place in range(8)]
    assert parts[-1].end == WINDOW.end


def test_too_many_spans_are_cut_by_whole_traces() -> None:
    rows = [
        SpanRow(f"{trace:032x}", 1, f"{span:016x}", "", "a", "b", 1, False)
        for trace in range(10)
        for span in range(3)
    ]
    kept, share = capped(rows, 10)
    assert (len(kept), share) == (9, 0.3)
    assert {len([one for one in kept if one.trace_id == row.trace_id]) for row in kept} == {3}


def busy(minutes: int, a_minute: int) -> list[Span]:
    """Two services; one request in a hundred fails, one takes long."""
    found = []
    for number in range(minutes * a_minute):
        start, trace = ns(number / a_minute), f"{number + 1:032x}"
        failed, took = number % 100 == 7, (900 if number % 100 == 9 else 10) * MS
        root, call = f"{2 * number + 2:016x}", f"{2 * number + 3:016x}"
        found.append(Span(trace, root, "", "web", "GET", start, took, failed))
        found.append(Span(trace, call, root, "db", "read", start + MS, took - 5 * MS, failed))
    return found


pytest_loopback = pytest.mark.loopback


@pytest_loopback
@pytest.mark.parametrize("release", ["1.57", "2.20", "next", "before v3"])
def test_everything_is_read_where_it_fits(release: Release) -> None:
    with standing_in(JaegerServer(SHOP, release)) as stand_in:
        jaeger = ReadingJaeger(stand_in.url)
        table, gaps = asyncio.run(jaeger.read_spans(WINDOW))
    assert (len(table), table.sampled_share, gaps) == (len(SHOP), 1.0, ())
    assert jaeger.budget.requests <= 11


@pytest_loopback
def test_a_busy_window_is_sampled_evenly_and_the_share_is_told() -> None:
    plain = [replace(one, error=False, duration_ns=10 * MS) for one in busy(40, 150)]
    with standing_in(JaegerServer(plain)) as stand_in:
        jaeger = ReadingJaeger(stand_in.url)
        table, gaps = asyncio.run(jaeger.read_spans(WINDOW))
    traces = len(set(table.trace_id.tolist()))
    assert traces == 1600
    assert table.sampled_share == pytest.approx(1600 / 6000, rel=0.02)
    a_part = np.bincount((table.start_ns - WINDOW.start_ns) // (38 * 12 * 10**9))
    assert a_part.tolist() == pytest.approx([2 * 304] * 5 + [2 * 80], abs=2)
    (gap,) = gaps
    assert gap.reason == "sampled"
    assert "1,600 were read (an estimated 26 %)" in gap.statement.en
    assert "1,600 条（估计约占 26%）" in gap.statement.zh
    assert jaeger.budget.requests <= 12


@pytest_loopback
@pytest.mark.parametrize("release", ["1.57", "next", "before v3"])
def test_where_not_all_is_read_failed_and_slow_traces_are_looked_for(release: Release) -> None:
    with standing_in(JaegerServer(busy(40, 400), release)) as stand_in:
        jaeger = ReadingJaeger(stand_in.url)
        table, gaps = asyncio.run(jaeger.read_spans(WINDOW))
    ids = set(table.trace_id.tolist())
    failed = len({one for one, bad in zip(table.trace_id, table.error, strict=True) if bad})
    assert table.sampled_share == pytest.approx(1600 / 16_000, rel=0.02)
    if release == "1.57":  # it knows no attributes: what came was not failed
        assert failed == pytest.approx(16, abs=5)
    else:
        assert failed >= 140  # of 160 in all; an even sample of a tenth has 16
        assert "are overrepresented" in gaps[0].statement.en
    assert len(ids) - 1600 >= (100 if release == "1.57" else 220)
    assert jaeger.budget.requests <= 12 + (release == "before v3")


@pytest_loopback
def test_of_a_busy_time_that_is_over_some_traces_are_of_what_was_asked_about() -> None:
    """Two more minutes are read, and in them alone there are more traces than are read."""
    asked = between(35.5, 38)
    with standing_in(JaegerServer(busy(40, 1_000))) as stand_in:
        table, _ = asyncio.run(ReadingJaeger(stand_in.url).read_spans(WINDOW))
    inside = set(table.trace_id[asked.contains(table.start_ns)].tolist())
    assert len(inside) >= 300


def test_a_storage_that_searches_tags_of_a_service_only_is_asked_through_an_entry() -> None:
    found = list(cohort_searches(None, "web", WINDOW, []))
    assert {(kind, search.service) for kind, search in found} == {("failed", "web"), ("slow", None)}


@pytest_loopback
def test_a_search_without_a_service_is_used_where_nobody_knows_who_calls_whom() -> None:
    spans = [replace(span, service=f"{span.service}{place % 9}") for place, span in enumerate(SHOP)]
    with standing_in(JaegerServer(spans, graph=False)) as stand_in:
        table, gaps = asyncio.run(ReadingJaeger(stand_in.url).read_spans(WINDOW))
    assert (len(table), gaps) == (len(spans), ())
    assert all(not seen.one("query.service_name") for seen in stand_in.seen)


@pytest_loopback
def test_a_storage_that_needs_a_service_is_asked_for_some_and_the_others_are_named() -> None:
    spans = [
        Span(f"{n + 1:032x}", f"{n + 1:016x}", "", f"s{n:02}", "GET", ns(n), MS, False)
        for n in range(12)
    ]
    with standing_in(JaegerServer(spans, graph=False, needs_service=True)) as stand_in:
        jaeger = ReadingJaeger(stand_in.url, suspects=("s11",))
        table, gaps = asyncio.run(jaeger.read_spans(WINDOW))
    assert len(table) == 8
    assert "s11" in table.services
    assert [gap.reason for gap in gaps] == ["sampled"]
    assert "not searched for: s07, s08, s09, s10." in gaps[0].statement.en


@pytest_loopback
def test_the_number_of_requests_does_not_grow_with_the_services() -> None:
    asked = []
    for count in (8, 50, 500):
        spans = [
            Span(f"{n + 1:032x}", f"{n + 1:016x}", "", f"s{n:03}", "GET", ns(n / 20), MS, False)
            for n in range(count)
        ]
        with standing_in(JaegerServer(spans, graph=False)) as stand_in:
            jaeger = ReadingJaeger(stand_in.url)
            table, _ = asyncio.run(jaeger.read_spans(WINDOW))
        assert len(table) == count
        asked.append(jaeger.budget.requests)
    assert len(set(asked)) == 1


@pytest_loopback
@pytest.mark.parametrize("graph", [True, False])
def test_who_calls_whom_comes_from_jaeger_or_from_the_traces(graph: bool) -> None:
    with standing_in(JaegerServer(SHOP, graph=graph)) as stand_in:
        jaeger = ReadingJaeger(stand_in.url)
        found = asyncio.run(jaeger.asking(lambda traces: traces.service_graph(WINDOW)))
    assert found.calls == {("shop", "cart"), ("cart", "store")}


@pytest_loopback
@pytest.mark.parametrize("release", ["next", "before v3"])
def test_one_trace_is_read_by_its_id(release: Release) -> None:
    with standing_in(JaegerServer(SHOP, release)) as stand_in:
        jaeger = ReadingJaeger(stand_in.url)
        found = asyncio.run(jaeger.asking(lambda traces: traces.read_trace(SHOP[0].trace_id)))
    assert spans_of(found) == SHOP[:3]


@pytest_loopback
def test_summaries_are_read_where_a_release_offers_them() -> None:
    search = Search(WINDOW, 5, "store")
    for release, offered in (("2.20", True), ("1.57", False), ("before v3", False)):
        with standing_in(JaegerServer(SHOP, release)) as stand_in:  # type: ignore[arg-type]
            jaeger = ReadingJaeger(stand_in.url)
            found = asyncio.run(jaeger.asking(lambda traces: traces.summaries(search)))
        assert (found is not None) is offered
    captured = capture("jaeger/v2.20_v3_trace_summaries")["body"]["summaries"][0]

    def replay(seen: Seen) -> object:
        name = "v3_services" if seen.path.endswith("services") else "v3_trace_summaries"
        return captured_reply(f"jaeger/v2.20_{name}")

    with standing_in(replay) as stand_in:  # type: ignore[arg-type]
        jaeger = ReadingJaeger(stand_in.url)
        found = asyncio.run(jaeger.asking(lambda traces: traces.summaries(search)))
    assert found is not None
    assert (found[0].trace_id, found[0].root_service) == (captured["traceId"], "frontend")
    assert ("payment", 2, 0) in found[0].services


@pytest_loopback
def test_captured_lists_are_read_in_a_fixed_order() -> None:
    def replay(seen: Seen) -> object:
        kind = {
            "/api/v3/services": "v3_services",
            "/api/v3/operations": "v3_operations",
            "/api/dependencies": "dependencies",
        }
        return captured_reply(f"jaeger/v2.20_{kind[seen.path]}")

    with standing_in(replay) as stand_in:  # type: ignore[arg-type]
        jaeger = ReadingJaeger(stand_in.url)
        services = asyncio.run(jaeger.asking(lambda traces: traces.services()))
        operations = asyncio.run(jaeger.asking(lambda traces: traces.operations("payment")))
        graph = asyncio.run(jaeger.asking(lambda traces: traces.service_graph(WINDOW)))
    assert services == ("cart", "checkout", "frontend", "payment", "shipping")
    assert operations == ('/支付 "charge" {id}', "SELECT accounts")
    assert ("frontend", "checkout") in graph.calls
    assert all(caller != callee for caller, callee in graph.calls)

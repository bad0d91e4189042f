"""Reading the logs of a question from Loki: the plan, its limits, and what is told of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from aegis.adapters.loki.logs import Caps
from aegis.adapters.loki.selector import service_selector
from aegis.model.errors import SourceRejected
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import LogTable, TimeWindow
from tests.adapters.loki_language import StoredLine
from tests.adapters.loki_server import HeldLoki, LokiAt, held, live
from tests.recordings import at, between, lines_of, ns

pytestmark = pytest.mark.loopback

HOUR = between(0, 60)
MS = 1_000_000
SMALL = Caps(lines=1_000, page_lines=400)


def shop(loud: int = 6_000) -> list[StoredLine]:
    """An hour of a loud and a quiet service; in the last ten minutes the loud one breaks."""
    generator = np.random.default_rng(5)
    lines = []
    for place in range(loud):
        trace = {"trace_id": generator.bytes(16).hex()}
        time = ns(0) + place * (3_600_000 // loud) * MS
        lines.append(StoredLine(time, f"took order {place}", {"app": "loud"}, trace))
        if place % 10 == 0 and time >= ns(50):
            metadata = {**trace, "level": "error"}
            lines.append(StoredLine(time + MS, f"lost {place}", {"app": "loud"}, metadata))
        if place % 25 == 0 and time >= ns(50):
            lines.append(StoredLine(time + 2 * MS, "IOException", {"app": "loud"}, trace))
    ticks = [StoredLine(ns(minute), "tick", {"app": "quiet"}) for minute in range(60)]
    return lines + ticks


@pytest.fixture(params=["stand-in", "live"])
def small_loki(request: pytest.FixtureRequest) -> Iterator[LokiAt]:
    lines = shop()
    with held(HeldLoki(lines), SMALL) if request.param == "stand-in" else live(lines, SMALL) as it:
        yield it


def read(loki: LokiAt, window: TimeWindow = HOUR) -> tuple[LogTable, tuple[EvidenceGap, ...]]:
    return asyncio.run(loki.read_logs(window))


def times(table: LogTable, service: str, word: str) -> list[int]:
    return [one.time_ns for one in lines_of(table) if one.service == service and word in one.body]


def test_all_lines_are_read_where_they_fit() -> None:
    lines = shop()
    with held(HeldLoki(lines)) as loki:
        table, gaps = read(loki)
    assert len(table) == len(lines)
    assert table.sampled_share == 1.0
    assert gaps == ()
    assert loki.budgets[0].requests <= 12


def test_errors_and_quiet_services_are_read_whole_and_the_rest_at_one_rate(
    small_loki: LokiAt,
) -> None:
    table, gaps = read(small_loki)
    assert len(table) <= SMALL.lines
    assert len(times(table, "loud", "lost")) == 100
    assert len(times(table, "loud", "IOException")) == 40
    assert len(times(table, "quiet", "tick")) == 60
    before, during = (
        sum(start <= time < end for time in times(table, "loud", "took"))
        for start, end in ((ns(0), ns(50)), (ns(50), ns(60)))
    )
    assert before / 50 == pytest.approx(during / 10, rel=0.35)
    assert before > 300
    assert [gap.reason for gap in gaps] == ["sampled"]
    assert small_loki.budgets[0].requests <= 12


def test_a_kind_of_lines_of_which_there_are_none_is_not_asked_for() -> None:
    calm = [line for line in shop() if "took" in line.body or "tick" in line.body]
    with held(HeldLoki(calm), SMALL) as loki:
        _, (gap,) = read(loki)
    asked = [dict(one.request.parameters) for one in loki.budgets[0].log]
    lines = [one["query"] for one in asked if "limit" in one and "targetLabels" not in one]
    assert lines
    assert all("!~" in one for one in lines)
    assert "0 of 0" not in gap.statement.en


def test_what_was_left_out_is_told_in_numbers(small_loki: LokiAt) -> None:
    table, (gap,) = read(small_loki)
    told = re.search(r"([\d,]+) of about ([\d,]+) were read", gap.statement.en)
    assert told is not None
    assert told[1] == f"{len(table):,}"
    assert int(told[2].replace(",", "")) == pytest.approx(len(shop()), rel=0.01)
    assert "100 of 100 lines with an error level" in gap.statement.en
    assert "40 of 40 other lines with an error word" in gap.statement.en
    assert "lowest rates: loud 1/16." in gap.statement.en
    assert "loud 1/16" in gap.statement.zh
    assert table.sampled_share == pytest.approx(len(table) / 6_200, rel=0.01)


def test_the_same_question_reads_the_same_lines(small_loki: LokiAt) -> None:
    first, second = read(small_loki)[0], read(small_loki)[0]
    assert lines_of(first) == lines_of(second)


def test_the_number_of_requests_does_not_depend_on_the_number_of_services() -> None:
    asked = []
    for services in (8, 490):
        lines = [
            StoredLine(ns(0) + place * 500 * MS, f"x {place}", {"app": f"s{place % services}"})
            for place in range(6_000)
        ]
        with held(HeldLoki(lines), Caps(lines=4_000, page_lines=1_000)) as loki:
            table, _ = read(loki)
        asked.append(loki.budgets[0].requests)
        assert 2_000 < len(table) <= 4_000
        assert len(table.services) == services
    assert asked[0] == asked[1] <= 12


def test_where_loki_found_no_name_for_any_stream_the_pods_tell_services_apart() -> None:
    lines = [
        replace(
            line, stream={"service_name": "unknown_service", "pod": f"{service}-5c4d8f9b7-xk2p9"}
        )
        for line in shop()
        for service in [line.stream["app"]]
    ]
    with held(HeldLoki(lines), SMALL) as loki:
        table, gaps = read(loki)
    assert table.services == ("loud", "quiet")
    assert len(times(table, "quiet", "tick")) == 60
    assert len(table) <= SMALL.lines
    assert [gap.reason for gap in gaps] == ["sampled"]
    assert loki.budgets[0].requests <= 12


def test_more_services_than_loki_counts_apart_are_thinned_alike() -> None:
    lines = [
        StoredLine(ns(0) + place * 100 * MS, f"x {place}", {"app": f"s{place % 50}"})
        for place in range(4_000)
    ]
    with held(HeldLoki(lines, most_series=20), SMALL) as loki:
        table, gaps = read(loki)
    assert 300 < len(table) <= 1_000
    assert len(table.services) == 50
    assert [gap.reason for gap in gaps] == ["sampled"]
    assert loki.budgets[0].requests <= 12


@pytest.mark.parametrize("offers_volume", [True, False])
@pytest.mark.parametrize("detects_levels", [True, False])
def test_loki_2_without_volumes_and_levels_gives_the_same_lines(
    offers_volume: bool, detects_levels: bool
) -> None:
    lines = shop(2_000)
    with held(HeldLoki(lines, offers_volume, detects_levels)) as loki:
        table, gaps = read(loki)
    assert len(table) == len(lines)
    assert gaps == ()


def test_lines_that_came_after_the_count_are_read_as_well() -> None:
    late = [StoredLine(ns(30) + place, f"late {place}", {"app": "a"}) for place in range(900)]

    class Growing(HeldLoki):
        def _query(self, *given: object) -> object:  # type: ignore[override]
            answer = super()._query(*given)  # type: ignore[arg-type]
            self.lines = late
            return answer

    early = [StoredLine(ns(30), "early", {"app": "a"})]
    with held(Growing(early), replace(SMALL, page_lines=200)) as loki:
        table, gaps = read(loki)
    assert [one.body for one in lines_of(table)] == [f"late {place}" for place in range(900)]
    assert gaps == ()


def test_a_page_that_cuts_through_a_moment_loses_and_doubles_nothing() -> None:
    lines = [StoredLine(ns(1) + place // 7, f"{place}", {"app": "a"}) for place in range(450)]
    with held(HeldLoki(lines), replace(SMALL, page_lines=200, fill=10.0)) as loki:
        table, _ = read(loki)
    assert sorted(int(body) for body in table.body) == list(range(450))


def test_a_kind_of_lines_that_cannot_be_read_to_its_end_is_left_out_whole() -> None:
    lines = shop()
    storm = [
        StoredLine(ns(55), f"lost {place}", {"app": "b"}, {"level": "error"})
        for place in range(500)
    ]
    with held(HeldLoki(lines + storm), replace(SMALL, level_share=0.7)) as loki:
        table, gaps = read(loki)
    assert "b" not in table.services
    assert times(table, "loud", "lost") == []
    assert len(times(table, "loud", "IOException")) == 40
    assert [gap.reason for gap in gaps] == ["unavailable", "sampled"]
    assert (
        "Left out lines with an error level: more than 400 lines have one" in gaps[0].statement.en
    )


def test_services_too_loud_to_scan_are_not_read_and_named() -> None:
    lines = shop(2_000)
    with held(HeldLoki(lines), Caps(most_scanned_bytes=1_000)) as loki:
        table, gaps = read(loki)
    assert table.services == ("quiet",)
    assert [(gap.reason, gap.service) for gap in gaps] == [("unavailable", "loud")]
    with (
        held(HeldLoki(lines), Caps(most_scanned_bytes=10)) as loki,
        pytest.raises(SourceRejected, match="LOKI_SELECTOR_TEMPLATE"),
    ):
        read(loki)


def test_long_lines_lower_the_number_that_is_read() -> None:
    lines = [
        StoredLine(ns(0) + place * 1_000 * MS, f"{place} " + "x" * 2_000, {"app": "a"})
        for place in range(1_000)
    ]
    with held(HeldLoki(lines), Caps(answer_bytes=500_000)) as loki:
        table, gaps = read(loki)
    assert 60 < len(table) < 250
    assert [gap.reason for gap in gaps] == ["sampled"]


def test_an_answer_over_the_cap_is_asked_for_in_halves() -> None:
    lines = [
        StoredLine(ns(0) + place * 1_000 * MS, f"{place} " + "x" * 9_000, {"app": "a"})
        for place in range(1_500)
    ]
    careless = Caps(page_bytes=64_000_000, answer_bytes=64_000_000)
    with held(HeldLoki(lines), careless) as loki:
        table, _ = read(loki)
    assert len(table) == 1_500
    assert max(asked.size for asked in loki.budgets[0].log) <= careless.most_page_bytes


@pytest.mark.parametrize("offers_volume", [True, False])
def test_answers_are_planned_smaller_than_loki_can_pass_on(offers_volume: bool) -> None:
    lines = [
        StoredLine(ns(0) + place * 1_000 * MS, f"{place} " + "x" * 9_000, {"app": f"a{place % 3}"})
        for place in range(2_000)
    ]
    with held(HeldLoki(lines, offers_volume)) as loki:
        table, gaps = read(loki)
    assert max(asked.size for asked in loki.budgets[0].log) < 4_194_304
    assert 500 < len(table) < 1_500
    assert [gap.reason for gap in gaps] == ["sampled"]


def test_the_template_narrows_what_is_read() -> None:
    mine = StoredLine(ns(1), "mine", {"app": "shop/cart", "cluster": "a"})
    other = StoredLine(ns(1), "other", {"app": "shop/cart", "cluster": "b"})
    selector = service_selector("app", '{{cluster="a", {label_key}="shop/{service}"}}')
    with held(HeldLoki([mine, other])) as loki:
        table, _ = read(replace(loki, selector=selector))
    assert [(one.service, one.body) for one in lines_of(table)] == [("cart", "mine")]


@pytest.mark.parametrize("requests", range(3, 12))
def test_a_question_never_sends_more_requests_than_it_may(requests: int) -> None:
    with held(HeldLoki(shop()), replace(SMALL, requests=requests)) as loki:
        if requests < 6:  # enough to count, and nothing left to read with
            with pytest.raises(SourceRejected, match="no more requests"):
                read(loki)
        else:
            assert [gap.reason for gap in read(loki)[1]][-1] == "sampled"
        assert loki.budgets[0].requests <= max(requests, 5)


@pytest.mark.parametrize("offers_volume", [True, False])
def test_streams_without_the_service_label_are_told_where_they_are_many(
    offers_volume: bool,
) -> None:
    with_app = [StoredLine(ns(58), "x" * 100, {"app": "cart", "job": "pods"})]
    without = [StoredLine(ns(58), "y" * 100, {"job": "varlogs"})]
    with held(HeldLoki(with_app + without, offers_volume)) as loki:
        table, gaps = read(loki)
    assert table.services == ("cart",)
    assert [gap.reason for gap in gaps] == ["no_data"]
    assert "job='varlogs'" in gaps[0].statement.en
    assert "LOKI_SERVICE_LABEL_KEY" in gaps[0].statement.zh
    many = [replace(with_app[0], time_ns=ns(58) + place) for place in range(500)]
    with held(HeldLoki(many + without, offers_volume)) as loki:
        assert read(loki)[1] == ()
        assert loki.budgets[0].requests <= 12


def test_lines_take_no_more_than_their_share_of_the_bytes_of_a_question() -> None:
    lines = [
        StoredLine(ns(0) + place * 1_000 * MS, f"{place} " + "x" * 9_000, {"app": "a"})
        for place in range(1_500)
    ]
    caps = Caps(page_bytes=64_000_000, answer_bytes=64_000_000, most_line_bytes=3_000_000)
    with held(HeldLoki(lines), caps) as at_loki:
        with pytest.raises(SourceRejected):
            read(at_loki)
        assert at_loki.budgets[0].read_bytes < 20_000_000
        assert at_loki.budgets[0].requests <= 12


def test_no_streams_at_all_are_no_lines_and_no_error() -> None:
    with held(HeldLoki([])) as loki:
        table, gaps = read(loki)
    assert len(table) == 0
    assert gaps == ()
    assert loki.budgets[0].requests == 1


def test_streams_out_of_order_come_sorted() -> None:
    lines = [
        StoredLine(ns(3), "c", {"app": "a", "pod": "1"}),
        StoredLine(ns(1), "a", {"app": "a", "pod": "2"}),
        StoredLine(ns(2), "b", {"app": "a", "pod": "1"}),
    ]
    with held(HeldLoki(lines)) as loki:
        table, _ = read(loki)
    assert table.body == ("a", "b", "c")


def test_a_window_that_is_no_multiple_of_a_step_reads_exactly_its_lines() -> None:
    lines = [StoredLine(ns(0) + place * 997 * MS, f"{place}", {"app": "a"}) for place in range(900)]
    window = TimeWindow(at(1.2345), at(9.8765))
    inside = [line for line in lines if window.start_ns <= line.time_ns < window.end_ns]
    with held(HeldLoki(lines)) as loki:
        table, _ = read(loki, window)
    assert sorted(table.body) == sorted(line.body for line in inside)

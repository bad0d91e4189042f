"""Rates at which lines are read, and the pieces of time they are read in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.adapters.loki.logql import LogQuery, Matcher
from aegis.adapters.loki.sampling import (
    MOST_HALVINGS,
    MOST_NAMED,
    NOBODY,
    Piece,
    Profile,
    Rates,
    choose_rates,
    pieces,
)
from tests.adapters.loki_language import StoredLine, parse

SECOND = 1_000_000_000
START = 1_795_252_300 * SECOND


def profile(rows: dict[str, list[float]], step_s: int = 10) -> Profile:
    steps = len(next(iter(rows.values())))
    ends = tuple(START + (place + 1) * step_s * SECOND for place in range(steps))
    return Profile(ends, step_s * SECOND, {name: np.array(row) for name, row in rows.items()})


def kept(rates: Rates, lines: list[StoredLine]) -> list[StoredLine]:
    query = LogQuery((Matcher("app", "=~", ".+"),), sampling=rates.condition("app"))
    parsed = parse(query.text())
    return [line for line in lines if parsed.labels_of(line, {}) is not None]


def drawn(service: str, count: int, traced: bool, step_ns: int = 7_919_333) -> list[StoredLine]:
    """Lines at a steady rhythm; traced ones have five lines to a trace."""
    generator = np.random.default_rng(11)
    traces = [generator.bytes(16).hex() for _ in range(count // 5 + 1)]
    return [
        StoredLine(
            START + place * step_ns,
            f"line {place}",
            {"app": service},
            {"trace_id": traces[place // 5]} if traced else {},
        )
        for place in range(count)
    ]


def test_what_fits_is_read_whole() -> None:
    rates = choose_rates({"a": 60.0, "b": 40.0}, 100)
    assert rates.everything
    assert rates.condition("app") is None


def test_loud_services_give_way_to_quiet_ones() -> None:
    rates = choose_rates({"loud": 100_000.0, "quiet": 100.0, "calm": 900.0}, 10_000)
    assert rates.share("quiet") == rates.share("calm") == 1
    assert 1 / 32 <= rates.share("loud") <= 1 / 8


@given(
    st.dictionaries(st.sampled_from([f"s{n}" for n in range(60)]), st.floats(0, 1e7), min_size=1),
    st.integers(500, 20_000),
)
def test_no_more_lines_are_expected_than_asked_for(totals: dict[str, float], most: int) -> None:
    rates = choose_rates(totals, most)
    assert len(rates.named) <= MOST_NAMED
    expected = sum(total * rates.share(name) for name, total in totals.items())
    floor = sum(totals.values()) * 0.5**MOST_HALVINGS
    assert expected <= max(most, floor) + 1


def test_services_too_many_to_count_are_all_thinned_alike() -> None:
    rates = choose_rates({NOBODY: 8_000.0}, 1_000)
    assert rates.named == {}
    assert rates.others == 3


def test_very_many_loud_services_still_make_a_short_query() -> None:
    totals = {f"a-service-with-quite-a-long-name-{n}": 10_000.0 + n for n in range(500)}
    rates = choose_rates(totals, 10_000)
    text = LogQuery((Matcher("app", "=~", ".+"),), sampling=rates.condition("app")).text()
    assert len(text) < 6_000
    assert sum(total * rates.share(name) for name, total in totals.items()) <= 10_000


@pytest.mark.parametrize("halvings", range(1, 8))
@pytest.mark.parametrize("traced", [True, False])
def test_the_server_keeps_the_share_that_was_chosen(halvings: int, traced: bool) -> None:
    lines = drawn("a", 40_000, traced)
    share = len(kept(Rates({"a": halvings}), lines)) / len(lines)
    assert share == pytest.approx(0.5**halvings, rel=0.25)


@pytest.mark.parametrize("traced", [True, False])
def test_the_share_is_the_same_at_every_moment(traced: bool) -> None:
    lines = drawn("a", 40_000, traced)
    parts = np.array_split(np.array([line.time_ns for line in lines]), 8)
    times = np.array([line.time_ns for line in kept(Rates({"a": 2}), lines)])
    shares = [((times >= part[0]) & (times <= part[-1])).sum() / len(part) for part in parts]
    assert shares == pytest.approx([0.25] * 8, rel=0.2)


def test_no_ten_seconds_of_untraced_lines_are_without_a_sample() -> None:
    lines = drawn("a", 30_000, traced=False, step_ns=20_000_000)
    times = [line.time_ns // (10 * SECOND) for line in kept(Rates({"a": 5}), lines)]
    assert set(times) == set(range(times[0], times[-1] + 1))


@pytest.mark.parametrize("step_ns", [SECOND, 60 * SECOND, 1_000_000, 500_000_000])
def test_lines_dated_to_the_second_or_in_step_are_thinned_too(step_ns: int) -> None:
    lines = drawn("a", 20_000, traced=False, step_ns=step_ns)
    assert len(kept(Rates({"a": 3}), lines)) / len(lines) == pytest.approx(1 / 8, rel=0.1)


def test_lines_of_a_trace_stay_together_in_all_services() -> None:
    mine, others = drawn("a", 5_000, traced=True), drawn("b", 5_000, traced=True)
    found = kept(Rates({"a": 2}, others=4), mine + others)
    of_a = [line.metadata["trace_id"] for line in found if line.stream["app"] == "a"]
    of_b = [line.metadata["trace_id"] for line in found if line.stream["app"] == "b"]
    assert set(of_b) < set(of_a)
    assert all(of_a.count(trace) == 5 for trace in set(of_a))


def test_a_service_that_is_not_named_is_read_at_the_rate_of_the_others() -> None:
    lines = drawn("a", 4_000, traced=True) + drawn("b", 4_000, traced=True)
    found = kept(Rates({"a": 3}), lines)
    assert sum(line.stream["app"] == "b" for line in found) == 4_000
    assert 0 < sum(line.stream["app"] == "a" for line in found) < 1_000


def test_few_lines_are_read_in_one_piece() -> None:
    counted = profile({"a": [1.0] * 6})
    end = START + 60 * SECOND
    assert pieces(Rates().expected(counted), counted, START, end, 10) == [Piece(START, end)]


def test_pieces_hold_the_same_number_of_lines_whatever_their_rhythm() -> None:
    counted = profile({"a": [10.0] * 50, "b": [0.0] * 40 + [500.0] * 10})
    end = START + 500 * SECOND
    found = pieces(Rates().expected(counted), counted, START, end, 1_100)
    assert found[0].start_ns == START
    assert found[-1].end_ns == end
    assert [one.end_ns for one in found[:-1]] == [one.start_ns for one in found[1:]]
    assert len(found) == 5
    assert found[0].end_ns > START + 400 * SECOND


def test_a_storm_within_one_step_is_cut_too() -> None:
    counted = profile({"a": [0.0, 4_000.0, 0.0]})
    found = pieces(Rates().expected(counted), counted, START, START + 30 * SECOND, 1_000)
    assert len(found) == 4
    assert all(START + 10 * SECOND < one.end_ns < START + 20 * SECOND for one in found[:-1])


def test_what_is_left_is_never_less_than_nothing() -> None:
    rest = profile({"a": [5.0, 1.0]}).without(profile({"a": [2.0, 3.0], "b": [9.0, 9.0]}))
    assert rest.totals() == {"a": 3.0}

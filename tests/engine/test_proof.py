"""Findings become Evidence: ids, data windows, trends, and an order without names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aegis.engine.findings import Finding
from aegis.engine.proof import Docket, strongest_first, trend_of
from aegis.engine.statements import describe
from aegis.model.evidence import Evidence, Signal
from aegis.model.telemetry import TimeWindow, from_ns
from tests.engine.telemetry import at_ns, finding, window

WINDOW = window(400, 500)
"""Trends reach from second 0 to 500 in 24 bins of 500/24 = 20.83 seconds."""


class TestIds:
    def test_number_the_findings_of_each_source_in_the_order_of_citation(self) -> None:
        docket = Docket(WINDOW)
        signals: tuple[Signal, ...] = (
            "cpu",
            "error_logs",
            "self_time",
            "memory",
            "change",
            "log_rate",
        )
        ids = [docket.cite(finding(signal=signal)) for signal in signals]
        assert ids == ["m1", "l1", "t1", "m2", "c1", "l2"]
        assert [item.id for item in docket.evidence()] == ids

    def test_of_the_same_finding_stay_the_same(self) -> None:
        docket = Docket(WINDOW)
        one, other = finding(), finding()
        assert [docket.cite(item) for item in (one, other, one)] == ["m1", "m2", "m1"]
        assert len(docket.evidence()) == 2

    def test_outlive_the_findings_of_others(self) -> None:
        docket = Docket(WINDOW)
        assert [docket.cite(finding(surprise=number)) for number in range(9)] == [
            f"m{number}" for number in range(1, 10)
        ]


def cited(one: Finding) -> Evidence:
    docket = Docket(WINDOW)
    docket.cite(one)
    (item,) = docket.evidence()
    return item


class TestEvidence:
    def test_says_what_the_finding_says(self) -> None:
        one = finding(
            "shop",
            "call_time",
            2.123456,
            peer="cart",
            subject="call",
            baseline=10.0,
            observed=30.0,
            unit="ms",
            onset_s=410,
            samples=("a line",),
        )
        item = cited(one)
        assert (item.source, item.signal, item.service, item.peer) == (
            "traces",
            "call_time",
            "shop",
            "cart",
        )
        assert (item.subject, item.query, item.unit) == ("call", one.query, "ms")
        assert (item.baseline, item.observed, item.onset_ns) == (10.0, 30.0, at_ns(410))
        assert (item.sha256, item.samples, item.window) == (one.digest(), ("a line",), WINDOW)
        assert item.strength == 2.1235
        assert item.statement == describe(
            signal="call_time",
            service="shop",
            peer="cart",
            subject="call",
            baseline=10.0,
            observed=30.0,
            unit="ms",
        )

    @pytest.mark.parametrize(
        ("times_s", "start_s", "end_s"),
        [
            ((450, 460), 400, 500),
            ((), 400, 500),
            ((100, 450), 100, 500),
            ((450, 700), 400, 700.000001),
            ((100, 700), 100, 700.000001),
            # A row at the end of the window is part of the data.
            ((450, 500), 400, 500.000001),
            ((450, 499.9999995), 400, 500),
        ],
    )
    def test_the_data_window_holds_all_rows_and_the_window(
        self, times_s: Sequence[float], start_s: float, end_s: float
    ) -> None:
        one = finding(times_s=times_s, values=[1.0] * len(times_s))
        assert cited(one).data_window == window(start_s, end_s)

    def test_the_data_window_takes_in_rows_between_microseconds(self) -> None:
        one = finding(times_s=(450, 700), values=(1, 2))
        later = replace(one, times_ns=one.times_ns + 1999)
        item = cited(later)
        assert item.data_window.end_ns == at_ns(700) + 2000
        assert item.data_window.contains(later.times_ns).all()

    def test_carries_the_trend(self) -> None:
        one = finding(times_s=(0, 490), values=(1, 2))
        assert cited(one).trend == trend_of(one, WINDOW)


def trend(
    times_s: Sequence[float], values: Sequence[float], unit: str = "", signal: Signal = "cpu"
) -> tuple[float, ...]:
    one = finding(signal=signal, times_s=times_s, values=values, unit=unit)
    return trend_of(one, WINDOW)


class TestTrend:
    def test_is_the_mean_of_each_bin_in_which_rows_lie(self) -> None:
        # Seconds 0..20 are the first bin, 21..41 the second, 480..499 the last.
        assert trend((0, 10, 20, 21, 480, 499), (1, 2, 6, 8, 5, 7)) == (3.0, 8.0, *[8.0] * 21, 6.0)

    def test_repeats_the_bin_before_where_no_row_lies(self) -> None:
        # One bin is 125/6 s: rows in bins 0, 2 and 23.
        assert trend((0, 45, 490), (1, 5, 9)) == (1.0, 1.0, *[5.0] * 21, 9.0)

    def test_begins_with_the_first_bin_that_has_rows(self) -> None:
        # Second 440 is in bin 21, second 490 in bin 23.
        assert trend((440, 490), (3, 4)) == (3.0, 3.0, 4.0)

    def test_reaches_four_lengths_before_the_window_to_just_before_its_end(self) -> None:
        assert trend((-0.000001, 440, 490), (99, 3, 4)) == (3.0, 3.0, 4.0)
        assert trend((440, 490, 500), (3, 4, 99)) == (3.0, 3.0, 4.0)
        assert trend((0, 499.999999), (3, 4)) == (*[3.0] * 23, 4.0)

    def test_holds_to_the_nanosecond(self) -> None:
        one = finding(times_s=(0, 0, 450), values=(99, 1, 2))
        times = one.times_ns.copy()
        times[0] -= 1
        assert trend_of(replace(one, times_ns=times), WINDOW)[0] == 1.0
        times[0] += 1
        assert trend_of(replace(one, times_ns=times), WINDOW)[0] == 50.0

    def test_of_two_centuries_has_the_bins_of_those_centuries(self) -> None:
        # From 1970 to 2200 and four times as long before are 24 bins of 48 years: 2026 is in the
        # fourth from the end.
        long = TimeWindow(datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
        one = finding(times_s=(0, 1, 2), values=(1, 1, 5))
        times = one.times_ns.copy()
        times[2] = long.end_ns - 1
        assert trend_of(replace(one, times_ns=times), long) == (1.0, 1.0, 1.0, 5.0)

    @pytest.mark.parametrize(
        "times_s", [(), (450,), (450, 451), (-100, 450), (450, 600), (-100, -50)]
    )
    def test_is_empty_where_fewer_than_two_bins_have_rows(self, times_s: Sequence[float]) -> None:
        assert trend(times_s, [1.0] * len(times_s)) == ()

    def test_is_written_with_six_digits(self) -> None:
        assert trend((440, 490), (1 / 3, 123456789.0)) == (0.333333, 0.333333, 123457000.0)

    @pytest.mark.parametrize("unit", ["per_trace", "per_min", "per_line"])
    def test_counts_rows_where_they_are_mere_occurrences(self, unit: str) -> None:
        counts = trend((0, 10, 490), (7, 7, 7), unit=unit, signal="error_logs")
        assert counts == (2.0, *[0.0] * 22, 1.0)

    def test_of_a_sequence_of_lines_measures(self) -> None:
        measured = trend((440, 490), (0, 1), unit="per_line", signal="log_sequence")
        assert measured == (0.0, 0.0, 1.0)

    @settings(max_examples=25)
    @given(
        st.lists(st.tuples(st.integers(-100, 600), st.floats(-1e6, 1e6)), min_size=1, max_size=12)
    )
    def test_never_depends_on_the_order_of_rows(self, rows: list[tuple[int, float]]) -> None:
        times, values = zip(*rows, strict=True)
        assert trend(times[::-1], values[::-1]) == trend(times, values)


class TestOrder:
    def order(self, *weighed: tuple[Finding, float]) -> list[Finding]:
        findings = [one for one, _ in weighed]
        return strongest_first(findings, {id(one): weight for one, weight in weighed})

    def test_is_by_weight(self) -> None:
        weak, strong = finding(surprise=9), finding(surprise=1)
        assert self.order((weak, 1.0), (strong, 2.0)) == [strong, weak]

    def test_is_by_onset_where_weights_are_equal_and_unknown_onsets_come_last(self) -> None:
        late, early, unknown = finding(onset_s=20), finding(onset_s=10), finding()
        assert self.order((unknown, 1.0), (late, 1.0), (early, 1.0)) == [early, late, unknown]

    def test_takes_weights_that_differ_in_rounding_only_as_equal(self) -> None:
        late, early = finding(onset_s=20), finding(onset_s=10)
        assert self.order((late, 1.0 + 2e-10), (early, 1.0)) == [early, late]
        assert self.order((late, 1.0 + 2e-9), (early, 1.0)) == [late, early]

    def test_is_by_the_data_last_and_never_by_name(self) -> None:
        first, second = finding("a", values=(1, 2)), finding("b", values=(3, 4))
        renamed = finding("b", values=(1, 2)), finding("a", values=(3, 4))
        expected = sorted([first, second], key=Finding.digest)
        assert self.order((first, 1.0), (second, 1.0)) == expected
        assert self.order((second, 1.0), (first, 1.0)) == expected
        again = self.order((renamed[0], 1.0), (renamed[1], 1.0))
        assert [one.digest() for one in again] == [one.digest() for one in expected]


def test_windows_of_evidence_are_whole_microseconds() -> None:
    one = finding(times_s=(450, 600), values=(1, 2))
    odd = replace(one, times_ns=one.times_ns + 1)
    assert cited(odd).data_window == TimeWindow(WINDOW.start, from_ns(at_ns(600) + 1000))

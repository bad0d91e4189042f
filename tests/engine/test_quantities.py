"""Numbers are shown as people say them, precise enough to see a difference."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.engine.quantities import (
    amount,
    change,
    clock_time,
    movement,
    numeral,
    some_names,
    tidy,
    told_apart,
)
from aegis.model.telemetry import TimeWindow, to_ns
from tests.engine.diagnoses import START, WINDOW


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (0.0412, "0.041"),
        (1.0, "1"),
        (4.13, "4.1"),
        (9.96, "10"),
        (12.4, "12"),
        (340.4, "340"),
        (999.7, "1,000"),
        (1240.0, "1,240"),
        (1_234_567.0, "1.2M"),
        (2.5e9, "2.5G"),
        (-3.25, "-3.2"),
        (0.00003, "3.0e-05"),
        (1e18, "1.0e+18"),
    ],
)
def test_numerals(value: float, shown: str) -> None:
    assert numeral(value) == shown


@pytest.mark.parametrize(
    ("value", "unit", "en", "zh"),
    [
        (0.34, "s", "340 ms", "340 ms"),
        (1.2, "s", "1.2 s", "1.2 s"),
        (1200.0, "ms", "1.2 s", "1.2 s"),
        (0.05, "ms", "50 µs", "50 µs"),
        (90.0, "s", "90 s", "90 s"),
        (600.0, "s", "10 min", "10 分钟"),
        (1.5, "min", "1.5 min", "1.5 分钟"),
        (0.0, "min", "0 min", "0 分钟"),
        (180.0, "min", "3 h", "3 小时"),
        (0.12, "share", "12 %", "12 %"),
        (0.12, "per_line", "12 %", "12 %"),
        (4.1, "%", "4.1 %", "4.1 %"),
        (512.0, "bytes", "512 bytes", "512 字节"),
        (1.5 * 2**20, "bytes", "1.5 MiB", "1.5 MiB"),
        (1240.0, "per_s", "1,240 per second", "1,240 次/秒"),
        (7.0, "count", "7", "7"),
        (7.0, "", "7", "7"),
        (7.0, "widgets", "7 widgets", "7 widgets"),
    ],
)
def test_amounts_carry_a_unit_that_fits_their_size(
    value: float, unit: str, en: str, zh: str
) -> None:
    assert amount(value, unit).en == en
    assert amount(value, unit).zh == zh


def test_close_values_are_shown_with_enough_digits_to_differ() -> None:
    first, last = told_apart(99.95, 99.99, "%")
    assert (first.en, last.en) == ("99.95 %", "99.99 %")


def test_values_that_no_digit_tells_apart_are_unchanged() -> None:
    assert movement(20.0, 20.0, "%").en == "stayed at 20 %"
    assert movement(20.0, 20.0 + 1e-9, "%").en == "stayed at 20 %"


@pytest.mark.parametrize(
    ("before", "now", "unit", "en"),
    [
        (0.0, 5.0, "", "none before"),
        (5.0, 0.0, "", "nothing left"),
        (10.0, 19.0, "", "up 90 %"),
        (10.0, 20.0, "", "2×"),
        (1.0, 999.0, "", "999×"),
        (1.0, 1000.0, "", "more than 1,000×"),
        (100.0, 0.1, "", "down 99.9 %"),
        (1e12, 1e-6, "", "down >99.99 %"),
        (50.0, 80.0, "%", "up 30 percentage points"),
        (0.5, 0.8, "share", "up 30 percentage points"),
        (0.1, 0.8, "share", "8×"),
        (2e6, 3e6, "%", "up 1M percentage points"),
        (2e4, 3e4, "share", "up 1M percentage points"),
        (-4.0, 6.0, "", "up 10"),
        (6.0, -4.0, "ms", "down 10 ms"),
    ],
)
def test_a_change_is_told_in_the_clearest_way(
    before: float, now: float, unit: str, en: str
) -> None:
    assert change(before, now, unit).en == en


@given(value=st.floats(min_value=1e-3, max_value=9e14))
def test_a_numeral_is_within_a_twentieth_of_its_value(value: float) -> None:
    shown = numeral(value).replace(",", "")
    scale = {"M": 1e6, "G": 1e9, "T": 1e12}.get(shown[-1], 1.0)
    assert float(shown.rstrip("MGT")) * scale == pytest.approx(value, rel=0.05)


def test_the_time_has_a_date_as_soon_as_the_day_is_not_plain() -> None:
    at = to_ns(START + timedelta(minutes=2))
    until_midnight = TimeWindow(START, START.replace(hour=0) + timedelta(days=1))
    assert clock_time(at, WINDOW) == "10:02:00"
    assert clock_time(at, until_midnight) == "2024-05-14 10:02:00"
    assert clock_time(at - 86_400_000_000_000, WINDOW) == "2024-05-13 10:02:00"


@given(
    before=st.floats(min_value=1.0, max_value=100.0), now=st.floats(min_value=1.0, max_value=100.0)
)
def test_percentage_points_are_the_difference_of_what_is_shown(before: float, now: float) -> None:
    first, last = (text.en.removesuffix(" %") for text in told_apart(before, now, "%"))
    said = change(before, now, "%").en
    if "points" in said and first != last:
        points = float(said.split()[1])
        assert points == pytest.approx(abs(float(last) - float(first)), abs=1e-9)


def test_names_of_exactly_the_longest_length_stay_whole() -> None:
    assert tidy("x" * 80) == "x" * 80
    assert len(tidy("x" * 81)) == 80
    assert tidy("x" * 81).index("…") == 40


def test_each_name_is_told_once_and_only_a_handful() -> None:
    assert some_names(["b", "a", "b"]) == ["b", "a"]
    assert some_names(str(n) for n in range(9)) == ["0", "1", "2", "3", "4"]

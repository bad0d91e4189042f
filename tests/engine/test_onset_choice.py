"""Of stretches that burn: which one is meant, and which others leave the baseline."""

from __future__ import annotations

import pytest

from aegis.engine.onset_choice import meant_by, touches, window_of, worth_leaving_out
from aegis.engine.onset_segments import Stretch
from aegis.engine.onset_signs import Grid
from aegis.model.telemetry import TimeWindow
from tests.engine.burning import Minutes, minutes, minutes_of
from tests.engine.telemetry import at_ns

EXTENT = minutes(0, 199.5)
GRID = Grid.over(EXTENT)


def burning(first: int, end: int, total: float = 30.0) -> Stretch:
    """From the beginning of minute `first` to that of minute `end`."""
    return Stretch(first, end - 1, total)


def meant(*stretches: Stretch, asked: Minutes, moment: float | None = None) -> Stretch | None:
    moment_ns = None if moment is None else at_ns(60 * moment)
    return meant_by(stretches, GRID, minutes(*asked), moment_ns)


def left_out(
    *stretches: Stretch, of: Stretch | None = None, asked: Minutes = (150, 160)
) -> list[Minutes]:
    found = worth_leaving_out(stretches, of, GRID, EXTENT, minutes(*asked))
    return [minutes_of(one) for one in found]


# --- Which is meant -----------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [(80, 100), (120, 140), (99, 101), (105, 110), (90, 130)])
def test_what_touches_the_asked_time_is_meant_however_weak(asked: Minutes) -> None:
    weak = burning(100, 120, total=1)
    assert touches(weak, GRID, minutes(*asked))
    assert meant(weak, asked=asked) == weak


@pytest.mark.parametrize("asked", [(78, 88), (132, 140)])
def test_twelve_minutes_beside_is_near(asked: Minutes) -> None:
    assert meant(burning(100, 120), asked=asked) == burning(100, 120)


@pytest.mark.parametrize("asked", [(77, 87.9), (132.1, 140)])
def test_more_than_twelve_is_not(asked: Minutes) -> None:
    assert meant(burning(100, 120), asked=asked) is None


def test_what_lies_beside_must_burn_enough() -> None:
    assert meant(burning(100, 120, total=10), asked=(85, 95)) is not None
    assert meant(burning(100, 120, total=9.9), asked=(85, 95)) is None


def test_what_touches_goes_before_what_is_hotter_beside() -> None:
    weak, hot = burning(100, 103, total=6), burning(112, 130, total=90)
    assert meant(weak, hot, asked=(95, 105)) == weak


def test_the_share_of_the_heat_in_the_asked_time_decides() -> None:
    mostly_before = burning(80, 104, total=60)  # 4 of 24 minutes inside: 10
    inside = burning(110, 116, total=20)
    assert meant(mostly_before, inside, asked=(100, 120)) == inside
    much_hotter = burning(80, 104, total=130)  # 21.7 inside
    assert meant(much_hotter, inside, asked=(100, 120)) == much_hotter
    mostly_after = burning(116, 140, total=60)
    assert meant(inside, mostly_after, asked=(100, 120)) == inside


def test_one_that_only_begins_at_the_end_of_the_asked_time_is_not_meant_however_hot() -> None:
    inside, begins = burning(101, 111, total=30), burning(119, 140, total=90)  # 4.3 inside
    assert meant(inside, begins, asked=(100, 120)) == inside


@pytest.mark.parametrize("total", [28, 32])
def test_heat_counts_and_not_how_long_it_lasts(total: float) -> None:
    minute, longer = burning(105, 106, total=total), burning(108, 118, total=30)
    assert meant(minute, longer, asked=(100, 120)) == (minute if total > 30 else longer)


def test_of_equal_ones_the_later_is_meant() -> None:
    one, other = burning(100, 105, total=20), burning(110, 115, total=20)
    assert meant(one, other, asked=(95, 120)) == other


def test_beside_the_asked_time_the_nearest_is_meant_then_the_hotter() -> None:
    near, far = burning(100, 104, total=20), burning(126, 130, total=90)
    assert meant(near, far, asked=(109, 116)) == near
    one, hotter = burning(100, 104, total=20), burning(126, 130, total=90)
    assert meant(one, hotter, asked=(110, 120)) == hotter


def test_of_a_point_the_nearest_beginning_is_meant_touching_or_not() -> None:
    early, late = burning(90, 130, total=90), burning(118, 121, total=12)
    assert meant(early, late, asked=(100, 115), moment=106) == late
    assert meant(early, late, asked=(100, 115), moment=102) == early
    one, hotter = burning(100, 104, total=20), burning(120, 124, total=90)
    assert meant(one, hotter, asked=(95, 125), moment=110) == hotter


# --- What is left out ---------------------------------------------------------------------------


def test_others_are_left_out_where_they_fill_more_than_a_quarter_of_the_baseline() -> None:
    asked_about = burning(150, 170)  # leaves 180 minutes, of which a quarter is 45
    assert left_out(burning(10, 55), asked_about, of=asked_about) == []
    assert left_out(burning(10, 56), asked_about, of=asked_about) == [(10, 56)]
    longer = burning(150, 171)  # leaves 179, of which a quarter is 44.75
    assert left_out(burning(10, 55), longer, of=longer) == [(10, 55)]
    two = (burning(10, 40), burning(60, 76))
    assert left_out(*two, asked_about, of=asked_about) == [(10, 40), (60, 76)]


def test_where_nothing_is_meant_the_asked_time_is_no_baseline_either() -> None:
    assert left_out(burning(10, 57), asked=(150, 160)) == []  # a quarter of 190 is 47.5
    assert left_out(burning(10, 58), asked=(150, 160)) == [(10, 58)]


def test_noise_is_not_left_out() -> None:
    assert left_out(burning(10, 80, total=19.9)) == []
    assert left_out(burning(10, 80, total=20)) == [(10, 80)]


def test_what_touches_the_asked_time_or_what_is_meant_stays() -> None:
    assert left_out(burning(10, 150)) == []
    assert left_out(burning(10, 149)) == [(10, 149)]
    of = burning(100, 149)
    assert left_out(burning(10, 101), of=of) == []
    assert left_out(burning(10, 100), of=of) == [(10, 100)]
    of = burning(20, 60)
    assert left_out(burning(59, 140), of=of) == []
    assert left_out(burning(60, 140), of=of) == [(60, 140)]


def test_a_stretch_ends_with_the_telemetry_at_the_latest() -> None:
    def shown(first: int, end: int) -> TimeWindow:
        return window_of(burning(first, end), GRID, EXTENT)

    assert minutes_of(shown(10, 20)) == (10, 20)
    assert minutes_of(shown(190, 200)) == (190, 199.5)

"""The moment a stretch began: who votes, how much a vote says, and between which minutes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from aegis.engine.onset_moment import moment_of
from aegis.engine.onset_segments import Stretch
from aegis.engine.onset_signs import FINE_A_MINUTE, Counted, Grid, Sampled, Sign
from tests.engine.burning import Minutes, minute_of, minutes
from tests.engine.telemetry import at_ns

GRID = Grid.over(minutes(0, 60))
STRETCH = Stretch(30, 44, 50.0)
CLEAR = 20.0
"""A z that surprises as much as any: three decades a minute."""
FIVE_S = 5 / 60


def sign(
    *parts: tuple[Minutes, float], every_s: float = 30, first_s: float = 15, until: float = 60
) -> Sampled:
    """z of the minutes named, 0 in all others; samples from `first_s` on."""
    times_s = np.arange(first_s, 60 * until, every_s)
    z = np.zeros(len(times_s))
    for (start, end), value in parts:
        z[(times_s >= 60 * start) & (times_s < 60 * end)] = value
    return Sampled("shop", np.array([at_ns(s) for s in times_s], dtype=np.int64), z)


def burns_from(start: float, z: float = CLEAR) -> Sampled:
    return sign(((start, 45), z))


def began(signs: Sequence[Sign], stretch: Stretch = STRETCH) -> float:
    return minute_of(moment_of(signs, GRID, stretch))


# --- How fine -----------------------------------------------------------------------------------


def test_samples_five_seconds_apart_tell_the_moment_to_five_seconds() -> None:
    """The first sample that burns is itself part of what burns."""
    dense = sign(((30.25, 45), CLEAR), every_s=5, first_s=0)
    assert began([dense]) == pytest.approx(30.25)


@pytest.mark.parametrize(("every_s", "middle"), [(30, 30 + FIVE_S), (25, 30.0)])
def test_between_two_samples_the_moment_is_their_middle(every_s: float, middle: float) -> None:
    """The first that burns is 15 s, or 10 s, into the minute, and the one before is calm."""
    first_s = 15 if every_s == 30 else 10
    sparse = sign(((30, 45), CLEAR), every_s=every_s, first_s=first_s)
    assert began([sparse]) == pytest.approx(middle)


def test_of_two_moments_as_likely_the_earlier_is_told() -> None:
    """Two samples for the first, then eight against it, and then it burns for good."""
    twice = sign(((30, 31), CLEAR), ((35, 45), CLEAR))
    assert began([twice]) == pytest.approx(30 + FIVE_S)


# --- How far it may lie from the stretch --------------------------------------------------------


def test_what_burned_long_before_the_stretch_began_eight_minutes_before_it_at_most() -> None:
    assert began([sign(((5, 45), CLEAR), first_s=0)]) == pytest.approx(22.0)


def test_at_the_start_of_the_recording_nothing_earlier_is_told() -> None:
    always = sign(((0, 45), CLEAR), first_s=0)
    assert began([always], Stretch(3, 20, 50.0)) == pytest.approx(0.0)


def test_a_stretch_begins_before_it_ends_although_its_sign_comes_back_later() -> None:
    """One sample a minute burns, and each time the eleven calm ones outvote it."""
    pulses = [((minute + 11 / 12, minute + 1), 400.0) for minute in range(30, 45)]
    pulsing = sign(*pulses, every_s=5, first_s=0)
    assert began([pulsing], Stretch(30, 31, 8.0)) == pytest.approx(31 + 11 / 12)


def test_the_last_minute_of_a_short_stretch_may_be_its_beginning() -> None:
    late = sign(((31.5, 45), 100.0))
    assert began([late], Stretch(30, 31, 8.0)) == pytest.approx(31.5, abs=0.1)


def test_those_that_join_ten_minutes_later_do_not_move_the_moment() -> None:
    joining: list[Sign] = [burns_from(38) for _ in range(7)]
    assert began([*joining, burns_from(30)]) == pytest.approx(30 + FIVE_S)


# --- Who votes ----------------------------------------------------------------------------------


def test_what_is_weak_may_speak_where_nothing_else_does() -> None:
    assert began([burns_from(30, z=3.0)]) == pytest.approx(30 + FIVE_S)


def test_what_could_as_well_be_noise_has_no_vote() -> None:
    noise: list[Sign] = [burns_from(30, z=1.5) for _ in range(7)]
    assert began([*noise, burns_from(33)]) == pytest.approx(33 + FIVE_S)


def test_the_eight_clearest_vote_however_many_faint_ones_came_later() -> None:
    clearest: list[Sign] = [burns_from(33) for _ in range(6)]
    early: list[Sign] = [burns_from(30, z=3.0) for _ in range(2)]
    faint: list[Sign] = [burns_from(33, z=3.4) for _ in range(9)]
    assert began([*faint, *clearest, *early]) == pytest.approx(30 + FIVE_S)
    assert began([*faint, *clearest, *early[:1]]) == pytest.approx(33 + FIVE_S)


@pytest.mark.parametrize("hot", [(30.0, 35.0), (35.0, 45.0)])
def test_a_sign_votes_that_is_clear_in_five_of_the_first_sixteen_minutes(hot: Minutes) -> None:
    assert began([sign((hot, CLEAR))]) == pytest.approx(hot[0] + FIVE_S)


def test_a_sign_that_falls_silent_while_it_burns_still_tells() -> None:
    assert began([sign(((30, 45), CLEAR), until=33)]) == pytest.approx(30 + FIVE_S)


def test_where_nothing_is_clear_the_moment_is_the_middle_of_where_it_can_lie() -> None:
    """Eight minutes before the first hot minute to fifteen after its beginning."""
    assert began([sign()]) == pytest.approx(33.5)


# --- What a vote says ---------------------------------------------------------------------------


@pytest.mark.parametrize(("lagging", "minute"), [(3, 30), (5, 33)])
def test_one_that_came_first_outvotes_three_that_lag_but_not_five(
    lagging: int, minute: float
) -> None:
    """However extreme it is: a sample says at most so much."""
    late: list[Sign] = [burns_from(33) for _ in range(lagging)]
    assert began([*late, burns_from(30, z=90.0)]) == pytest.approx(minute + FIVE_S)


@pytest.mark.parametrize(("first_part", "minute"), [(4.5, 30), (2.5, 33)])
def test_of_a_climb_what_was_clear_of_noise_belongs_to_it_however_high_it_gets(
    first_part: float, minute: float
) -> None:
    climb = sign(((30, 33), first_part), ((33, 45), 60.0))
    assert began([climb]) == pytest.approx(minute + FIVE_S)


@pytest.mark.parametrize(("first_part", "minute"), [(1.8, 30), (1.2, 33)])
def test_of_a_low_plateau_more_than_half_its_height_belongs_to_it(
    first_part: float, minute: float
) -> None:
    """The height is the median over the stretch, and of no other minutes."""
    step = sign(((0, 20), 9.0), ((30, 33), first_part), ((33, 45), 3.0), ((45, 60), -9.0))
    assert began([step]) == pytest.approx(minute + FIVE_S)


@pytest.mark.parametrize(("first_part", "minute"), [(2.75, 29), (2.4, 30)])
def test_of_counts_that_grow_what_is_nearer_to_the_rate_of_the_stretch_belongs_to_it(
    first_part: float, minute: float
) -> None:
    """1.6 of 16 are usual and 4 the rate of the stretch; all 16 fail when it is over."""
    usual, size = 0.1, 60 * FINE_A_MINUTE
    hits = np.full(size, 1.6)
    for start, end, told in ((29, 30, first_part), (30, 32, 4.0), (32, 60, 16.0)):
        hits[start * FINE_A_MINUTE : end * FINE_A_MINUTE] = told
    grown = Counted("shop", hits, np.full(size, 16.0), usual)
    assert began([grown], Stretch(30, 31, 9.0)) == pytest.approx(minute + FIVE_S)


def test_ten_seconds_in_which_nobody_asked_say_nothing() -> None:
    """The moment is the middle of the three minutes of which nothing is known."""
    size = 60 * FINE_A_MINUTE
    trials, hits = np.full(size, 16.0), np.full(size, 1.6)
    hits[30 * FINE_A_MINUTE :] = 12.0
    trials[27 * FINE_A_MINUTE : 30 * FINE_A_MINUTE] = 0.0
    hits[27 * FINE_A_MINUTE : 30 * FINE_A_MINUTE] = 0.0
    assert began([Counted("shop", hits, trials, 0.1)]) == pytest.approx(28.5, abs=0.1)

"""Minutes that burn, and the moment they began."""

from __future__ import annotations

import numpy as np
import pytest

from aegis.engine.onset_moment import moment_of
from aegis.engine.onset_segments import (
    LEAST_TOTAL,
    Stretch,
    heat_of,
    stretches_of,
    surprise_by_minute,
)
from aegis.engine.onset_signs import FINE_A_MINUTE, Counted, Grid, Sampled, Sign
from aegis.model.telemetry import Floats
from tests.engine.burning import minute_of, minutes
from tests.engine.telemetry import at_ns

GRID = Grid.over(minutes(0, 60))


def heat(*parts: tuple[int, float], calm: float = 0.0) -> Floats:
    """(minutes, heat) one after the other, padded with calm to an hour."""
    rows = [value for length, value in parts for _ in range(length)]
    return np.array([*rows, *[calm] * (60 - len(rows))], dtype=np.float64)


def places(found: list[Stretch]) -> list[tuple[int, int]]:
    return [(one.first, one.last) for one in found]


def sampled(name: str, z: dict[int, float], *, per_minute: int = 2) -> Sampled:
    """z of the samples of each minute named; 0 in all others."""
    step = 60 // per_minute
    times = np.array([at_ns(step * place + step / 2) for place in range(60 * per_minute)])
    values = np.array([z.get(place // per_minute, 0.0) for place in range(60 * per_minute)])
    return Sampled(name, times.astype(np.int64), values.astype(np.float64))


def counted(hits: dict[int, float], *, trials: float = 4.0, usual: float = 0.1) -> Counted:
    """Hits of each ten seconds named; the usual number in all others."""
    size = 60 * FINE_A_MINUTE
    told = [hits.get(place, usual * trials) for place in range(size)]
    return Counted("shop", np.array(told, dtype=np.float64), np.full(size, trials), usual)


# --- Stretches ----------------------------------------------------------------------------------


def test_a_run_of_hot_minutes_is_a_stretch() -> None:
    (one,) = stretches_of(heat((20, 0), (10, 3)))
    assert (one.first, one.last) == (20, 29)
    assert one.total == pytest.approx(10 * (3 - 0.4))


def test_a_run_too_weak_or_too_short_is_none() -> None:
    assert stretches_of(heat((20, 0), (3, 2))) == []  # 3 · 1.6 < 5
    assert places(stretches_of(heat((20, 0), (4, 2)))) == [(20, 23)]
    assert LEAST_TOTAL == 5.0


def test_a_minute_can_add_only_so_much() -> None:
    assert stretches_of(heat((20, 0), (1, 50))) == []


def test_a_short_calm_in_between_does_not_end_a_stretch_and_a_long_one_does() -> None:
    assert places(stretches_of(heat((10, 0), (9, 3), (7, 0), (9, 3)))) == [(10, 34)]
    apart = stretches_of(heat((10, 0), (5, 3), (9, 0), (5, 3)))
    assert places(apart) == [(10, 14), (24, 28)]


def test_noise_beside_a_stretch_is_no_part_of_it() -> None:
    found = stretches_of(heat((10, 0), (3, 0.8), (8, 5), (3, 0.8)))
    assert places(found) == [(13, 20)]


def test_of_a_hot_part_and_a_weak_one_after_it_the_hot_one_is_the_stretch() -> None:
    found = stretches_of(heat((10, 0), (7, 5), (6, 0), (5, 1.5), (3, 0)))
    assert places(found) == [(10, 16)]


def test_of_a_weak_part_and_a_hot_one_after_it_the_hot_one_is_the_stretch() -> None:
    found = stretches_of(heat((10, 0), (2, 2.5), (7, 0), (9, 5)))
    assert places(found) == [(19, 27)]


def test_a_stretch_that_starts_weak_but_not_calm_is_kept_whole() -> None:
    found = stretches_of(heat((10, 0), (6, 1.5), (8, 5)))
    assert places(found) == [(10, 23)]


def test_the_noisier_the_recording_the_more_counts() -> None:
    noisy = np.where(np.arange(60) % 2 == 0, 1.5, 0.8)
    noisy[30:36] = 5.0
    assert stretches_of(noisy) == []
    assert places(stretches_of(noisy, usual_quantile=0.3)) == [(30, 36)]


def test_a_run_goes_on_while_anything_is_left_of_it() -> None:
    found = stretches_of(heat((10, 0), (1, 2.4), (3, 0), (1, 5)))  # 2 - 1.2 + 4.6 of 5
    assert len(found) == 1
    assert stretches_of(heat((10, 0), (1, 2.4), (5, 0), (1, 5))) == []  # 2 - 2, and anew


def test_a_minute_below_the_usual_is_no_part_of_the_stretch_before_it() -> None:
    assert places(stretches_of(heat((20, 0), (12, 1), (1, 0.39)))) == [(20, 31)]


def test_of_two_hot_parts_far_apart_in_one_run_the_hotter_is_the_stretch() -> None:
    assert places(stretches_of(heat((10, 0), (3, 3), (8, 0), (4, 3)))) == [(21, 24)]
    assert places(stretches_of(heat((10, 0), (4, 3), (8, 0), (3, 3)))) == [(10, 13)]


def test_a_stretch_may_reach_both_ends() -> None:
    whole = stretches_of(np.full(60, 3.0), usual_quantile=0.0)
    assert whole == []  # what is hot all the time is usual, whatever the quantile
    found = stretches_of(heat((4, 3), (50, 0), (6, 3)))
    assert places(found) == [(0, 3), (54, 59)]


# --- Heat ---------------------------------------------------------------------------------------


def test_one_minute_is_a_spike_and_says_nothing() -> None:
    assert surprise_by_minute(sampled("shop", {30: 9.0}), GRID).max() == 0.0
    hot = surprise_by_minute(sampled("shop", {30: 9.0, 31: 9.0}), GRID)
    assert np.flatnonzero(hot).tolist() == [30, 31]
    assert hot[30] == pytest.approx(2 * np.log10(1 + 81 / 3))


def test_better_than_usual_is_not_hot() -> None:
    low = sampled("shop", dict.fromkeys(range(20, 40), -9.0))
    assert surprise_by_minute(low, GRID).max() == 0.0


def test_heat_adds_up_over_services_but_not_over_signs_of_one() -> None:
    burning = dict.fromkeys(range(20, 30), 6.0)
    one = heat_of([sampled("shop", burning)], GRID)[25]
    assert one == pytest.approx(2 * np.log10(1 + 36 / 3) - 0.8)
    twice = heat_of([sampled("shop", burning), sampled("shop", burning)], GRID)[25]
    assert twice == one
    both = heat_of([sampled("shop", burning), sampled("store", burning)], GRID)[25]
    assert both == pytest.approx(2 * one)


def test_only_the_hottest_six_services_count() -> None:
    burning = dict.fromkeys(range(20, 30), 6.0)
    signs: list[Sign] = [sampled(f"s{place}", burning) for place in range(9)]
    assert heat_of(signs, GRID)[25] == pytest.approx(6 * heat_of(signs[:1], GRID)[25])


def test_without_signs_nothing_is_hot() -> None:
    assert heat_of([], GRID).tolist() == [0.0] * 60


def test_counts_far_above_the_usual_are_hot_and_minutes_without_trials_say_nothing() -> None:
    sign = counted(dict.fromkeys(range(180, 240), 3.0))
    hot = surprise_by_minute(sign, GRID)
    # 18 of 24 where 2.4 are usual: the root of the deviance, over 1.4
    z = np.sqrt(2 * (18 * np.log(18 / 2.4) - (18 - 2.4))) / 1.4
    assert hot[33] == pytest.approx(2 * np.log10(1 + z * z / 3))
    assert hot[20] == 0.0
    assert surprise_by_minute(counted(dict.fromkeys(range(180, 240), 400.0)), GRID)[33] == 3.0
    untold = Counted("shop", sign.hits, np.zeros_like(sign.trials), 0.1)
    assert np.isnan(untold.by_minute(GRID)).all()
    assert surprise_by_minute(untold, GRID).max() == 0.0


# --- The moment ---------------------------------------------------------------------------------


def test_between_the_last_calm_and_the_first_hot_sample_lies_the_moment() -> None:
    sign = sampled("shop", dict.fromkeys(range(30, 45), 8.0))
    found = moment_of([sign], GRID, Stretch(31, 44, 50.0))
    assert minute_of(found) == pytest.approx(30.0, abs=0.1)


def test_counts_tell_the_moment_to_ten_seconds() -> None:
    sign = counted(dict.fromkeys(range(182, 260), 3.0))  # from 30:20 on
    found = moment_of([sign], GRID, Stretch(30, 42, 50.0))
    assert minute_of(found) == pytest.approx(30 + 20 / 60, abs=0.1)


def test_signs_that_lag_do_not_move_the_moment() -> None:
    early = sampled("shop", dict.fromkeys(range(30, 45), 8.0))
    late = [sampled(f"s{place}", dict.fromkeys(range(33, 45), 8.0)) for place in range(2)]
    found = moment_of([*late, early], GRID, Stretch(31, 44, 50.0))
    assert minute_of(found) == pytest.approx(30.0, abs=0.1)


def test_a_stretch_at_the_very_beginning_has_its_moment_there() -> None:
    sign = sampled("shop", dict.fromkeys(range(10), 8.0))
    assert minute_of(moment_of([sign], GRID, Stretch(0, 9, 50.0))) <= 0.25

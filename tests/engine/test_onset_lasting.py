"""What stays a little worse for long is found, and drift, load and noise are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aegis.engine.onset_choice import together
from aegis.engine.onset_lasting import lasting_of
from aegis.engine.onset_segments import Stretch, heat_of, stretches_of
from aegis.engine.onset_signs import Grid, Sampled
from aegis.model.evidence import Signal
from aegis.model.telemetry import Floats
from tests.engine.burning import minutes
from tests.engine.telemetry import at_ns

HOURS = Grid.over(minutes(0, 180))
EVEN = np.ones(180)
SHIFT = 1.5
"""Less than any single minute is believed for: noise is 0.8."""


def stream(
    seed: int, shifted: Floats, *, signal: Signal = "latency", service: str = "shop"
) -> Sampled:
    """Noise with a shift of each minute, a sample in the middle of each."""
    z = np.random.default_rng(seed).normal(0, 0.8, 180) + shifted
    times = np.array([at_ns(60 * minute + 30) for minute in range(180)], dtype=np.int64)
    return Sampled(service, times, z, signal)


def shifted(first: int, last: int, by: float = SHIFT) -> Floats:
    """`by` in the minutes [first, last], and nothing in all others."""
    out = np.zeros(180)
    out[first : last + 1] = by
    return out


def noise(number: int) -> list[Sampled]:
    return [stream(seed, np.zeros(180)) for seed in range(100, 100 + number)]


def test_a_shift_too_small_for_any_minute_is_found_when_it_lasts() -> None:
    signs = [stream(1, shifted(130, 165)), *noise(20)]
    assert stretches_of(heat_of(signs[:1], HOURS)) == []
    (one,) = lasting_of(signs, EVEN, HOURS)
    assert one.stretch.first == pytest.approx(130, abs=2)
    assert one.stretch.last == pytest.approx(165, abs=2)
    assert one.stretch.total >= 4.0


def test_noise_and_short_shifts_hold_nothing_that_lasts() -> None:
    assert lasting_of(noise(40), EVEN, HOURS) == []
    assert lasting_of([stream(1, shifted(130, 135)), *noise(20)], EVEN, HOURS) == []


def test_services_that_shift_together_add_up() -> None:
    alone = lasting_of([stream(1, shifted(130, 165)), *noise(20)], EVEN, HOURS)
    pair = [stream(1, shifted(130, 165)), stream(2, shifted(130, 165), service="store")]
    both = lasting_of([*pair, *noise(20)], EVEN, HOURS)
    assert both[0].stretch.total > 1.5 * alone[0].stretch.total
    assert {sign.service for sign in both[0].witnesses} == {"shop", "store"}


def test_two_signs_of_one_service_do_not_add_up() -> None:
    alone = lasting_of([stream(1, shifted(130, 165)), *noise(20)], EVEN, HOURS)
    twice = [stream(1, shifted(130, 165)), stream(1, shifted(130, 165))]
    both = lasting_of([*twice, *noise(20)], EVEN, HOURS)
    assert both[0].stretch.total == pytest.approx(alone[0].stretch.total, rel=0.05)


def test_what_climbs_slowly_did_not_begin() -> None:
    climb = np.concatenate([np.zeros(60), np.linspace(0, SHIFT, 60), np.full(60, SHIFT)])
    assert lasting_of([stream(1, climb), *noise(20)], EVEN, HOURS) == []


def test_what_the_load_of_everybody_explains_is_no_trouble() -> None:
    load = 1.0 + shifted(130, 165, by=0.3)
    signs = [stream(1, shifted(130, 165)), *noise(20)]
    assert lasting_of(signs, EVEN, HOURS)
    assert lasting_of(signs, load, HOURS) == []


@pytest.mark.parametrize("signal", ["cpu", "disk", "network"])
def test_what_drifts_on_its_own_does_not_count(signal: Signal) -> None:
    signs = [stream(1, shifted(130, 165), signal=signal), *noise(20)]
    assert lasting_of(signs, EVEN, HOURS) == []


def test_what_nobody_would_notice_does_not_count_however_steady() -> None:
    steady = stream(1, shifted(130, 165))
    assert lasting_of([replace(steady, z=0.2 * steady.z), *noise(20)], EVEN, HOURS) == []


def test_what_has_no_noise_of_its_own_says_nothing() -> None:
    flat = stream(1, np.zeros(180))
    flat = replace(flat, z=shifted(130, 165))
    assert lasting_of([flat], EVEN, HOURS) == []
    assert lasting_of([], EVEN, HOURS) == []


def test_of_stretches_that_overlap_the_one_with_more_heat_is_kept() -> None:
    lasting = Stretch(130, 165, 9.0)
    assert together([Stretch(150, 152, 6.0)], [lasting]) == [lasting]
    hot = Stretch(131, 165, 60.0)
    assert together([hot], [lasting]) == [hot]
    before = Stretch(20, 30, 50.0)
    assert together([before], [lasting]) == [before, lasting]

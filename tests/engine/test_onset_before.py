"""Trouble from before the recording is told from the moment it ends."""

from __future__ import annotations

import numpy as np
import pytest

from aegis.engine.onset_before import BURNS_ALL_ALONG, burned_until, relief
from aegis.engine.onset_signs import Grid, Sampled
from aegis.model.evidence import Signal
from aegis.model.telemetry import Floats
from tests.engine.burning import found, hours, minute_of, minutes
from tests.engine.telemetry import at_ns

HOUR = Grid.over(minutes(0, 60))
ASKED = minutes(25, 40)


def stream(z: Floats, service: str = "shop", signal: Signal = "latency") -> Sampled:
    times = np.array([at_ns(60 * minute + 30) for minute in range(60)], dtype=np.int64)
    return Sampled(service, times, z, signal)


def better_from(minute: int, seed: int = 1) -> Floats:
    """Worse and noisier before a minute."""
    rng = np.random.default_rng(seed)
    return np.where(np.arange(60) < minute, rng.uniform(2, 9, 60), rng.normal(0, 1, 60))


@pytest.mark.parametrize("minute", [30, 36, 44])
def test_the_moment_of_relief_is_found_to_the_minute(minute: int) -> None:
    told = relief([stream(better_from(minute))], HOUR, ASKED)
    assert told is not None
    assert told.minute == pytest.approx(minute, abs=1)
    assert told.is_plain


def test_services_that_only_seem_to_share_it_do_not_move_it() -> None:
    calm = [
        stream(np.random.default_rng(seed).normal(0, 1, 60), f"s{seed}") for seed in range(5, 9)
    ]
    told = relief([stream(better_from(36)), *calm], HOUR, ASKED)
    assert told is not None
    assert told.minute == pytest.approx(36, abs=1)


def test_noise_and_what_gets_worse_are_no_relief() -> None:
    calm = np.random.default_rng(3).normal(0, 1, 60)
    assert relief([stream(calm)], HOUR, ASKED) is None
    assert relief([stream(-better_from(36))], HOUR, ASKED) is None
    assert relief([], HOUR, ASKED) is None


def test_what_got_worse_at_the_same_moment_makes_it_less_plain() -> None:
    better = [stream(better_from(36, seed), f"better-{seed}") for seed in (1, 2, 3)]
    worse = [stream(-better_from(36, seed), f"worse-{seed}") for seed in (4, 5)]
    told = relief([*better, *worse], HOUR, ASKED)
    assert told is not None
    assert told.worse > 0.0
    assert not told.is_plain


@pytest.mark.parametrize("signal", ["traffic", "cpu", "disk", "network"])
def test_what_also_falls_with_the_load_tells_nothing(signal: Signal) -> None:
    assert relief([stream(better_from(36), signal=signal)], HOUR, ASKED) is None


def test_relief_far_from_the_asked_time_is_not_looked_for() -> None:
    assert relief([stream(better_from(10))], HOUR, minutes(56, 60)) is None


def test_it_burned_from_the_first_minute_on_only_if_no_ten_minutes_were_calm() -> None:
    hot = np.full(60, BURNS_ALL_ALONG + 0.1)
    whole = burned_until(36, hot)
    assert whole is not None
    assert (whole.first, whole.last) == (0, 35)
    assert whole.total == pytest.approx(36 * (BURNS_ALL_ALONG + 0.1))
    hot[:10] = 0.0
    assert burned_until(36, hot) is None


@pytest.mark.parametrize("minute", [50.0, 90.0, 130.0, 165.0])
def test_however_much_of_the_recording_it_fills_it_is_told(minute: float) -> None:
    told = found(hours((0, minute), asked=(minute - 15, minute - 2)))
    assert told.onset.outcome == "before_history"
    assert minute_of(told.onset.end_ns) == pytest.approx(minute, abs=1.5)

"""Trouble so long that it is what is usual: told against the time before it, or after."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aegis.model.incident import Observations
from aegis.model.telemetry import Matrix
from tests.engine.burning import (
    HOURS_MIN,
    STEP_MIN,
    Minutes,
    asked_for,
    found,
    hours,
    metrics,
    minute_of,
    minutes_of,
)


@pytest.mark.parametrize("end", [120.0, 165.0])
def test_what_burned_from_the_first_row_on_began_before_the_history(end: float) -> None:
    """Also where it burns for most of the time, so that burning is what is usual."""
    told = found(hours((0, end), asked=(end - 20, end - 5)))
    assert told.onset.outcome == "before_history"
    assert told.onset.start_ns is None
    assert minute_of(told.onset.end_ns) == pytest.approx(end, abs=1.5)
    assert minutes_of(told.window)[0] == 0.0


def test_what_burned_a_third_of_the_history_and_from_its_start_on_is_told_too() -> None:
    told = found(hours((0, 50), asked=(30, 45)))
    assert told.onset.outcome == "before_history"
    assert minute_of(told.onset.end_ns) == pytest.approx(50, abs=1.0)


def test_what_burns_for_a_third_of_the_history_is_told_against_the_time_before() -> None:
    told = found(hours((118, HOURS_MIN), asked=(160, 175)))
    assert told.onset.outcome == "ongoing"
    assert minute_of(told.onset.start_ns) == pytest.approx(118, abs=STEP_MIN)


def test_a_long_incident_needs_an_hour_before_it_to_be_told_from_calm() -> None:
    seen = hours((118, HOURS_MIN), asked=(160, 175))
    assert found(seen).onset.outcome == "ongoing"
    early = replace(asked_for(59, 74, extent=(0, 90)), metrics=metrics([(60, 90)], until=90))
    assert found(early).onset.outcome == "nothing"


@pytest.mark.parametrize(("end", "outcome"), [(166.0, "before_history"), (170.0, "nothing")])
def test_what_burned_nearly_to_the_end_cannot_be_told_from_calm(end: float, outcome: str) -> None:
    assert found(hours((0, end), asked=(140, 155))).onset.outcome == outcome


def test_a_long_burning_that_the_question_does_not_touch_is_not_meant() -> None:
    assert found(hours((0, 100), asked=(130, 140))).onset.outcome == "nothing"


@pytest.mark.parametrize(("asked", "outcome"), [((60, 75), "ongoing"), ((59, 75), "nothing")])
def test_forty_minutes_that_end_twenty_before_the_question_tell_what_was_usual(
    asked: Minutes, outcome: str
) -> None:
    """A good third of what was read burns, so that over all of it nothing stands out."""
    seen = replace(asked_for(*asked, extent=(0, 90)), metrics=metrics([(57, 90)], until=90))
    assert found(seen).onset.outcome == outcome


def slower(start: float, end: float, factor: float, *, asked: Minutes) -> Observations:
    """Hours in which the latency of the shop is a little higher for a while."""
    changed = []
    for one in metrics([]).series:
        hurt = np.array([start <= minute_of(int(t) - 15 * 10**9) < end for t in one.times_ns])
        is_one = one.service == "shop" and "latency" in one.name
        changed.append(replace(one, values=one.values * np.where(hurt & is_one, factor, 1.0)))
    return replace(asked_for(*asked), metrics=Matrix(tuple(changed)))


@pytest.mark.parametrize(("factor", "outcome"), [(1.35, "nothing"), (2.0, "ongoing")])
def test_a_third_of_the_history_must_burn_all_along_to_be_believed(
    factor: float, outcome: str
) -> None:
    seen = slower(115, HOURS_MIN, factor, asked=(150, 165))
    assert found(seen).onset.outcome == outcome


@pytest.mark.parametrize(("factor", "outcome"), [(1.35, "nothing"), (2.0, "before_history")])
def test_what_was_there_from_the_start_must_burn_all_along_too(factor: float, outcome: str) -> None:
    seen = slower(0, 110, factor, asked=(90, 105))
    assert found(seen).onset.outcome == outcome

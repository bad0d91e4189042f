"""Each episode of an alert opens once and closes once, whatever is told twice or late."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.model.episode import Transition
from aegis.model.lifecycle import Lifecycle, Notice, advance

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
Told = tuple[int, Transition]


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def firing(since: float) -> Notice:
    return Notice("firing", at(since))


def resolved(since: float, until: float) -> Notice:
    return Notice("resolved", at(since), at(until))


def told_of(*notices: Notice, known: Lifecycle | None = None) -> list[Told]:
    """What people are told, in order."""
    told: list[Told] = []
    for notice in notices:
        known, transition = advance(known, notice)
        if transition is not None:
            told.append((known.episode, transition))
    return told


def test_a_firing_and_its_end_are_told() -> None:
    assert told_of(firing(0), resolved(0, 60)) == [(1, "opened"), (1, "closed")]


def test_a_repeat_is_a_heartbeat() -> None:
    assert told_of(firing(0), firing(0), firing(0)) == [(1, "opened")]


def test_an_alert_that_fires_again_is_a_new_episode() -> None:
    told = told_of(firing(0), resolved(0, 60), firing(90), resolved(90, 100))
    assert told == [(1, "opened"), (1, "closed"), (2, "opened"), (2, "closed")]


@pytest.mark.parametrize("moved_s", [16, 18, -3])
def test_a_start_that_moves_while_it_fires_is_no_new_episode(moved_s: float) -> None:
    """Prometheus was restarted."""
    assert told_of(firing(0), firing(moved_s)) == [(1, "opened")]


def test_what_the_other_half_tells_after_the_end_is_late() -> None:
    """As captured: restarted, moved, resolved by one half, told as firing by the other."""
    told = told_of(firing(0), firing(16), resolved(16, 240), firing(16), firing(0))
    assert told == [(1, "opened"), (1, "closed")]


def test_an_end_with_a_start_nobody_told_is_the_end_of_what_is_open() -> None:
    told = told_of(firing(0), resolved(16, 240), firing(16))
    assert told == [(1, "opened"), (1, "closed")]


def test_an_end_without_a_beginning_is_told() -> None:
    assert told_of(resolved(0, 60)) == [(1, "closed")]
    assert told_of(resolved(0, 60), resolved(0, 60), firing(0)) == [(1, "closed")]


def test_an_end_of_a_later_episode_whose_beginning_was_lost_is_told() -> None:
    told = told_of(firing(0), resolved(0, 60), resolved(90, 120))
    assert told == [(1, "opened"), (1, "closed"), (2, "closed")]


def test_the_same_end_with_a_moved_start_is_told_once() -> None:
    """The other half knows a later start: it began before the end that was told."""
    assert told_of(firing(0), resolved(0, 240), resolved(16, 240)) == [(1, "opened"), (1, "closed")]
    assert told_of(firing(0), resolved(0, 240), resolved(16, 240), firing(16)) == [
        (1, "opened"),
        (1, "closed"),
    ]


def test_a_late_end_of_the_episode_before_does_not_close_the_present_one() -> None:
    told = told_of(firing(0), resolved(0, 60), firing(90), resolved(0, 60))
    assert told == [(1, "opened"), (1, "closed"), (2, "opened")]


def test_a_late_end_of_an_episode_we_never_heard_of_closes_nothing() -> None:
    assert told_of(firing(90), resolved(0, 60)) == [(1, "opened")]


def closed_without_an_end() -> Lifecycle:
    """Alertmanager had it no longer."""
    opened, _ = advance(None, firing(0))
    return replace(opened, is_open=False)


def test_what_was_closed_because_it_was_gone_may_fire_on() -> None:
    assert told_of(firing(0), known=closed_without_an_end()) == [(2, "opened")]


def test_the_end_of_what_was_closed_because_it_was_gone_is_not_told_again() -> None:
    known = closed_without_an_end()
    assert told_of(resolved(0, 60), firing(0), known=known) == []
    assert told_of(resolved(0, 60), firing(90), known=known) == [(2, "opened")]


# --- Any order ------------------------------------------------------------------------------


@st.composite
def histories(draw: st.DrawFn) -> list[list[Notice]]:
    """Episodes one after the other; of each what one half of a pair tells, in order."""
    episodes, clock = [], 0.0
    for _ in range(draw(st.integers(1, 4))):
        start = clock + draw(st.integers(1, 100))
        starts = [start, *([start + 16] if draw(st.booleans()) else [])]
        end = starts[-1] + draw(st.integers(1, 100))
        repeats = draw(st.integers(1, 2))
        episodes.append([*(firing(one) for one in starts for _ in range(repeats))])
        episodes[-1].append(resolved(starts[-1], end))
        clock = end
    return episodes


@st.composite
def pairs_of_halves(draw: st.DrawFn) -> tuple[int, list[Notice]]:
    """How many episodes there were, and what two halves told of them, each in its order."""
    history = draw(histories())
    left = [[one for episode in history for one in episode] for _ in range(2)]
    merged: list[Notice] = []
    while any(left):
        half = draw(st.sampled_from([one for one in left if one]))
        merged.append(half.pop(0))
    return len(history), merged


@given(pairs_of_halves())
def test_two_halves_tell_each_episode_once_however_far_one_lags(
    told_by: tuple[int, list[Notice]],
) -> None:
    episodes, notices = told_by
    told = told_of(*notices)
    expected = [(n, what) for n in range(1, episodes + 1) for what in ("opened", "closed")]
    assert told == expected


any_notice = st.builds(
    lambda fires, since, lasted: firing(since) if fires else resolved(since, since + lasted),
    st.booleans(),
    st.integers(0, 50),
    st.integers(1, 50),
)


@given(st.lists(any_notice, max_size=40))
def test_no_order_of_notices_tells_anything_twice(notices: list[Notice]) -> None:
    told = told_of(*notices)
    assert len(set(told)) == len(told)
    numbers = [number for number, _ in told]
    assert numbers == sorted(numbers)
    for number in set(numbers):
        what = [transition for one, transition in told if one == number]
        assert what in (["opened"], ["closed"], ["opened", "closed"])


@given(st.lists(any_notice, max_size=20), any_notice)
def test_what_was_just_said_says_nothing_when_said_again(
    notices: list[Notice], last: Notice
) -> None:
    known = None
    for notice in [*notices, last]:
        known, _ = advance(known, notice)
    assert known is not None
    assert advance(known, last)[1] is None


@given(st.lists(any_notice, max_size=20), st.integers(0, 50))
def test_an_alert_that_began_after_all_that_was_told_is_never_swallowed(
    notices: list[Notice], later: int
) -> None:
    known = None
    for notice in notices:
        known, _ = advance(known, notice)
    after, transition = advance(known, firing(200 + later))
    assert after.is_open
    assert transition == (None if known and known.is_open else "opened")

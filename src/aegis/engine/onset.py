"""When did it begin? From the time a question means to the window and the baseline to compare.

People name a time, mean the thing that burns, and are off by some minutes. The stretch of
trouble that touches the asked time, or comes closest to it, is what they mean; all other
stretches are other incidents. Pure, as all of the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from aegis.engine.onset_baseline import lines_outside, series_outside, spans_outside
from aegis.engine.onset_before import Relief, burned_until, relief
from aegis.engine.onset_choice import (
    CLEARLY_BURNS,
    belief_in,
    meant_by,
    together,
    touches,
    worth_leaving_out,
)
from aegis.engine.onset_lasting import lasting_of
from aegis.engine.onset_moment import moment_by, moment_of
from aegis.engine.onset_segments import Stretch, heat_of, stretches_of
from aegis.engine.onset_signs import MINUTE_NS, Grid, Sign, Telemetry, load_of_everybody, signs_of
from aegis.engine.onset_words import onset_statement
from aegis.model.diagnosis import Diagnosis, Onset, OnsetOutcome
from aegis.model.incident import Observations
from aegis.model.telemetry import UNDATED, TimeWindow, from_ns

PAST_ENDS_MIN, LEAST_PAST_MIN = 20, 40
BURNS_ALL_ALONG = 1.2
"""Heat a minute of a stretch so long that it blurs what is usual."""
MEETS_MIN = 3
"""What begins so close to a relief began with it."""
MICROSECOND_NS = 1_000
LEAST_READ_MIN = 30
"""Minutes of telemetry below which nothing can be said."""
BELIEF_IN_NOTHING = 0.25
"""Share of the causes' probability that stays where nothing was seen to begin.

On simulated timelines an onset is seen in 97 of 100 incidents, and in one calm hour of six; who
asks has noticed something, so that calm is not the rule that it is there.
"""
WINDING_DOWN_MIN, LEAST_EXPLAINED_MIN = 2, 3
FIRST_MINUTES = 3
LAST_MINUTES = 2
"""So close to an end of the telemetry, a stretch goes on beyond it."""


@dataclass(frozen=True, slots=True)
class Found:
    """The onset, and the window that the diagnosis explains."""

    onset: Onset
    window: TimeWindow


def find_onset(
    observations: Observations, asked: TimeWindow, moment_ns: int | None = None
) -> Found | None:
    """Where what `asked` means began; `moment_ns` where the question names a point in time.

    Where nothing burns near the asked time, that time itself is the window. None where too
    little was read to tell calm from trouble.
    """
    read = Telemetry.of(observations)
    extent = _recorded(observations)
    if extent is None:
        return None
    grid = Grid.over(extent)
    signs = whole = signs_of(read, grid, extent)
    if _minutes_read(signs, grid) < LEAST_READ_MIN:
        return None
    lasting = lasting_of(signs, load_of_everybody(read.usable, grid), grid)
    stretches = together(stretches_of(heat_of(signs, grid)), [one.stretch for one in lasting])
    meant = meant_by(stretches, grid, asked, moment_ns)
    if meant is None:
        meant, signs = _against_the_past(read, grid, extent, asked)
    change = relief(whole, grid, asked)
    meant = _since_before(read, grid, extent, change, meant) or meant
    others = worth_leaving_out(stretches, meant, grid, extent, asked)
    if meant is None:
        return _told("nothing", asked, None, None, others, asked, BELIEF_IN_NOTHING)
    begun_before = meant.first <= FIRST_MINUTES
    start_ns = extent.start_ns
    if not begun_before:
        witnesses = [one.witnesses for one in lasting if one.stretch is meant]
        start_ns = (
            moment_by(witnesses[0], grid, meant) if witnesses else moment_of(signs, grid, meant)
        )
    goes_on = meant.last >= grid.minutes - 1 - LAST_MINUTES
    end_ns = extent.end_ns if goes_on else grid.start_ns + (meant.last + 1) * MINUTE_NS
    window = TimeWindow(from_ns(start_ns), from_ns(_explained_until(start_ns, end_ns, goes_on)))
    outcome: OnsetOutcome = "ongoing" if goes_on else "ended"
    if begun_before:
        outcome = "before_history"
    return _told(
        outcome,
        asked,
        None if begun_before else start_ns,
        None if goes_on else end_ns,
        others,
        window,
        belief_in(meant, stretches),
    )


def _explained_until(start_ns: int, end_ns: int, goes_on: bool) -> int:
    """The end of the window to explain: without the last minutes of what is over.

    Some of them are calm, and what recovers last (queues that drain, retries) is not the cause.
    """
    early_ns = end_ns - WINDING_DOWN_MIN * MINUTE_NS
    if not goes_on and early_ns - start_ns >= LEAST_EXPLAINED_MIN * MINUTE_NS:
        return early_ns
    return max(end_ns, start_ns + MINUTE_NS)


def _recorded(observations: Observations) -> TimeWindow | None:
    """From the first row to the last; less than what was asked for where there was no more."""
    times = [series.times_ns for series in observations.metrics.series if len(series.times_ns)]
    logs = observations.logs.time_ns
    columns = (*times, observations.spans.start_ns, logs[logs != UNDATED])
    firsts = [int(np.min(column)) for column in columns if len(column)]
    lasts = [int(np.max(column)) for column in columns if len(column)]
    if not firsts:
        return None
    return TimeWindow(from_ns(min(firsts)), from_ns(max(lasts) + MICROSECOND_NS))


def _against_the_past(
    read: Telemetry, grid: Grid, extent: TimeWindow, asked: TimeWindow
) -> tuple[Stretch | None, list[Sign]]:
    """A stretch at the asked time so long that it blurred what is usual over all that was read.

    Against the time well before the asked one it stands out clearly, or is not believed.
    """
    until = asked.start - timedelta(minutes=PAST_ENDS_MIN)
    if until - timedelta(minutes=LEAST_PAST_MIN) < extent.start:
        return None, []
    signs = signs_of(read, grid, TimeWindow(extent.start, until))
    for one in stretches_of(heat_of(signs, grid)):
        if (
            one.first > FIRST_MINUTES
            and one.total >= CLEARLY_BURNS
            and one.total >= BURNS_ALL_ALONG * (one.last + 1 - one.first)
            and touches(one, grid, asked)
        ):
            return one, signs
    return None, signs


def _since_before(
    read: Telemetry,
    grid: Grid,
    extent: TimeWindow,
    change: Relief | None,
    meant: Stretch | None,
) -> Stretch | None:
    """A stretch from the first minute on, so long that trouble is what is usual.

    Only the relief at its end tells so. What was found instead gives way where it lies before
    the relief or begins with it: trouble has minutes that are worse, and its end is a change
    as well.
    """
    if change is None:
        return None
    if meant is not None and not (change.is_plain and _meets(meant, change.minute)):
        return None
    calm = TimeWindow(from_ns(grid.start_ns + change.minute * MINUTE_NS), extent.end)
    return burned_until(change.minute, heat_of(signs_of(read, grid, calm), grid))


def _meets(one: Stretch, minute: int) -> bool:
    return one.last + 1 <= minute + MEETS_MIN or abs(one.first - minute) <= MEETS_MIN


def focused(observations: Observations, found: Found) -> Observations:
    """The observations with the window that was found and without other incidents."""
    others = found.onset.left_out
    return replace(
        observations,
        window=found.window,
        metrics=series_outside(observations.metrics, others),
        spans=spans_outside(observations.spans, others),
        logs=lines_outside(observations.logs, others),
    )


def with_onset(diagnosis: Diagnosis, onset: Onset) -> Diagnosis:
    """The diagnosis of a window that was looked for.

    What stands out where nothing began, or hardly anything did, is believed less.
    """
    kept = onset.belief
    causes = tuple(
        replace(cause, probability=cause.probability * kept) for cause in diagnosis.causes
    )
    return replace(
        diagnosis,
        causes=causes,
        none_probability=(1.0 - kept) + kept * diagnosis.none_probability,
        evidence=tuple(replace(one, left_out=onset.left_out) for one in diagnosis.evidence),
        onset=onset,
    )


def _minutes_read(signs: Sequence[Sign], grid: Grid) -> int:
    """Minutes in which anything was read."""
    read = np.zeros(grid.minutes, dtype=np.bool_)
    for sign in signs:
        read |= ~np.isnan(sign.by_minute(grid))
    return int(np.count_nonzero(read))


def _told(
    outcome: OnsetOutcome,
    asked: TimeWindow,
    start_ns: int | None,
    end_ns: int | None,
    left_out: tuple[TimeWindow, ...],
    window: TimeWindow,
    belief: float,
) -> Found:
    said = onset_statement(outcome, asked, start_ns, end_ns, window)
    return Found(Onset(outcome, asked, start_ns, end_ns, left_out, said, belief), window)

"""When did it begin? Four outcomes, the window and the baseline that follow from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aegis.engine.diagnosis import diagnose
from aegis.engine.onset import find_onset, focused, with_onset
from aegis.model.incident import Observations
from aegis.model.telemetry import Matrix, to_ns
from tests.engine.burning import (
    HOURS_MIN,
    STEP_MIN,
    Minutes,
    asked_for,
    found,
    hours,
    lines,
    metrics,
    minute_of,
    minutes_of,
    traces,
)
from tests.engine.telemetry import at_ns, span, spans

# --- Four outcomes ------------------------------------------------------------------------------


def test_what_still_burns_began_and_goes_on() -> None:
    told = found(hours((152, HOURS_MIN)))
    assert told.onset.outcome == "ongoing"
    assert minute_of(told.onset.start_ns) == pytest.approx(152, abs=STEP_MIN)
    assert told.onset.end_ns is None
    start, end = minutes_of(told.window)
    assert start == minute_of(told.onset.start_ns)
    assert end == pytest.approx(HOURS_MIN, abs=STEP_MIN)


def test_what_is_over_began_and_ended() -> None:
    told = found(hours((152, 160)))
    assert told.onset.outcome == "ended"
    assert minute_of(told.onset.start_ns) == pytest.approx(152, abs=STEP_MIN)
    assert minute_of(told.onset.end_ns) == 160


def test_the_last_minutes_of_what_is_over_are_not_explained() -> None:
    told = found(hours((152, 160)))
    assert minutes_of(told.window) == (minute_of(told.onset.start_ns), 158.0)
    short = found(hours((152, 156)))
    assert minutes_of(short.window) == (minute_of(short.onset.start_ns), 156.0)


def test_where_nothing_burns_the_asked_time_is_the_window() -> None:
    told = found(hours())
    assert told.onset.outcome == "nothing"
    assert (told.onset.start_ns, told.onset.end_ns) == (None, None)
    assert minutes_of(told.window) == (150, 165)
    assert told.onset.left_out == ()


def test_with_too_little_telemetry_nothing_is_said() -> None:
    short = replace(asked_for(5, 15, extent=(0, 28)), metrics=metrics([(6, 28)], until=28))
    assert find_onset(short, short.window) is None
    nothing = asked_for(5, 15)
    assert find_onset(nothing, nothing.window) is None


def test_half_an_hour_is_enough() -> None:
    enough = replace(asked_for(15, 20, extent=(0, 30)), metrics=metrics([(16, 20)], until=30))
    assert find_onset(enough, enough.window) is not None


# --- Which incident is meant --------------------------------------------------------------------


@pytest.mark.parametrize("asked", [(140, 150), (145, 160), (155, 170), (166, 176), (100, 170)])
def test_a_guess_that_is_off_means_the_same(asked: Minutes) -> None:
    told = found(hours((152, 164), asked=asked))
    assert minute_of(told.onset.start_ns) == pytest.approx(152, abs=STEP_MIN)


@pytest.mark.parametrize("asked", [(100, 135), (178, 180)])
def test_what_lies_far_from_the_asked_time_is_not_meant(asked: Minutes) -> None:
    told = found(hours((152, 163), asked=asked))
    assert told.onset.outcome == "nothing"


def test_of_several_that_touch_the_one_that_fills_the_asked_time_is_meant() -> None:
    told = found(hours((90, 104), (150, 164), asked=(102, 165)))
    assert minute_of(told.onset.start_ns) == pytest.approx(150, abs=STEP_MIN)


def test_of_several_beside_the_nearest_is_meant() -> None:
    told = found(hours((90, 104), (125, 137), asked=(107, 116)))
    assert minute_of(told.onset.start_ns) == pytest.approx(90, abs=STEP_MIN)


def test_a_point_in_time_means_the_nearest_beginning() -> None:
    seen = hours((90, 104), (120, 140), asked=(100, 130))
    assert minute_of(found(seen, 95).onset.start_ns) == pytest.approx(90, abs=STEP_MIN)
    assert minute_of(found(seen, 118).onset.start_ns) == pytest.approx(120, abs=STEP_MIN)


# --- Robust to what is no incident --------------------------------------------------------------


def test_slow_drift_is_no_onset() -> None:
    assert found(hours(drift=0.3)).onset.outcome == "nothing"


def test_one_spike_is_no_onset() -> None:
    assert found(hours((155, 155.5))).onset.outcome == "nothing"


def test_everybody_getting_more_traffic_is_no_onset() -> None:
    """A harmless step of the load, in which no service answers worse."""
    calm = metrics([])
    stepped = []
    for one in calm.series:
        later = one.times_ns >= calm.series[0].times_ns[0] + int(152 * 60e9)
        more = np.where(later, 1.4, 1.0) if "requests" in one.name else 1.0
        stepped.append(replace(one, values=one.values * more))
    seen = replace(asked_for(150, 165), metrics=Matrix(tuple(stepped)))
    assert found(seen).onset.outcome == "nothing"


def test_one_service_getting_less_traffic_than_everybody_is_an_onset() -> None:
    calm = metrics([])
    lost = []
    for one in calm.series:
        later = one.times_ns >= calm.series[0].times_ns[0] + int(152 * 60e9)
        less = np.where(later, 0.3, 1.0)
        is_one = one.service == "store" and "requests" in one.name
        lost.append(replace(one, values=one.values * less) if is_one else one)
    # A third service, so that the two do not outvote each other.
    lost.append(replace(calm.series[2], service="bank"))
    seen = replace(asked_for(150, 165), metrics=Matrix(tuple(lost)))
    told = found(seen)
    assert told.onset.outcome == "ongoing"
    assert minute_of(told.onset.start_ns) == pytest.approx(152, abs=STEP_MIN)


def test_a_gap_in_the_recording_is_no_onset_and_hides_none() -> None:
    seen = replace(asked_for(150, 165), metrics=metrics([], silent=[(140, 150), (155, 158)]))
    assert found(seen).onset.outcome == "nothing"
    seen = replace(seen, metrics=metrics([(152, 170)], silent=[(100, 130), (156, 158)]))
    assert minute_of(found(seen).onset.start_ns) == pytest.approx(152, abs=STEP_MIN)


# --- Every source can tell ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["slow", "failed", "short"])
def test_spans_alone_tell_the_onset(kind: str) -> None:
    seen = replace(asked_for(150, 165), spans=traces([(152, 166)], kind=kind))
    told = found(seen)
    assert told.onset.outcome == "ended"
    assert minute_of(told.onset.start_ns) == pytest.approx(152, abs=0.25)


def test_logs_alone_tell_the_onset() -> None:
    seen = replace(asked_for(150, 165), logs=lines([(152, 166)]))
    assert minute_of(found(seen).onset.start_ns) == pytest.approx(152, abs=0.25)


def test_the_order_of_the_series_does_not_matter() -> None:
    seen = hours((152, 160))
    turned = replace(seen, metrics=Matrix(tuple(reversed(seen.metrics.series))))
    assert found(turned) == found(seen)


# --- The baseline -------------------------------------------------------------------------------


EARLIER = ((20, 42), (80, 102))
"""Incidents of the store that fill more than a quarter of what lies outside the last one."""


def after_earlier_ones() -> Observations:
    return replace(asked_for(150, 165), metrics=metrics([(152, 160)], store=EARLIER))


def test_earlier_incidents_that_fill_the_baseline_are_no_part_of_it() -> None:
    told = found(after_earlier_ones())
    assert minute_of(told.onset.start_ns) == pytest.approx(152, abs=STEP_MIN)
    for out, (start, end) in zip(told.onset.left_out, EARLIER, strict=True):
        assert minutes_of(out)[0] == pytest.approx(start, abs=1.0)
        assert minutes_of(out)[1] == pytest.approx(end, abs=1.0)


@pytest.mark.parametrize("earlier", [(60, 64), (40, 74)])
def test_an_earlier_incident_that_medians_bear_is_not_worth_losing_its_rows(
    earlier: Minutes,
) -> None:
    told = found(hours(earlier, (152, 160)))
    assert told.onset.outcome == "ended"
    assert told.onset.left_out == ()


def test_what_is_left_out_is_gone_from_every_table() -> None:
    hurt = [(152, 160)]
    seen = replace(after_earlier_ones(), spans=traces(hurt), logs=lines([*EARLIER, *hurt]))
    told = found(seen)
    kept = focused(seen, told)
    assert kept.window == told.window
    assert len(told.onset.left_out) == 2
    for out in told.onset.left_out:
        for series in kept.metrics.series:
            assert not out.contains(series.times_ns).any()
            assert len(series.times_ns) > 250
        assert not out.contains(kept.logs.time_ns).any()
        roots = kept.spans.start_ns[kept.spans.parent_span_id == b""]
        assert not out.contains(roots).any()


# --- What the diagnosis makes of it -------------------------------------------------------------


def test_the_diagnosis_carries_the_onset_and_its_citations_what_was_left_out() -> None:
    seen = after_earlier_ones()
    told = found(seen)
    diagnosis = with_onset(diagnose(focused(seen, told)), told.onset)
    assert diagnosis.onset == told.onset
    assert diagnosis.window == told.window
    assert diagnosis.causes[0].service == "shop"
    assert diagnosis.evidence
    assert {item.left_out for item in diagnosis.evidence} == {told.onset.left_out}


def test_the_longer_it_burns_the_more_it_is_believed() -> None:
    beliefs = [found(hours((152, end))).onset.belief for end in (155, 160, 172)]
    assert beliefs == sorted(beliefs)
    assert beliefs[0] < 0.8
    assert beliefs[-1] > 0.85


def test_what_happens_again_and_again_is_hardly_believed() -> None:
    once = found(hours((152, 155), asked=(150, 160)))
    often = found(hours((40, 43), (90, 93), (152, 155), asked=(150, 160)))
    assert often.onset.outcome == once.onset.outcome == "ended"
    assert often.onset.belief < 0.6 * once.onset.belief


def test_an_onset_that_is_believed_leaves_the_probabilities_alone() -> None:
    seen = hours((152, 160))
    told = found(seen)
    plain = diagnose(focused(seen, told))
    sure = replace(told.onset, belief=1.0)
    assert with_onset(plain, sure).causes == plain.causes
    assert with_onset(plain, sure).none_probability == plain.none_probability


def test_where_nothing_began_the_causes_are_believed_less() -> None:
    seen = hours((152, 160))
    told = found(seen)
    plain = diagnose(focused(seen, told))
    calm = found(hours()).onset
    assert calm.outcome == "nothing"
    assert calm.belief == 0.25
    doubted = with_onset(plain, calm)
    for before, after in zip(plain.causes, doubted.causes, strict=True):
        assert after.probability == pytest.approx(0.25 * before.probability)
    total = sum(cause.probability for cause in doubted.causes) + doubted.none_probability
    assert total == pytest.approx(1.0)
    assert doubted.none_probability > 0.5


# --- The edges of what was read -----------------------------------------------------------------


def test_the_history_is_what_was_recorded_not_what_was_asked_for() -> None:
    """Nothing is known of the hour before the first row."""
    calm = metrics([(20, 60)])
    later = tuple(
        replace(one, times_ns=one.times_ns[60:], values=one.values[60:]) for one in calm.series
    )
    seen = replace(asked_for(35, 50, extent=(-60, HOURS_MIN)), metrics=Matrix(later))
    told = found(seen)
    assert told.onset.outcome == "before_history"
    assert minutes_of(told.window)[0] == 30.0


def test_the_history_begins_with_the_source_that_reaches_back_the_farthest() -> None:
    seen = asked_for(30, 45)
    late = metrics([], silent=[(0, 60)])
    told = found(replace(seen, metrics=late, spans=traces([(30, 40)]), logs=lines([(30, 40)])))
    assert minute_of(told.onset.start_ns) == pytest.approx(30, abs=STEP_MIN)


def test_every_source_says_how_far_the_telemetry_reaches() -> None:
    seen = replace(
        asked_for(150, 165),
        metrics=metrics([(152, 160)], until=170),
        spans=traces([(152, 160)], until=176),
        logs=lines([(152, HOURS_MIN)]),
    )
    assert minutes_of(found(seen).window)[1] == pytest.approx(HOURS_MIN, abs=0.2)


def test_what_began_seconds_ago_is_looked_at_for_a_minute() -> None:
    """The telemetry ends in the middle of it: three services slow, their caller failing."""
    rows = []
    for second in range(100 * 60, 179 * 60 + 6):
        hurt, trace = second >= 178.5 * 60, f"{second:032x}"
        own = 10 + second % 4 + (60 if hurt else 0)
        rows.append(span(trace, "a", "", "shop", start_s=second, ms=own + 20, error=hurt))
        rows += [
            span(trace, name, "a", name, "get", start_s=second + 0.001, ms=own)
            for name in ("store", "bank", "mail")
        ]
    told = found(replace(asked_for(170, 179), spans=spans(rows)))
    assert told.onset.outcome == "ongoing"
    start, end = minutes_of(told.window)
    assert start == pytest.approx(178.5, abs=0.2)
    assert end == pytest.approx(start + 1)


@pytest.mark.parametrize(
    ("end", "outcome"), [(175.0, "ended"), (177.0, "ended"), (178.0, "ongoing")]
)
def test_what_burns_up_to_the_last_minutes_goes_on(end: float, outcome: str) -> None:
    assert found(hours((152, end))).onset.outcome == outcome


@pytest.mark.parametrize(
    ("start", "outcome"), [(2.0, "before_history"), (3.0, "before_history"), (5.0, "ended")]
)
def test_what_burns_from_the_first_minutes_on_began_before(start: float, outcome: str) -> None:
    assert found(hours((start, 30), asked=(15, 30))).onset.outcome == outcome


def test_the_window_of_what_goes_on_holds_the_last_row_and_nothing_after_it() -> None:
    told = found(hours((152, HOURS_MIN)))
    last = at_ns(60 * HOURS_MIN - 30)
    assert to_ns(told.window.end) == last + 1_000  # the least step of a window

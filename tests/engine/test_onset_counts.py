"""Counts as signs of trouble: severe lines and spans that fail, against their calm rate."""

from __future__ import annotations

import numpy as np
import pytest

from aegis.engine.onset_signs import Counted, Grid, Sign
from aegis.model.telemetry import UNDATED, LogLine
from tests.engine.signs import CALM_MIN, GRID, signs
from tests.engine.telemetry import line, logs, span, spans


def counted(found: list[Sign], service: str) -> Counted:
    (one,) = [each for each in found if each.service == service]
    assert isinstance(one, Counted)
    return one


def test_severe_lines_are_held_against_the_minutes_in_which_anybody_logged() -> None:
    """An ordinary line in each of the first fifty minutes, six errors in each of the last ten."""
    rows = [line(60 * minute, "store", f"served {minute}", "INFO") for minute in range(50)]
    rows += [
        line(60 * minute + 10 * part, "shop", "order failed", "ERROR")
        for minute in range(40, 50)
        for part in range(6)
    ]
    rows.append(LogLine(UNDATED, "shop", "order failed", "ERROR"))
    found = counted(signs(logs=logs(rows)), "shop")
    assert found.hits.sum() == 60
    assert found.trials.reshape(-1, 6).sum(axis=1).tolist() == [pytest.approx(1)] * 50 + [0.0] * 10
    assert found.usual == pytest.approx(0.1)  # never wrote one: one in ten minutes is put


def test_a_service_that_writes_no_severe_line_has_no_sign() -> None:
    rows = [line(60 * minute, "store", f"served {minute}", "INFO") for minute in range(60)]
    assert signs(logs=logs(rows)) == []


def test_a_single_line_may_be_the_only_one() -> None:
    only = counted(signs(logs=logs([line(3000, "shop", "order failed", "ERROR")])), "shop")
    assert np.flatnonzero(only.hits).tolist() == [300]


def test_the_usual_rate_of_a_count_is_that_of_its_calmest_minutes() -> None:
    """Two lines a minute in 30 of 40 minutes, thirty in the others: seven in ten count."""
    rows = [
        line(60 * minute + part, "shop", "order failed", "ERROR")
        for minute in range(60)
        for part in range(2 if minute < 30 or minute >= CALM_MIN else 30)
    ]
    assert counted(signs(logs=logs(rows)), "shop").usual == pytest.approx(2.0)


def test_of_two_minutes_the_calmer_is_usual() -> None:
    rows = [
        line(60 * minute + part, "shop", "order failed", "ERROR")
        for minute, lines in ((10, 3), (20, 9))
        for part in range(lines)
    ]
    assert counted(signs(logs=logs(rows)), "shop").usual == pytest.approx(3.0)


def test_what_is_usual_is_told_from_the_calm_time_alone() -> None:
    rows = [
        line(60 * minute + part, "shop", "order failed", "ERROR")
        for minute in range(60)
        for part in range(9 if minute == 0 else 4 if minute < CALM_MIN else 1)
    ]
    assert counted(signs(logs=logs(rows)), "shop").usual == pytest.approx(4.0)


def test_a_failing_share_of_spans_is_a_sign_however_rare_failures_were() -> None:
    """None failed in the calm time: three in a thousand are put."""
    rows = [
        span(f"{second:032x}", "a", start_s=second, ms=10, error=second >= 3000)
        for second in range(0, 3600, 6)
    ]
    found = [one for one in signs(spans=spans(rows)) if isinstance(one, Counted)]
    failing = [one for one in found if one.hits.sum() == 100]
    assert [one.usual for one in failing] == [0.003]
    assert failing[0].trials.sum() == 600
    told = failing[0].by_minute(GRID)
    # 10 of 10 where .03 are usual
    deviance = 2 * (10 * np.log(10 / 0.03) - (10 - 0.03))
    assert told[-1] == pytest.approx(np.sqrt(deviance) / 1.4)
    assert told[0] == pytest.approx(-np.sqrt(2 * 0.03) / 1.4)


@pytest.mark.parametrize(("hits", "z"), [(0.5, 0.0), (1.0, 0.44), (0.25, -0.28), (0.0, -0.71)])
def test_a_count_says_by_how_much_it_differs_from_what_is_expected(hits: float, z: float) -> None:
    """Half a hit a minute is usual, and says nothing."""
    each = np.full(6, hits / 6)
    one = Counted("shop", each, np.full(6, 5 / 6), 0.1)
    assert one.by_minute(Grid(0, 1))[0] == pytest.approx(z, abs=0.01)


def test_the_calmest_minutes_are_those_of_the_lowest_share_whatever_their_traffic() -> None:
    """Forty calls a minute of which two fail are calmer than ten of which one does."""
    rows = []
    for minute in range(60):
        calls, failing = (10, 1) if minute < 20 else (40, 2)
        rows += [
            span(f"{minute:x}-{call}", "a", start_s=60 * minute + call, error=call < failing)
            for call in range(calls)
        ]
    found = [one for one in signs(spans=spans(rows)) if isinstance(one, Counted)]
    (failed,) = [one for one in found if one.hits.sum() == 20 + 80]
    assert failed.usual == pytest.approx((20 * 2 + 8 * 1) / (20 * 40 + 8 * 10))

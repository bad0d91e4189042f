"""Some spans that take much longer while most are as fast as ever: lost messages, pauses."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from aegis.engine.findings import Finding
from aegis.engine.span_blocks import TAILS, block_surprise
from aegis.engine.span_latency import latency_findings
from aegis.engine.stats import share_change_decades
from aegis.engine.trace_tree import TraceTree
from tests.engine.calm_series import surprise
from tests.engine.telemetry import at_ns, span, spans

FAULT_S = 12_000.0
MINUTE = 60.0


def judge(before: Sequence[Sequence[float]], after: Sequence[float]) -> list[Finding]:
    """Findings where each minute of the baseline holds these spans, and the window those."""
    rows = []
    for minute, several in enumerate(before):
        for number, ms in enumerate(several):
            time_s = minute * MINUTE + number * 0.5
            rows.append(span(f"b{minute}-{number}", "a", "", "shop", start_s=time_s, ms=ms))
    for number, ms in enumerate(after):
        rows.append(span(f"a{number}", "a", "", "shop", start_s=FAULT_S + number * 0.5, ms=ms))
    table = spans(rows)
    return latency_findings(TraceTree.of(table), table.start_ns >= at_ns(FAULT_S))[0]


def decades(slow_before: int, before: int, slow_after: int, after: int) -> float:
    counts = (np.array([float(n)]) for n in (slow_before, before, slow_after, after))
    return float(share_change_decades(*counts)[0])


def expected(found_decades: float, mean_before: float, mean_after: float, root: float) -> float:
    """min(12, decades)/2 · min(1 + m², 0.7 · log2 of means / 1.5) · m."""
    m = (mean_after - mean_before) / (mean_after - mean_before + 0.1 * root)
    effect = 0.7 * math.log2(mean_after / mean_before)
    return min(12.0, found_decades) / 2 * min(1 + m * m, effect / 1.5) * m


class TestTail:
    calm = ((10.0,) * 20,) * 6

    def test_of_a_fifth_of_the_spans_is_seen_while_the_median_stays(self) -> None:
        (found,) = judge(self.calm, [10.0] * 32 + [210.0] * 8)
        assert found.surprise == pytest.approx(expected(decades(0, 120, 8, 40), 10, 50, 10))
        assert found.signal == "self_time"
        assert found.baseline == 10.0
        assert found.observed == pytest.approx(50.0)

    def test_of_spans_that_barely_take_longer_is_none(self) -> None:
        # 0.7 · log2(mean / 10) reaches 0.4 octaves at a mean of 14.86
        assert judge(self.calm, [10.0] * 32 + [34.2] * 8) == []
        (found,) = judge(self.calm, [10.0] * 32 + [34.4] * 8)
        assert found.observed == pytest.approx(14.88)

    def test_counts_spans_beyond_what_98_of_100_took(self) -> None:
        # Of 120 spans three take 40: the 98th percentile lies a fraction of the way to them.
        before = [(10.0,) * 19 + (40.0,)] * 3 + [(10.0,) * 20] * 3
        (found,) = judge(before, [10.0] * 32 + [210.0] * 8)
        # The mean of the calm spans is cut at that percentile, that of the window at 210.
        cut = float(np.percentile([10.0] * 117 + [40.0] * 3, 98))
        mean = (117 * 10 + 3 * min(cut, 40.0)) / 120
        assert found.surprise == pytest.approx(
            expected(decades(3 if cut < 40 else 0, 120, 8, 40), mean, 50, (1170 + 120) / 120)
        )

    def test_that_was_as_long_before_is_none(self) -> None:
        before = [(10.0,) * 18 + (100.0,) * 2] * 6
        assert judge(before, [10.0] * 36 + [100.0] * 4) == []

    def test_that_became_shorter_is_none(self) -> None:
        before = [(10.0,) * 15 + (100.0,) * 5] * 6
        assert judge(before, [10.0] * 39 + [101.0]) == []

    def test_needs_six_minutes_before_that_hold_ten_spans(self) -> None:
        slow = [10.0] * 32 + [210.0] * 8
        assert judge([(10.0,) * 10] * 6, slow)
        assert judge([(10.0,) * 9] * 6, slow) == []

    def test_says_nothing_after_five_minutes(self) -> None:
        # What is left is the shift of all: its effect is that of the 90th percentile.
        slow = [10.0] * 32 + [210.0] * 8
        (found,) = judge([(10.0,) * 20] * 5, slow)
        test = mannwhitneyu(slow, [10.0] * 100, alternative="greater", method="asymptotic")
        m = 40 / 41
        assert found.surprise == pytest.approx(-math.log10(test.pvalue) / 2 * (1 + m * m) * m)

    def test_needs_ten_spans_in_a_minute_of_the_window(self) -> None:
        assert judge(self.calm, [10.0] * 7 + [210.0] * 3)
        assert judge(self.calm, [10.0] * 6 + [210.0] * 3) == []

    def test_is_believed_to_twice_what_the_minutes_show(self) -> None:
        # The slowest tenth took 16 and 24 in turn, and takes 28 now: z = (28 - 20) / 5.9304.
        before = [(10.0,) * 16 + (16.0,) * 4, (10.0,) * 16 + (24.0,) * 4] * 3
        (found,) = judge(before, [10.0] * 21 + [28.0] * 19)
        assert found.surprise == pytest.approx(2 * surprise(8 / 5.9304), rel=1e-3)

    def test_rests_on_twelve_decades_at_most(self) -> None:
        calm = [(10.0,) * 100] * 6
        (found,) = judge(calm, ([10.0] * 6 + [210.0] * 4) * 10)
        assert decades(0, 600, 40, 100) > 12
        assert found.surprise == pytest.approx(expected(12.0, 10, 90, 10))


class TestMinutes:
    def test_are_told_by_their_90th_percentile(self) -> None:
        values = np.array(([10.0] * 10 + [110.0]) * 7)
        times = np.array([at_ns(60 * minute + n) for minute in range(7) for n in range(11)])
        values[-2] = 14.0  # the slowest but one of the window's eleven: their 90th percentile
        found = block_surprise(times, values, np.arange(77) >= 66, TAILS)
        assert found == pytest.approx(surprise(4 / 0.5))

    def test_are_sixty_seconds_long(self) -> None:
        # Ten spans a block: 0 to 59.999999999 s.
        times = np.array(
            [at_ns(60 * minute) + n * 6_666_666_666 for minute in range(7) for n in range(10)]
        )
        values = np.array([10.0] * 60 + [11.5] * 10)
        after = np.arange(70) >= 60
        assert block_surprise(times, values, after, TAILS) == pytest.approx(surprise(3))
        late = times + np.where(np.arange(70) % 10 == 9, 6, 0)
        assert block_surprise(late, values, after, TAILS) is None

"""Blocks of 20 seconds: what spans of one moment share is no evidence twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from aegis.engine.span_blocks import block_surprise
from tests.engine.calm_series import surprise
from tests.engine.telemetry import at_ns


def blocks(usual: Sequence[float], faulty: Sequence[float], in_block: int = 3) -> float | None:
    """Surprise of blocks of these medians: `in_block` spans each, outliers apart."""
    times, values, after = [], [], []
    for place, middle in enumerate([*usual, *faulty]):
        for number in range(in_block):
            # Edges of the block: its first nanosecond and its last.
            offset_ns = (0, 19_999_999_999, 7)[number % 3]
            times.append(at_ns(20 * place) + offset_ns)
            values.append(middle if number % 3 else middle + 50 * (number == 0))
            after.append(place >= len(usual))
    return block_surprise(np.array(times), np.array(values), np.array(after))


class TestBlocks:
    """Spans of 20 seconds are one sample: what they share is no evidence twice."""

    def test_compare_medians_of_blocks_with_their_usual_spread(self) -> None:
        assert blocks([10.0] * 6, [11.5]) == pytest.approx(surprise(3))
        # 8 and 12 in turn: quartiles and deviation both say 2 · 1.4826.
        assert blocks([8.0, 12.0] * 3, [16.0]) == pytest.approx(surprise(6 / 2.9652), rel=1e-4)

    def test_of_several_faulty_blocks_the_median_counts(self) -> None:
        assert blocks([10.0] * 6, [10.0, 11.5, 90.0]) == pytest.approx(surprise(3))

    def test_distrust_what_is_barely_above_earlier_spikes(self) -> None:
        # One of 21 blocks is at 14: the 98th percentile is 12.4.
        usual = [10.0] * 10 + [14.0] + [10.0] * 10
        assert blocks(usual, [12.5]) == pytest.approx(surprise(2 + 3 * 0.1 / 0.5))

    def test_that_became_faster_say_nothing(self) -> None:
        assert blocks([10.0] * 6, [9.0]) == 0.0

    @pytest.mark.parametrize(("usual", "in_block"), [([10.0] * 5, 3), ([10.0] * 6, 2), ([], 3)])
    def test_set_no_limit_where_too_few_are_filled(self, usual: list[float], in_block: int) -> None:
        assert blocks(usual, [11.5], in_block) is None

    def test_set_no_limit_without_a_filled_block_in_the_window(self) -> None:
        times = np.array([at_ns(20 * place + part) for place in range(7) for part in range(3)])
        values = np.full(21, 10.0)
        assert block_surprise(times, values, np.arange(21) >= 19) is None
        assert block_surprise(times, values, np.arange(21) >= 18) == 0.0

    def test_are_split_where_the_window_begins(self) -> None:
        # The window begins within the last block: what lies before stays usual.
        times = [at_ns(20 * place + part) for place in range(6) for part in range(6)]
        values = [10.0] * 33 + [11.5] * 3
        found = block_surprise(np.array(times), np.array(values), np.arange(36) >= 33)
        assert found == pytest.approx(surprise(3))

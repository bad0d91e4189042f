"""Blocks of time: what spans of one moment share is no evidence twice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aegis.engine.stats import GroupedSamples, group_quantiles, robust_scale, surprise_of_z
from aegis.model.telemetry import Bools, Floats, Int64s

BLOCK_FLOOR = 0.05
LEAST_BLOCKS = 6
SPIKE_PENALTY = 3.0
SPIKE_GRACE = 2.0


@dataclass(frozen=True, slots=True)
class Blocks:
    """Blocks of this length, each told by one quantile of at least so many spans."""

    length_ns: int
    quantile: float
    least_spans: int


MEDIANS = Blocks(length_ns=20_000_000_000, quantile=0.5, least_spans=3)
TAILS = Blocks(length_ns=60_000_000_000, quantile=0.9, least_spans=10)


def block_surprise(
    times_ns: Int64s, values: Floats, after: Bools, blocks: Blocks = MEDIANS
) -> float | None:
    """Surprise of the window against how much short blocks vary anyway.

    Spans of one moment are slow together, so they are fewer independent samples than rows.
    None where too few blocks are filled to tell.
    """
    block = times_ns // blocks.length_ns * 2 + after  # mutate: equivalent odd beside even
    names, place = np.unique(block, return_inverse=True)
    grouped = GroupedSamples.of(place.astype(np.int64), values, after, len(names))
    levels = group_quantiles(grouped.values, grouped.offsets, blocks.quantile)
    filled = np.diff(grouped.offsets) >= blocks.least_spans
    usual, faulty = levels[filled & (names % 2 == 0)], levels[filled & (names % 2 == 1)]
    if len(usual) < LEAST_BLOCKS or len(faulty) == 0:
        return None
    middle, level = float(np.median(usual)), float(np.median(faulty))
    scale = robust_scale(usual, BLOCK_FLOOR * middle)
    p98 = float(np.percentile(usual, 98))
    return surprise_of_z(
        min((level - middle) / scale, SPIKE_GRACE + SPIKE_PENALTY * (level - p98) / scale)
    )

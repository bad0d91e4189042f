"""Series that are calm until the window, and what the engine finds in them."""

from __future__ import annotations

import math

from aegis.engine.findings import Finding
from aegis.engine.measured import measured
from aegis.engine.metrics import metric_findings
from aegis.model.telemetry import Alarm, Matrix, Series, TimeWindow
from tests.engine.telemetry import series, window

CALM_SAMPLES = 20
MINUTE = 60
WINDOW = window(CALM_SAMPLES * MINUTE, (CALM_SAMPLES + 10) * MINUTE)
CAP = 2 * math.log10(1 + CALM_SAMPLES)
"""The most that twenty samples before the window can tell."""
Labels = tuple[tuple[str, str], ...]


def surprise(z: float) -> float:
    return 2 * math.log10(1 + z * z / 3)


def findings(
    *several: Series, within: TimeWindow = WINDOW, alarm: Alarm | None = None
) -> list[Finding]:
    return metric_findings(measured(Matrix(several)), within, alarm)


def only(*several: Series, within: TimeWindow = WINDOW, alarm: Alarm | None = None) -> Finding:
    (found,) = findings(*several, within=within, alarm=alarm)
    return found


def calm_then(
    name: str, calm: float, *faulty: float, service: str = "cart", labels: Labels = ()
) -> Series:
    """Twenty equal samples before the window, then these in it."""
    return series(service, name, [calm] * CALM_SAMPLES + list(faulty), labels=labels)


def strength(name: str, calm: float, faulty: float, *others: Series) -> float:
    """Surprise of a series of cart that rises from `calm` to three times `faulty`, among others.

    Three of twenty-three samples are no chance: 1 in 1771, more than `CAP` lets them tell.
    """
    found = [
        item
        for item in findings(calm_then(name, calm, faulty, faulty, faulty), *others)
        if item.subject == name and item.service == "cart"
    ]
    return found[0].surprise if found else 0.0

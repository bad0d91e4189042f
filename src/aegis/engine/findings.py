"""A finding: one thing that differs between the fault window and the baseline."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from aegis.model.evidence import Signal, Source
from aegis.model.telemetry import Floats, Int64s


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """A deviation of one service (or of its calls to `peer`), before it becomes Evidence.

    `surprise` is in decades: 0 is expected, 2 is one in a hundred. `share` is the part of
    the service's requests in the window that it touches (1.0 where that has no meaning).
    `outbound` marks time of spans that may be calls to something that emits no spans.
    `times_ns` and `values` are the rows the finding rests on, for the hash and the trend.
    """

    source: Source
    signal: Signal
    service: str
    peer: str | None
    subject: str
    query: str
    surprise: float
    baseline: float | None
    observed: float | None
    unit: str
    times_ns: Int64s
    values: Floats
    share: float = 1.0
    onset_ns: int | None = None
    samples: tuple[str, ...] = ()
    outbound: bool = False

    def digest(self) -> str:
        """sha256 of the rows the finding rests on, as (time, value) pairs in time order.

        Times are little-endian int64 nanoseconds, values little-endian float64. Names are no
        part of it, so the same rows under other names have the same digest.
        """
        order = np.lexsort((self.values, self.times_ns))
        times = np.ascontiguousarray(self.times_ns[order], dtype="<i8")
        values = np.ascontiguousarray(self.values[order], dtype="<f8")
        return sha256(times.tobytes() + values.tobytes()).hexdigest()

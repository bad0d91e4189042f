"""What was not recorded: scrapes that failed, a collector that restarted, logs that stopped.

A gap takes away what the instruments would have shown. Gaps of everybody's telemetry spare the
minutes around the beginning of the incident that is asked about, and no gap of a single service
but a restart of its own hides a cause: what nobody could see, nobody could find.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from aegis.adapters.cases.tables import log_rows, span_rows
from aegis.model.telemetry import Bools, Int32s, Int64s, LogTable, Matrix, Series, SpanTable
from lab.simulator.conditions import BIN_S, Conditions

Signal = Literal["metrics", "spans", "logs"]
MINUTE = 60.0
SPARED_S = 300.0
COLLECTORS: tuple[tuple[Signal, float], ...] = (("metrics", 0.4), ("spans", 0.15), ("logs", 0.1))
"""How often what collects a signal restarts during a recording."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Nothing of this signal between the two times; `service` None: of nobody."""

    signal: Signal
    service: int | None
    begin_s: float
    end_s: float


def draw_gaps(
    rng: np.random.Generator,
    services: int,
    length_s: float,
    causes: set[int],
    spared: tuple[float, float] | None,
) -> tuple[Gap, ...]:
    """Gaps of one recording. `spared` is the time that gaps of everybody leave alone."""
    out: list[Gap] = []
    others = [service for service in range(services) if service not in causes]
    for _ in range(int(rng.poisson(length_s / 3600))):
        begin = float(rng.uniform(0, length_s))
        who = int(rng.choice(others))
        out.append(Gap("metrics", who, begin, begin + float(rng.uniform(1, 5)) * MINUTE))
    for signal, chance in COLLECTORS:
        begin = float(rng.uniform(0, length_s))
        gap = Gap(signal, None, begin, begin + float(rng.uniform(1, 4)) * MINUTE)
        if rng.random() < chance and not _touches(gap, spared):
            out.append(gap)
    if rng.random() < 0.25:
        begin = float(rng.uniform(0.2, 0.9)) * length_s
        out.append(Gap("logs", int(rng.choice(others)), begin, length_s))
    return tuple(out)


def _touches(gap: Gap, spared: tuple[float, float] | None) -> bool:
    if spared is None:
        return False
    return gap.begin_s < spared[1] and gap.end_s > spared[0] - SPARED_S


def not_kept(until_s: float) -> tuple[Gap, ...]:
    """Everything before a moment, of everybody; nothing where the recording begins with it."""
    if until_s <= 0.0:
        return ()
    return tuple(Gap(signal, None, 0.0, until_s) for signal, _ in COLLECTORS)


def restart_gaps(conditions: Conditions) -> tuple[Gap, ...]:
    """A process that is not there exports no metrics and writes no lines."""
    out: list[Gap] = []
    for service in np.flatnonzero(conditions.gone.any(axis=1)).tolist():
        away = np.concatenate([[0.0], conditions.gone[service], [0.0]])
        for begin, end in zip(
            np.flatnonzero(np.diff(away) > 0), np.flatnonzero(np.diff(away) < 0), strict=True
        ):
            out.append(Gap("metrics", service, begin * BIN_S, end * BIN_S))
            out.append(Gap("logs", service, begin * BIN_S, end * BIN_S))
    return tuple(out)


def leave_out_series(
    metrics: Matrix, gaps: Iterable[Gap], names: list[str], epoch_ns: int
) -> Matrix:
    """The series without samples in gaps; a series of which nothing is left goes."""
    mine = [gap for gap in gaps if gap.signal == "metrics"]
    out: list[Series] = []
    for series in metrics.series:
        owner = names.index(series.service)
        kept = _outside(series.times_ns, [g for g in mine if g.service in (None, owner)], epoch_ns)
        if kept.any():
            out.append(replace(series, times_ns=series.times_ns[kept], values=series.values[kept]))
    return Matrix(tuple(out))


def leave_out_spans(spans: SpanTable, gaps: Iterable[Gap], epoch_ns: int) -> SpanTable:
    mine = [gap for gap in gaps if gap.signal == "spans"]
    return span_rows(spans, _rows(spans.start_ns, spans.service_code, mine, epoch_ns))


def leave_out_lines(logs: LogTable, gaps: Iterable[Gap], epoch_ns: int) -> LogTable:
    mine = [gap for gap in gaps if gap.signal == "logs"]
    return log_rows(logs, _rows(logs.time_ns, logs.service_code, mine, epoch_ns))


def _rows(times_ns: Int64s, owner: Int32s, gaps: list[Gap], epoch_ns: int) -> Bools:
    kept = np.ones(len(times_ns), dtype=np.bool_)
    for gap in gaps:
        rows = np.ones_like(kept) if gap.service is None else owner == gap.service
        kept &= ~rows | _outside(times_ns, [gap], epoch_ns)
    return kept


def _outside(times_ns: Int64s, gaps: list[Gap], epoch_ns: int) -> Bools:
    since = (times_ns - epoch_ns) / 1e9
    kept = np.ones(len(times_ns), dtype=np.bool_)
    for gap in gaps:
        kept &= (since < gap.begin_s) | (since >= gap.end_s)
    return kept

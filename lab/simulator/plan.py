"""What is decided about a case before anything happens in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aegis.model.telemetry import Floats
from lab.simulator.conditions import BIN_S
from lab.simulator.drawing import draw_topology
from lab.simulator.faults import FaultKind
from lab.simulator.instruments import Instruments, draw_instruments, set_up
from lab.simulator.topology import Topology
from lab.simulator.traffic import draw_wave

FIRST_FROZEN_SEED = 1_000_000
"""Seeds from here on are the frozen half: measured, never tuned on."""
EPOCH_S = 1_749_999_960
STREAMS = (
    "topology",
    "instruments",
    "plan",
    "incident",
    "requests",
    "ids",
    "spans",
    "metrics",
    "logs",
    "header",
)
CALLS = 60_000


def streams_of(seed: int) -> dict[str, np.random.Generator]:
    """Independent random numbers for each part, so that one part never shifts another."""
    children = np.random.SeedSequence(seed).spawn(len(STREAMS))
    return {
        name: np.random.default_rng(child) for name, child in zip(STREAMS, children, strict=True)
    }


@dataclass(frozen=True, slots=True)
class Plan:
    """One case before it is simulated. Times are seconds since the recording began.

    `wave` is the traffic relative to `rate` (requests a second), one value a bin. `kind` and
    `place` fix the fault where they are set.
    `innocent` holds (service index, time, kind) of changes that do no harm, `holes` the parts
    of the baseline that were not recorded. `window_start_s` is when the fault is said to have
    begun. `calls` is about how many calls are simulated; each stands for many real ones.
    """

    id: str
    topology: Topology
    instruments: Instruments
    epoch_s: int
    start_s: float
    end_s: float
    window_start_s: float
    wave: Floats
    rate: float
    has_fault: bool
    holes: tuple[tuple[float, float], ...] = ()
    innocent: tuple[tuple[int, float, str], ...] = ()
    kind: FaultKind | None = None
    place: int | None = None
    asks: bool = True
    question: str | None = None
    lists_all_calls: bool = True
    calls: int = CALLS


def draw_plan(seed: int, streams: dict[str, np.random.Generator], no_fault_share: float) -> Plan:
    """A plan in which everything is drawn."""
    rng = streams["plan"]
    bare = draw_topology(streams["topology"])
    show = draw_instruments(streams["instruments"], len(bare.services))
    topology = set_up(bare, show, streams["instruments"])
    start_s = float(rng.integers(20, 61) * 60 + rng.uniform(0, 60))
    end_s = float(np.ceil((start_s + rng.uniform(180, 600)) / 60) * 60)
    has_fault = bool(rng.random() >= no_fault_share)
    holes = _draw_holes(rng, start_s) if rng.random() < 0.4 else ()
    off_s = float(rng.uniform(0, 60)) * (1 if rng.random() < 0.7 else -1)
    return Plan(
        id=f"sim-{seed:07d}",
        topology=topology,
        instruments=show,
        epoch_s=EPOCH_S + int(rng.integers(0, 365 * 1440)) * 60,
        start_s=start_s,
        end_s=end_s,
        window_start_s=start_s + off_s,
        wave=_draw_wave(rng, start_s, end_s, has_fault),
        rate=float(rng.uniform(20, 200)),
        has_fault=has_fault,
        holes=holes,
        innocent=_draw_innocent_changes(rng, topology, start_s, has_fault),
        asks=not holes and bool(rng.random() < 0.7),
        lists_all_calls=not show.has_spans or bool(rng.random() < 0.6),
    )


def _draw_wave(rng: np.random.Generator, start_s: float, end_s: float, has_fault: bool) -> Floats:
    """Traffic of the recording; sometimes it steps up near the fault, without harm."""
    bins = int(end_s // BIN_S)
    wave = draw_wave(rng, bins)
    if rng.random() < (0.12 if has_fault else 0.35):
        step_s = start_s + rng.uniform(-300, 60)
        wave = np.where(np.arange(bins) * BIN_S >= step_s, wave * rng.uniform(1.15, 1.4), wave)
    return wave


def _draw_holes(rng: np.random.Generator, start_s: float) -> tuple[tuple[float, float], ...]:
    """Up to three holes that leave most of the baseline."""
    holes = []
    for _ in range(int(rng.integers(1, 4))):
        length = float(rng.uniform(60, start_s / 7))
        begin = float(rng.uniform(0, start_s - length - 120))
        holes.append((begin, begin + length))
    return tuple(holes)


def _draw_innocent_changes(
    rng: np.random.Generator, topology: Topology, start_s: float, has_fault: bool
) -> tuple[tuple[int, float, str], ...]:
    """Changes of services that have nothing to do with the fault; some come just before it."""
    candidates = [i for i, s in enumerate(topology.services) if s.role in ("service", "entry")]
    out = []
    for _ in range(int(rng.poisson(0.6 if has_fault else 1.0))):
        near = rng.random() < 0.4
        before = float(rng.uniform(5, 300) if near else rng.uniform(300, start_s))
        kind = "deploy" if rng.random() < 0.8 else "config"
        out.append((int(rng.choice(candidates)), start_s - before, kind))
    return tuple(out)

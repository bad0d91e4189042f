"""Lets the episodes of a timeline happen, one after another, each in its own stretch of time.

Solving the load of hours is slow, and most of it is an ordinary day: that part is solved on a
coarse grid, and only the stretches around the episodes bin by bin.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from aegis.model.telemetry import Floats
from lab.simulator.conditions import BIN_S, Conditions
from lab.simulator.faults import Fault, FaultKind
from lab.simulator.incident import Incident, NoPlace, Strike, System, draw_strike, strike
from lab.simulator.load import Capacity, Load, solve_load
from lab.simulator.timeline import Episode, Timeline
from lab.simulator.timeline_faults import TIMELINE_KINDS
from lab.simulator.topology import Topology

COARSE = 6
"""Bins that share one solution on an ordinary day: 30 seconds."""
LEAD_S = 1500.0
"""What leads to a fault lies within this time before it."""
PROBE_S = 480.0
"""Customers notice a fault within this time, or it is made stronger."""
RECOVERY_S = 600.0
SECOND_AFTER_S = 90.0
"""Of two faults at once, the second begins at most this much later."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """The faults of one episode; times since the recording began."""

    episode: Episode
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """All that happened. `incident.faults` are the faults of all chapters."""

    incident: Incident
    chapters: tuple[Chapter, ...]


def tell(
    timeline: Timeline,
    capacity: Capacity,
    rates: Floats,
    rng: np.random.Generator,
    kinds: tuple[FaultKind, ...] = TIMELINE_KINDS,
) -> Story:
    """Draws the faults of every episode and solves what follows from them."""
    topology = timeline.topology
    bins = rates.shape[1]
    load = _ordinary_load(topology, capacity, rates)
    conditions = Conditions.quiet(topology, bins)
    chapters: list[Chapter] = []
    for episode in timeline.episodes:
        stage = _Stage(
            System(topology, capacity, rates, timeline.instruments.has_spans), load, episode
        )
        part, faults = stage.play(rng, kinds)
        conditions.write(part.conditions, stage.first)
        load.write(part.load, stage.first)
        chapters.append(Chapter(episode, faults))
    everything = tuple(fault for chapter in chapters for fault in chapter.faults)
    return Story(Incident(everything, conditions, load), tuple(chapters))


def _ordinary_load(topology: Topology, capacity: Capacity, rates: Floats) -> Load:
    sparse = rates[:, ::COARSE]
    quiet = Conditions.quiet(topology, sparse.shape[1])
    return solve_load(topology, capacity, sparse, quiet).stretched(COARSE, rates.shape[1])


@dataclass(frozen=True, slots=True)
class _Stage:
    """The stretch of time around one episode."""

    whole: System
    load: Load
    episode: Episode

    @property
    def first(self) -> int:
        return max(0, int((self.episode.start_s - LEAD_S) // BIN_S))

    def play(
        self, rng: np.random.Generator, kinds: tuple[FaultKind, ...]
    ) -> tuple[Incident, tuple[Fault, ...]]:
        """The stretch with its faults, and the faults in the time of the recording."""
        begin = self.episode.start_s - self.first * BIN_S
        end = self.episode.end_s - self.first * BIN_S
        probed_until = min(end, begin + PROBE_S)
        system, before = self._until(probed_until)
        blow, probed = draw_strike(
            system, before, (begin, probed_until), rng, kinds, tries_a_place=1
        )
        blows = [(blow, begin)]
        if self.episode.faults > 1:
            later = begin + float(rng.uniform(0, SECOND_AFTER_S))
            felt = tuple(kind for kind in kinds if kind.harm == "felt")
            try:
                second, _ = draw_strike(
                    system, probed, (later, probed_until), rng, felt, tries_a_place=1
                )
            except NoPlace:  # the first fault leaves nothing that a second could make worse
                pass
            else:
                blows.append((second, later))
        return self._strike_all(blows, end)

    def _until(self, end_s: float) -> tuple[System, Incident]:
        """The stretch up to a moment, on an ordinary day."""
        last = min(self.whole.bins, self.first + int(np.ceil(end_s / BIN_S)))
        system = replace(self.whole, entry_rates=self.whole.entry_rates[:, self.first : last])
        quiet = Conditions.quiet(system.topology, system.bins)
        return system, Incident((), quiet, self.load.between(self.first, last))

    def _strike_all(
        self, blows: list[tuple[Strike, float]], end_s: float
    ) -> tuple[Incident, tuple[Fault, ...]]:
        system, incident = self._until(end_s + RECOVERY_S)
        for blow, begin_s in blows:
            incident, _ = strike(system, incident, blow, (begin_s, end_s))
        shift = self.first * BIN_S
        faults = tuple(
            replace(fault, start_s=fault.start_s + shift, end_s=fault.end_s + shift)
            for fault in incident.faults
        )
        return incident, faults

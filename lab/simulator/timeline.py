"""What is decided about a timeline before anything happens in it.

A timeline is two to six hours of contiguous telemetry with quiet stretches and up to three
incidents. One question is asked about it: about its last incident, or where nothing is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from aegis.model.telemetry import Floats
from lab.simulator.conditions import BIN_S
from lab.simulator.drawing import draw_wide_topology
from lab.simulator.instruments import Instruments, draw_instruments, set_up
from lab.simulator.plan import EPOCH_S, STREAMS
from lab.simulator.topology import Topology
from lab.simulator.traffic import draw_wave

MINUTE = 60.0
SHORTEST_S, LONGEST_S = 2 * 3600.0, 6 * 3600.0
CALLS = 380_000
SPANS = 50_000
SAMPLES = 800_000
"""About how many metric samples, and at most how many spans, a recording holds."""
LOGGED = 0.08
"""Share of the simulated requests that leave log lines."""
TWO_AT_ONCE = 0.12
BEGAN_BEFORE = 0.05
"""Share of the incidents that began before the recording."""
OWN_WORLD = 1
"""Keeps the worlds of timelines apart from the single incidents of the same seed."""


def streams_of(seed: int) -> dict[str, np.random.Generator]:
    """Independent random numbers for each part, so that one part never shifts another."""
    children = np.random.SeedSequence([seed, OWN_WORLD]).spawn(len(STREAMS) + 3)
    names = (*STREAMS, "gaps", "question", "history")
    return {name: np.random.default_rng(child) for name, child in zip(names, children, strict=True)}


@dataclass(frozen=True, slots=True)
class Episode:
    """An incident to be; it may go on after the recording ends."""

    start_s: float
    end_s: float
    faults: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """Times are seconds since the recording began.

    The question is asked at `asked_s` with a window of `asked_back_s` before it. It is about
    the last episode, or about nothing where `is_quiet`. `innocent` holds (service index, time,
    kind) of changes that do no harm. What was recorded before `recorded_from_s` is no longer
    kept; where that is after the last episode began, nobody can see it begin.
    """

    id: str
    topology: Topology
    instruments: Instruments
    epoch_s: int
    end_s: float
    wave: Floats
    rate: float
    episodes: tuple[Episode, ...]
    is_quiet: bool
    asked_s: float
    asked_back_s: float
    innocent: tuple[tuple[int, float, str], ...]
    lists_all_calls: bool
    calls: int = CALLS
    recorded_from_s: float = 0.0

    @property
    def asked(self) -> Episode | None:
        return None if self.is_quiet else self.episodes[-1]


def draw_timeline(
    seed: int, streams: dict[str, np.random.Generator], quiet_share: float
) -> Timeline:
    """A timeline in which everything is drawn."""
    rng = streams["plan"]
    bare = draw_wide_topology(streams["topology"])
    is_quiet = bool(rng.random() < quiet_share)
    episodes, asked_s = _draw_episodes(rng, is_quiet)
    recorded_from_s = 0.0
    if not is_quiet and streams["history"].random() < BEGAN_BEFORE:
        episodes, asked_s, recorded_from_s = _draw_long_burning(streams["history"])
    end_s = float(np.ceil((asked_s + rng.uniform(15, 20) * MINUTE) / MINUTE) * MINUTE)
    show = draw_instruments(streams["instruments"], len(bare.services))
    show = _sized(show, len(bare.services), end_s)
    topology = set_up(bare, show, streams["instruments"])
    bins = int(end_s // BIN_S)
    return Timeline(
        id=f"timeline-{seed:07d}",
        topology=topology,
        instruments=show,
        epoch_s=EPOCH_S + int(rng.integers(0, 365 * 1440)) * 60,
        end_s=end_s,
        wave=_draw_wave(rng, bins),
        rate=float(rng.uniform(20, 200)),
        episodes=episodes,
        is_quiet=is_quiet,
        asked_s=asked_s,
        asked_back_s=_draw_look_back(rng, asked_s, None if is_quiet else episodes[-1]),
        innocent=_draw_innocent_changes(rng, topology, episodes, asked_s),
        lists_all_calls=not show.has_spans or bool(rng.random() < 0.6),
        recorded_from_s=recorded_from_s,
    )


def _draw_long_burning(rng: np.random.Generator) -> tuple[tuple[Episode, ...], float, float]:
    """An episode that began hours before the question, and before what is still kept.

    It ends a few minutes around the question, or else nothing calm would be recorded at all.
    """
    start_s = rng.uniform(30, 60) * MINUTE
    asked_s = start_s + rng.uniform(120, 200) * MINUTE
    kept_s = rng.uniform(30, 90) * MINUTE
    end_s = asked_s + rng.uniform(-6, 6) * MINUTE
    episode = Episode(start_s, end_s, _draw_faults(rng))
    return (episode,), float(asked_s), float(asked_s - kept_s)


def _draw_episodes(rng: np.random.Generator, is_quiet: bool) -> tuple[tuple[Episode, ...], float]:
    """The episodes and the moment of the question, 3 to 25 minutes after the last began.

    A question about nothing comes well over an hour after the last incident ended.
    """
    while True:
        now = rng.uniform(45, 120) * MINUTE
        episodes: list[Episode] = []
        for _ in range(int(rng.choice((0, 1, 2), p=(0.45, 0.35, 0.2)))):
            end = now + rng.uniform(6, 45) * MINUTE
            episodes.append(Episode(now, end, _draw_faults(rng)))
            now = end + rng.uniform(50, 110) * MINUTE
        if is_quiet:
            asked_s = now + rng.uniform(30, 60) * MINUTE
        elif rng.random() < 0.65:
            asked_s = now + rng.uniform(3, 25) * MINUTE
            episodes.append(Episode(now, asked_s + rng.uniform(2, 40) * MINUTE, _draw_faults(rng)))
        else:
            end = now + rng.uniform(4, 15) * MINUTE
            asked_s = end + rng.uniform(1, 10) * MINUTE
            episodes.append(Episode(now, end, _draw_faults(rng)))
        later = max(0.0, SHORTEST_S - asked_s - 15 * MINUTE)
        later += rng.uniform(0, 30) * MINUTE if later else 0.0
        if asked_s + later + 21 * MINUTE <= LONGEST_S:
            moved = (
                replace(one, start_s=one.start_s + later, end_s=one.end_s + later)
                for one in episodes
            )
            return tuple(moved), float(asked_s + later)


def _draw_faults(rng: np.random.Generator) -> int:
    return 2 if rng.random() < TWO_AT_ONCE else 1


def _draw_look_back(rng: np.random.Generator, asked_s: float, about: Episode | None) -> float:
    """How far back the question looks: mostly 15 minutes, and always into the incident."""
    back = 15.0 if rng.random() < 0.8 else float(rng.choice((10.0, 30.0, 60.0)))
    ended_ago = 0.0 if about is None else max(0.0, asked_s - about.end_s)
    return max(back * MINUTE, ended_ago + 3 * MINUTE)


def _sized(show: Instruments, services: int, end_s: float) -> Instruments:
    """Instruments that keep the recording small: few traces, and scrapes not too often."""
    series = services * (18 + 6 * show.peer_metrics)
    steps = [step for step in (15, 30) if step >= show.step_s and series * end_s / step <= SAMPLES]
    return replace(
        show,
        sampled=min(show.sampled, SPANS / (1.6 * CALLS)),
        step_s=steps[0] if steps else 60,
        logged_lines=show.logged_lines,
        logged_share=LOGGED,
        chatter_s=(200.0, 1500.0),
        extras=True,
    )


def _draw_wave(rng: np.random.Generator, bins: int) -> Floats:
    """Traffic of the recording; in one of five it steps up somewhere, without harm."""
    wave = draw_wave(rng, bins)
    if rng.random() < 0.2:
        at = int(rng.integers(0, bins))
        wave = np.where(np.arange(bins) >= at, wave * rng.uniform(1.1, 1.3), wave)
    return wave


def _draw_innocent_changes(
    rng: np.random.Generator,
    topology: Topology,
    episodes: tuple[Episode, ...],
    asked_s: float,
) -> tuple[tuple[int, float, str], ...]:
    """Changes that have nothing to do with any fault; some come just before one."""
    candidates = [i for i, s in enumerate(topology.services) if s.role in ("service", "entry")]
    times = rng.uniform(0, asked_s, int(rng.poisson(0.5 * asked_s / 3600))).tolist()
    times += [one.start_s - float(rng.uniform(5, 300)) for one in episodes if rng.random() < 0.25]
    if rng.random() < 0.2:
        times.append(asked_s - float(rng.uniform(60, 1200)))
    return tuple(
        (int(rng.choice(candidates)), time, "deploy" if rng.random() < 0.8 else "config")
        for time in sorted(times)
    )

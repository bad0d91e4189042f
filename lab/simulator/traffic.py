"""How many requests arrive, and when: a slow daily wave, slow drift, bursts, and chance."""

from __future__ import annotations

import numpy as np

from aegis.model.telemetry import Floats
from lab.simulator.conditions import BIN_S
from lab.simulator.topology import Topology

DAY_S = 86_400.0


def draw_wave(rng: np.random.Generator, bins: int) -> Floats:
    """Traffic relative to its usual level, per bin; about 1 on average."""
    time = np.arange(bins) * BIN_S
    day = 1 + rng.uniform(0.1, 0.4) * np.sin(2 * np.pi * (time / DAY_S + rng.random()))
    shocks = rng.normal(0, 0.02, bins)
    drift = np.zeros(bins)
    for index in range(1, bins):
        drift[index] = 0.97 * drift[index - 1] + shocks[index]
    wave = day * np.exp(drift)
    for _ in range(rng.poisson(bins * BIN_S / 1800)):
        start, length = rng.uniform(0, bins * BIN_S), rng.uniform(20, 90)
        inside = (time >= start) & (time < start + length)
        wave = np.where(inside, wave * rng.uniform(1.1, 1.5), wave)
    out: Floats = wave / wave.mean()
    return out


def entry_rates(topology: Topology, rate: float, wave: Floats) -> Floats:
    """Requests a second from outside: one row per operation, one column per bin."""
    rates = np.zeros((len(topology.operations), len(wave)))
    for operation, share in topology.request_types:
        rates[operation] = rate * share * wave
    return rates


def arrivals(rng: np.random.Generator, rates: Floats) -> Floats:
    """Times in seconds of a Poisson process with these rates (requests a second per bin)."""
    counts = rng.poisson(rates * BIN_S)
    starts = np.repeat(np.arange(len(rates)) * BIN_S, counts)
    return np.sort(starts + rng.uniform(0, BIN_S, len(starts)))

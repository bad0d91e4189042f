"""Formulas for waiting.

Waiting for one of c workers follows M/M/c:

    P(wait) ~ rho^(sqrt(2(c+1)) - 1)                    (Sakasegawa 1977)
    E[wait | wait] = H / (c (1 - rho))                  (exact in M/M/c)

for workers that are held for H seconds and busy to the share rho. Above `RHO_MAX` the
stationary formulas end and a fluid queue takes over: the backlog grows by arrivals minus
capacity, is bounded, and what does not fit is rejected. Work on a processor stretches as in
processor sharing, by 1 / (1 - u) for the share u of the processors that is taken by others;
the own load enters with the m-server exponent u^(sqrt(2(m+1)) - 1).
"""

from __future__ import annotations

import numpy as np

from aegis.model.telemetry import Floats
from lab.simulator.conditions import BIN_S

RHO_MAX = 0.95
PATIENCE_S = 6.0
"""A queue holds no more than can be served in this time."""


def pool_wait(rho: Floats, holding_s: Floats, workers: Floats) -> tuple[Floats, Floats]:
    """(share of requests that wait, mean wait of those in seconds) of an M/M/c queue."""
    level = np.minimum(rho, RHO_MAX)
    share = level ** (np.sqrt(2 * (workers + 1)) - 1)
    wait: Floats = holding_s / (workers * (1 - level))
    return share, wait


def cpu_stretch(own: Floats, hog: Floats, cores: Floats) -> Floats:
    """How much longer work on a processor takes; 1 on an idle machine."""
    left = 1 - np.minimum(hog, 0.9)
    own_share = np.minimum(own / left, RHO_MAX)
    crowding: Floats = 1 + own_share ** (np.sqrt(2 * (cores + 1)) - 1) / (1 - own_share)
    out: Floats = crowding / left
    return out


def fluid_queue(rate: Floats, capacity: Floats, limit: float) -> tuple[Floats, Floats]:
    """(wait in seconds, share rejected) of a fluid queue, bin after bin.

    It holds at most `limit` requests, and no more than `PATIENCE_S` of work.
    """
    backlog, rejected = np.zeros_like(rate), np.zeros_like(rate)
    surplus = (rate - capacity) * BIN_S
    if surplus.max() <= 0:
        return backlog, rejected
    room = np.minimum(limit, capacity * PATIENCE_S)
    queued = 0.0
    for index, extra in enumerate(surplus):
        queued = max(0.0, queued + float(extra))
        if queued > room[index]:
            over = queued - room[index]
            rejected[index] = min(0.95, over / max(rate[index] * BIN_S, 1e-9))
            queued = float(room[index])
        backlog[index] = queued
    return backlog / np.maximum(capacity, 1e-9), rejected


def catch_up(arriving: Floats, can_do: Floats) -> tuple[Floats, Floats, Floats]:
    """(seconds a message sent now will wait, messages queued, messages a second worked off).

    A queue without a limit; both arguments are messages a second per bin. What is still queued
    at the end is worked off at the last rate.
    """
    queued, done = np.zeros_like(arriving), np.zeros_like(arriving)
    waiting = 0.0
    for index in range(len(arriving)):
        offered = waiting + float(arriving[index]) * BIN_S
        worked = min(offered, float(can_do[index]) * BIN_S)
        waiting = offered - worked
        queued[index], done[index] = waiting, worked / BIN_S
    edges = np.arange(len(arriving) + 1) * BIN_S
    came = np.concatenate([[0.0], np.cumsum(arriving) * BIN_S])
    went = np.concatenate([[0.0], np.cumsum(done) * BIN_S])
    later = edges[-1] + waiting / max(float(can_do[-1]), 1e-9)
    leaves = np.interp(came, np.append(went, came[-1] + 1e-6), np.append(edges, later))
    return np.maximum(leaves - edges, 0.0)[:-1], queued, done

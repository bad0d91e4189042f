"""Which rows of an over-sized file to keep: the same ones whatever order they come in.

Rows that belong together (a trace) hash to the same one of BUCKETS buckets. The first
buckets that fit the cap are kept, so the rate is the same at every moment, inside the fault
window and outside of it, and the lines of a kept trace are kept with its spans.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aegis.model.telemetry import Bools, Floats, Ids, Int64s

BUCKETS = 4096
Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The buckets that are kept; `share` of all buckets is the sampling rate."""

    kept_buckets: Bools

    @property
    def share(self) -> float:
        return float(self.kept_buckets.mean())

    @property
    def everything(self) -> bool:
        return bool(self.kept_buckets.all())

    def keeps(self, hashes: Hashes) -> Bools:
        return self.kept_buckets[bucket_of(hashes)]


def keep_all() -> Sample:
    return Sample(np.ones(BUCKETS, dtype=np.bool_))


def choose(load: Floats) -> Sample:
    """Buckets from the first on while their summed load, as a share of the cap, stays <= 1.

    A bucket that would burst the cap alone (one monstrous trace) is left out.
    """
    fits = load <= 1.0
    return Sample(fits & (np.cumsum(np.where(fits, load, 0.0)) <= 1.0))


def bucket_of(hashes: Hashes) -> NDArray[np.int64]:
    return (hashes >> np.uint64(52)).astype(np.int64)


def hash_ids(ids: Ids) -> Hashes:
    """A stable hash of each id that does not depend on how wide the column is."""
    width = -(-ids.dtype.itemsize // 8) * 8
    words = np.ascontiguousarray(ids.astype(f"S{width}")).view("<u8")
    words = words.reshape(len(ids), width // 8)
    total = np.zeros(len(ids), dtype=np.uint64)
    for place in range(words.shape[1]):
        word = words[:, place].astype(np.uint64)
        salt = np.uint64(0x9E3779B97F4A7C15 * (place + 1) % 2**64)
        total ^= np.where(word == 0, np.uint64(0), _mix(word ^ salt))
    return _mix(total)


def hash_times(times_ns: Int64s) -> Hashes:
    return _mix(times_ns.astype(np.uint64))


def _mix(values: Hashes) -> Hashes:
    """The finaliser of splitmix64 (Steele, Lea, Flood 2014)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Hashes = values ^ (values >> np.uint64(31))
    return mixed

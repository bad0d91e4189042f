"""Fingerprints of many alerts at once: a storm's labels are megabytes, hashed byte by byte."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aegis.model.alert import FNV_OFFSET, FNV_PRIME, Labels, fingerprint, hashed_bytes

FEW = 16
LONG = 2048
"""Bytes from which on labels are hashed alone: the others would be padded to their length."""


def fingerprints(many: Sequence[Labels]) -> list[str]:
    """As `fingerprint` of each; byte n of all of them is taken at the same time."""
    if len(many) < FEW:
        return [fingerprint(one) for one in many]
    texts = [hashed_bytes(one) for one in many]
    short = sorted(
        (place for place, text in enumerate(texts) if len(text) <= LONG),
        key=lambda place: -len(texts[place]),
    )
    found = [
        "" if len(text) <= LONG else fingerprint(many[place]) for place, text in enumerate(texts)
    ]
    for place, number in zip(short, _hashed([texts[place] for place in short]), strict=True):
        found[place] = f"{number:016x}"
    return found


def _hashed(texts: Sequence[bytes]) -> list[int]:
    """Longest first: those that still have a byte at a place are then the first ones."""
    if not texts:
        return []
    width = len(texts[0])
    padded = b"".join(text.ljust(width, b"\0") for text in texts)
    places = np.frombuffer(padded, np.uint8).reshape(len(texts), width).T.astype(np.uint64)
    lengths = np.array([len(text) for text in texts])
    hashes = np.full(len(texts), FNV_OFFSET, np.uint64)
    prime = np.uint64(FNV_PRIME)
    for place in range(width):
        count = int(np.searchsorted(-lengths, -place, side="left"))
        hashes[:count] = (hashes[:count] ^ places[place, :count]) * prime
    numbers: list[int] = hashes.tolist()
    return numbers

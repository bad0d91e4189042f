"""Keys a few hundred at a time: a statement takes only so many values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")

MOST_KEYS = 400


def in_chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """All items in their order; nothing where there is none."""
    rest = iter(items)
    while chunk := list(islice(rest, MOST_KEYS)):
        yield chunk

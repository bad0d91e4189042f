"""Which known names a misspelt word is closest to."""

from __future__ import annotations

from collections.abc import Mapping

SHORTEST = 5
"""Shorter words have too many neighbours (cart, card, part) to be corrected."""
LONG = 10
"""From here on two slips are forgiven."""


class Spelling:
    """Names to compare with, and how full each name is (the lower, the fuller)."""

    def __init__(self, levels: Mapping[str, int]) -> None:
        self.levels = levels
        self._alike: dict[tuple[str, int], list[tuple[str, int]]] = {}
        for name in sorted(levels):
            if len(name) >= SHORTEST:
                entry = (name, _letters(name))
                self._alike.setdefault((name[0], len(name)), []).append(entry)

    def near(self, word: str) -> list[tuple[str, int]]:
        """Names that begin like `word` and may be close enough, with the slips allowed."""
        found: list[tuple[str, int]] = []
        letters = _letters(word)
        for length in range(len(word) - 2, len(word) + 3):
            allowed = 0 if length < SHORTEST else 1 if length < LONG else 2
            for name, other in self._alike.get((word[0], length), []):
                if (letters ^ other).bit_count() <= 2 * allowed and _digits(name) == _digits(word):
                    found.append((name, allowed))
        return found


def misspelt(word: str, spelling: Spelling) -> list[str]:
    """The closest names within the slips that their length forgives; of equals the fullest."""
    if len(word) < SHORTEST - 1:
        return []
    best: list[tuple[int, int, str]] = []
    for name, allowed in spelling.near(word):
        slips = slips_between(word, name, allowed)
        if slips <= allowed:
            best.append((slips, spelling.levels[name], name))
    if not best:
        return []
    closest = min(best)[:2]
    return [name for slips, level, name in sorted(best) if (slips, level) == closest]


def slips_between(one: str, other: str, most: int) -> int:
    """Letters missing, added, changed or swapped with a neighbour; above `most` any number.

    The optimal string alignment distance (Damerau-Levenshtein without editing twice).
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, start=1):
        earlier, before, row = before, row, [i]
        for j, right in enumerate(other, start=1):
            slips = min(row[j - 1] + 1, before[j] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                slips = min(slips, earlier[j - 2] + 1)
            row.append(slips)
        if min(row) > most:
            return most + 1
    return row[-1]


def _letters(word: str) -> int:
    """A set of letters as bits: one slip changes at most two of them."""
    bits = 0
    for char in word:
        bits |= 1 << (ord(char) & 31)
    return bits


def _digits(word: str) -> str:
    return "".join(char for char in word if char.isdigit())

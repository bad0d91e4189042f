"""Regular expressions of people, matched in time linear in the text.

The syntax is that part of RE2's that label matchers use: literals, `.`, classes, groups, `|`,
`* + ? {m,n}`, `^ $`, `\\d \\w \\s`, a leading `(?i)`. Nothing is ever tried twice: the pattern
becomes a set of states that reads the text once, so no pattern and no text can make it hang.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from aegis.model.pattern_syntax import Branch, Edge, Pieces, Read, parse

__all__ = ["Pattern"]

_MOST_REMEMBERED = 2_000
"""Steps that are kept; beyond it the memory is emptied and filled anew."""

States = frozenset[int]


@dataclass(frozen=True, slots=True)
class Pattern:
    """Compiled by `Pattern.of`, which raises ValueError saying what is wrong with the text."""

    pieces: Pieces
    ignores_case: bool
    _steps: dict[tuple[States, str], States] = field(default_factory=dict, compare=False)

    @staticmethod
    def of(text: str) -> Pattern:
        pieces, ignores_case = parse(text)
        return Pattern(pieces, ignores_case)

    def matches(self, value: str) -> bool:
        """Does the pattern match the whole of the value?"""
        states = self._closed([0], at_start=True, at_end=not value)
        for place, letter in enumerate(value, start=1):
            if not states:
                return False
            states = self._step(states, letter)
            if place == len(value):
                states = self._closed(states, at_end=True)
        return len(self.pieces) in states

    def _step(self, states: States, letter: str) -> States:
        known = self._steps.get((states, letter))
        if known is not None:
            return known
        reached = []
        for state in states:
            piece = self.pieces[state] if state < len(self.pieces) else None
            if isinstance(piece, Read) and self._reads(piece, letter):
                reached.append(piece.then)
        found = self._closed(reached)
        if len(self._steps) >= _MOST_REMEMBERED:
            self._steps.clear()
        self._steps[states, letter] = found
        return found

    def _reads(self, piece: Read, letter: str) -> bool:
        if piece.takes(letter):
            return True
        return self.ignores_case and (piece.takes(letter.lower()) or piece.takes(letter.upper()))

    def _closed(
        self, states: Iterable[int], at_start: bool = False, at_end: bool = False
    ) -> States:
        """The states with all that can be reached from them without reading."""
        found: set[int] = set()
        waiting = list(states)
        while waiting:
            state = waiting.pop()
            if state in found:
                continue
            found.add(state)
            piece = self.pieces[state] if state < len(self.pieces) else None
            if isinstance(piece, Branch):
                waiting.extend(piece.ways)
            elif isinstance(piece, Edge) and (at_start if piece.side == "start" else at_end):
                waiting.append(piece.then)
        return frozenset(found)

"""Reads a regular expression into pieces: states of a machine that reads a text once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

LONGEST = 500
MOST_PIECES = 2_000
MOST_REPEATS = 100
DEEPEST = 20

Range = tuple[str, str]
_DIGITS: tuple[Range, ...] = (("0", "9"),)
_WORD: tuple[Range, ...] = (("0", "9"), ("A", "Z"), ("_", "_"), ("a", "z"))
_SPACE: tuple[Range, ...] = (("\t", "\n"), ("\f", "\r"), (" ", " "))
_CLASSES = {"d": _DIGITS, "w": _WORD, "s": _SPACE}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}


@dataclass(frozen=True, slots=True)
class Read:
    """Takes one letter that lies in one of the ranges, or in none where `negated`."""

    ranges: tuple[Range, ...]
    negated: bool = False
    then: int = 0

    def takes(self, letter: str) -> bool:
        return any(low <= letter <= high for low, high in self.ranges) is not self.negated


@dataclass(frozen=True, slots=True)
class Branch:
    """Goes on at any of the states without reading."""

    ways: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """Goes on only where the text starts or ends."""

    side: Literal["start", "end"]
    then: int = 0


Piece = Read | Branch | Edge
Pieces = tuple[Piece, ...]
"""State 0 is the first; the state behind the last piece has matched."""


def parse(text: str) -> tuple[Pieces, bool]:
    """The pieces, and whether case is ignored; ValueError says what is wrong."""
    if len(text) > LONGEST:
        raise ValueError(f"the pattern has {len(text)} characters, more than {LONGEST}")
    ignores_case = text.startswith("(?i)")
    reader = _Reader(text, 4 if ignores_case else 0)
    pieces = reader.either(0)
    if reader.place < len(text):
        raise ValueError("the pattern has a ) without its (")
    return pieces, ignores_case


def _moved(pieces: Pieces, by: int) -> Pieces:
    return tuple(
        Branch(tuple(way + by for way in piece.ways))
        if isinstance(piece, Branch)
        else replace(piece, then=piece.then + by)
        for piece in pieces
    )


def _joined(first: Pieces, second: Pieces) -> Pieces:
    if len(first) + len(second) > MOST_PIECES:
        raise ValueError("the pattern repeats too much")
    return first + _moved(second, len(first))


def _alternatives(first: Pieces, second: Pieces) -> Pieces:
    """A branch, the first way, a jump over the second way, the second way."""
    after_first = 1 + len(first) + 1
    end = after_first + len(second)
    start: Pieces = (Branch((1, after_first)),)
    jump: Pieces = (Branch((end,)),)
    return start + _moved(first, 1) + jump + _moved(second, after_first)


def _optional(pieces: Pieces) -> Pieces:
    return (Branch((1, 1 + len(pieces))), *_moved(pieces, 1))


def _starred(pieces: Pieces) -> Pieces:
    end = 1 + len(pieces) + 1
    return (Branch((1, end)), *_moved(pieces, 1), Branch((0,)))


def _repeated(pieces: Pieces, least: int, most: int | None) -> Pieces:
    found: Pieces = ()
    for _ in range(least):
        found = _joined(found, pieces)
    if most is None:
        return _joined(found, _starred(pieces))
    for _ in range(most - least):
        found = _joined(found, _optional(pieces))
    return found


class _Reader:
    """Goes over the text once; `place` is the next letter."""

    def __init__(self, text: str, place: int) -> None:
        self.text = text
        self.place = place

    def either(self, depth: int) -> Pieces:
        if depth > DEEPEST:
            raise ValueError("the pattern is nested too deeply")
        ways = [self.sequence(depth)]
        while self.peek() == "|":
            self.place += 1
            ways.append(self.sequence(depth))
        found = ways.pop()
        while ways:
            found = _alternatives(ways.pop(), found)
            if len(found) > MOST_PIECES:
                raise ValueError("the pattern repeats too much")
        return found

    def sequence(self, depth: int) -> Pieces:
        found: Pieces = ()
        while self.peek() not in ("", "|", ")"):
            found = _joined(found, self.repeat(self.atom(depth)))
        return found

    def peek(self) -> str:
        return self.text[self.place : self.place + 1]

    def take(self) -> str:
        letter = self.peek()
        self.place += 1
        return letter

    def repeat(self, pieces: Pieces) -> Pieces:
        sign = self.peek()
        if sign not in ("*", "+", "?", "{"):
            return pieces
        self.place += 1
        if sign == "{":
            least, most = self.bounds()
        else:
            least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        if self.peek() == "?":  # lazy: the same for a match of the whole
            self.place += 1
        if self.peek() in ("*", "+", "?", "{"):
            raise ValueError(f"the pattern repeats a repetition: {self.peek()}")
        return _repeated(pieces, least, most)

    def bounds(self) -> tuple[int, int | None]:
        inside, closed, _ = self.text[self.place :].partition("}")
        least, comma, most = inside.partition(",")
        numbers = [one for one in (least, most) if one]
        if not closed or not least or not all(one.isascii() and one.isdigit() for one in numbers):
            raise ValueError("the pattern has a { that is no {m,n}")
        self.place += len(inside) + 1
        first = int(least[:4])
        last = (int(most[:4]) if most else None) if comma else first
        if first > MOST_REPEATS or (last is not None and not first <= last <= MOST_REPEATS):
            raise ValueError(f"the pattern may repeat at most {MOST_REPEATS} times")
        return first, last

    def atom(self, depth: int) -> Pieces:
        letter = self.take()
        if letter == "(":
            return self.group(depth)
        if letter == "[":
            return (self.letters(),)
        if letter == ".":
            return (Read((("\n", "\n"),), negated=True, then=1),)
        if letter in ("^", "$"):
            return (Edge("start" if letter == "^" else "end", then=1),)
        if letter in ("*", "+", "?", "{"):
            raise ValueError(f"the pattern has nothing before {letter}")
        if letter == "\\":
            ranges, negated = self.escape()
            return (Read(ranges, negated, then=1),)
        return (Read(((letter, letter),), then=1),)

    def group(self, depth: int) -> Pieces:
        if self.text.startswith("?:", self.place):
            self.place += 2
        elif self.peek() == "?":
            raise ValueError("the pattern has a (? that is not (?: ; lookarounds are not possible")
        found = self.either(depth + 1)
        if self.take() != ")":
            raise ValueError("the pattern has a ( without its )")
        return found

    def escape(self) -> tuple[tuple[Range, ...], bool]:
        letter = self.take()
        if letter.lower() in _CLASSES:
            return _CLASSES[letter.lower()], letter.isupper()
        if letter in _CONTROLS:
            return ((_CONTROLS[letter], _CONTROLS[letter]),), False
        if not letter or (letter.isascii() and letter.isalnum()):
            raise ValueError(f"the pattern has an unknown escape: \\{letter}")
        return ((letter, letter),), False

    def letters(self) -> Read:
        negated = self.peek() == "^"
        self.place += negated
        ranges: list[Range] = []
        while self.peek() != "]" or not ranges:
            low = self.one_of_class(ranges)
            if low is None:
                continue
            following = self.text[self.place : self.place + 2]
            if following.startswith("-") and following not in ("-", "-]"):
                self.place += 1
                high = self.one_of_class(ranges)
                if high is None or high < low:
                    raise ValueError("the pattern has a class whose range is reversed")
                ranges.append((low, high))
            else:
                ranges.append((low, low))
        self.place += 1
        return Read(tuple(ranges), negated, then=1)

    def one_of_class(self, ranges: list[Range]) -> str | None:
        """The next letter of a class; None where it was a class itself, which is added."""
        letter = self.take()
        if not letter or (letter == "[" and self.peek() == ":"):
            raise ValueError("the pattern has a [ without its ], or a [:class:]")
        if letter != "\\":
            return letter
        found, negated = self.escape()
        if negated:
            raise ValueError("the pattern has a negated escape inside a class")
        if len(found) == 1 and found[0][0] == found[0][1]:
            return found[0][0]
        ranges.extend(found)
        return None

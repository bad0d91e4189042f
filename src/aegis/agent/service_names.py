"""Recognises services in a question as people write them: shortened, split, misspelt.

A name is compared by its words (checkout-service, CheckoutService and "checkout service" are
the same), also without the suffix "service", without a namespace, and without a first word
that many names share (ts-order-service is "order"). The fuller reading wins; what fits several
services equally well names them all, and is reported as ambiguous.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from aegis.agent.ordinary_words import GENERIC_SUFFIXES, ORDINARY, TALK
from aegis.agent.spelling import Spelling, misspelt

MOST_WORDS = 6
SHORTEST_ALIAS = 3
SHORTEST_PART = 4
SHORTEST_CHINESE = 2
MANY_NAMES = 3
"""A first word of this many names is a prefix; more readings of a word than this are noise."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", re.ASCII)
_JOINED = re.compile(r"[\s\-_./:@]{1,3}|", re.ASCII)
_CHINESE = re.compile("[\u3400-\u9fff]")
_SAID_TO_BE_ONE = re.compile(r"[`\"'”]?\s?(?:service|svc|服务)", re.IGNORECASE)
_NUMBERED = re.compile(r"[-_]?[0-9]")
"""redis-3 is not redis."""
_QUOTES = "`\"'“”「"


@dataclass(frozen=True, slots=True)
class Mention:
    """Where a service was named, and which: several where the words fit several as well."""

    start: int
    end: int
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Reading:
    """Which services an alias can mean; the lower the level, the fuller the name."""

    level: int
    services: tuple[str, ...]


def services_named(question: str, known: Sequence[str]) -> tuple[str, ...]:
    """Every service the question names, in order of mention; of an ambiguous name, all."""
    return _flat(mentions(question, known))


def ambiguous_services(found: Sequence[Mention]) -> tuple[str, ...]:
    """Those that were named only together with others."""
    certain = {one.services[0] for one in found if len(one.services) == 1}
    several = _flat([one for one in found if len(one.services) > 1])
    return tuple(service for service in several if service not in certain)


def mentions(question: str, known: Sequence[str]) -> tuple[Mention, ...]:
    """In order of mention, not overlapping. The order of `known` has no influence."""
    text = "".join(map(_narrow, question))
    chinese = [name for name in sorted(set(known)) if _CHINESE.search(name)]
    aliases = _aliases(sorted(set(known).difference(chinese)))
    found = _Found(len(text))
    for services, start, end in _chinese_mentions(text, chinese):
        found.add(services, start, end)
    grams = sorted(_grams(text, _words(text)), key=lambda gram: (-len(gram[0]), gram[1]))
    for alias, start, end in grams:
        reading = aliases.get(alias)
        if reading is not None and _meant(text, alias, start, end):
            found.add(reading.services, start, end)
    spelling = Spelling({alias: one.level for alias, one in aliases.items()})
    for alias, start, end in grams:
        if alias in ORDINARY or alias in aliases or not found.free(start, end):
            continue
        close = misspelt(alias, spelling)
        if close:
            found.add(_flat([aliases[one] for one in close]), start, end)
    return tuple(sorted(found.mentions, key=lambda one: one.start))


class _Found:
    """Mentions so far. What was understood first keeps its place in the text."""

    def __init__(self, length: int) -> None:
        self.mentions: list[Mention] = []
        self._taken = bytearray(length)

    def free(self, start: int, end: int) -> bool:
        return not any(self._taken[start:end])

    def add(self, services: tuple[str, ...], start: int, end: int) -> None:
        if self.free(start, end):
            self.mentions.append(Mention(start, end, services))
            self._taken[start:end] = b"\x01" * (end - start)


def _aliases(names: Sequence[str]) -> Mapping[str, _Reading]:
    """Every way to write a name, as its words run together, to the services it can mean."""
    split = {name: tuple(word.text for word in _words(name)) for name in names}
    firsts = Counter(words[0] for words in split.values() if len(words) > 1)
    levels: dict[str, dict[str, int]] = {}
    for name in names:
        prefixed = firsts[split[name][0]] >= MANY_NAMES if split[name] else False
        for alias, level in _aliases_of(name, split[name], prefixed=prefixed):
            services = levels.setdefault(alias, {})
            services[name] = min(level, services.get(name, level))
    readings = {}
    for alias, services in levels.items():
        best = min(services.values())
        meant = tuple(sorted(name for name, level in services.items() if level == best))
        if best < 3 or len(meant) <= MANY_NAMES:
            readings[alias] = _Reading(best, meant)
    return readings


def _aliases_of(name: str, words: tuple[str, ...], *, prefixed: bool) -> Iterator[tuple[str, int]]:
    """0 the whole name, 1 without its suffix, 2 without namespace or shared prefix, 3 a part."""
    if not words:
        return
    yield "".join(words), 0
    short = _without_suffix(words)
    forms = [(short, 1)]
    if prefixed and len(words) > 1:
        forms += [(words[1:], 2), (_without_suffix(words[1:]), 2)]
    for part in re.split(r"/|::|@", name) if re.search(r"/|::|@", name) else name.split("."):
        inner = tuple(word.text for word in _words(part))
        forms += [(inner, 2), (_without_suffix(inner), 2)]
    own = short[1:] if prefixed else short
    for end in range(1, len(own)):
        forms.append((own[:end], 3))
    for start in range(1, len(own) - 1):
        forms.append((own[start:], 3))
    for form, level in forms:
        alias = "".join(form)
        shortest = SHORTEST_PART if level == 3 else SHORTEST_ALIAS
        if len(alias) >= shortest and alias not in ORDINARY and not alias.isdigit():
            yield alias, level


def _without_suffix(words: tuple[str, ...]) -> tuple[str, ...]:
    """checkout-service and checkoutservice to checkout; "service" alone stays."""
    if len(words) > 1 and words[-1] in GENERIC_SUFFIXES:
        return words[:-1]
    for suffix in ("service", "svc"):
        if words and words[-1].endswith(suffix) and len(words[-1]) > len(suffix) + 1:
            return (*words[:-1], words[-1].removesuffix(suffix))
    return words


def _grams(text: str, words: Sequence[_Word]) -> Iterator[tuple[str, int, int]]:
    """Runs of neighbouring words, written as one, with where they stand."""
    joined = [
        _JOINED.fullmatch(text, one.end, other.start) is not None for one, other in pairwise(words)
    ]
    for first, word in enumerate(words):
        alias = ""
        for last in range(first, min(first + MOST_WORDS, len(words))):
            if last > first and not joined[last - 1]:
                break
            alias += words[last].text
            if _NUMBERED.match(text, words[last].end) is None:
                yield alias, word.start, words[last].end


def _words(text: str) -> list[_Word]:
    return [_Word(found[0].lower(), found.start(), found.end()) for found in _WORD.finditer(text)]


def _meant(text: str, alias: str, start: int, end: int) -> bool:
    """A service called "api" must be quoted or called a service to be told from the word."""
    if alias not in ORDINARY:
        return True
    quoted = start > 0 and end < len(text) and text[start - 1] in _QUOTES and text[end] in _QUOTES
    return quoted or (alias not in TALK and _SAID_TO_BE_ONE.match(text, end) is not None)


def _chinese_mentions(
    text: str, names: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """Names in Chinese stand anywhere in a sentence, which has no spaces; longest first."""
    aliases: dict[str, list[str]] = {}
    for name in names:
        whole = "".join(map(_narrow, name)).lower()
        unversioned = re.sub(r"[-_ ]?v?\d+$", "", whole, flags=re.ASCII)
        for alias in {whole, unversioned, unversioned.removesuffix("服务").rstrip("-_ ")}:
            if len(alias) >= SHORTEST_CHINESE and alias != "服务":
                aliases.setdefault(alias, []).append(name)
    lowered = "".join(char.lower() if char.isascii() else char for char in text)
    for alias in sorted(aliases, key=lambda one: (-len(one), one)):
        for match in re.finditer(re.escape(alias), lowered):
            yield tuple(aliases[alias]), match.start(), match.end()


def _flat(found: Sequence[Mention | _Reading]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(service for one in found for service in one.services))


def _narrow(char: str) -> str:
    """Half-width, at its place; the case stays, since it separates words."""
    if char.isascii():
        return char
    folded = unicodedata.normalize("NFKC", char)
    return folded if len(folded) == 1 else char

"""How much to read of each kind of line, so that rates can still be compared.

The engine compares how often a kind of line was written inside the asked window with how
often outside of it, and this reader does not know where the asked window lies. So whatever is
left out must be left out at the same rate at every moment. A limit does not do that (it keeps
the newest), nor does reading some minutes whole. Therefore:

- Lines are told apart by what they say, never by when: those with an error level, others with
  an error word, the rest. Each of the three is sampled at rates of its own, because errors
  are few and worth more.
- Within one of the three every service has its own rate, 1/2^n, the same over all the time.
  Loud services are thinned and quiet ones are not.
- The server thins, by a filter in the query: a line of a trace is kept or left out by the
  last digits of the trace id, in whole traces and alike in all services (what is kept at 1/8
  is kept at 1/4 too). A line of no trace is kept where its nanosecond modulo a prime is small,
  which scatters the lines that are kept whatever clock dated them; lines of one and the same
  nanosecond are kept or left out together.
- What is read is read to its end, in pieces of time that Loki's limit of lines does not
  cut. A part that could not be read whole is dropped whole and reported, for half of it would
  look like a fault.

Kept apart by their words, the three have different rates: the share of a service's traces
that an error touches comes out too large where the rest was thinned more than the errors.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from aegis.adapters.loki.logql import (
    PICK_LABEL,
    PICK_MODULUS,
    TRACE_LABEL,
    AllOf,
    AnyOf,
    Below,
    Condition,
    Matcher,
    any_value,
)
from aegis.model.telemetry import Floats

MOST_NAMED = 16
"""Services with a rate of their own; more would not fit into a URL that proxies accept."""
MOST_HALVINGS = 12
NOBODY = ""
"""Stands for all services where they were too many to be counted apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Lines by value of the service label and step of time; step i ends at `ends_ns[i]`."""

    ends_ns: tuple[int, ...]
    step_ns: int
    counts: Mapping[str, Floats]

    @property
    def total(self) -> float:
        return float(sum(float(row.sum()) for row in self.counts.values()))

    def totals(self) -> dict[str, float]:
        return {value: float(row.sum()) for value, row in self.counts.items()}

    def without(self, *others: Profile) -> Profile:
        """What is left when the lines of the others are taken away; never below nothing."""
        left = {}
        for value, row in self.counts.items():
            rest = row.copy()
            for other in others:
                rest -= other.counts.get(value, 0.0)
            left[value] = np.maximum(rest, 0.0)
        return Profile(self.ends_ns, self.step_ns, left)


@dataclass(frozen=True, slots=True)
class Rates:
    """A service is read at 1/2^n; n by value of its label, `others` for those not named."""

    named: Mapping[str, int] = field(default_factory=dict)
    others: int = 0

    @property
    def everything(self) -> bool:
        return not self.others and not any(self.named.values())

    def share(self, value: str) -> float:
        return 0.5 ** self.named.get(value, self.others)

    def expected(self, profile: Profile) -> Floats:
        """Lines to come, by step."""
        expected = np.zeros(len(profile.ends_ns))
        for value, row in profile.counts.items():
            expected += row * self.share(value)
        return expected

    def condition(self, label: str) -> Condition | None:
        """As a filter of LogQL; None where nothing is left out."""
        if self.everything:
            return None
        by_halvings: dict[int, list[str]] = {}
        for value, halvings in sorted(self.named.items()):
            by_halvings.setdefault(halvings, []).append(value)
        parts: list[Condition] = []
        for halvings, values in sorted(by_halvings.items()):
            parts.append(_both(any_value(label, "=", values), _kept(halvings)))
        others = any_value(label, "!=", sorted(self.named)) if self.named else None
        rest = _both(others, _kept(self.others))
        return AnyOf((*parts, rest)) if parts else rest


def choose_rates(totals: Mapping[str, float], most: float) -> Rates:
    """The highest rates at which about `most` lines come; loud services give way first."""
    if sum(totals.values()) <= most:
        return Rates()
    loud_first = sorted(totals, key=lambda value: (-totals[value], value))
    ceiling = _ceiling(list(totals.values()), most)
    halvings = {value: _halvings(totals[value], ceiling) for value in loud_first}
    loudest = [value for value in loud_first if value != NOBODY][:MOST_NAMED]
    named = {value: halvings[value] for value in loudest if halvings[value]}
    rest = [totals[value] for value in loud_first if value not in named]
    left = most - sum(totals[value] * 0.5**count for value, count in named.items())
    others = 0
    while sum(rest) * 0.5**others > max(left, 1.0) and others < MOST_HALVINGS:
        others += 1
    return Rates(named, others)


def _ceiling(totals: list[float], most: float) -> float:
    """The largest number of lines a service may give so that all together give `most`."""
    low, high = 0.0, max(totals)
    for _ in range(60):
        middle = (low + high) / 2
        given = sum(total * 0.5 ** _halvings(total, middle) for total in totals)
        low, high = (middle, high) if given <= most else (low, middle)
    return low


def _halvings(total: float, ceiling: float) -> int:
    halvings = 0
    while total * 0.5**halvings > ceiling and halvings < MOST_HALVINGS:
        halvings += 1
    return halvings


def _kept(halvings: int) -> Condition | None:
    """Keeps one line in 2^`halvings`: by the last digits of its trace, else by its time."""
    if not halvings:
        return None
    whole, rest = divmod(halvings, 4)
    # Not `.*0`: of a label filter Loki (seen in August 2026) reads that as "contains 0".
    digits = f"[0-{'731'[rest - 1]}]" if rest else ""
    by_trace = Matcher(TRACE_LABEL, "=~", f"[^ ]*{digits}{'0' * whole}")
    remainders = -(-PICK_MODULUS // 2**halvings)
    by_time = AllOf((Matcher(TRACE_LABEL, "=", ""), Below(PICK_LABEL, remainders)))
    return AnyOf((by_trace, by_time))


def _both(one: Condition | None, other: Condition | None) -> Condition:
    parts = tuple(part for part in (one, other) if part is not None)
    if len(parts) == 1:
        return parts[0]
    return AllOf(parts)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the time, [start, end) in nanoseconds, to be read in one request."""

    start_ns: int
    end_ns: int


def pieces(
    expected: Floats, profile: Profile, start_ns: int, end_ns: int, most: float
) -> list[Piece]:
    """Cut [start, end) so that about `most` lines lie in each piece, whatever their rhythm."""
    count = max(1, int(np.ceil(float(expected.sum()) / most)))
    if count == 1:
        return [Piece(start_ns, end_ns)]
    ends = np.array(profile.ends_ns, dtype=np.float64)
    edges = np.concatenate([[ends[0] - profile.step_ns], ends])
    running = np.concatenate([[0.0], np.cumsum(expected)])
    goals = running[-1] * np.arange(1, count) / count
    cuts = [int(cut) for cut in np.interp(goals, running, edges)]
    inside = sorted({cut for cut in cuts if start_ns < cut < end_ns})
    borders = [start_ns, *inside, end_ns]
    return [Piece(one, other) for one, other in itertools.pairwise(borders)]


def overlap(end_ns: int, step_ns: int, start_ns: int, stop_ns: int) -> float:
    """How much of the step that ends at `end_ns` lies in [start, stop)."""
    inside = min(end_ns, stop_ns) - max(end_ns - step_ns, start_ns)
    return max(0, inside) / step_ns

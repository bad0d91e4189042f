"""Flows that the database has as under way while nobody runs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from aegis.durable.orphans import Orphans


@dataclass
class Engine:
    """What is pending, and what was put back: that is pending no longer."""

    pending: set[str] = field(default_factory=set)
    put_back: list[str] = field(default_factory=list)

    def take_back(self, ids: Sequence[str]) -> None:
        self.put_back += ids
        self.pending -= set(ids)

    def orphans(self) -> Orphans:
        return Orphans(lambda: self.pending, self.take_back)


def test_what_nobody_runs_at_two_looks_is_put_back_once() -> None:
    engine = Engine({"deliver:b", "deliver:a"})
    orphans = engine.orphans()
    orphans.look()
    assert engine.put_back == []
    orphans.look()
    orphans.look()
    assert engine.put_back == ["deliver:a", "deliver:b"]


def test_what_runs_is_left_alone_however_long_it_takes() -> None:
    engine = Engine({"deliver:a"})
    orphans = engine.orphans()
    with orphans.running("deliver:a"):
        for _ in range(3):
            orphans.look()
    assert engine.put_back == []
    orphans.look()
    orphans.look()
    assert engine.put_back == ["deliver:a"]


def test_what_begins_between_two_looks_is_left_alone() -> None:
    engine = Engine({"deliver:a"})
    orphans = engine.orphans()
    orphans.look()
    with orphans.running("deliver:a"):
        orphans.look()
    orphans.look()
    assert engine.put_back == []

"""What people told of changes and what telemetry shows of them become one list."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aegis.agent.known_changes import Answered, ToldAndSeen
from aegis.model.errors import SourceUnavailable
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import Change, TimeWindow

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR = TimeWindow(NOON, NOON + timedelta(hours=1))


def change(service: str, minutes: float, title: str | None = None) -> Change:
    return Change(service, NOON + timedelta(minutes=minutes), "deploy", None, title)


@dataclass
class FakeChanges:
    """Changes held in memory, or a source that is down."""

    changes: tuple[Change, ...] = ()
    down: bool = False

    async def read_changes(self, window: TimeWindow) -> Answered:
        if self.down:
            raise SourceUnavailable("the database: locked")
        return self.changes, ()


def read(told: FakeChanges, seen: FakeChanges) -> tuple[list[Change], tuple[EvidenceGap, ...]]:
    found, gaps = asyncio.run(ToldAndSeen(told, seen, 5).read_changes(HOUR))
    return list(found), gaps


def test_both_are_read_in_order_of_time() -> None:
    told, seen = change("cart", 20), change("store", 10)
    assert read(FakeChanges((told,)), FakeChanges((seen,))) == ([seen, told], ())


def test_of_a_rollout_that_both_know_the_told_one_stays() -> None:
    told, seen = change("cart", 20, "cache the prices"), change("cart", 21)
    assert read(FakeChanges((told,)), FakeChanges((seen,)))[0] == [told]
    later = change("cart", 40)
    assert read(FakeChanges((told,)), FakeChanges((later,)))[0] == [told, later]


def test_one_that_fails_is_a_gap_and_the_other_stands() -> None:
    found, gaps = read(FakeChanges(down=True), FakeChanges((change("cart", 1),)))
    assert found == [change("cart", 1)]
    assert [gap.reason for gap in gaps] == ["unavailable"]
    assert "locked" in gaps[0].statement.en

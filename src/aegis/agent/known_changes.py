"""Changes that people and tools told of, together with those that the telemetry shows."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aegis.agent.answering import answer_or_gap
from aegis.agent.exported_events import without_doubles
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import Change, TimeWindow
from aegis.ports import ChangeSource

Answered = tuple[tuple[Change, ...], tuple[EvidenceGap, ...]]


@dataclass(frozen=True, slots=True)
class ToldAndSeen:
    """A ChangeSource of both. What was told says more, so what was seen of the same is dropped.

    Either may fail: that is a gap, and the other's changes stand.
    """

    told: ChangeSource
    seen: ChangeSource
    deadline_s: float

    async def read_changes(self, window: TimeWindow) -> Answered:
        """In order of time."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._read(one, window)) for one in (self.told, self.seen)]
        (told, told_gaps), (seen, seen_gaps) = (task.result() for task in tasks)
        together = without_doubles(told, seen)
        return tuple(sorted(together, key=lambda one: one.time)), (*told_gaps, *seen_gaps)

    async def _read(self, source: ChangeSource, window: TimeWindow) -> Answered:
        nothing: tuple[Change, ...] = ()
        return await answer_or_gap(
            "changes", lambda: source.read_changes(window), nothing, self.deadline_s
        )

"""Changes are read beside the telemetry; a source that says nothing is a gap."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from aegis.agent.changes import ChangeLog, read_changes
from aegis.agent.monitor import Scene
from aegis.model.errors import SourceUnavailable
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import Change, TimeWindow
from tests.recordings import at, between

DEPLOY, EARLIER = Change("cart", at(3), "deploy", "v2"), Change("mail", at(1))
SCENE = Scene(between(0, 40), None, (), (), (EARLIER,))


@dataclass(frozen=True)
class FakeChanges:
    async def read_changes(
        self, window: TimeWindow
    ) -> tuple[tuple[Change, ...], tuple[EvidenceGap, ...]]:
        assert window == SCENE.extent
        return (DEPLOY,), ()


class BrokenChanges:
    async def read_changes(
        self, window: TimeWindow
    ) -> tuple[tuple[Change, ...], tuple[EvidenceGap, ...]]:
        raise SourceUnavailable("nobody home")


class HangingChanges:
    async def read_changes(
        self, window: TimeWindow
    ) -> tuple[tuple[Change, ...], tuple[EvidenceGap, ...]]:
        await asyncio.Event().wait()
        return (), ()


def observed(log: ChangeLog) -> object:
    assert log.step is not None
    assert log.step.tool == "list_changes"
    return json.loads(log.step.observation)


def test_they_join_those_that_are_known() -> None:
    log = asyncio.run(read_changes(FakeChanges(), SCENE))
    assert log.scene.changes == (EARLIER, DEPLOY)
    assert log.scene.gaps == ()
    assert observed(log) == {"changes": 1}


def test_a_source_that_fails_is_a_gap_with_its_reason() -> None:
    log = asyncio.run(read_changes(BrokenChanges(), SCENE))
    (gap,) = log.scene.gaps
    assert (gap.source, gap.reason) == ("changes", "unavailable")
    assert gap.statement.en == "The changes could not be read: nobody home."
    assert log.scene.changes == (EARLIER,)
    assert observed(log) == {"changes": 0, "gaps": ["unavailable"]}


def test_a_source_that_hangs_is_a_gap_once_the_deadline_is_over() -> None:
    log = asyncio.run(read_changes(HangingChanges(), SCENE, deadline_s=0.01))
    (gap,) = log.scene.gaps
    assert gap.statement.en == "The changes could not be read: no answer within 0.01 s."
    assert gap.statement.zh == "变更记录无法读取：0.01 秒内没有回答。"

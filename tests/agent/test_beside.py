"""Changes and alerts are read beside the telemetry; a source that says nothing is a gap."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from aegis.agent.beside import Told, read_alerts, read_changes
from aegis.agent.monitor import Scene, Sources, collect
from aegis.agent.steps import UNWATCHED, Step
from aegis.model.alert import Alert
from aegis.model.errors import SourceUnavailable
from aegis.model.evidence import EvidenceGap
from aegis.model.incident import Observations
from aegis.model.telemetry import Change, TimeWindow
from tests.fakes import AskedTogether, FakeAlerts, FakeTelemetry
from tests.recordings import SmallShop, at, between

DEPLOY, EARLIER = Change("cart", at(3), "deploy", "v2"), Change("mail", at(1))
SLOW = Alert((("alertname", "Slow"),), (), at(31))
LATER = Alert((("alertname", "Later"),), (), at(37))
SCENE = Scene(between(0, 40), None, (), (), (EARLIER,))
FAULT = between(30, 36)
SHOP = SmallShop().recording()
HELD = FakeTelemetry(SHOP.metrics, SHOP.spans, SHOP.logs)


@dataclass(frozen=True)
class FakeChanges:
    async def read_changes(
        self, window: TimeWindow
    ) -> tuple[tuple[Change, ...], tuple[EvidenceGap, ...]]:
        assert window == SCENE.extent
        return (DEPLOY,), ()


class Broken:
    async def read_changes(
        self, window: TimeWindow
    ) -> tuple[tuple[Change, ...], tuple[EvidenceGap, ...]]:
        raise SourceUnavailable("nobody home")

    async def read_alerts(
        self, window: TimeWindow
    ) -> tuple[tuple[Alert, ...], tuple[EvidenceGap, ...]]:
        raise SourceUnavailable("ALERTMANAGER_BASE_URL cannot be reached")


class HangingChanges:
    async def read_changes(
        self, window: TimeWindow
    ) -> tuple[tuple[Change, ...], tuple[EvidenceGap, ...]]:
        await asyncio.Event().wait()
        return (), ()


def collected(sources: Sources) -> tuple[Observations, tuple[Step, ...]]:
    return asyncio.run(collect(sources, SCENE, FAULT, 5.0))


def test_they_join_those_that_are_known() -> None:
    seen, steps = collected(Sources(HELD, HELD, HELD, FakeChanges(), FakeAlerts((LATER, SLOW))))
    assert seen.changes == (EARLIER, DEPLOY)
    assert seen.alerts == (SLOW,)  # of the time asked about, not of all that is read
    assert seen.gaps == ()
    assert [step.tool for step in steps[:3]] == ["list_changes", "list_alerts", "read_metrics"]
    assert [json.loads(step.observation) for step in steps[:2]] == [{"changes": 1}, {"alerts": 1}]
    assert json.loads(steps[1].tool_input)["start"] == "2026-03-01T10:30:00Z"


def test_where_nobody_can_be_asked_nothing_is_told() -> None:
    seen, steps = collected(Sources(HELD, HELD, HELD))
    assert (seen.changes, seen.alerts, seen.gaps) == ((EARLIER,), (), ())
    assert [step.tool for step in steps] == ["read_metrics", "read_traces", "read_logs"]


def test_they_are_read_while_the_telemetry_is_read() -> None:
    waiting = AskedTogether(HELD, (DEPLOY,))
    seen, _ = collected(Sources(waiting, HELD, HELD, waiting))
    assert DEPLOY in seen.changes
    assert seen.gaps == ()


def test_a_source_that_fails_is_a_gap_with_its_reason() -> None:
    seen, steps = collected(Sources(HELD, HELD, HELD, Broken(), Broken()))
    assert [(gap.source, gap.reason) for gap in seen.gaps] == [
        ("changes", "unavailable"),
        ("alerts", "unavailable"),
    ]
    assert seen.gaps[0].statement.en == "The changes could not be read: nobody home."
    assert "ALERTMANAGER_BASE_URL" in seen.gaps[1].statement.zh
    assert seen.changes == (EARLIER,)
    assert json.loads(steps[0].observation) == {"changes": 0, "gaps": ["unavailable"]}


def test_a_source_that_hangs_is_a_gap_once_the_deadline_is_over() -> None:
    told: Told[Change] = asyncio.run(
        read_changes(HangingChanges(), SCENE.extent, UNWATCHED, deadline_s=0.01)
    )
    (gap,) = told.gaps
    assert gap.statement.en == "The changes could not be read: no answer within 0.01 s."
    assert gap.statement.zh == "变更记录无法读取：0.01 秒内没有回答。"


def test_alerts_alone_are_told_too() -> None:
    told = asyncio.run(read_alerts(FakeAlerts((SLOW,)), FAULT, UNWATCHED, 5.0))
    assert told.rows == (SLOW,)

"""The monitor: every source answers or becomes a gap, and a silent one is never "normal"."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace

import pytest

from aegis.agent.monitor import Scene, Sources, collect, with_alarm
from aegis.agent.steps import Step
from aegis.model.errors import InvalidWindow, SourceRejected, SourceUnavailable, UnknownService
from aegis.model.evidence import EvidenceGap
from aegis.model.incident import Observations
from aegis.model.telemetry import Alarm, LogTable, SpanTable, TimeWindow
from aegis.model.text import Text
from tests.fakes import FailingTelemetry, FakeTelemetry, HangingTraces
from tests.recordings import SmallShop, between

SHOP = SmallShop().recording()
HELD = FakeTelemetry(SHOP.metrics, SHOP.spans, SHOP.logs)
SCENE = Scene(between(0, 40), Alarm("shop", "latency"), ("shop", "fax"), (("shop", "fax"),), ())
FAULT = between(30, 36)


def collected(
    sources: Sources, window: TimeWindow = FAULT, scene: Scene = SCENE, deadline_s: float = 5.0
) -> tuple[Observations, tuple[Step, ...]]:
    return asyncio.run(collect(sources, scene, window, deadline_s))


def gaps_of(observations: Observations) -> list[tuple[str, str]]:
    return [(gap.source, gap.reason) for gap in observations.gaps]


def test_everything_recorded_is_collected_and_the_window_is_marked() -> None:
    observations, _ = collected(Sources(HELD, HELD, HELD))
    assert observations.window == FAULT
    assert observations.extent == between(0, 40)
    assert len(observations.spans) == len(SHOP.spans)
    assert len(observations.logs) == len(SHOP.logs)
    assert len(observations.metrics.series) == len(SHOP.metrics.series)
    assert observations.gaps == ()


def test_services_are_the_known_ones_and_those_that_speak() -> None:
    observations, _ = collected(Sources(HELD, HELD, HELD))
    assert observations.services == ("cart", "fax", "shop", "store")


def test_steps_tell_what_was_read_in_a_fixed_order() -> None:
    _, steps = collected(Sources(HELD, HELD, HELD))
    assert [step.tool for step in steps] == ["read_metrics", "read_traces", "read_logs"]
    assert json.loads(steps[0].tool_input) == {
        "start": "2026-03-01T10:00:00Z",
        "end": "2026-03-01T10:40:00Z",
    }
    assert json.loads(steps[0].observation) == {"series": 6, "samples": 480}
    assert json.loads(steps[1].observation) == {"spans": 1200, "services": 3}
    assert json.loads(steps[2].observation) == {"lines": 460, "services": 1}


@pytest.mark.parametrize("error", [SourceUnavailable("HTTP 503"), SourceRejected("HTTP 403")])
def test_a_source_that_fails_becomes_a_gap_and_the_others_still_count(
    error: SourceUnavailable | SourceRejected,
) -> None:
    observations, steps = collected(Sources(HELD, FailingTelemetry(error), HELD))
    assert gaps_of(observations) == [("traces", "unavailable")]
    assert observations.gaps[0].statement.en == f"The traces could not be read: {error}."
    assert len(observations.logs) == len(SHOP.logs)
    assert json.loads(steps[1].observation)["gaps"] == ["unavailable"]


def test_a_source_that_hangs_is_given_up_at_the_deadline() -> None:
    observations, _ = collected(Sources(HELD, HangingTraces(), HELD), deadline_s=0.05)
    assert gaps_of(observations) == [("traces", "unavailable")]
    assert "no answer within 0.05 s" in observations.gaps[0].statement.en


def test_a_source_that_holds_nothing_was_not_recorded() -> None:
    bare = replace(HELD, spans=SpanTable.empty(), logs=LogTable.empty())
    observations, _ = collected(Sources(bare, bare, bare))
    assert gaps_of(observations) == [("traces", "not_recorded"), ("logs", "not_recorded")]


def test_gaps_of_readers_and_of_the_scene_are_handed_on() -> None:
    said = Text("抽样", "sampled")
    reader = EvidenceGap("traces", "sampled", None, said)
    known = EvidenceGap("metrics", "sampled", None, said)
    sampled = replace(HELD, gaps=(reader,))
    observations, _ = collected(Sources(HELD, sampled, HELD), scene=replace(SCENE, gaps=(known,)))
    assert observations.gaps == (known, reader)


def test_a_window_away_from_the_recording_is_refused() -> None:
    with pytest.raises(InvalidWindow, match="the recording runs from 2026-03-01T10:00:00Z"):
        collected(Sources(HELD, HELD, HELD), window=between(90, 95))


def test_a_window_in_which_nothing_was_recorded_is_refused() -> None:
    with pytest.raises(InvalidWindow, match="nothing was recorded"):
        collected(Sources(HELD, HELD, HELD), window=between(45, 50), scene=wide_scene())


def test_a_window_nobody_could_be_asked_about_is_not_called_empty() -> None:
    down = FailingTelemetry(SourceUnavailable("down"))
    observations, _ = collected(
        Sources(down, down, down), window=between(45, 50), scene=wide_scene()
    )
    assert [reason for _, reason in gaps_of(observations)] == ["unavailable"] * 3


def test_a_window_that_sticks_out_of_the_recording_widens_the_extent() -> None:
    observations, _ = collected(Sources(HELD, HELD, HELD), window=between(35, 50))
    assert observations.extent == between(0, 50)


def test_an_alarm_named_by_a_person_keeps_the_known_kind_of_its_service() -> None:
    observations, _ = collected(Sources(HELD, HELD, HELD))
    assert with_alarm(observations, "shop").alarm == Alarm("shop", "latency")
    assert with_alarm(observations, "cart").alarm == Alarm("cart", None)


def test_a_service_nobody_recorded_is_refused_with_the_nearest_names() -> None:
    observations, _ = collected(Sources(HELD, HELD, HELD))
    with pytest.raises(UnknownService, match=r"service: 'stroe' .* did you mean store\?"):
        with_alarm(observations, "stroe")


def wide_scene() -> Scene:
    return replace(SCENE, extent=between(0, 60))


@dataclass
class Onlooker:
    """Remembers what it was told, in order."""

    heard: list[tuple[str, str]] = field(default_factory=list)

    def thought(self, text: str) -> None:
        self.heard.append(("thought", text))

    def started(self, tool: str, tool_input: str) -> None:
        self.heard.append(("started", tool))

    def ended(self, step: Step) -> None:
        self.heard.append(("ended", step.tool))


def test_a_read_is_told_when_it_begins_and_when_it_ends() -> None:
    onlooker = Onlooker()
    sources = Sources(HELD, HangingTraces(), HELD)
    asyncio.run(collect(sources, SCENE, FAULT, 0.05, onlooker))
    assert onlooker.heard[0] == ("started", "read_metrics")
    assert onlooker.heard[-1] == ("ended", "read_traces")  # the one that hung ends last
    assert sorted(onlooker.heard) == [
        (moment, f"read_{source}")
        for moment in ("ended", "started")
        for source in ("logs", "metrics", "traces")
    ]

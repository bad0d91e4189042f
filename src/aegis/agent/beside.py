"""What is read beside the telemetry: what was changed, and which alerts rang."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from aegis.agent.answering import answer_or_gap
from aegis.agent.steps import Step, Watch
from aegis.model.alert import Alert
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import Change, TimeWindow
from aegis.ports import AlertSource, ChangeSource

Kind = Literal["changes", "alerts"]
Row = TypeVar("Row", Change, Alert)


@dataclass(frozen=True, slots=True)
class Told(Generic[Row]):
    """What was found and why not more; no steps where there is nobody to ask."""

    rows: tuple[Row, ...] = ()
    gaps: tuple[EvidenceGap, ...] = ()
    steps: tuple[Step, ...] = ()


async def read_changes(
    source: ChangeSource | None, window: TimeWindow, watch: Watch, deadline_s: float
) -> Told[Change]:
    """A source that fails becomes a gap."""
    if source is None:
        return Told()
    return await _read("changes", source.read_changes, window, watch, deadline_s)


async def read_alerts(
    source: AlertSource | None, window: TimeWindow, watch: Watch, deadline_s: float
) -> Told[Alert]:
    """A source that fails becomes a gap."""
    if source is None:
        return Told()
    return await _read("alerts", source.read_alerts, window, watch, deadline_s)


async def _read(
    kind: Kind,
    ask: Callable[[TimeWindow], Awaitable[tuple[tuple[Row, ...], tuple[EvidenceGap, ...]]]],
    window: TimeWindow,
    watch: Watch,
    deadline_s: float,
) -> Told[Row]:
    tool, asked = f"list_{kind}", json.dumps(window.as_text())
    watch.started(tool, asked)
    nothing: tuple[Row, ...] = ()
    rows, gaps = await answer_or_gap(kind, lambda: ask(window), nothing, deadline_s)
    found: dict[str, object] = {kind: len(rows)}
    if gaps:
        found["gaps"] = [gap.reason for gap in gaps]
    step = Step(tool, asked, json.dumps(found))
    watch.ended(step)
    return Told(rows, gaps, (step,))

"""Reads what was deployed and changed in the time that a question reads."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from aegis.agent.answering import answer_or_gap
from aegis.agent.monitor import DEADLINE_S, UNWATCHED, Scene, Step, Watch
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import Change
from aegis.ports import ChangeSource


@dataclass(frozen=True, slots=True)
class ChangeLog:
    """A scene with the changes that were read, and how that is told; None: nobody was asked."""

    scene: Scene
    step: Step | None


async def read_changes(
    source: ChangeSource, scene: Scene, watch: Watch = UNWATCHED, deadline_s: float = DEADLINE_S
) -> ChangeLog:
    """The scene with the changes of its extent; a source that fails becomes a gap."""
    asked = json.dumps(scene.extent.as_text())
    watch.started("list_changes", asked)

    async def ask() -> tuple[tuple[Change, ...], tuple[EvidenceGap, ...]]:
        return await source.read_changes(scene.extent)

    nothing: tuple[Change, ...] = ()
    changes, gaps = await answer_or_gap("changes", ask, nothing, deadline_s)
    found: dict[str, object] = {"changes": len(changes)}
    if gaps:
        found["gaps"] = [gap.reason for gap in gaps]
    step = Step("list_changes", asked, json.dumps(found))
    watch.ended(step)
    known = replace(scene, changes=(*scene.changes, *changes), gaps=(*scene.gaps, *gaps))
    return ChangeLog(known, step)

"""A source answers in time, or becomes an EvidenceGap: silence is never "normal"."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aegis.model.errors import SourceError
from aegis.model.evidence import EvidenceGap, Source
from aegis.model.text import Text, told_why

Answer = TypeVar("Answer")

NAMES: dict[Source, Text] = {
    "metrics": Text("指标", "metrics"),
    "traces": Text("调用链", "traces"),
    "logs": Text("日志", "logs"),
    "changes": Text("变更记录", "changes"),
    "alerts": Text("告警", "alerts"),
}


async def answer_or_gap(
    source: Source,
    ask: Callable[[], Awaitable[tuple[Answer, tuple[EvidenceGap, ...]]]],
    empty: Answer,
    deadline_s: float,
) -> tuple[Answer, tuple[EvidenceGap, ...]]:
    """What the source says, or `empty` and why it said nothing. Only SourceError is caught."""
    try:
        async with asyncio.timeout(deadline_s):
            return await ask()
    except SourceError as error:
        why = Text(str(error), str(error))
    except TimeoutError:
        why = Text(f"{deadline_s:g} 秒内没有回答", f"no answer within {deadline_s:g} s")
    kind = NAMES[source]
    said = told_why(Text(f"{kind.zh}无法读取", f"The {kind.en} could not be read"), why)
    return empty, (EvidenceGap(source, "unavailable", None, said),)

"""What is done on the way to an answer, and who is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done on the way to an answer; input and observation are JSON."""

    tool: str
    tool_input: str
    observation: str


class Watch(Protocol):
    """Told of every step while it happens, in the order in which things happen."""

    def thought(self, text: str) -> None:
        """What is going to be done, in words."""
        ...

    def started(self, tool: str, tool_input: str) -> None: ...

    def ended(self, step: Step) -> None: ...


def told_at_once(step: Step, watch: Watch) -> Step:
    """A step that takes no time worth waiting for."""
    watch.started(step.tool, step.tool_input)
    watch.ended(step)
    return step


class Unwatched:
    """Nobody looks on."""

    def thought(self, text: str) -> None: ...

    def started(self, tool: str, tool_input: str) -> None: ...

    def ended(self, step: Step) -> None: ...


UNWATCHED = Unwatched()

"""What an examination of the settings and of a backend found, and what would mend it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aegis.model.backend import TELEMETRY, BackendName
from aegis.model.text import Text

State = Literal["ok", "warn", "fail"]
Examined = BackendName | Literal["database", "feishu"]
Condition = Literal["answers", "not_configured", "wrong_setting", "no_answer"]
"""Of a backend; `no_answer`: it could not be asked, or refused to be."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `name` is stable, for programs; a `fail` says what to change."""

    name: str
    state: State
    said: Text


@dataclass(frozen=True, slots=True)
class BackendHealth:
    """`address` None where the backend has none; findings in the order they were made."""

    backend: Examined
    address: str | None
    condition: Condition
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """`settings` are about those that belong to no single backend."""

    settings: tuple[Finding, ...]
    backends: tuple[BackendHealth, ...]

    @property
    def has_telemetry(self) -> bool:
        """There is a backend to ask about an incident."""
        asked = {one.backend for one in self.backends if one.condition != "not_configured"}
        return bool(asked & {*TELEMETRY})

    @property
    def tells_chats(self) -> bool:
        """Alerts are delivered, or meant to be: Aegis is of use without any telemetry too."""
        return any(
            one.backend == "feishu" and one.condition != "not_configured" for one in self.backends
        )

    @property
    def has_wrong_setting(self) -> bool:
        """Also where nothing can be asked about an incident and no chat be told of alerts."""
        asked = [one for one in self.backends if one.condition != "not_configured"]
        return (
            not (self.has_telemetry or self.tells_chats)
            or _fails(self.settings)
            or any(one.condition == "wrong_setting" for one in asked)
            or any(_fails(one.findings) for one in asked if one.condition == "answers")
        )

    @property
    def lacks_an_answer(self) -> bool:
        return any(one.condition == "no_answer" for one in self.backends)


def _fails(findings: Sequence[Finding]) -> bool:
    return any(one.state == "fail" for one in findings)

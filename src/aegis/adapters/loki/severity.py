"""Three kinds of lines, told apart by the server: error levels, error words, the rest.

Each line is of exactly one kind, whatever its time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aegis.adapters.loki.logql import AllOf, AnyOf, Condition, LineFilter, LogQuery, Matcher

KindName = Literal["levelled", "worded", "rest"]

# Each word costs Loki a pass over every line: twice as many words took twice the time.
LEVEL_LABELS = ("detected_level", "level", "severity", "severity_text")
SEVERE_LEVELS = "(?i)(err|error|fatal|crit|critical|panic|alert|emerg|emergency|severe)"
SEVERE_WORDS = (
    "(?i)(error|exception|fatal|panic|traceback|fail|refused|timeout|timed out|unavailable)"
)

_LEVELLED: Condition = AnyOf(tuple(Matcher(name, "=~", SEVERE_LEVELS) for name in LEVEL_LABELS))
_NOT_LEVELLED: Condition = AllOf(tuple(Matcher(name, "!~", SEVERE_LEVELS) for name in LEVEL_LABELS))


@dataclass(frozen=True, slots=True)
class Kind:
    name: KindName
    filters: tuple[LineFilter, ...]
    conditions: tuple[Condition, ...]

    def of(self, matchers: tuple[Matcher, ...], sampling: Condition | None = None) -> LogQuery:
        return LogQuery(matchers, self.filters, self.conditions, sampling)


LEVELLED = Kind("levelled", (), (_LEVELLED,))
WORDED = Kind("worded", (LineFilter("|~", SEVERE_WORDS),), (_NOT_LEVELLED,))
REST = Kind("rest", (LineFilter("!~", SEVERE_WORDS),), (_NOT_LEVELLED,))

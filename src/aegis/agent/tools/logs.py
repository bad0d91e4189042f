"""loki_collect_evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, Field

from aegis.agent.tools.shown import remarks, shown
from aegis.agent.tools.times import Moment, Times, moment_text, told
from aegis.agent.tools.tool import Arguments, Result, Tool
from aegis.model.log_search import ERROR_STATUS_CODES, ERROR_WORDS, LogGroup, LogSearchRequest
from aegis.ports import LogSearch

MOST_GROUPS = 60
MOST_SERVICES_COUNTED = 50
MOST_LINES = 500


def listed(given: object) -> object:
    """A list that came as text: models and command lines write "a, b"."""
    if isinstance(given, str):
        return [one.strip() for one in given.split(",") if one.strip()]
    return given


Word = Annotated[str, Field(min_length=1, max_length=256)]


class LogArguments(Arguments):
    start: Moment = "now-15m"
    end: Moment = "now"
    services: Annotated[
        tuple[Word, ...],
        BeforeValidator(listed),
        Field(max_length=20, description="none: all services; the first is shown first"),
    ] = ()
    keywords: Annotated[
        tuple[Word, ...],
        BeforeValidator(listed),
        Field(max_length=20, description="lines with one of them, in any case; no patterns"),
    ] = ERROR_WORDS
    status_codes: Annotated[
        tuple[Annotated[int, Field(ge=100, le=599)], ...],
        BeforeValidator(listed),
        Field(max_length=20, description="or with one of these numbers"),
    ] = ERROR_STATUS_CODES
    limit: Annotated[int, Field(ge=1, le=MOST_LINES, description="most lines to read")] = 200


def collect_evidence(source: LogSearch, times: Times) -> Tool[LogArguments]:
    return Tool(
        "loki_collect_evidence",
        "Log lines that hold an error word or an HTTP status code, counted by service and "
        "grouped where they differ in numbers and ids only, each group with its first line. "
        "Without keywords and status codes: all lines. At most 6 h.",
        LogArguments,
        _Asking(source, times).collect,
        "loki_request_failed",
        lambda given: {
            "start": given.start,
            "end": given.end,
            "services": list(given.services),
            "keywords": list(given.keywords),
            "status_codes": list(given.status_codes),
        },
    )


@dataclass(frozen=True, slots=True)
class _Asking:
    source: LogSearch
    times: Times

    async def collect(self, given: LogArguments) -> Result:
        window = self.times.window(given, services=list(given.services))
        if isinstance(window, dict):
            return window
        asked = LogSearchRequest(
            window, given.services, given.keywords, given.status_codes, given.limit
        )
        found = await self.source.collect_evidence(asked)
        more_groups = len(found.groups) - MOST_GROUPS
        more_services = len(found.matching) - MOST_SERVICES_COUNTED
        return {
            "logql": found.query,
            **told(window),
            "matching_lines": {
                shown(name): lines for name, lines in found.matching[:MOST_SERVICES_COUNTED]
            },
            "groups": [_group(one) for one in found.groups[:MOST_GROUPS]],
            **remarks(
                found.gaps,
                f"{more_groups} more groups" if more_groups > 0 else "",
                f"{more_services} more services with such lines" if more_services > 0 else "",
            ),
        }


def _group(one: LogGroup) -> Mapping[str, object]:
    return {
        "service": shown(one.service),
        "level": shown(one.level) if one.level else None,
        "lines": one.lines,
        "first": moment_text(one.first_ns),
        "last": moment_text(one.last_ns),
        "example": shown(one.example),
        "trace_ids": [shown(trace) for trace in one.trace_ids],
    }

"""Log lines that say the same, put together: how errors are shown to a person or a model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from aegis.model.log_search import LogGroup
from aegis.model.telemetry import LogTable

MOST_TRACES = 3
HEADER_CHARACTERS = 120

_VARYING = re.compile(r"[0-9a-fA-F-]{8,}|\d[\w.:-]*")
_ERROR_LEVEL = re.compile(r"(?i)err|fatal|crit|panic|severe|alert|emerg")


def grouped(table: LogTable, services: Sequence[str]) -> tuple[LogGroup, ...]:
    """Wanted services first, then errors, then what was written most."""
    members: dict[tuple[str, str | None, str], list[int]] = {}
    for row, body in enumerate(table.body):
        code = int(table.level_code[row])
        level = table.levels[code] if code >= 0 else None
        key = (table.services[table.service_code[row]], level, _VARYING.sub("<*>", body))
        members.setdefault(key, []).append(row)
    groups = [_group(table, service, level, rows) for (service, level, _), rows in members.items()]
    wanted: Mapping[str, int] = {name: place for place, name in enumerate(services)}

    def order(group: LogGroup) -> tuple[int, bool, int, int, str]:
        place = wanted.get(group.service, len(wanted))
        harmless = not _ERROR_LEVEL.search(group.level or group.example[:HEADER_CHARACTERS])
        return place, harmless, -group.lines, group.first_ns, group.example

    return tuple(sorted(groups, key=order))


def _group(table: LogTable, service: str, level: str | None, rows: list[int]) -> LogGroup:
    rows.sort(key=lambda row: int(table.time_ns[row]))
    traces = [table.trace_id[row].decode("utf-8", "replace") for row in rows]
    named = tuple(dict.fromkeys(trace for trace in traces if trace))
    return LogGroup(
        service,
        level,
        table.body[rows[0]],
        len(rows),
        int(table.time_ns[rows[0]]),
        int(table.time_ns[rows[-1]]),
        named[:MOST_TRACES],
    )

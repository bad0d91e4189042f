"""A Loki to test against: a stand-in that executes our queries, or a real one.

The real one is named by AEGIS_LIVE_LOKI_URL and must be on this machine; each test pushes
its own lines there, under a label value nobody else has.
"""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from aegis.adapters.http_client.budget import Budget
from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.loki.logs import Caps, LokiLogs
from aegis.adapters.loki.selector import ServiceSelector, service_selector
from aegis.model.backend import BackendConfig
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import UNDATED, LogLine, LogTable, TimeWindow
from tests.adapters.loki_language import ParseError, StoredLine, parse
from tests.adapters.stand_in import Reply, Seen, standing_in
from tests.live_backends import LOGS, live_url

SECOND_NS = 1_000_000_000
SCOPE = "aegis_test"


@dataclass
class HeldLoki:
    """Answers like Loki 3 from lines held in memory; `pattern_counts` None: no ingester."""

    lines: Sequence[StoredLine]
    offers_volume: bool = True
    detects_levels: bool = True
    most_series: int = 500
    pattern_counts: list[dict[str, Any]] | None = None
    refused: list[str] = field(default_factory=list)

    def answer(self, seen: Seen) -> Reply:
        name = seen.path.removeprefix("/loki/api/v1/")
        start, end = int(seen.one("start")), int(seen.one("end"))
        lines = [line for line in self.lines if start <= line.time_ns < end]
        try:
            if name == "labels":
                return _success(sorted({label for line in lines for label in line.stream}))
            if name.startswith("label/"):
                wanted = name.split("/")[1]
                values = {line.stream[wanted] for line in lines if wanted in line.stream}
                return _success(sorted(values)) if values else Reply(body=b'{"status":"success"}')
            if name == "index/volume" and self.offers_volume:
                return self._volume(seen, lines)
            if name == "series":
                chosen = parse(seen.one("match[]"))
                kept = [line.stream for line in lines if chosen.labels_of(line, {}) is not None]
                return _success([dict(one) for one in {tuple(one.items()) for one in kept}])
            if name == "patterns" and self.pattern_counts is not None:
                return _success(self.pattern_counts)
            if name == "query_range":
                return self._query(seen, lines, start, end)
        except ParseError as error:
            self.refused.append(seen.one("query"))
            return _text(400, f"parse error : {error}")
        return _text(404, "404 page not found\n")

    def _query(self, seen: Seen, lines: list[StoredLine], start: int, end: int) -> Reply:
        query = parse(seen.one("query"))
        if query.by is None:
            limit = int(seen.one("limit"))
            if limit > 5_000:
                return _text(400, "max entries limit per query exceeded")
            backward = seen.one("direction", "backward") == "backward"
            found = [(line, query.labels_of(line, self._added(line))) for line in lines]
            kept = [(line, labels) for line, labels in found if labels is not None]
            kept.sort(key=lambda one: one[0].time_ns, reverse=backward)
            return _streams(kept[:limit])
        step_ns = int(seen.one("step").removesuffix("s")) * SECOND_NS
        assert step_ns == query.range_s * SECOND_NS
        assert (end - start) // step_ns <= 11_000
        counts: dict[tuple[str, ...], dict[int, int]] = defaultdict(lambda: defaultdict(int))
        for line in self.lines:
            at = -(-line.time_ns // step_ns) * step_ns
            labels = query.labels_of(line, self._added(line))
            if labels is not None and start // step_ns * step_ns <= at <= end:
                key = tuple(labels.get(name, "") for name in query.by)
                amount = len(line.body.encode()) if query.in_bytes else 1
                counts[key][at // SECOND_NS] += amount
        if len(counts) > self.most_series:
            most = self.most_series
            return _text(400, f"maximum number of series ({most}) reached for a single query")
        result = [
            {
                "metric": {name: value for name, value in zip(query.by, key, strict=True) if value},
                "values": [[at, str(count)] for at, count in sorted(row.items())],
            }
            for key, row in sorted(counts.items())
        ]
        return _success({"resultType": "matrix", "result": result})

    def _volume(self, seen: Seen, lines: list[StoredLine]) -> Reply:
        query, label = parse(seen.one("query")), seen.one("targetLabels")
        sizes: dict[str, int] = defaultdict(int)
        for line in lines:
            if query.labels_of(line, {}) is not None:
                sizes[line.stream[label]] += len(line.body.encode())
        result = [
            {"metric": {label: value}, "value": [0, str(size)]} for value, size in sizes.items()
        ]
        return _success({"resultType": "vector", "result": result})

    def _added(self, line: StoredLine) -> dict[str, str]:
        if not self.detects_levels or "detected_level" in line.metadata:
            return {}
        said = line.metadata.get("level") or line.stream.get("level") or line.body
        words = ("error", "warn", "info", "debug", "fatal")
        level = next((word for word in words if word in said.lower()), "unknown")
        return {"detected_level": level}


def _streams(kept: list[tuple[StoredLine, dict[str, str]]]) -> Reply:
    streams: dict[str, dict[str, Any]] = {}
    for line, labels in kept:
        name = json.dumps(labels, sort_keys=True)
        stream = streams.setdefault(name, {"stream": labels, "values": []})
        stream["values"].append([str(line.time_ns), line.body])
    return _success({"resultType": "streams", "result": list(streams.values())})


def _success(data: Any) -> Reply:
    return Reply(body=json.dumps({"status": "success", "data": data}).encode())


def _text(status: int, text: str) -> Reply:
    return Reply(status, text.encode(), "text/plain; charset=utf-8")


def stored(lines: Sequence[LogLine], label: str = "app") -> list[StoredLine]:
    """As an OpenTelemetry collector stores them; undated lines cannot be in Loki."""
    found = []
    for line in lines:
        given = {"level": line.level, "trace_id": line.trace_id, "span_id": line.span_id}
        metadata = {name: value for name, value in given.items() if value}
        if line.time_ns != UNDATED:
            found.append(StoredLine(line.time_ns, line.body, {label: line.service}, metadata))
    return found


@dataclass(frozen=True)
class LokiAt:
    """A LogSource that opens a client for each question, as bootstrap does.

    `shift` is how much later the lines were pushed than they say.
    """

    url: str
    selector: ServiceSelector = field(default_factory=ServiceSelector)
    caps: Caps = field(default_factory=Caps)
    shift: timedelta = timedelta(0)
    timeout_s: float = 10.0
    budgets: list[Budget] = field(default_factory=list)

    async def read_logs(self, window: TimeWindow) -> tuple[LogTable, tuple[EvidenceGap, ...]]:
        asked = TimeWindow(window.start + self.shift, window.end + self.shift)
        budget = Budget()
        self.budgets.append(budget)
        config = BackendConfig("loki", self.url, timeout_s=self.timeout_s)
        async with BackendClient(config, budget) as client:
            table, gaps = await LokiLogs(client, self.selector, self.caps).read_logs(asked)
        shift_ns = self.shift // timedelta(microseconds=1) * 1000
        return replace(table, time_ns=table.time_ns - shift_ns), gaps


@contextmanager
def held(loki: HeldLoki, caps: Caps | None = None) -> Iterator[LokiAt]:
    with standing_in(loki.answer) as server:
        yield LokiAt(server.url, caps=caps or Caps())
    assert loki.refused == []


@contextmanager
def live(lines: Sequence[StoredLine], caps: Caps | None = None) -> Iterator[LokiAt]:
    """Skips where no real Loki is named. The lines are moved to end an hour ago."""
    url = live_url(LOGS).rstrip("/")
    newest = datetime.fromtimestamp(max(line.time_ns for line in lines) // SECOND_NS, UTC)
    hour_ago = datetime.now(UTC) - timedelta(hours=1)  # noqa: TID251
    shift = timedelta(seconds=int((hour_ago - newest).total_seconds()))
    mark = uuid.uuid4().hex
    _push(url, lines, int(shift.total_seconds()) * SECOND_NS, mark)
    template = f'{{{{{SCOPE}="{mark}", {{label_key}}="{{service}}"}}}}'
    yield LokiAt(url, service_selector("app", template), caps or Caps(), shift)


def _push(url: str, lines: Sequence[StoredLine], shift_ns: int, mark: str) -> None:
    streams: dict[str, dict[str, Any]] = {}
    for line in sorted(lines, key=lambda one: one.time_ns):
        labels = {**line.stream, SCOPE: mark}
        stream = streams.setdefault(json.dumps(labels), {"stream": labels, "values": []})
        stream["values"].append([str(line.time_ns + shift_ns), line.body, dict(line.metadata)])
    pushed = httpx.post(f"{url}/loki/api/v1/push", json={"streams": list(streams.values())})
    if "structured metadata" in pushed.text:
        pytest.skip(f"{LOGS} keeps no structured metadata: set allow_structured_metadata there")
    assert pushed.status_code == 204, pushed.text

"""The few endpoints of the Prometheus query API that Aegis uses, as typed calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aegis.adapters.http_client.answers import Answer
from aegis.adapters.http_client.client import NOTHING, BackendClient
from aegis.adapters.http_client.routes import Route
from aegis.adapters.prometheus.answers import Remarks, Result, data_of, result_of
from aegis.model.errors import AnswerTooLarge
from aegis.model.telemetry import TimeWindow, to_ns

BUILDINFO = Route("GET", "/api/v1/status/buildinfo")
METADATA = Route("GET", "/api/v1/metadata")
VALUES = Route("GET", "/api/v1/label/{name}/values")
INSTANT = Route("POST", "/api/v1/query")
RANGE = Route("POST", "/api/v1/query_range")

MOST_LISTED = 6 * 1024 * 1024
"""Bytes of an answer about names and labels; 100,000 names are about 4 MiB."""
NOT_THERE = frozenset({400, 404, 405, 501})
"""What stores answer that do not have an endpoint (old Cortex, VictoriaMetrics, proxies)."""


def unix_s(moment: datetime) -> str:
    """Seconds since the epoch with milliseconds, as every one of these servers reads it."""
    return f"{to_ns(moment) // 1_000_000 / 1000:.3f}"


@dataclass(slots=True)
class PrometheusApi:
    """Asks within one question: `asked` counts. Warnings of all answers gather in `remarks`."""

    client: BackendClient
    remarks: Remarks = field(default_factory=Remarks)
    asked: int = 0

    async def _ask(
        self,
        route: Route,
        parameters: Sequence[tuple[str, str]] = (),
        path: Mapping[str, str] = NOTHING,
        expected: frozenset[int] = frozenset(),
        most_bytes: int = MOST_LISTED,
    ) -> Answer:
        self.asked += 1
        return await self.client.ask(
            route, parameters, path=path, expected=expected, most_bytes=most_bytes
        )

    async def buildinfo(self) -> Mapping[str, Any]:
        """Empty where the server does not say what it is."""
        answer = await self._ask(BUILDINFO, expected=NOT_THERE)
        return self._object(answer)

    async def metadata(self) -> Mapping[str, Any]:
        """Family name → list of {type, unit, help}; empty where there is none or far too much."""
        try:
            answer = await self._ask(METADATA, [("limit_per_metric", "1")], expected=NOT_THERE)
        except AnswerTooLarge:
            return {}
        return self._object(answer)

    async def metric_names(self, window: TimeWindow) -> tuple[str, ...]:
        """Names with samples around the window, sorted. Blocks are coarse: some may be older."""
        between = [("start", unix_s(window.start)), ("end", unix_s(window.end))]
        answer = await self._ask(VALUES, between, path={"name": "__name__"})
        data, warnings, is_partial = data_of(answer)
        self.remarks.note(Result((), warnings, is_partial))
        names = data if isinstance(data, list) else []
        return tuple(sorted({name for name in names if isinstance(name, str)}))

    async def instant(self, promql: str, at: datetime) -> Result:
        answer = await self._ask(INSTANT, [("query", promql), ("time", unix_s(at))])
        return self._noted(answer)

    async def over(
        self, promql: str, window: TimeWindow, step_s: int, most_bytes: int = MOST_LISTED
    ) -> Result:
        """A range query on the times start, start + step … up to and with `window.end`."""
        asked = [("query", promql), ("start", unix_s(window.start)), ("end", unix_s(window.end))]
        asked.append(("step", str(step_s)))
        return self._noted(await self._ask(RANGE, asked, most_bytes=most_bytes))

    def _noted(self, answer: Answer) -> Result:
        result = result_of(answer)
        self.remarks.note(result)
        return result

    def _object(self, answer: Answer) -> Mapping[str, Any]:
        if answer.status != 200:
            return {}
        data, warnings, is_partial = data_of(answer)
        self.remarks.note(Result((), warnings, is_partial))
        return data if isinstance(data, dict) else {}

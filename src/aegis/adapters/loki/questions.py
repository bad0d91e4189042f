"""The reads of Loki that Aegis makes, each a structured question and a typed answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aegis.adapters.http_client.answers import Answer
from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.http_client.routes import Route
from aegis.adapters.loki.answers import (
    Counted,
    Labels,
    Row,
    read_counts,
    read_names,
    read_patterns,
    read_rows,
    read_streams,
)
from aegis.adapters.loki.logql import CountQuery, LogQuery, Matcher, label_name
from aegis.model.errors import SourceRejected
from aegis.model.log_search import LogPattern
from aegis.model.telemetry import TimeWindow

MOST_LINES_A_QUERY = 5_000
MOST_SERIES = 500
MIB = 1024 * 1024
LOOKED_AT_S = 300
_NS = 1_000_000_000

LABELS = Route("GET", "/loki/api/v1/labels")
LABEL_VALUES = Route("GET", "/loki/api/v1/label/{name}/values")
QUERY_RANGE = Route("GET", "/loki/api/v1/query_range")
SERIES = Route("GET", "/loki/api/v1/series")
VOLUME = Route("GET", "/loki/api/v1/index/volume")
PATTERNS = Route("GET", "/loki/api/v1/patterns")

_NOT_OFFERED = frozenset({400, 404, 405, 501})


class TooManySeries(SourceRejected):
    """The query would give more series than this Loki allows; group by less."""


@dataclass(slots=True)
class LokiQuestions:
    """Asks through the client of one question; `sent` counts reads, repeated ones too.

    Times are nanoseconds, starts inclusive, ends exclusive. An answer holds `most_bytes` at
    most, all lines together about `most_line_bytes` (answers on their way are not counted).
    """

    client: BackendClient
    most_bytes: int = 16 * MIB
    most_line_bytes: int = 64 * MIB
    sent: int = 0
    line_bytes: int = 0

    async def labels(self, window: TimeWindow) -> tuple[str, ...]:
        return read_names(await self._ask(LABELS, _between(window.start_ns, window.end_ns)))

    async def label_values(self, name: str, window: TimeWindow) -> tuple[str, ...]:
        """Values of a stream label; empty for a label no stream has."""
        asked = _between(window.start_ns, window.end_ns)
        self.sent += 1
        answer = await self.client.ask(
            LABEL_VALUES, asked, path={"name": label_name(name)}, most_bytes=self.most_bytes
        )
        return read_names(answer)

    async def streams(self, matchers: tuple[Matcher, ...], window: TimeWindow) -> list[Labels]:
        """The labels of every stream; AnswerTooLarge where there are very many."""
        asked = [("match[]", LogQuery(matchers).text()), *_between(window.start_ns, window.end_ns)]
        return read_streams(await self._ask(SERIES, asked))

    async def lines(
        self,
        query: LogQuery,
        start_ns: int,
        end_ns: int,
        limit: int = MOST_LINES_A_QUERY,
        direction: Literal["forward", "backward"] = "forward",
    ) -> list[Row]:
        """The first (or last) `limit` lines, by time; as many as `limit` may mean more exist."""
        asked = [("query", query.text()), *_between(start_ns, end_ns)]
        asked += [("limit", str(limit)), ("direction", direction)]
        self.sent += 1
        left = max(1, self.most_line_bytes - self.line_bytes)
        most_bytes = min(self.most_bytes, left)
        answer = await self.client.ask(QUERY_RANGE, asked, most_bytes=most_bytes)
        self.line_bytes += len(answer.body)
        rows = read_rows(answer)
        return sorted(rows, key=lambda row: row.time_ns, reverse=direction == "backward")

    async def counts(self, query: CountQuery, start_ns: int, end_ns: int) -> list[Counted]:
        """Counts at every multiple of the query's range, one past the end included.

        Loki rounds starts and ends to multiples of the step, so the first point may count
        lines from before `start_ns` and the last one lines after `end_ns`.
        """
        step_ns = query.range_s * 1_000_000_000
        asked = [("query", query.text())]
        asked += _between(-(-start_ns // step_ns) * step_ns, -(-end_ns // step_ns) * step_ns)
        asked += [("step", f"{query.range_s}s")]
        answer = await self._ask(QUERY_RANGE, asked, expected=frozenset({400}))
        if answer.status == 400:
            told = answer.excerpt()
            kind = TooManySeries if "number of series" in told else SourceRejected
            raise kind(f"{answer.where} answered 400 ({told})")
        return read_counts(answer)

    async def volumes(
        self, matchers: tuple[Matcher, ...], window: TimeWindow, label: str
    ) -> dict[str, int] | None:
        """Bytes by value of `label`, straight from the index; None where Loki offers none.

        Loki 2.9 has no such route unless it is switched on. The largest MOST_SERIES values.
        """
        asked = [("query", LogQuery(matchers).text()), *_between(window.start_ns, window.end_ns)]
        asked += [("limit", str(MOST_SERIES)), ("targetLabels", label_name(label))]
        answer = await self._ask(VOLUME, asked, expected=_NOT_OFFERED)
        if answer.status in _NOT_OFFERED:
            return None
        volumes: dict[str, int] = {}
        for series in read_counts(answer):
            value = series.labels.get(label, "")
            volumes[value] = volumes.get(value, 0) + int(series.points[-1][1])
        return volumes

    async def sizes(
        self, matchers: tuple[Matcher, ...], window: TimeWindow, label: str
    ) -> dict[str, int]:
        """Bytes by value of `label`; where the index tells none, what the last minutes of the
        window suggest, which takes a second request."""
        volumes = await self.volumes(matchers, window, label)
        if volumes is not None:
            return volumes
        looked_at_s = max(1, min(LOOKED_AT_S, int(window.duration_s)))
        counting = CountQuery(LogQuery(matchers), looked_at_s, (label,), "bytes_over_time")
        end_ns = window.end_ns // (looked_at_s * _NS) * looked_at_s * _NS
        rows = await self.counts(counting, end_ns - looked_at_s * _NS, end_ns)
        share = window.duration_s / looked_at_s / 2  # two points: each counts a range of its own
        return {
            row.labels.get(label, ""): int(share * sum(value for _, value in row.points))
            for row in rows
        }

    async def patterns(
        self, matchers: tuple[Matcher, ...], window: TimeWindow
    ) -> list[LogPattern] | None:
        """Loki's own templates of lines; None where its pattern ingester is off (the default)."""
        asked = [("query", LogQuery(matchers).text()), *_between(window.start_ns, window.end_ns)]
        answer = await self._ask(PATTERNS, asked, expected=_NOT_OFFERED)
        return None if answer.status in _NOT_OFFERED else read_patterns(answer)

    async def _ask(
        self,
        route: Route,
        asked: list[tuple[str, str]],
        expected: frozenset[int] = frozenset(),
    ) -> Answer:
        self.sent += 1
        return await self.client.ask(route, asked, expected=expected, most_bytes=self.most_bytes)


def _between(start_ns: int, end_ns: int) -> list[tuple[str, str]]:
    return [("start", str(start_ns)), ("end", str(end_ns))]

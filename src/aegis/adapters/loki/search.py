"""Narrow questions to Loki: error lines grouped, volumes, patterns, label values."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.log_groups import grouped
from aegis.adapters.loki import said
from aegis.adapters.loki.answers import Counted, Row
from aegis.adapters.loki.logql import CountQuery, LineFilter, LogQuery, re2_literal
from aegis.adapters.loki.questions import MIB, LokiQuestions, TooManySeries
from aegis.adapters.loki.selector import ServiceSelector
from aegis.adapters.loki.service_streams import ServiceStreams, service_names, streams_of
from aegis.adapters.loki.table import log_table
from aegis.model.errors import InvalidRequest
from aegis.model.log_search import LogEvidence, LogPattern, LogSearchRequest, LogVolume
from aegis.model.telemetry import TimeWindow

LONGEST_WINDOW_S = 6 * 3600
MOST_LINES = 500
MOST_ANSWER_BYTES = 2 * MIB
SUB_WINDOWS = 4


@dataclass(slots=True)
class LokiSearch:
    """A LogSearch for the time of one question, on the entered client of that question."""

    client: BackendClient
    selector: ServiceSelector = field(default_factory=ServiceSelector)

    async def collect_evidence(self, asked: LogSearchRequest) -> LogEvidence:
        """At most SUB_WINDOWS + 5 requests.

        The lines are the first ones of each of SUB_WINDOWS equal parts of the time, so that a
        storm at the end does not hide how it began.
        """
        filters = _filters(asked)
        _check(asked)
        questions = LokiQuestions(self.client, MOST_ANSWER_BYTES)
        streams = await streams_of(questions, self.selector, asked.window)
        if streams is None:
            return LogEvidence("", asked.window, (), ())
        query = LogQuery(streams.of(asked.services), filters)
        matching = await _matching(questions, query, streams, asked.window)
        rows = await self._read(questions, query, asked)
        table = log_table(rows, streams.label, self.selector, 1.0)
        gaps = [said.nobody(name, streams.label) for name in streams.unknown(asked.services)]
        there = sum(matching.values())
        if there > len(rows):
            gaps.append(said.first_lines(len(rows), there, SUB_WINDOWS))
        counted = sorted(matching.items(), key=lambda one: (-one[1], one[0]))
        groups = grouped(table, asked.services)
        return LogEvidence(query.text(), asked.window, tuple(counted), groups, tuple(gaps))

    async def volume_by_service(self, window: TimeWindow) -> tuple[LogVolume, ...]:
        """Bytes from the index, lines where this Loki keeps no volumes. Loudest first."""
        _check_window(window)
        questions = LokiQuestions(self.client, MOST_ANSWER_BYTES)
        streams = await streams_of(questions, self.selector, window)
        if streams is None:
            return ()
        volumes = await questions.volumes(streams.every(), window, streams.label)
        if volumes:
            found = [
                LogVolume(self.selector.service_in(value), size, "bytes")
                for value, size in volumes.items()
            ]
        else:
            counted = await _matching(questions, LogQuery(streams.every()), streams, window)
            found = [LogVolume(name, lines, "lines") for name, lines in counted.items()]
        return tuple(sorted(found, key=lambda one: (-one.amount, one.service)))

    async def names(self, window: TimeWindow) -> tuple[str, ...]:
        """From the index alone; the label's own values where there are very many streams."""
        _check_window(window)
        questions = LokiQuestions(self.client, MOST_ANSWER_BYTES)
        streams = await streams_of(questions, self.selector, window)
        if streams is None:
            return ()
        return await service_names(questions, streams, window)

    async def patterns(self, service: str, window: TimeWindow) -> tuple[LogPattern, ...] | None:
        _check_window(window)
        questions = LokiQuestions(self.client, MOST_ANSWER_BYTES)
        streams = await streams_of(questions, self.selector, window)
        if streams is None:
            return ()
        found = await questions.patterns(streams.of([service]), window)
        return None if found is None else tuple(found)

    async def label_values(self, label: str, window: TimeWindow) -> tuple[str, ...]:
        _check_window(window)
        questions = LokiQuestions(self.client, MOST_ANSWER_BYTES)
        return await questions.label_values(label, window)

    async def _read(
        self, questions: LokiQuestions, query: LogQuery, asked: LogSearchRequest
    ) -> list[Row]:
        start_ns, end_ns = asked.window.start_ns, asked.window.end_ns
        borders = [
            start_ns + (end_ns - start_ns) * place // SUB_WINDOWS
            for place in range(SUB_WINDOWS + 1)
        ]
        limit = max(1, asked.most_lines // SUB_WINDOWS)
        rows: list[Row] = []
        for one, other in itertools.pairwise(borders):
            if other > one:
                rows += await questions.lines(query, one, other, limit)
        return rows


async def _matching(
    questions: LokiQuestions, query: LogQuery, streams: ServiceStreams, window: TimeWindow
) -> dict[str, int]:
    """Lines by service, to the accuracy of the steps Loki counts in (a sixtieth)."""
    step_s = max(1, int(-(-window.duration_s // 60)))

    async def counted(by: tuple[str, ...]) -> list[Counted]:
        return await questions.counts(CountQuery(query, step_s, by), window.start_ns, window.end_ns)

    try:
        series = await counted(streams.told_by)
    except TooManySeries:
        series = await counted((streams.label,))
    found: dict[str, int] = {}
    for one in series:
        name = streams.service(one.labels)
        found[name] = found.get(name, 0) + int(sum(value for _, value in one.points))
    return found


def _check(asked: LogSearchRequest) -> None:
    _check_window(asked.window)
    if not 1 <= asked.most_lines <= MOST_LINES:
        raise InvalidRequest("most_lines", f"must be from 1 to {MOST_LINES}")


def _check_window(window: TimeWindow) -> None:
    if window.duration_s > LONGEST_WINDOW_S:
        raise InvalidRequest("window", f"must not be longer than {LONGEST_WINDOW_S // 3600} hours")


def _filters(asked: LogSearchRequest) -> tuple[LineFilter, ...]:
    """What a person or a model gave is quoted; it never is a regular expression."""
    parts = [re2_literal(word) for word in asked.keywords if word]
    for code in asked.status_codes:
        if not 100 <= code <= 599:
            raise InvalidRequest("status_codes", "must be from 100 to 599")
        parts.append(rf"\b{code}\b")
    return (LineFilter("|~", f"(?i)({'|'.join(parts)})"),) if parts else ()

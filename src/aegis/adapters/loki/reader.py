"""Reads the lines of a piece of time to their end, within the requests a question has left."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from aegis.adapters.loki.answers import Row
from aegis.adapters.loki.logql import LogQuery
from aegis.adapters.loki.questions import MOST_LINES_A_QUERY, LokiQuestions
from aegis.adapters.loki.sampling import Piece
from aegis.model.errors import AnswerTooLarge, SourceError, SourceRejected


class NotWhole(SourceRejected):
    """More lines came than were counted, and there was no request left to read them all."""


@dataclass(slots=True)
class PieceReader:
    """`spare` are the requests for pieces that hold more than was expected."""

    questions: LokiQuestions
    spare: int
    page_lines: int = MOST_LINES_A_QUERY
    _bodies: dict[str, str] = field(default_factory=dict)

    async def read(self, query: LogQuery, pieces: Sequence[Piece]) -> list[Row] | SourceError:
        """All rows of all pieces in the order of time, or why not all could be read."""
        broken: list[SourceError] = []
        tasks: list[asyncio.Task[list[Row]]] = []
        try:
            async with asyncio.TaskGroup() as group:
                tasks += [group.create_task(self._piece(query, piece)) for piece in pieces]
        except* SourceError as failed:
            broken.append(_first_leaf(failed))
        if broken:
            return broken[0]
        return [row for task in tasks for row in task.result()]

    async def _piece(self, query: LogQuery, piece: Piece) -> list[Row]:
        try:
            page = await self.questions.lines(query, piece.start_ns, piece.end_ns, self.page_lines)
        except AnswerTooLarge:
            middle = (piece.start_ns + piece.end_ns) // 2
            if middle == piece.start_ns:
                raise
            self._take(2)
            first = await self._piece(query, Piece(piece.start_ns, middle))
            return first + await self._piece(query, Piece(middle, piece.end_ns))
        for place, row in enumerate(page):
            body = self._bodies.setdefault(row.body, row.body)
            page[place] = Row(row.time_ns, body, row.labels)
        if len(page) < self.page_lines:
            return page
        last_ns = page[-1].time_ns
        if last_ns == page[0].time_ns:
            raise NotWhole(f"more than {self.page_lines} lines have one and the same time")
        self._take(1)
        # The last moment is read again: the limit may have cut through its lines.
        rest = await self._piece(query, Piece(last_ns, piece.end_ns))
        return [row for row in page if row.time_ns < last_ns] + rest

    def _take(self, requests: int) -> None:
        if self.spare < requests:
            raise NotWhole("there are more lines than were counted")
        self.spare -= requests


def _first_leaf(failed: BaseExceptionGroup[SourceError]) -> SourceError:
    error: BaseException = failed
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, SourceError)  # noqa: S101
    return error

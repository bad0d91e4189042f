"""Spans of a window from Jaeger: an even sample of whole traces in a fixed number of reads."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.jaeger.cohorts import Cohorts, cohort_searches
from aegis.adapters.jaeger.notes import Notes
from aegis.adapters.jaeger.query_api import QueryApi, Search, TraceSummary
from aegis.adapters.jaeger.sampling import (
    Entries,
    SliceSeen,
    capped,
    dealt,
    entries_of,
    share_read,
    tailed,
)
from aegis.adapters.jaeger.span_rows import table_of, whole_table
from aegis.model.errors import AnswerTooLarge, SourceError, SourceUnavailable
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import ServiceGraph, SpanTable, TimeWindow

MOST_TRACES = 1600
"""Of the even sample; up to 400 failed and slow ones come to it."""
MOST_SPANS = 200_000
EVEN_SEARCHES = 6
MOST_SEARCHES = 8
"""Where more entries than usual must be searched through; then no cohorts are asked for."""
DEADLINE_S = 20.0
DEPENDENCIES_WAIT_S = 3.0
DEPENDENCIES_OF_S = 36 * 3600.0
"""Storages that compute dependencies in a batch keep one set a day."""
SHRINK = 6


@dataclass(frozen=True, slots=True)
class JaegerTraces:
    """A TraceSource for one question; costs at most 12 requests, a few more where traces are
    very large.

    `suspects` are services that must be looked at even where no entry leads to them.
    """

    client: BackendClient
    suspects: tuple[str, ...] = ()
    deadline_s: float = DEADLINE_S
    api: QueryApi = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "api", QueryApi(self.client))

    async def read_spans(self, window: TimeWindow) -> tuple[SpanTable, tuple[EvidenceGap, ...]]:
        """See TraceSource. What did not come before the deadline is an EvidenceGap.

        Raises SourceError where Jaeger gave nothing at all.
        """
        deadline = asyncio.get_running_loop().time() + self.deadline_s
        services = await self.api.services()
        if not services:
            return SpanTable.empty(), ()
        calls = await self._calls(window)
        return await _Reading(self.api, window, deadline).read(services, calls, self.suspects)

    async def read_trace(self, trace_id: str) -> SpanTable:
        """All spans of one trace; empty where it is not known. `sampled_share` is 1."""
        found = await self.api.trace(trace_id)
        return whole_table(found.rows)

    async def service_graph(self, window: TimeWindow) -> ServiceGraph:
        """Who calls whom: as Jaeger has computed it, else from the traces of the window."""
        calls = set(await self._calls(window))
        if not calls:
            table, _ = await self.read_spans(window)
            calls = _calls_in(table)
        return ServiceGraph(frozenset(calls))

    async def services(self) -> tuple[str, ...]:
        return await self.api.services()

    async def operations(self, service: str) -> tuple[str, ...]:
        return await self.api.operations(service)

    async def summaries(self, search: Search) -> tuple[TraceSummary, ...] | None:
        return await self.api.summaries(search)

    async def _calls(self, window: TimeWindow) -> dict[tuple[str, str], int]:
        """Nobody needs to compute dependencies, and some storages cannot."""
        lookback_s = max(DEPENDENCIES_OF_S, window.duration_s)
        try:
            async with asyncio.timeout(DEPENDENCIES_WAIT_S):
                return await self.api.dependencies(window.end, lookback_s)
        except (SourceError, TimeoutError):
            return {}


@dataclass(slots=True)
class _Reading:
    """One read_spans."""

    api: QueryApi
    window: TimeWindow
    deadline: float
    seen: list[SliceSeen] = field(default_factory=list)
    failed: list[SourceError] = field(default_factory=list)
    cohorts: Cohorts = field(default_factory=Cohorts)

    async def read(
        self, services: Sequence[str], calls: Mapping[tuple[str, str], int], suspects: Sequence[str]
    ) -> tuple[SpanTable, tuple[EvidenceGap, ...]]:
        entries = entries_of(services, calls, suspects)
        through = entries.chosen[0]
        plan: list[Search] = []
        if entries.unseen and await self.api.searches_all_services():
            plan = await self._begin(self._plan((None,), (1,)), optional=True)
            entries = Entries((), ()) if plan else entries
        if not plan:
            if entries.unseen:
                entries = entries_of(services, calls, suspects, MOST_SEARCHES)
            plan = await self._begin(self._plan(entries.chosen, entries.weights))
        depth = min(self.seen[0].depth, plan[0].depth)
        rest = [replace(search, depth=min(search.depth, depth)) for search in plan[1:]]
        found = await self._search_all(rest)
        self.seen += [part for part in found if isinstance(part, SliceSeen)]
        self.failed += [part for part in found if isinstance(part, SourceError)]
        share = share_read(self.seen)
        if share < 1 and len(plan) <= EVEN_SEARCHES:
            await self._add_cohorts(plan[0].service, through)
        return self._result(share, len(plan), entries.unseen)

    async def _begin(self, plan: list[Search], optional: bool = False) -> list[Search]:
        """The plan whose first search worked; none where `optional` and it did not.

        One alone goes first: a backend that is down, or trees that are too large, show there.
        """
        try:
            self.seen.append(await self._try(plan[0]))
        except SourceError:
            if optional:
                return []
            raise
        return plan

    def _plan(self, scope: Sequence[str | None], weights: Sequence[int]) -> list[Search]:
        """The whole window for each service, in finer parts for those that make more calls."""
        most = max(EVEN_SEARCHES, min(len(scope), MOST_SEARCHES))
        searches = min(most, max(1, self.api.client.budget.requests_left))
        counts = dealt(searches, weights[:searches])
        parts = [
            (part, share, service)
            for service, count in zip(scope, counts, strict=False)
            for part, share in tailed(self.window, count)
        ]
        whole = MOST_TRACES / sum(share for _, share, _ in parts)
        return [Search(part, max(1, int(whole * share)), service) for part, share, service in parts]

    async def _try(self, search: Search) -> SliceSeen:
        """Asks for fewer traces where they are too large; SourceUnavailable at the deadline."""
        try:
            async with asyncio.timeout_at(self.deadline):
                try:
                    return SliceSeen(search.window, search.depth, await self.api.search(search))
                except AnswerTooLarge:
                    fewer = replace(search, depth=max(1, search.depth // SHRINK))
                    return SliceSeen(fewer.window, fewer.depth, await self.api.search(fewer))
        except TimeoutError:
            raise SourceUnavailable("Jaeger needs too long for all of its traces") from None

    async def _search_all(self, searches: Sequence[Search]) -> list[SliceSeen | SourceError]:
        """Results in the order asked; a search that fails leaves the others alone."""

        async def keep(search: Search) -> SliceSeen | SourceError:
            try:
                return await self._try(search)
            except SourceError as error:
                return error

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(keep(search)) for search in searches]
        return [task.result() for task in tasks]

    async def _add_cohorts(self, scope: str | None, through: str) -> None:
        """They may fail to come: the sample stands without them."""
        self.cohorts.sampled = frozenset(
            row.trace_id for part in self.seen for row in part.found.rows
        )
        wanted = list(cohort_searches(scope, through, self.window, self.seen))
        found = await self._search_all([search for _, search in wanted])
        for (kind, search), part in zip(wanted, found, strict=True):
            if isinstance(part, SliceSeen):
                self.cohorts.add(kind, search, part.found)

    def _result(
        self, share: float, searches: int, unseen: Sequence[str]
    ) -> tuple[SpanTable, tuple[EvidenceGap, ...]]:
        sample = {row for part in self.seen for row in part.found.rows}
        rows, kept = capped(sample, MOST_SPANS)
        share *= kept
        answered = len(self.seen) / (len(self.seen) + len(self.failed))
        table = table_of(chain(rows, self.cohorts.rows()), self.window, share * answered)
        traces = len({row.trace_id for row in rows})
        malformed = sum(part.found.malformed for part in self.seen)
        notes = Notes(traces, searches, share, malformed, self.failed, unseen, self.cohorts)
        return table, notes.gaps()


def _calls_in(table: SpanTable) -> set[tuple[str, str]]:
    """A caller's span is the parent of the callee's."""
    ids = list(zip(table.trace_id.tolist(), table.span_id.tolist(), strict=True))
    owner = dict(zip(ids, table.service_code.tolist(), strict=True))
    parents = zip(table.trace_id.tolist(), table.parent_span_id.tolist(), strict=True)
    pairs = {
        (owner[parent], callee)
        for parent, callee in zip(parents, table.service_code.tolist(), strict=True)
        if parent in owner and owner[parent] != callee
    }
    return {(table.services[caller], table.services[callee]) for caller, callee in pairs}

"""The log source of a live Loki: a fixed plan of at most 12 requests for a question.

1. Which labels are there (one request), and how many bytes has each service (one, to the
   index, where this Loki offers it). What would make Loki read too much is left out.
2. How many lines has each service over the time (one; where the index told no bytes, one
   more counts them). Where all can be read, they are.
3. Else how many of them have an error level or an error word (two), and samples of each kind
   at rates that are even in time: `sampling` says how and why.
4. With a request to spare: how many bytes have streams of no service (one, to the index).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.loki import said
from aegis.adapters.loki.answers import Row
from aegis.adapters.loki.identity import is_nameless, other_service_label, service_label
from aegis.adapters.loki.logql import CountQuery, LogQuery, Matcher
from aegis.adapters.loki.questions import (
    MIB,
    MOST_LINES_A_QUERY,
    LokiQuestions,
    TooManySeries,
)
from aegis.adapters.loki.reader import NotWhole, PieceReader
from aegis.adapters.loki.sampling import (
    MOST_NAMED,
    NOBODY,
    Piece,
    Profile,
    Rates,
    choose_rates,
    overlap,
    pieces,
)
from aegis.adapters.loki.selector import ServiceSelector
from aegis.adapters.loki.severity import LEVELLED, REST, WORDED, Kind, KindName
from aegis.adapters.loki.table import log_table
from aegis.model.errors import SourceError, SourceRejected
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import LogTable, TimeWindow

PROFILE_STEPS = 120
TOO_MANY_PIECES = NotWhole("a question has no more requests left for them")


@dataclass(frozen=True, slots=True)
class Caps:
    """What one question may ask of Loki and take from it.

    The plan is made for `answer_bytes` of lines in answers of `page_bytes`, because the parts
    of a Loki that is not configured otherwise refuse more than 4 MiB among themselves (and
    then hang); `most_line_bytes` and `most_page_bytes` end what goes beyond the plan.
    `most_scanned_bytes` is what all queries for lines may make Loki look at, a pass; `fill`
    keeps samples, whose size is only expected, below the caps. A level share and a word share
    of the lines go to lines of errors, if there are so many.
    """

    requests: int = 12
    lines: int = 20_000
    page_bytes: int = 3 * MIB
    most_page_bytes: int = 8 * MIB
    answer_bytes: int = 12 * MIB
    most_line_bytes: int = 32 * MIB
    most_scanned_bytes: int = 4 * 1024 * MIB
    page_lines: int = MOST_LINES_A_QUERY
    fill: float = 0.85
    level_share: float = 0.35
    word_share: float = 0.2
    overhead_bytes: int = 400
    most_missed_share: float = 0.05


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of lines: how many there are and how they are to be read; `kind` None = all."""

    kind: Kind | None
    profile: Profile
    rates: Rates
    query: LogQuery
    pieces: tuple[Piece, ...]


@dataclass(slots=True)
class LokiLogs:
    """A LogSource for the time of one question, on the entered client of that question."""

    client: BackendClient
    selector: ServiceSelector = field(default_factory=ServiceSelector)
    caps: Caps = field(default_factory=Caps)

    async def read_logs(self, window: TimeWindow) -> tuple[LogTable, tuple[EvidenceGap, ...]]:
        """Every line of the window, or samples at rates that are even in time.

        Where a part of the lines could not be read whole it is left out whole, with a gap.
        SourceError where nothing could be read.
        """
        caps = self.caps
        questions = LokiQuestions(self.client, caps.most_page_bytes, caps.most_line_bytes)
        labels = await questions.labels(window)
        if not labels:
            return LogTable.empty(), ()
        label = service_label(labels, self.selector)
        reading = _Reading(questions, self.selector, caps, window, label, (label,))
        return await reading.run(other_service_label(labels, label))


@dataclass(slots=True)
class _Reading:
    questions: LokiQuestions
    selector: ServiceSelector
    caps: Caps
    window: TimeWindow
    label: str
    by: tuple[str, ...]
    line_bytes: float = 1.0
    gaps: list[EvidenceGap] = field(default_factory=list)

    async def run(self, other_label: str | None) -> tuple[LogTable, tuple[EvidenceGap, ...]]:
        """`other_label` names services too, perhaps those of streams without `label`."""
        every = self.selector.of_every_service(self.label)
        volumes = await self._volumes(every, self.label)
        if volumes and other_label is not None and is_nameless(self.label, volumes):
            self.label, other_label, self.by = other_label, self.label, (other_label,)
            every = self.selector.of_every_service(self.label)
            volumes = await self._volumes(every, self.label)
        matchers = (*every, *self._too_loud(volumes))
        total = await self._profile(LogQuery(matchers))
        size = sum(volumes.values()) if volumes else await self._size(LogQuery(matchers))
        if total.total >= 1:
            self.line_bytes = size / total.total + self.caps.overhead_bytes
        most = min(self.caps.lines, int(self.caps.answer_bytes / self.line_bytes))
        if total.total <= most:
            parts = [self._part(None, matchers, total, total.total, 1.0)]
        else:
            parts = await self._kinds(matchers, total, most)
        spare = self.caps.requests - self.questions.sent - sum(len(one.pieces) for one in parts)
        reader = PieceReader(self.questions, spare, self.caps.page_lines)
        rows: list[Row] = []
        read: dict[KindName | None, tuple[int, float]] = {}
        failed: list[SourceError] = []
        for part in parts:
            name = part.kind.name if part.kind else None
            answer: list[Row] | SourceError = TOO_MANY_PIECES
            if len(part.pieces) <= self.caps.requests - self.questions.sent:
                answer = await reader.read(part.query, part.pieces)
            if isinstance(answer, SourceError):
                failed.append(answer)
                self.gaps.append(said.not_read(name, answer))
                answer = []
            rows += answer
            read[name] = (len(answer), max(part.profile.total, len(answer)))
        if failed and not rows:
            raise failed[0]
        if other_label is not None and self.caps.requests - self.questions.sent > 1:
            await self._look_for_unlabelled(other_label, size)
        share = 1.0
        if any(not part.rates.everything for part in parts) or failed:
            share = min(1.0, len(rows) / max(total.total, len(rows), 1.0))
        if any(not part.rates.everything for part in parts):
            self.gaps.append(said.sampled(read, self._thinned(parts)))
        return log_table(rows, self.label, self.selector, share), tuple(self.gaps)

    async def _volumes(self, matchers: tuple[Matcher, ...], label: str) -> dict[str, int] | None:
        """None also where Loki could not say: what it costs is then not known in advance."""
        try:
            return await self.questions.volumes(matchers, self.window, label)
        except SourceError:
            return None

    async def _look_for_unlabelled(self, other_label: str, size: float) -> None:
        """A stream without the service label is of no service and would be missed in silence."""
        without = (Matcher(other_label, "=~", ".+"), Matcher(self.label, "=", ""))
        matchers = (*self.selector.scope, *without)
        try:
            volumes = await self.questions.sizes(matchers, self.window, other_label)
        except SourceError:
            return
        missed = sum(volumes.values())
        if missed > self.caps.most_missed_share * (size + missed):
            loudest = max(volumes, key=lambda value: (volumes[value], value))
            self.gaps.append(said.unlabelled(self.label, other_label, loudest, missed))

    def _too_loud(self, volumes: dict[str, int] | None) -> tuple[Matcher, ...]:
        """Matchers that leave out the loudest services until the rest may be scanned."""
        volumes = volumes or {}
        left, dropped = sum(volumes.values()), []
        for value in sorted(volumes, key=lambda value: (-volumes[value], value)):
            if left <= self.caps.most_scanned_bytes:
                break
            dropped.append(value)
            left -= volumes[value]
        if not dropped:
            return ()
        if len(dropped) > MOST_NAMED or len(dropped) == len(volumes):
            raise SourceRejected(said.too_much(sum(volumes.values())))
        names = [self.selector.service_in(value) for value in dropped]
        self.gaps += [
            said.too_loud(name, volumes[value]) for name, value in zip(names, dropped, strict=True)
        ]
        return tuple(Matcher(self.label, "!=", value) for value in dropped)

    async def _profile(self, query: LogQuery) -> Profile:
        """Lines by service and step; all under one name where there are too many services."""
        step_s = self._step_s()
        start_ns, end_ns, step_ns = self.window.start_ns, self.window.end_ns, step_s * 10**9
        counting = CountQuery(query, step_s, self.by)
        try:
            counted = await self.questions.counts(counting, start_ns, end_ns)
        except TooManySeries:
            self.by = ()  # for all profiles of this reading, or they could not be subtracted
            counting = CountQuery(query, step_s)
            counted = await self.questions.counts(counting, start_ns, end_ns)
        ends = range(-(-start_ns // step_ns) * step_ns, end_ns + step_ns, step_ns)
        place = {end // 10**9: index for index, end in enumerate(ends)}
        counts = {}
        for series in counted:
            row = np.zeros(len(ends))
            for time_s, value in series.points:
                if (index := place.get(round(time_s))) is not None:
                    row[index] += value * overlap(ends[index], step_ns, start_ns, end_ns)
            counts[series.labels.get(self.label, NOBODY)] = row
        return Profile(tuple(ends), step_ns, counts)

    async def _size(self, query: LogQuery) -> float:
        """Bytes of all lines, for a Loki that keeps no volumes."""
        counting = CountQuery(query, self._step_s(), (), "bytes_over_time")
        counted = await self.questions.counts(counting, self.window.start_ns, self.window.end_ns)
        return sum(value for series in counted for _, value in series.points)

    def _step_s(self) -> int:
        return max(1, int(-(-self.window.duration_s // PROFILE_STEPS)))

    async def _kinds(
        self, matchers: tuple[Matcher, ...], total: Profile, most: float
    ) -> list[Part]:
        levelled = await self._profile(LEVELLED.of(matchers))
        worded = await self._profile(WORDED.of(matchers))
        profiles = (levelled, worded, total.without(levelled, worded))
        left = self.caps.requests - self.questions.sent
        parts = self._parts(matchers, profiles, most)
        while most > 1 and sum(len(part.pieces) for part in parts) > max(left, len(parts)):
            most /= 2
            parts = self._parts(matchers, profiles, most)
        return parts

    def _parts(
        self,
        matchers: tuple[Matcher, ...],
        profiles: tuple[Profile, Profile, Profile],
        most: float,
    ) -> list[Part]:
        """About `most` lines of all three kinds, errors first."""
        levelled, worded, rest = (profile.total for profile in profiles)
        wanted_levelled = min(levelled, most * self.caps.level_share)
        wanted_worded = min(worded, most * self.caps.word_share)
        wanted_rest = min(rest, most - wanted_levelled - wanted_worded)
        spare = most - wanted_levelled - wanted_worded - wanted_rest
        wanted = (wanted_levelled + spare, wanted_worded, wanted_rest)
        return [
            self._part(kind, matchers, profile, lines, self.caps.fill)
            for kind, profile, lines in zip((LEVELLED, WORDED, REST), profiles, wanted, strict=True)
            if profile.total
        ]

    def _part(
        self,
        kind: Kind | None,
        matchers: tuple[Matcher, ...],
        profile: Profile,
        most: float,
        fill: float,
    ) -> Part:
        rates = choose_rates(profile.totals(), max(1.0, most))
        if not rates.everything:
            rates = choose_rates(profile.totals(), max(1.0, most * fill))
        sampling = rates.condition(self.label)
        query = kind.of(matchers, sampling) if kind else LogQuery(matchers, (), (), sampling)
        page = min(self.caps.page_lines * self.caps.fill, self.caps.page_bytes / self.line_bytes)
        cut = pieces(
            rates.expected(profile), profile, self.window.start_ns, self.window.end_ns, page
        )
        return Part(kind, profile, rates, query, tuple(cut))

    def _thinned(self, parts: Sequence[Part]) -> list[tuple[str, float]]:
        """Services of which lines were left out, with their lowest rate; loudest first."""
        lowest: dict[str, float] = {}
        for part in parts:
            for value, total in part.profile.totals().items():
                if value != NOBODY and total and (share := part.rates.share(value)) < 1:
                    name = self.selector.service_in(value)
                    lowest[name] = min(share, lowest.get(name, 1.0))
        return sorted(lowest.items(), key=lambda one: (one[1], one[0]))

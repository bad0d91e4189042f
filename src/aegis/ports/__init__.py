"""What Aegis needs from the world. Adapters implement these; fakes and real ones alike.

A reader returns rows it will not change later. "Nothing there" is an empty result, never an
error; `SourceUnavailable` means it may work later, `SourceRejected` that it will not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from aegis.model.alert import Alert
from aegis.model.evidence import EvidenceGap
from aegis.model.incident import CaseHeader, KeptCase
from aegis.model.ledger import (
    Arrival,
    FiringNow,
    Kept,
    LedgerPage,
    LedgerQuery,
    Quarantined,
    Settled,
    Undelivered,
    WaitingRow,
)
from aegis.model.lifecycle import Lifecycle
from aegis.model.log_search import LogEvidence, LogPattern, LogSearchRequest, LogVolume
from aegis.model.message import Message
from aegis.model.telemetry import Change, LogTable, Matrix, SpanTable, TimeWindow


class Clock(Protocol):
    """The only way to learn the time; a case's clock stands where its recording ended."""

    def now(self) -> datetime:
        """The current time, aware, UTC."""
        ...


class MetricSource(Protocol):
    async def read_metrics(self, window: TimeWindow) -> tuple[Matrix, tuple[EvidenceGap, ...]]:
        """Every series with at least one sample in `window`, samples outside it cut off.

        Series are unique by (service, name, labels). The order of series carries no meaning.
        What could not be read, or only in part, is an EvidenceGap.
        """
        ...


class LogSource(Protocol):
    async def read_logs(self, window: TimeWindow) -> tuple[LogTable, tuple[EvidenceGap, ...]]:
        """Lines in `window`, and UNDATED lines always.

        A reader that hits its size cap returns an even sample, says so in `sampled_share`
        and in an EvidenceGap.
        """
        ...


class LogSearch(Protocol):
    """Narrow questions about logs, each within the figures of a tool call.

    What cannot be asked (too long a time, too many words) is InvalidRequest.
    """

    async def collect_evidence(self, asked: LogSearchRequest) -> LogEvidence:
        """Lines of errors, the same ones grouped; the services asked for first."""
        ...

    async def volume_by_service(self, window: TimeWindow) -> tuple[LogVolume, ...]:
        """Loudest first."""
        ...

    async def patterns(self, service: str, window: TimeWindow) -> tuple[LogPattern, ...] | None:
        """Most frequent first; None where the source mines none."""
        ...

    async def label_values(self, label: str, window: TimeWindow) -> tuple[str, ...]:
        """Sorted; empty for a label that no stream has."""
        ...


class TraceSource(Protocol):
    async def read_spans(self, window: TimeWindow) -> tuple[SpanTable, tuple[EvidenceGap, ...]]:
        """Spans that start in `window`.

        A reader that hits its size cap keeps whole traces, evenly over time, says so in
        `sampled_share` and in an EvidenceGap.
        """
        ...


class AlertSource(Protocol):
    async def read_alerts(
        self, window: TimeWindow
    ) -> tuple[tuple[Alert, ...], tuple[EvidenceGap, ...]]:
        """Alerts that fire and began before the end of `window`, each once, by start.

        Suppressed ones are among them. A source without history says so in an EvidenceGap.
        """
        ...


class FiringSource(Protocol):
    async def read_firing(self) -> FiringNow:
        """What fires at this moment, suppressed ones included unless it says otherwise."""
        ...


class AlertStore(Protocol):
    """What was received and what became of it. StoreUnavailable where it cannot be reached."""

    async def keep(self, arrival: Arrival) -> Kept:
        """All of the call is committed when this returns, or StoreUnavailable is raised.

        The same call may be given any number of times: what it says is told once.
        """
        ...

    async def lifecycles(self, fingerprints: Collection[str]) -> Mapping[str, Lifecycle]:
        """Of those that are known."""
        ...

    async def receivers(self) -> frozenset[str]:
        """The receivers of Alertmanager that have called, as far as bodies are remembered."""
        ...

    async def settle(self, listed: Collection[str], now: datetime) -> Settled:
        """Closes what Alertmanager listed once and has not listed for two rounds in a row.

        `listed` are the fingerprints of everything it has now.
        """
        ...

    async def forget(self, before: datetime, most_body_bytes: int) -> int:
        """Rows of ended and told things that were older, and of bodies beyond that size."""
        ...

    async def page(self, query: LedgerQuery) -> LedgerPage:
        """Newest episodes first. InvalidRequest for an `after` that no page gave."""
        ...

    async def quarantined(self, limit: int) -> tuple[Quarantined, ...]:
        """Newest first."""
        ...

    async def undelivered(self, limit: int) -> tuple[Undelivered, ...]:
        """What a chat should know and does not, oldest first; refused ones among them."""
        ...


class Deliveries(Protocol):
    def wake(self, rows: Sequence[WaitingRow]) -> None:
        """These rows wait in the outbox. Returns at once; a hint may be lost: a sweep finds all."""
        ...


class ChangeSource(Protocol):
    async def read_changes(
        self, window: TimeWindow
    ) -> tuple[tuple[Change, ...], tuple[EvidenceGap, ...]]:
        """Deploys and changes of configuration in `window`, in order of time.

        A source that can see no changes at all says so in an EvidenceGap.
        """
        ...


class CaseSink(Protocol):
    """A place for one recorded incident: all of it lands there, or nothing does."""

    def check_free(self) -> None:
        """InvalidRequest where something is there already, or nothing can be put there."""
        ...

    def keep(
        self,
        header: CaseHeader,
        metrics: Matrix,
        spans: SpanTable,
        logs: LogTable,
        most_bytes: int,
    ) -> KeptCase:
        """Tables that would not fit in `most_bytes` are thinned evenly over time: whole points
        in time, whole traces. InvalidRequest where nothing of the fault window would remain.
        """
        ...


class Notifier(Protocol):
    async def send(self, message: Message) -> str:
        """The platform's id of the message that was created, answered with or replaced.

        Raises a DeliveryError: DeliveryUnavailable where the same bytes may be sent again,
        DeliveryRefused where not. Never waits longer than its deadline, and paces nothing:
        the caller keeps the order and the rate of a chat.
        """
        ...

"""What Aegis needs from the world. Adapters implement these; fakes and real ones alike.

A reader returns rows it will not change later. "Nothing there" is an empty result, never an
error; `SourceUnavailable` means it may work later, `SourceRejected` that it will not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias

from aegis.model.alert import Alert
from aegis.model.delivery import ChatState, Draft
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
from aegis.model.message import Message, Outgoing
from aegis.model.telemetry import Change, LogTable, Matrix, SpanTable, TimeWindow

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
"""What survives a crash: plain data."""


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


class Steps(Protocol):
    """Parts of a flow that are not done again once they are done, whatever dies between them."""

    @property
    def stopping(self) -> bool:
        """The process is about to end: come to a halt; the flow is asked for again later."""
        ...

    async def run(self, name: str, work: Callable[[], Awaitable[Json]]) -> Json:
        """The result of `work`: of this call, or of the one before a crash.

        A crash inside `work` runs it again, so it must bear that. Its errors are not for
        control flow: after a crash they come back as another type.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Until then, over crashes too; at once where the process is stopping."""
        ...


class Flows(Protocol):
    """Work that is done once, after the caller, whatever dies."""

    async def enqueue(
        self, flow: str, workflow_id: str, partition: str, payload: Mapping[str, Json]
    ) -> None:
        """Nothing happens where `workflow_id` is known. StoreUnavailable within its deadline.

        One partition's are done one after the other.
        """
        ...

    async def is_over(self, workflow_id: str) -> bool:
        """Did it end, well or badly? False where it waits, runs or is unknown."""
        ...


class Outbox(Protocol):
    """What chats are to be told, and the messages that tell it. Raises StoreUnavailable.

    A row waits until a message covers it; a message is ready until it is sent or refused.
    """

    async def chats_with_work(self, now: datetime) -> tuple[str, ...]:
        """Chats with a row that is due, a message that is ready or a card that is gone."""
        ...

    async def turn(self, chat_id: str) -> int:
        """How many turns of delivering to the chat have begun."""
        ...

    async def begin_turn(self, chat_id: str, turn: int) -> None:
        """From now on a row that is kept needs a turn after this one. Never goes back."""
        ...

    async def state(self, chat_id: str, now: datetime) -> ChatState | None:
        """What is due and what the chat shows; None where there is nothing to compose."""
        ...

    async def keep(self, state: ChatState, drafts: Sequence[Draft], now: datetime) -> bool:
        """All of it or nothing: messages that are ready, cards, rows that are covered.

        False where one of the rows is no longer waiting: then another was quicker.
        """
        ...

    async def next_message(self, chat_id: str) -> Outgoing | None:
        """The oldest that is ready."""
        ...

    async def begin_attempt(self, message_id: str, now: datetime, doubtful: bool) -> bool:
        """False where it is no longer ready. Until told otherwise it may have arrived.

        `doubtful` marks a message that may be in the chat twice from now on.
        """
        ...

    async def failed(self, message_id: str, code: int | None, error: str, unsure: bool) -> None:
        """It stays ready."""
        ...

    async def sent(self, message_id: str, platform_id: str, now: datetime) -> None: ...

    async def refused(self, message_id: str, code: int | None, error: str, now: datetime) -> None:
        """For good; a card that was to be created is closed."""
        ...

    async def fall_back(self, message_id: str, code: int | None, error: str) -> None:
        """Its text is sent in its place: as a new message, or as an answer to its card."""
        ...

    async def take_back(self, message_id: str, code: int | None, error: str, gone: bool) -> None:
        """Its rows wait again. `gone`: so do those of all unsent messages of its card."""
        ...

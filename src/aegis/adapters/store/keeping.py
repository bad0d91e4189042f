"""Writes calls of the webhook into one transaction: bodies, episodes, and what is to be told."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, select

from aegis.adapters.store.bulk import Value, insert_rows, update_rows
from aegis.adapters.store.chunks import in_chunks
from aegis.adapters.store.columns import label_text, microseconds
from aegis.adapters.store.ids import SortableIds
from aegis.adapters.store.tables import (
    alert,
    episode,
    outbox,
    outbox_item,
    quarantine,
    webhook_body,
)
from aegis.model.alert import Labels
from aegis.model.episode import Transition
from aegis.model.ledger import Arrival, Kept, WaitingRow
from aegis.model.lifecycle import Lifecycle, Notice, advance
from aegis.model.routing import Target
from aegis.model.webhook import QuarantinedAlert, ReceivedAlert, Webhook

Route = Callable[[Labels, datetime], tuple[Target, ...]]
"""Which chats hear of an alert with these labels whose episode opened then."""

_ADVISORY_LOCK = 0x41656770
_FASTEST = 1
LONGEST_NAME, LONGEST_SEVERITY = 256, 64
_Rows = list[tuple[Value, ...]]


def take_turn(connection: Connection) -> None:
    """One replica at a time moves lifecycles on; a SQLite transaction is alone as it is."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")


def keep_all(
    connection: Connection, arrivals: Sequence[Arrival], ids: SortableIds, route: Route
) -> list[Kept]:
    """In the order given. The connection is in a transaction that is alone: see take_turn."""
    prints = {one.fingerprint for arrival in arrivals for one in arrival.webhook.alerts}
    work = _Keeping(ids, route, load(connection, prints))
    kept = [work.keep(arrival) for arrival in arrivals]
    work.write(connection)
    return kept


def unreadable(arrival: Arrival, reason: str) -> Arrival:
    """The call as one item of the quarantine: so it is stored, whatever is wrong with it."""
    start = arrival.body[:4096].decode("utf-8", "replace").replace("\0", "\ufffd")
    item = QuarantinedAlert(0, reason, start)
    return Arrival(arrival.received_at, arrival.body, Webhook("", "", (), (), (item,)))


@dataclass(slots=True)
class Remembered:
    """One alert: `opened_at` is when its newest episode was first seen."""

    lifecycle: Lifecycle
    opened_at: datetime
    last_seen: datetime
    is_new: bool = False


def load(connection: Connection, prints: Iterable[str]) -> dict[str, Remembered]:
    """The alerts of these fingerprints that are known."""
    joined = alert.outerjoin(
        episode,
        and_(alert.c.fingerprint == episode.c.fingerprint, alert.c.episode == episode.c.number),
    )
    columns = select(*alert.c, episode.c.first_seen).select_from(joined)
    found: dict[str, Remembered] = {}
    for chunk in in_chunks(sorted(prints)):
        for row in connection.execute(columns.where(alert.c.fingerprint.in_(chunk))):
            found[row.fingerprint] = _remembered(row)
    return found


def _remembered(row: Any) -> Remembered:
    lifecycle = Lifecycle(
        row.episode, row.open, row.starts_at, row.closed_starts_at, row.closed_ends_at
    )
    return Remembered(lifecycle, row.first_seen or row.last_seen, row.last_seen)


@dataclass(slots=True)
class _Keeping:
    """Rows to write, gathered call by call; nothing is written before `write`.

    A row of an episode that opened ends with when it was last seen and when it was resolved.
    """

    ids: SortableIds
    route: Route
    alerts: dict[str, Remembered] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    bodies: _Rows = field(default_factory=list)
    quarantined: _Rows = field(default_factory=list)
    opened: dict[tuple[str, int], list[Value]] = field(default_factory=dict)
    went_on: dict[tuple[str, int], tuple[int, int | None]] = field(default_factory=dict)
    outbox: _Rows = field(default_factory=list)
    items: _Rows = field(default_factory=list)

    def keep(self, arrival: Arrival) -> Kept:
        self._keep_body(arrival)
        telling = _Telling(self, arrival)
        for one in arrival.webhook.alerts:
            transition = self._advance(one, arrival)
            targets = self.route(one.labels, self.alerts[one.fingerprint].opened_at)
            telling.tell(targets, one, transition)
        return telling.kept()

    def _keep_body(self, arrival: Arrival) -> None:
        body_id, webhook = self.ids.new(), arrival.webhook
        packed, now = zlib.compress(arrival.body, _FASTEST), microseconds(arrival.received_at)
        row: list[Value] = [body_id, now, webhook.receiver[:LONGEST_NAME]]
        row += [hashlib.sha256(arrival.body).hexdigest(), len(packed), len(webhook.alerts)]
        self.bodies.append((*row, len(webhook.quarantined), webhook.truncated_alerts, packed))
        self.quarantined += (
            (self.ids.new(), body_id, item.position, item.reason, item.raw, now)
            for item in webhook.quarantined
        )

    def _advance(self, one: ReceivedAlert, arrival: Arrival) -> Transition | None:
        now, known = arrival.received_at, self.alerts.get(one.fingerprint)
        before = known.lifecycle if known else None
        lifecycle, transition = advance(before, Notice(one.status, one.starts_at, one.ends_at))
        self.seen.add(one.fingerprint)
        if known is None:
            self.alerts[one.fingerprint] = Remembered(lifecycle, now, now, is_new=True)
        else:
            known.lifecycle, known.last_seen = lifecycle, max(known.last_seen, now)
        key = (one.fingerprint, lifecycle.episode)
        if before is None or lifecycle.episode != before.episode:
            self.alerts[one.fingerprint].opened_at = now
            self.opened[key] = _new_episode(one, arrival, lifecycle.episode)
        if lifecycle.is_open or transition == "closed":
            ended = min(one.ends_at or now, now) if transition == "closed" else None
            self._go_on(key, microseconds(now), None if ended is None else microseconds(ended))
        return transition

    def _go_on(self, key: tuple[str, int], now: int, ended: int | None) -> None:
        if key in self.opened:
            self.opened[key][-2:] = [now, ended]
        else:
            self.went_on[key] = now, ended

    def write(self, connection: Connection) -> None:
        # In the order of the key: so each page of an index is touched once.
        rows = [(name, _alert_row(self.alerts[name])) for name in sorted(self.seen)]
        insert_rows(connection, webhook_body, self.bodies)
        insert_rows(connection, quarantine, self.quarantined)
        fresh = [(name, *row) for name, row in rows if self.alerts[name].is_new]
        insert_rows(connection, alert, fresh)
        known = [(*row, name) for name, row in rows if not self.alerts[name].is_new]
        update_rows(connection, alert, [one.name for one in alert.columns][1:], known)
        insert_rows(connection, episode, [tuple(self.opened[key]) for key in sorted(self.opened)])
        seen: _Rows = [(now, *key) for key, (now, ended) in self.went_on.items() if ended is None]
        update_rows(connection, episode, ["last_seen"], seen)
        ends: _Rows = [
            (*times, *key) for key, times in self.went_on.items() if times[1] is not None
        ]
        update_rows(connection, episode, ["last_seen", "resolved_at"], ends)
        insert_rows(connection, outbox, self.outbox)
        insert_rows(connection, outbox_item, sorted(self.items))


def _alert_row(known: Remembered) -> list[Value]:
    """All columns but the fingerprint; what reconciling counted begins anew."""
    lifecycle = known.lifecycle
    starts_at, ends_at = lifecycle.closed_starts_at, lifecycle.closed_ends_at
    return [
        lifecycle.episode,
        lifecycle.is_open,
        microseconds(lifecycle.starts_at),
        None if starts_at is None else microseconds(starts_at),
        None if ends_at is None else microseconds(ends_at),
        microseconds(known.last_seen),
        None,
    ]


def _new_episode(one: ReceivedAlert, arrival: Arrival, number: int) -> list[Value]:
    now = microseconds(arrival.received_at)
    return [
        one.fingerprint,
        number,
        label_text(one.labels),
        label_text(one.annotations),
        one.name[:LONGEST_NAME],
        one.severity[:LONGEST_SEVERITY],
        arrival.webhook.group_key,
        microseconds(one.starts_at),
        now,
        now,
        None,
    ]


@dataclass(slots=True)
class _Telling:
    """What one call has to tell: a row of the outbox for each chat, and for each end of quiet."""

    keeping: _Keeping
    arrival: Arrival
    chats: set[str] = field(default_factory=set)
    rows: dict[tuple[str, datetime | None], str] = field(default_factory=dict)

    def tell(
        self, targets: tuple[Target, ...], one: ReceivedAlert, transition: Transition | None
    ) -> None:
        number = self.keeping.alerts[one.fingerprint].lifecycle.episode
        for target in targets:
            self.chats.add(target.chat_id)
            if transition is not None:
                row = self._row(target)
                item = (row, one.fingerprint, number, transition, target.chat_id)
                self.keeping.items.append(item)

    def _row(self, target: Target) -> str:
        key = (target.chat_id, target.not_before)
        if key not in self.rows:
            self.rows[key] = self.keeping.ids.new()
            webhook, due = self.arrival.webhook, target.not_before
            row: list[Value] = [self.rows[key], target.chat_id, webhook.group_key]
            row += [label_text(webhook.group_labels), webhook.truncated_alerts]
            row += [microseconds(self.arrival.received_at)]
            self.keeping.outbox.append((*row, None if due is None else microseconds(due)))
        return self.rows[key]

    def kept(self) -> Kept:
        waiting = (WaitingRow(name, chat, due) for (chat, due), name in self.rows.items())
        return Kept(tuple(sorted(self.chats)), tuple(waiting))

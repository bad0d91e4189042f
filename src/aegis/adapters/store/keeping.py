"""Writes calls of the webhook into one transaction: bodies, episodes, and what is to be told."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, insert, select, update

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

_CHUNK = 500
_ADVISORY_LOCK = 0x41656770
_FASTEST = 1
LONGEST_NAME, LONGEST_SEVERITY = 256, 64
_Rows = list[dict[str, Any]]


def take_turn(connection: Connection) -> None:
    """One replica at a time moves lifecycles on; a SQLite transaction is alone as it is."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")


def keep_all(
    connection: Connection, arrivals: Sequence[Arrival], ids: SortableIds, route: Route
) -> list[Kept]:
    """In the order given. The connection is in a transaction that is alone: see take_turn."""
    work = _Keeping(ids, route)
    prints = {one.fingerprint for arrival in arrivals for one in arrival.webhook.alerts}
    work.remember(load(connection, prints))
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
    for chunk in _chunks(sorted(prints)):
        for row in connection.execute(columns.where(alert.c.fingerprint.in_(chunk))):
            found[row.fingerprint] = _remembered(row)
    return found


def _remembered(row: Any) -> Remembered:
    lifecycle = Lifecycle(
        row.episode, row.open, row.starts_at, row.closed_starts_at, row.closed_ends_at
    )
    return Remembered(lifecycle, row.first_seen or row.last_seen, row.last_seen)


def _chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


@dataclass(slots=True)
class _Keeping:
    """Rows to write, gathered call by call; nothing is written before `write`."""

    ids: SortableIds
    route: Route
    alerts: dict[str, Remembered] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    bodies: _Rows = field(default_factory=list)
    quarantined: _Rows = field(default_factory=list)
    opened: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    went_on: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    outbox: _Rows = field(default_factory=list)
    items: _Rows = field(default_factory=list)

    def remember(self, known: dict[str, Remembered]) -> None:
        self.alerts.update(known)

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
        packed = zlib.compress(arrival.body, _FASTEST)
        self.bodies.append(
            {
                "id": body_id,
                "received_at": arrival.received_at,
                "receiver": webhook.receiver[:LONGEST_NAME],
                "sha256": hashlib.sha256(arrival.body).hexdigest(),
                "body": packed,
                "stored_bytes": len(packed),
                "alerts": len(webhook.alerts),
                "quarantined": len(webhook.quarantined),
                "truncated": webhook.truncated_alerts,
            }
        )
        self.quarantined += (
            {
                "id": self.ids.new(),
                "webhook_body_id": body_id,
                "position": item.position,
                "reason": item.reason,
                "raw": item.raw,
                "received_at": arrival.received_at,
            }
            for item in webhook.quarantined
        )

    def _advance(self, one: ReceivedAlert, arrival: Arrival) -> Transition | None:
        now, known = arrival.received_at, self.alerts.get(one.fingerprint)
        before = known.lifecycle if known else None
        lifecycle, transition = advance(before, Notice(one.status, one.starts_at, one.ends_at))
        self.seen.add(one.fingerprint)
        key = (one.fingerprint, lifecycle.episode)
        if known is None:
            self.alerts[one.fingerprint] = Remembered(lifecycle, now, now, is_new=True)
        else:
            known.lifecycle, known.last_seen = lifecycle, max(known.last_seen, now)
        if before is None or lifecycle.episode != before.episode:
            self.alerts[one.fingerprint].opened_at = now
            self.opened[key] = _new_episode(one, arrival, lifecycle.episode)
        if lifecycle.is_open or transition == "closed":
            ended = min(one.ends_at or now, now) if transition == "closed" else None
            self._go_on(key, now, ended)
        return transition

    def _go_on(self, key: tuple[str, int], now: datetime, ended: datetime | None) -> None:
        if key in self.opened:
            self.opened[key] |= {"last_seen": now, "resolved_at": ended}
        else:
            row = self.went_on.setdefault(key, {"of": key[0], "at": key[1], "ended": None})
            row["seen"], row["ended"] = now, row["ended"] or ended

    def write(self, connection: Connection) -> None:
        rows = [_alert_row(name, self.alerts[name]) for name in sorted(self.seen)]
        fresh = [row for row in rows if self.alerts[row["of"]].is_new]
        known = [row for row in rows if not self.alerts[row["of"]].is_new]
        for statement, given in (
            (insert(webhook_body), self.bodies),
            (insert(quarantine), self.quarantined),
            (insert(alert).values(fingerprint=bindparam("of"), **_ALERT), fresh),
            (update(alert).where(alert.c.fingerprint == bindparam("of")).values(**_ALERT), known),
            (insert(episode), list(self.opened.values())),
            (_GOES_ON, list(self.went_on.values())),
            (insert(outbox), self.outbox),
            (insert(outbox_item), self.items),
        ):
            if given:
                connection.execute(statement, given)


_ALERT = {
    name: bindparam(f"to_{name}", type_=alert.c[name].type)
    for name in ("episode", "open", "starts_at", "closed_starts_at", "closed_ends_at", "last_seen")
} | {"rounds_gone": None}
_GOES_ON = (
    update(episode)
    .where(episode.c.fingerprint == bindparam("of"), episode.c.number == bindparam("at"))
    .values(
        last_seen=bindparam("seen", type_=episode.c.last_seen.type),
        resolved_at=func.coalesce(
            bindparam("ended", type_=episode.c.resolved_at.type), episode.c.resolved_at
        ),
    )
)


def _alert_row(name: str, known: Remembered) -> dict[str, Any]:
    lifecycle = known.lifecycle
    return {
        "of": name,
        "to_episode": lifecycle.episode,
        "to_open": lifecycle.is_open,
        "to_starts_at": lifecycle.starts_at,
        "to_closed_starts_at": lifecycle.closed_starts_at,
        "to_closed_ends_at": lifecycle.closed_ends_at,
        "to_last_seen": known.last_seen,
    }


def _new_episode(one: ReceivedAlert, arrival: Arrival, number: int) -> dict[str, Any]:
    return {
        "fingerprint": one.fingerprint,
        "number": number,
        "labels": one.labels,
        "annotations": one.annotations,
        "alertname": one.name[:LONGEST_NAME],
        "severity": one.severity[:LONGEST_SEVERITY],
        "group_key": arrival.webhook.group_key,
        "starts_at": one.starts_at,
        "first_seen": arrival.received_at,
        "last_seen": arrival.received_at,
        "resolved_at": None,
    }


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
        for target in targets:
            self.chats.add(target.chat_id)
            if transition is not None:
                self.keeping.items.append(
                    {
                        "outbox_id": self._row(target),
                        "chat_id": target.chat_id,
                        "fingerprint": one.fingerprint,
                        "episode": self.keeping.alerts[one.fingerprint].lifecycle.episode,
                        "transition": transition,
                    }
                )

    def _row(self, target: Target) -> str:
        key = (target.chat_id, target.not_before)
        if key not in self.rows:
            self.rows[key] = self.keeping.ids.new()
            webhook = self.arrival.webhook
            self.keeping.outbox.append(
                {
                    "id": self.rows[key],
                    "chat_id": target.chat_id,
                    "group_key": webhook.group_key,
                    "group_labels": webhook.group_labels,
                    "truncated": webhook.truncated_alerts,
                    "created_at": self.arrival.received_at,
                    "not_before": target.not_before,
                }
            )
        return self.rows[key]

    def kept(self) -> Kept:
        waiting = (WaitingRow(name, chat, due) for (chat, due), name in self.rows.items())
        return Kept(tuple(sorted(self.chats)), tuple(waiting))

"""Reads what was kept: every episode, what became of it, and what could not be read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, select, tuple_

from aegis.adapters.store.columns import microseconds, moment_of
from aegis.adapters.store.episodes import episode_of, tells_of_episode
from aegis.adapters.store.tables import episode, message, outbox, outbox_item, quarantine
from aegis.model.episode import Episode
from aegis.model.errors import InvalidRequest
from aegis.model.ledger import (
    Delivery,
    DeliveryState,
    LedgerEntry,
    LedgerPage,
    LedgerQuery,
    Quarantined,
    Undelivered,
    UndeliveredAnswer,
)

MOST_ROWS = 1000
_PLACE = re.compile(r"(-?\d{1,17})-([0-9a-f]{16})-(\d{1,9})", re.ASCII)
_KEY = (episode.c.first_seen, episode.c.fingerprint, episode.c.number)


def page_of(connection: Connection, query: LedgerQuery) -> LedgerPage:
    """InvalidRequest for an `after` that no page gave."""
    wanted = select(episode).where(*_conditions(query))
    if query.after is not None:
        wanted = wanted.where(tuple_(*_KEY) < _place(query.after))
    wanted = wanted.order_by(*(column.desc() for column in _KEY))
    rows = connection.execute(wanted.limit(query.limit + 1)).all()
    shown = [episode_of(row) for row in rows[: query.limit]]
    told = _deliveries(connection, shown)
    entries = (
        LedgerEntry(one, tuple(told.get((one.fingerprint, one.number), ()))) for one in shown
    )
    more = len(rows) > query.limit
    return LedgerPage(tuple(entries), _cursor(shown[-1]) if more else None)


def quarantined(connection: Connection, limit: int) -> tuple[Quarantined, ...]:
    """Newest first."""
    rows = connection.execute(select(quarantine).order_by(quarantine.c.id.desc()).limit(limit))
    return tuple(
        Quarantined(row.id, row.webhook_body_id, row.position, row.reason, row.raw, row.received_at)
        for row in rows
    )


def undelivered(connection: Connection, limit: int) -> tuple[Undelivered, ...]:
    """What waits in the outbox or as a message, and what the platform refused; oldest first."""
    found: list[Undelivered] = []
    for condition in (
        outbox.c.state == "waiting",
        and_(outbox.c.state == "covered", message.c.state.in_(("ready", "refused"))),
    ):
        wanted = _told(episode).where(condition).order_by(outbox.c.id).limit(limit)
        rows = connection.execute(wanted)
        found += (Undelivered(episode_of(row), _delivery(row)) for row in rows)
    found.sort(key=lambda one: one.delivery.created_at)
    return tuple(found[:limit])


def undelivered_answers(connection: Connection, limit: int) -> tuple[UndeliveredAnswer, ...]:
    """Notices that are ready or were refused; oldest first."""
    stuck = message.c.state.in_(("ready", "refused")) & message.c.card_id.is_(None)
    wanted = select(message).where(stuck).order_by(message.c.id).limit(limit)
    return tuple(
        UndeliveredAnswer(row.chat_id, row.state, row.created_at, row.attempts, row.code, row.error)
        for row in connection.execute(wanted)
    )


def _conditions(query: LedgerQuery) -> list[ColumnElement[bool]]:
    found = [
        column == wanted
        for column, wanted in (
            (episode.c.alertname, query.name),
            (episode.c.severity, query.severity),
            (episode.c.fingerprint, query.fingerprint),
        )
        if wanted is not None
    ]
    if query.group_keys:
        found.append(episode.c.group_key.in_(query.group_keys))
    if query.state == "open":
        found.append(episode.c.resolved_at.is_(None))
    elif query.state == "resolved":
        found.append(episode.c.resolved_at.is_not(None))
    if query.chat_id is not None:
        found.append(exists().where(tells_of_episode(), outbox_item.c.chat_id == query.chat_id))
    return found


def _told(*more: Any) -> Select[Any]:
    """Each thing told or to be told, with `more` tables of its episode."""
    source = outbox_item.join(outbox, outbox_item.c.outbox_id == outbox.c.id)
    source = source.outerjoin(message, outbox.c.message_id == message.c.id)
    for table in more:
        source = source.join(table, tells_of_episode())
    return select(
        *more,
        outbox_item.c.chat_id,
        outbox_item.c.transition,
        outbox.c.state.label("outbox_state"),
        outbox.c.created_at,
        message.c.state.label("message_state"),
        message.c.sent_at,
        message.c.attempts,
        message.c.code,
        message.c.error,
        message.c.doubtful,
    ).select_from(source)


def _deliveries(
    connection: Connection, shown: Sequence[Episode]
) -> dict[tuple[str, int], list[Delivery]]:
    found: dict[tuple[str, int], list[Delivery]] = {}
    keys = [(one.fingerprint, one.number) for one in shown]
    if keys:
        columns = outbox_item.c.fingerprint, outbox_item.c.episode
        wanted = _told().add_columns(*columns).where(tuple_(*columns).in_(keys))
        for row in connection.execute(wanted.order_by(outbox.c.id)):
            found.setdefault((row.fingerprint, row.episode), []).append(_delivery(row))
    return found


def _delivery(row: Any) -> Delivery:
    waits = row.outbox_state == "waiting" or row.message_state not in ("ready", "sent", "refused")
    state: DeliveryState = "waiting" if waits else row.message_state
    # What failed before it was sent is over, and would read as if it had not been.
    sent = state == "sent"
    return Delivery(
        row.chat_id,
        row.transition,
        state,
        row.created_at,
        row.sent_at,
        row.attempts or 0,
        None if sent else row.code,
        None if sent else row.error,
        bool(row.doubtful),
    )


def _cursor(last: Episode) -> str:
    return f"{microseconds(last.first_seen)}-{last.fingerprint}-{last.number}"


def _place(cursor: str) -> ColumnElement[Any]:
    match = _PLACE.fullmatch(cursor)
    if match is None:
        raise InvalidRequest("cursor", "is none that a page of alerts gave as next")
    return tuple_(moment_of(int(match[1])), match[2], int(match[3]), types=[c.type for c in _KEY])

"""Forgets what is old, a little at a time, so that the webhook never waits long for a turn."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Select, Table, delete, exists, func, select

from aegis.adapters.store.database import Database
from aegis.adapters.store.episodes import tells_of_episode
from aegis.adapters.store.keeping import take_turn
from aegis.adapters.store.tables import (
    alert,
    card,
    change,
    episode,
    message,
    outbox,
    outbox_item,
    webhook_body,
)

PATIENCE_S = 10.0
FEW, MANY = 20, 500
_FREED_PAGES = 2000


def forget(
    database: Database, before: datetime, most_body_bytes: int, stopping: Callable[[], bool]
) -> int:
    """Rows that are gone afterwards. It ends early once `stopping` says so.

    A body goes when it is old, or when all of them take more than `most_body_bytes`, the oldest
    first. An episode goes once it ended before `before` and no chat is still to hear of it or
    sees it on a card. What is open or undelivered is never forgotten.
    """
    aged = (_bodies, _told, _messages, _cards, _episodes, _alerts, _changes)
    steps = [partial(_bodies_beyond, most_bytes=most_body_bytes)]
    steps += [partial(step, before=before) for step in aged]
    gone = sum(_repeat(database, step, stopping) for step in steps)
    if gone and database.is_sqlite:
        with database.writing(PATIENCE_S) as connection:
            raw: Any = connection.connection.dbapi_connection
            raw.execute(f"PRAGMA incremental_vacuum({_FREED_PAGES})").fetchall()
    return gone


def _repeat(
    database: Database, step: Callable[[Connection], int], stopping: Callable[[], bool]
) -> int:
    """The step until it finds nothing more, each time in a transaction of its own."""
    total = 0
    while not stopping():
        with database.writing(PATIENCE_S) as connection:
            take_turn(connection)
            gone = step(connection)
        if gone == 0:
            break
        total += gone
    return total


def _delete(connection: Connection, table: Table, wanted: Select[tuple[str]]) -> int:
    """Rows of a table with an id; the wanted ones."""
    ids = connection.scalars(wanted).all()
    if ids:
        connection.execute(delete(table).where(table.c.id.in_(ids)))
    return len(ids)


def _bodies(connection: Connection, before: datetime) -> int:
    old = select(webhook_body.c.id).where(webhook_body.c.received_at < before)
    return _delete(connection, webhook_body, old.limit(FEW))


def _bodies_beyond(connection: Connection, most_bytes: int) -> int:
    stored = connection.scalar(select(func.coalesce(func.sum(webhook_body.c.stored_bytes), 0)))
    if (stored or 0) <= most_bytes:
        return 0
    oldest = select(webhook_body.c.id).order_by(webhook_body.c.id).limit(FEW)
    return _delete(connection, webhook_body, oldest)


def _told(connection: Connection, before: datetime) -> int:
    """Rows whose message ended, on a card that was closed, or that never had one."""
    ended = (
        select(outbox.c.id)
        .join(message, outbox.c.message_id == message.c.id)
        .outerjoin(card, message.c.card_id == card.c.id)
        .where(
            outbox.c.created_at < before,
            message.c.state != "ready",
            (message.c.card_id.is_(None)) | (card.c.closed_at < before),
        )
    )
    return _delete(connection, outbox, ended.limit(MANY))


def _messages(connection: Connection, before: datetime) -> int:
    unused = (
        select(message.c.id)
        .outerjoin(card, message.c.card_id == card.c.id)
        .where(
            message.c.created_at < before,
            message.c.state != "ready",
            (message.c.card_id.is_(None)) | (card.c.closed_at < before),
            ~exists().where(outbox.c.message_id == message.c.id),
        )
    )
    return _delete(connection, message, unused.limit(MANY))


def _cards(connection: Connection, before: datetime) -> int:
    closed = select(card.c.id).where(
        card.c.closed_at < before, ~exists().where(message.c.card_id == card.c.id)
    )
    return _delete(connection, card, closed.limit(MANY))


def _episodes(connection: Connection, before: datetime) -> int:
    ended = select(episode.c.fingerprint, episode.c.number).where(
        episode.c.resolved_at < before, ~exists().where(tells_of_episode())
    )
    keys = connection.execute(ended.limit(MANY)).all()
    for key in keys:
        connection.execute(
            delete(episode).where(
                episode.c.fingerprint == key.fingerprint, episode.c.number == key.number
            )
        )
    return len(keys)


def _alerts(connection: Connection, before: datetime) -> int:
    """Only where nothing of it is left: its episodes are counted on from what is remembered."""
    unknown = select(alert.c.fingerprint).where(
        alert.c.open.is_(False),
        alert.c.last_seen < before,
        ~exists().where(episode.c.fingerprint == alert.c.fingerprint),
        ~exists().where(outbox_item.c.fingerprint == alert.c.fingerprint),
    )
    prints = connection.scalars(unknown.limit(MANY)).all()
    if prints:
        connection.execute(delete(alert).where(alert.c.fingerprint.in_(prints)))
    return len(prints)


def _changes(connection: Connection, before: datetime) -> int:
    old = select(change.c.id).where(change.c.received_at < before)
    return _delete(connection, change, old.limit(MANY))

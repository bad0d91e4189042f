"""Compares what is open here with what Alertmanager has."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, insert, select, update

from aegis.adapters.store.chunks import in_chunks
from aegis.adapters.store.ids import SortableIds
from aegis.adapters.store.keeping import Route, take_turn
from aegis.adapters.store.tables import alert, episode, outbox, outbox_item, webhook_body
from aegis.model.ledger import Settled, WaitingRow

ROUNDS = 2
"""An alert may be between two of Alertmanager's memories for one round, not for two."""


def receivers(connection: Connection) -> frozenset[str]:
    return frozenset(connection.scalars(select(webhook_body.c.receiver).distinct())) - {""}


def settle(
    connection: Connection,
    listed: Collection[str],
    now: datetime,
    ids: SortableIds,
    route: Route,
) -> Settled:
    """See AlertStore. Alerts that this Alertmanager never listed are another's, and stay open."""
    take_turn(connection)
    held = set(listed)
    rows = connection.execute(
        select(alert.c.fingerprint, alert.c.rounds_gone).where(alert.c.open)
    ).all()
    here = [row.fingerprint for row in rows if row.fingerprint in held and row.rounds_gone != 0]
    known = {row.fingerprint: row.rounds_gone for row in rows if row.rounds_gone is not None}
    missing = {name: gone + 1 for name, gone in known.items() if name not in held}
    _count(connection, here, 0)
    for rounds in range(1, ROUNDS):
        _count(connection, [name for name, gone in missing.items() if gone == rounds], rounds)
    ended = [name for name, gone in missing.items() if gone >= ROUNDS]
    return _close(connection, ended, now, ids, route)


def _count(connection: Connection, fingerprints: Sequence[str], rounds: int) -> None:
    for chunk in in_chunks(fingerprints):
        chosen = alert.c.fingerprint.in_(chunk)
        connection.execute(update(alert).where(chosen).values(rounds_gone=rounds))


def _close(
    connection: Connection,
    fingerprints: Sequence[str],
    now: datetime,
    ids: SortableIds,
    route: Route,
) -> Settled:
    """As lifecycle.gone: `closed_starts_at` stays, so that it may fire again as it was."""
    rows: dict[tuple[str, str, datetime | None], dict[str, Any]] = {}
    items: list[dict[str, Any]] = []
    for chunk in in_chunks(fingerprints):
        newest = and_(
            episode.c.fingerprint == alert.c.fingerprint, episode.c.number == alert.c.episode
        )
        wanted = select(episode).join(alert, newest).where(alert.c.fingerprint.in_(chunk))
        for row in connection.execute(wanted).all():
            for target in route(row.labels, row.first_seen):
                key = (row.group_key, target.chat_id, target.not_before)
                if key not in rows:
                    rows[key] = _outbox_row(connection, ids.new(), key, now)
                items.append(
                    {
                        "outbox_id": rows[key]["id"],
                        "chat_id": target.chat_id,
                        "fingerprint": row.fingerprint,
                        "episode": row.number,
                        "transition": "closed",
                    }
                )
            this = and_(episode.c.fingerprint == row.fingerprint, episode.c.number == row.number)
            connection.execute(update(episode).where(this).values(resolved_at=now))
        gone = update(alert).where(alert.c.fingerprint.in_(chunk))
        connection.execute(gone.values(open=False, rounds_gone=None))
    if rows:
        connection.execute(insert(outbox), list(rows.values()))
        connection.execute(insert(outbox_item), items)
    waiting = (WaitingRow(row["id"], row["chat_id"], row["not_before"]) for row in rows.values())
    return Settled(len(fingerprints), tuple(waiting))


def _outbox_row(
    connection: Connection, name: str, key: tuple[str, str, datetime | None], now: datetime
) -> dict[str, Any]:
    """The labels of the group are those that were told last."""
    group_key, chat_id, not_before = key
    told = select(outbox.c.group_labels).where(
        outbox.c.group_key == group_key, outbox.c.chat_id == chat_id
    )
    labels = connection.scalars(told.order_by(outbox.c.id.desc()).limit(1)).first()
    return {
        "id": name,
        "chat_id": chat_id,
        "group_key": group_key,
        "group_labels": labels or (),
        "truncated": 0,
        "created_at": now,
        "not_before": not_before,
    }

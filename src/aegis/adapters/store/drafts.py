"""A composed message becomes rows: the message itself, its card, and what it covers."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from aegis.adapters.store.chunks import in_chunks
from aegis.adapters.store.ids import SortableIds
from aegis.adapters.store.tables import card, card_group, message, outbox
from aegis.model.delivery import Draft
from aegis.model.message import Notice


class Outrun(Exception):
    """A row that was composed is no longer waiting: nothing may be kept."""


def keep_draft(
    connection: Connection, ids: SortableIds, chat_id: str, draft: Draft, now: datetime
) -> None:
    """The message, its card and the rows it covers."""
    card_id = draft.card_id
    closed_at = now if draft.closes else None
    if card_id is None:
        card_id = ids.new()
        opened = {"id": card_id, "chat_id": chat_id, "opened_at": now, "closed_at": closed_at}
        connection.execute(insert(card).values(**opened))
    elif draft.operation == "update":
        shown = update(card).where(card.c.id == card_id)
        connection.execute(shown.values(closed_at=closed_at))
    if draft.operation != "reply":
        _show_groups(connection, chat_id, card_id, draft)
    if draft.replaces:
        replaced = update(card).where(card.c.id.in_(draft.replaces))
        connection.execute(replaced.values(closed_at=now))
    message_id = ids.new()
    connection.execute(
        insert(message).values(
            id=message_id,
            chat_id=chat_id,
            card_id=card_id,
            operation=draft.operation,
            kind=draft.kind,
            content=draft.content,
            fallback=draft.fallback,
            uuid=uuid_of(message_id, draft.kind),
            created_at=now,
        )
    )
    if draft.replaces:
        # Its alerts live on here: what they do next belongs to this card.
        of_replaced = select(message.c.id).where(message.c.card_id.in_(draft.replaces))
        shown_there = update(outbox).where(outbox.c.message_id.in_(of_replaced))
        connection.execute(shown_there.values(message_id=message_id))
    for some in in_chunks(draft.covers):
        rows = update(outbox).where(outbox.c.id.in_(some), outbox.c.state == "waiting")
        covered = connection.execute(rows.values(state="covered", message_id=message_id))
        if covered.rowcount != len(some):
            raise Outrun


def keep_notice(
    connection: Connection, ids: SortableIds, chat_id: str, notice: Notice, now: datetime
) -> str:
    """A message without a card and without rows; its id."""
    message_id = ids.new()
    connection.execute(
        insert(message).values(
            id=message_id,
            chat_id=chat_id,
            operation="create",
            kind="interactive",
            content=notice.content,
            fallback=notice.fallback,
            uuid=uuid_of(message_id, "interactive"),
            created_at=now,
        )
    )
    return message_id


def _show_groups(connection: Connection, chat_id: str, card_id: str, draft: Draft) -> None:
    connection.execute(delete(card_group).where(card_group.c.card_id == card_id))
    if draft.groups:
        rows = [
            {
                "card_id": card_id,
                "group_key": one.key,
                "chat_id": chat_id,
                "group_labels": one.labels,
            }
            for one in draft.groups
        ]
        connection.execute(insert(card_group), rows)


def uuid_of(message_id: str, kind: str) -> str:
    """Of a message and no other, at most 50 characters; the text in its place has its own."""
    return hashlib.sha256(f"{message_id}:{kind}".encode()).hexdigest()[:40]

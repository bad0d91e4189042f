"""The port Outbox on the database: what chats are to be told, and the messages that tell it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import (
    Connection,
    Row,
    and_,
    delete,
    func,
    select,
    type_coerce,
    update,
)

from aegis.adapters.store.chat_state import is_due, read_state
from aegis.adapters.store.columns import Moment
from aegis.adapters.store.database import PATIENCE_S, Database
from aegis.adapters.store.drafts import Outrun, keep_draft, keep_notice, uuid_of
from aegis.adapters.store.ids import SortableIds
from aegis.adapters.store.tables import card, card_group, chat, message, outbox
from aegis.model.delivery import ChatState, Draft
from aegis.model.message import Backlog, Message, Notice, Outgoing

NOTICE_PATIENCE_S = 10.0
"""For the database, while somebody waits for the answer."""

Result = TypeVar("Result")


class StoredOutbox:
    """Blocking calls run on threads of the event loop that asks."""

    def __init__(self, database: Database, ids: SortableIds) -> None:
        self._database = database
        self._ids = ids

    async def chats_with_work(self, now: datetime) -> tuple[str, ...]:
        def work(connection: Connection) -> tuple[str, ...]:
            gone = card.c.gone & card.c.closed_at.is_(None)
            asked = (
                select(outbox.c.chat_id)
                .where(is_due(now))
                .union(
                    select(message.c.chat_id).where(message.c.state == "ready"),
                    select(card.c.chat_id).where(gone),
                )
            )
            return tuple(sorted(connection.execute(asked).scalars()))

        return await self._read(work)

    async def backlog(self, now: datetime) -> Backlog:
        def work(connection: Connection) -> Backlog:
            since = func.min(func.coalesce(outbox.c.not_before, outbox.c.created_at))
            counted = select(func.count(), type_coerce(since, Moment))
            # Three questions, each by an index: what waits no message covers yet.
            due = counted.where(is_due(now))
            covered = counted.join_from(outbox, message, message.c.id == outbox.c.message_id)
            kept = type_coerce(func.min(message.c.created_at), Moment)
            ready = message.c.state == "ready"
            notices = select(func.count(), kept).where(ready, message.c.card_id.is_(None))
            asked = (due, covered.where(ready), notices)
            found = [connection.execute(one).one() for one in asked]
            begins: list[datetime | None] = [one[1] for one in found]
            oldest = min((one for one in begins if one is not None), default=None)
            refused = select(func.count()).where(message.c.state == "refused")
            waiting = sum(one[0] for one in found)
            return Backlog(waiting, oldest, connection.execute(refused).scalar_one())

        return await self._read(work)

    async def turn(self, chat_id: str) -> int:
        def work(connection: Connection) -> int:
            asked = select(chat.c.turn).where(chat.c.id == chat_id)
            return connection.execute(asked).scalar() or 0

        return await self._read(work)

    async def begin_turn(self, chat_id: str, turn: int) -> None:
        def work(connection: Connection) -> None:
            first = self._database.insert(chat).values(id=chat_id, turn=turn)
            ahead = first.on_conflict_do_update(
                index_elements=[chat.c.id],
                set_={"turn": first.excluded.turn},
                where=chat.c.turn < first.excluded.turn,
            )
            connection.execute(ahead)

        await self._write(work)

    async def state(self, chat_id: str, now: datetime) -> ChatState | None:
        return await self._read(lambda connection: read_state(connection, chat_id, now))

    async def keep(self, state: ChatState, drafts: Sequence[Draft], now: datetime) -> bool:
        def work(connection: Connection) -> None:
            for draft in drafts:
                keep_draft(connection, self._ids, state.chat_id, draft, now)

        try:
            await self._write(work)
        except Outrun:
            return False
        return True

    async def keep_notice(self, chat_id: str, notice: Notice, now: datetime) -> str:
        return await self._write(
            lambda connection: keep_notice(connection, self._ids, chat_id, notice, now),
            NOTICE_PATIENCE_S,
        )

    async def close_gone(self, chat_id: str, now: datetime) -> None:
        def work(connection: Connection) -> None:
            gone = and_(card.c.chat_id == chat_id, card.c.gone, card.c.closed_at.is_(None))
            connection.execute(update(card).where(gone).values(closed_at=now))

        await self._write(work)

    async def next_message(self, chat_id: str) -> Outgoing | None:
        def work(connection: Connection) -> Outgoing | None:
            asked = (
                select(
                    message,
                    card.c.platform_id.label("card_platform_id"),
                    chat.c.attempted_at.label("chat_attempt_at"),
                )
                .outerjoin(card, card.c.id == message.c.card_id)
                .outerjoin(chat, chat.c.id == message.c.chat_id)
                .where(message.c.chat_id == chat_id, message.c.state == "ready")
                .order_by(message.c.id)
                .limit(1)
            )
            row = connection.execute(asked).first()
            if row is None:
                return None
            creates = row.operation == "create"
            target = None if creates else row.card_platform_id
            said = (row.id, row.chat_id, row.operation, row.kind, row.content, row.uuid, target)
            return Outgoing(
                Message(*said),
                fallback=row.fallback,
                attempts=row.attempts,
                first_attempt_at=row.first_attempt_at,
                unsure=row.unsure,
                chat_attempt_at=row.chat_attempt_at,
                lost=not creates and target is None,
                stands_alone=row.card_id is None,
            )

        return await self._read(work)

    async def begin_attempt(self, message_id: str, now: datetime, doubtful: bool) -> bool:
        def work(connection: Connection) -> bool:
            row = _ready(connection, message_id)
            if row is None:
                return False
            _set(
                connection,
                message_id,
                attempts=row.attempts + 1,
                first_attempt_at=row.first_attempt_at or now,
                unsure=True,
                doubtful=row.doubtful or doubtful,
            )
            pace = update(chat).where(chat.c.id == row.chat_id).values(attempted_at=now)
            connection.execute(pace)
            return True

        return await self._write(work)

    async def failed(self, message_id: str, code: int | None, error: str, unsure: bool) -> None:
        await self._write(
            lambda connection: _set(connection, message_id, code=code, error=error, unsure=unsure)
        )

    async def sent(self, message_id: str, platform_id: str, now: datetime) -> None:
        def work(connection: Connection) -> None:
            row = _ready(connection, message_id)
            if row is None:
                return
            _set(connection, message_id, state="sent", sent_at=now, platform_id=platform_id)
            if row.operation == "create" and row.card_id is not None:
                # A text cannot be updated: whatever follows it is told by a card of its own.
                end = {"gone": True, "closed_at": now} if row.kind == "text" else {}
                shown = update(card).where(card.c.id == row.card_id)
                connection.execute(shown.values(platform_id=platform_id, **end))

        await self._write(work)

    async def refused(self, message_id: str, code: int | None, error: str, now: datetime) -> None:
        def work(connection: Connection) -> None:
            row = _ready(connection, message_id)
            if row is None:
                return
            _set(connection, message_id, state="refused", code=code, error=error)
            if row.operation == "create" and row.card_id is not None:
                shown = update(card).where(card.c.id == row.card_id)
                connection.execute(shown.values(gone=True, closed_at=now))

        await self._write(work)

    async def fall_back(self, message_id: str, code: int | None, error: str) -> None:
        def work(connection: Connection) -> None:
            row = _ready(connection, message_id)
            if row is None:
                return
            _set(
                connection,
                message_id,
                operation="create" if row.operation == "create" else "reply",
                kind="text",
                content=row.fallback,
                fallback="",
                uuid=uuid_of(message_id, "text"),
                attempts=0,
                first_attempt_at=None,
                unsure=False,
                code=code,
                error=error,
            )

        await self._write(work)

    async def take_back(self, message_id: str, code: int | None, error: str, gone: bool) -> None:
        def work(connection: Connection) -> None:
            row = _ready(connection, message_id)
            if row is None:
                return
            taken = [message_id]
            if gone and row.card_id is not None:
                unsent = message.c.state.in_(("ready", "refused"))
                asked = select(message.c.id).where(message.c.card_id == row.card_id, unsent)
                taken = list(connection.execute(asked).scalars())
                connection.execute(update(card).where(card.c.id == row.card_id).values(gone=True))
            elif row.operation == "create" and row.card_id is not None:
                connection.execute(delete(card_group).where(card_group.c.card_id == row.card_id))
                # It never came to be, so it ended when it began.
                never = update(card).where(card.c.id == row.card_id)
                connection.execute(never.values(gone=True, closed_at=card.c.opened_at))
            of_these = outbox.c.message_id.in_(taken)
            wait = {"state": "waiting", "message_id": None}
            connection.execute(update(outbox).where(of_these).values(**wait))
            for one in taken:
                _set(connection, one, state="withdrawn", code=code, error=error)

        await self._write(work)

    async def _read(self, work: Callable[[Connection], Result]) -> Result:
        def reading() -> Result:
            with self._database.reading() as connection:
                return work(connection)

        return await asyncio.to_thread(reading)

    async def _write(
        self, work: Callable[[Connection], Result], patience_s: float = PATIENCE_S
    ) -> Result:
        def writing() -> Result:
            with self._database.writing(patience_s) as connection:
                return work(connection)

        return await asyncio.to_thread(writing)


def _ready(connection: Connection, message_id: str) -> Row[tuple[object, ...]] | None:
    asked = select(message).where(message.c.id == message_id, message.c.state == "ready")
    return connection.execute(asked.with_for_update()).first()


def _set(connection: Connection, message_id: str, **values: object) -> None:
    connection.execute(update(message).where(message.c.id == message_id).values(**values))

"""A chat, its outbox in a real database, a platform that can be down, and a plain composer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Row, insert, select

from aegis.adapters.store.database import Database
from aegis.adapters.store.ids import SortableIds
from aegis.adapters.store.outbox import StoredOutbox
from aegis.adapters.store.tables import episode, message, outbox, outbox_item
from aegis.model.delivery import CardGroup, ChatState, Draft
from aegis.model.errors import DeliveryError
from aegis.model.message import Message
from aegis.ports.delivery import Json
from aegis.workflows.deliver_messages.deliver import Delivery

CHAT = "oc_night_shift"
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@dataclass
class MovingClock:
    """A clock that moves when it is told to."""

    time: datetime = NOON

    def now(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass
class FakeChat:
    """A platform as Feishu is: a uuid is one message, a card that was sent can be replaced.

    `faults` are raised one after the other before anything arrives, None lets a call pass;
    `lost_answers` as many calls arrive and are answered with an error all the same.
    """

    faults: list[DeliveryError | None] = field(default_factory=list)
    lost_answers: list[DeliveryError] = field(default_factory=list)
    calls: list[Message] = field(default_factory=list)
    by_uuid: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    async def send(self, message: Message) -> str:
        self.calls.append(message)
        if self.faults and (fault := self.faults.pop(0)) is not None:
            raise fault
        if message.operation == "update":
            assert message.target in self.shown
            platform_id = message.target
        elif message.uuid in self.by_uuid:
            platform_id = self.by_uuid[message.uuid]
        else:
            platform_id = self.by_uuid[message.uuid] = f"om_{len(self.by_uuid) + 1}"
            self.order.append(message.content)
        self.shown[platform_id] = message.content
        if self.lost_answers:
            raise self.lost_answers.pop(0)
        return platform_id


@dataclass
class PlainSteps:
    """Steps of a process that lives; sleeping moves the clock."""

    clock: MovingClock
    stopping: bool = False
    slept: list[float] = field(default_factory=list)

    async def run(self, name: str, work: Callable[[], Awaitable[Json]]) -> Json:
        return await work()

    async def sleep(self, seconds: float) -> None:
        if seconds:
            self.slept.append(seconds)
            self.clock.advance(seconds)
        await asyncio.sleep(0)


class Killed(BaseException):
    """The process is gone: nothing after this point happened."""


@dataclass
class MortalSteps:
    """Steps that keep what they did in `done`, and a process that dies in the step `dies_at`.

    Its work is done then; `keeps` says whether its result is kept too.
    """

    clock: MovingClock
    done: list[Json]
    dies_at: int = -1
    keeps: bool = False
    stopping: bool = False
    _place: int = 0

    async def run(self, name: str, work: Callable[[], Awaitable[Json]]) -> Json:
        place, self._place = self._place, self._place + 1
        if place < len(self.done):
            return self.done[place]
        result = await work()
        if place != self.dies_at or self.keeps:
            self.done.append(result)
        if place == self.dies_at:
            raise Killed
        return result

    async def sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await asyncio.sleep(0)


def plain_cards(state: ChatState, most_bytes: int) -> tuple[Draft, ...]:
    """A card a group: the first row of a group opens it, what comes later updates it."""
    cards = {group.key: one for one in state.cards for group in one.groups if not one.gone}
    lost = {group.key: one.id for one in state.cards for group in one.groups if one.gone}
    rows: dict[str, list[str]] = {}
    told: dict[str, set[str]] = {}
    for row in state.rows:
        rows.setdefault(row.group_key, []).append(row.id)
        told.setdefault(row.group_key, set()).update(
            f"{item.fingerprint}#{item.episode} {item.transition}" for item in row.items
        )
    for key in lost:
        rows.setdefault(key, [])
        told.setdefault(key, set())
    drafts = []
    for key, covered in rows.items():
        card = cards.get(key)
        said = json.dumps({"group": key, "told": sorted(told[key])[: most_bytes // 100]})
        drafts.append(
            Draft(
                operation="update" if card else "create",
                kind="interactive",
                content=said,
                fallback=f"text of {key}",
                card_id=card.id if card else None,
                covers=tuple(covered),
                groups=(CardGroup(key, (("group", key),)),),
                replaces=(lost[key],) if key in lost and not card else (),
            )
        )
    return tuple(drafts)


@dataclass
class World:
    """One store, one chat, one clock."""

    database: Database
    clock: MovingClock = field(default_factory=MovingClock)
    chat: FakeChat = field(default_factory=FakeChat)
    ids: SortableIds = field(init=False)
    outbox: StoredOutbox = field(init=False)

    def __post_init__(self) -> None:
        self.ids = SortableIds(self.clock)
        self.outbox = StoredOutbox(self.database, self.ids)

    def delivery(self, gap_s: float = 0.0) -> Delivery:
        return Delivery(self.outbox, self.chat, plain_cards, self.clock, gap_s, rests_for=0)

    def tell(
        self,
        fingerprint: str,
        group: str = "g",
        number: int = 1,
        transition: str = "opened",
        not_before: datetime | None = None,
        chat_id: str = CHAT,
    ) -> str:
        """Keep an episode and an outbox row as the webhook does; the id of the row."""
        row_id = self.ids.new()
        now = self.clock.now()
        with self.database.writing() as connection:
            key = (episode.c.fingerprint == fingerprint) & (episode.c.number == number)
            if connection.execute(select(episode).where(key)).first() is None:
                connection.execute(
                    insert(episode).values(
                        fingerprint=fingerprint,
                        number=number,
                        labels=(("alertname", "HighLatency"),),
                        annotations=(),
                        alertname="HighLatency",
                        severity="critical",
                        group_key=group,
                        starts_at=now,
                        first_seen=now,
                        last_seen=now,
                    )
                )
            connection.execute(
                insert(outbox).values(
                    id=row_id,
                    chat_id=chat_id,
                    group_key=group,
                    group_labels=(("group", group),),
                    truncated=0,
                    created_at=now,
                    not_before=not_before,
                )
            )
            connection.execute(
                insert(outbox_item).values(
                    outbox_id=row_id,
                    chat_id=chat_id,
                    fingerprint=fingerprint,
                    episode=number,
                    transition=transition,
                )
            )
        return row_id

    def messages(self) -> Sequence[Row[tuple[object, ...]]]:
        with self.database.reading() as connection:
            return connection.execute(select(message).order_by(message.c.id)).all()

    def waiting(self) -> int:
        with self.database.reading() as connection:
            return len(connection.execute(select(outbox).where(outbox.c.state == "waiting")).all())

    def told(self) -> Iterator[str]:
        """Every transition as the platform took it, as often as it did."""
        for content in self.chat.shown.values():
            if content.startswith("{"):
                yield from json.loads(content)["told"]

"""What composing needs of one chat, read from the tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Connection,
    Subquery,
    and_,
    func,
    or_,
    select,
    tuple_,
)

from aegis.adapters.store.chunks import in_chunks
from aegis.adapters.store.episodes import episode_of
from aegis.adapters.store.tables import card, card_group, episode, message, outbox, outbox_item
from aegis.model.delivery import (
    RECENT,
    CardGroup,
    ChatState,
    DueItem,
    DueRow,
    EpisodeKey,
    Known,
    ShownCard,
)
from aegis.model.episode import Episode, History

MOST_ROWS = 2_000
"""Composed at once; the rest is composed after these are sent.

The transaction that covers them holds SQLite's only write lock: with all of a storm it would
keep the webhook waiting for half a second.
"""
_WEEK = timedelta(days=7)


def read_state(connection: Connection, chat_id: str, now: datetime) -> ChatState | None:
    """None where no row is due and no open card is gone."""
    rows = _due_rows(connection, chat_id, now)
    cards = _cards(connection, chat_id, now, [one.id for one in rows])
    if not rows and not any(one.gone and not one.closed for one in cards):
        return None
    keys = {item.key for row in rows for item in row.items}
    keys.update(key for one in cards for key in one.episodes)
    return ChatState(chat_id, now, rows, cards, _known(connection, keys, now))


def is_due(now: datetime) -> ColumnElement[bool]:
    """Of a row that no message covers yet."""
    in_time = or_(outbox.c.not_before.is_(None), outbox.c.not_before <= now)
    return and_(outbox.c.state == "waiting", in_time)


def _due_rows(connection: Connection, chat_id: str, now: datetime) -> tuple[DueRow, ...]:
    due = (
        select(outbox)
        .where(outbox.c.chat_id == chat_id, is_due(now))
        .order_by(outbox.c.id)
        .limit(MOST_ROWS)
    )
    found = connection.execute(due).all()
    items: dict[str, list[DueItem]] = {one.id: [] for one in found}
    for chunk in in_chunks(items):
        asked = select(outbox_item).where(outbox_item.c.outbox_id.in_(chunk))
        order = (outbox_item.c.fingerprint, outbox_item.c.episode, outbox_item.c.transition)
        for item in connection.execute(asked.order_by(*order)):
            one = DueItem(item.fingerprint, item.episode, item.transition)
            items[item.outbox_id].append(one)
    return tuple(
        DueRow(
            row.id,
            row.group_key,
            row.group_labels,
            tuple(items[row.id]),
            row.truncated,
            held=row.not_before is not None and row.not_before > row.created_at,
        )
        for row in found
    )


def _cards(
    connection: Connection, chat_id: str, now: datetime, rows: Sequence[str]
) -> tuple[ShownCard, ...]:
    wanted = _gone_or_recent(connection, chat_id, now)
    if rows:
        wanted |= _cards_of_due_groups(connection, chat_id, now)
        wanted |= _cards_of_due_episodes(connection, chat_id, now)
    found = {
        one.id: one
        for chunk in in_chunks(sorted(wanted))
        for one in connection.execute(select(card).where(card.c.id.in_(chunk)))
    }
    ids = sorted(found)
    groups, shown = _groups(connection, ids), _shown_episodes(connection, ids)
    return tuple(
        ShownCard(
            id=one,
            opened_at=found[one].opened_at,
            groups=tuple(groups.get(one, ())),
            episodes=tuple(sorted(shown.get(one, ()))),
            closed=found[one].closed_at is not None,
            gone=found[one].gone,
            last_woke_at=woke,
            truncated=truncated,
        )
        for one, (woke, truncated) in _woke_and_truncated(connection, ids).items()
    )


def _gone_or_recent(connection: Connection, chat_id: str, now: datetime) -> set[str]:
    """Of the open ones. A recent one counts where it shows several groups."""
    shows_several = (
        select(card_group.c.card_id)
        .where(card_group.c.card_id == card.c.id)
        .group_by(card_group.c.card_id)
        .having(func.count() > 1)
        .exists()
    )
    recent = and_(card.c.opened_at >= now - RECENT, shows_several)
    open_ = and_(card.c.chat_id == chat_id, card.c.closed_at.is_(None))
    return set(connection.scalars(select(card.c.id).where(open_, or_(card.c.gone, recent))))


def _cards_of_due_groups(connection: Connection, chat_id: str, now: datetime) -> set[str]:
    """Open ones."""
    due = select(outbox.c.group_key).where(outbox.c.chat_id == chat_id, is_due(now))
    showing = (
        select(card.c.id)
        .join(card_group, card_group.c.card_id == card.c.id)
        .where(
            card_group.c.chat_id == chat_id,
            card_group.c.group_key.in_(due),
            card.c.closed_at.is_(None),
        )
    )
    return set(connection.scalars(showing.distinct()))


def _cards_of_due_episodes(connection: Connection, chat_id: str, now: datetime) -> set[str]:
    """Of every card that was told of an episode of a due row, closed ones too."""
    due: Subquery = (
        select(outbox_item.c.fingerprint, outbox_item.c.episode)
        .join(outbox, outbox.c.id == outbox_item.c.outbox_id)
        .where(outbox.c.chat_id == chat_id, is_due(now))
        .distinct()
        .subquery()
    )
    told = (
        select(message.c.card_id)
        .join(outbox, outbox.c.message_id == message.c.id)
        .join(outbox_item, outbox_item.c.outbox_id == outbox.c.id)
        .join(
            due,
            and_(
                outbox_item.c.fingerprint == due.c.fingerprint,
                outbox_item.c.episode == due.c.episode,
            ),
        )
        .where(outbox_item.c.chat_id == chat_id, message.c.card_id.is_not(None))
        .distinct()
    )
    return set(connection.execute(told).scalars())


def _groups(connection: Connection, cards: Sequence[str]) -> dict[str, list[CardGroup]]:
    found: dict[str, list[CardGroup]] = {}
    for chunk in in_chunks(cards):
        asked = select(card_group).where(card_group.c.card_id.in_(chunk))
        for one in connection.execute(asked.order_by(card_group.c.group_key)):
            found.setdefault(one.card_id, []).append(CardGroup(one.group_key, one.group_labels))
    return found


def _shown_episodes(connection: Connection, cards: Sequence[str]) -> dict[str, set[EpisodeKey]]:
    found: dict[str, set[EpisodeKey]] = {}
    for chunk in in_chunks(cards):
        asked = (
            select(message.c.card_id, outbox_item.c.fingerprint, outbox_item.c.episode)
            .join(outbox, outbox.c.message_id == message.c.id)
            .join(outbox_item, outbox_item.c.outbox_id == outbox.c.id)
            .where(message.c.card_id.in_(chunk))
            .distinct()
        )
        for one in connection.execute(asked):
            found.setdefault(one.card_id, set()).add((one.fingerprint, one.episode))
    return found


def _woke_and_truncated(
    connection: Connection, cards: Sequence[str]
) -> dict[str, tuple[datetime | None, int]]:
    """When a card's newest creation or reply was stored, and the largest of its rows' losses."""
    woke: dict[str, datetime] = {}
    lost: dict[str, int] = {}
    for chunk in in_chunks(cards):
        waking = message.c.operation.in_(("create", "reply"))
        newest = select(message.c.card_id, func.max(message.c.created_at)).where(
            message.c.card_id.in_(chunk), waking
        )
        woke.update(
            (one[0], one[1]) for one in connection.execute(newest.group_by(message.c.card_id))
        )
        largest = (
            select(message.c.card_id, func.max(outbox.c.truncated))
            .join(outbox, outbox.c.message_id == message.c.id)
            .where(message.c.card_id.in_(chunk))
        )
        lost.update(
            (one[0], one[1]) for one in connection.execute(largest.group_by(message.c.card_id))
        )
    return {one: (woke.get(one), lost.get(one, 0)) for one in cards}


def _known(connection: Connection, keys: set[EpisodeKey], now: datetime) -> dict[EpisodeKey, Known]:
    """Episodes with how often the same alert fired in the week, and how long the last time."""
    episodes: dict[EpisodeKey, Episode] = {}
    wanted = keys | {(fingerprint, number - 1) for fingerprint, number in keys}
    key = tuple_(episode.c.fingerprint, episode.c.number)
    for chunk in in_chunks(sorted(wanted)):
        for one in connection.execute(select(episode).where(key.in_(chunk))):
            episodes[one.fingerprint, one.number] = episode_of(one)
    oldest: dict[str, int] = {}
    for names in in_chunks(sorted({fingerprint for fingerprint, _ in keys})):
        of_week = (
            select(episode.c.fingerprint, func.min(episode.c.number))
            .where(episode.c.fingerprint.in_(names), episode.c.first_seen >= now - _WEEK)
            .group_by(episode.c.fingerprint)
        )
        oldest.update((one[0], one[1]) for one in connection.execute(of_week))
    return {
        one: Known(episodes[one], _history(one, episodes, oldest))
        for one in sorted(keys)
        if one in episodes
    }


def _history(
    key: EpisodeKey, episodes: dict[EpisodeKey, Episode], oldest: dict[str, int]
) -> History:
    """Numbers count one by one, so that the oldest of the week says how many there were."""
    fingerprint, number = key
    before = episodes.get((fingerprint, number - 1))
    minutes = None
    if before is not None and before.resolved_at is not None:
        minutes = (before.resolved_at - before.first_seen).total_seconds() / 60
    return History(max(1, number - oldest.get(fingerprint, number) + 1), minutes)

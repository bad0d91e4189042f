"""The thread policy: which card tells of what, and what must be a message of its own.

A group that is new to the chat gets a card. What comes to a group that has one updates the
card; a card that is edited rings for nobody, so what must wake somebody is said again in a
reply to it. What ended is only struck. Many new groups at once share one card, and so do those
that quiet hours held back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from aegis.model.delivery import CardGroup, ChatState, DueItem, DueRow, EpisodeKey, Known, ShownCard

MOST_SINGLE_CARDS = 5
"""New groups due at once that get a card each; more share one."""

STORM_LASTS = timedelta(minutes=10)
"""A storm's card takes new groups in for this long."""

MOST_GROUPS = 2_000
"""On one card: beyond it a storm opens another."""

CARD_LASTS = timedelta(days=13, hours=12)
"""The platform updates a card for 14 days."""

RINGS_AGAIN = timedelta(minutes=30)
"""What opens in a group so long after its last message rings, whatever it is."""

Occasion = Literal["group", "groups", "storm", "digest"]


@dataclass(frozen=True, slots=True)
class Plan:
    """One card to create or update, and what of it is news.

    `fresh` are the episodes that opened now and still fire. `rings` is true where they are said
    in a message of their own: a creation always, an update by a reply.
    """

    occasion: Occasion
    card: ShownCard | None
    groups: tuple[CardGroup, ...]
    shown: tuple[Known, ...]
    fresh: tuple[Known, ...]
    again: tuple[EpisodeKey, ...]
    rings: bool
    covers: tuple[str, ...]
    truncated: int
    replaces: tuple[str, ...] = ()

    @property
    def closes(self) -> bool:
        return not any(one.episode.is_open for one in self.shown)


@dataclass
class _Work:
    """What is due for one card, or for one group that has none."""

    rows: list[DueRow] = field(default_factory=list)
    items: list[DueItem] = field(default_factory=list)
    groups: dict[str, CardGroup] = field(default_factory=dict)

    def add(self, row: DueRow, items: Iterable[DueItem], with_group: bool) -> None:
        self.items.extend(items)
        if with_group:
            self.groups.setdefault(row.group_key, CardGroup(row.group_key, row.group_labels))

    def join(self, other: _Work) -> None:
        self.rows += other.rows
        self.items += other.items
        for group in other.groups.values():
            self.groups.setdefault(group.key, group)

    @property
    def held(self) -> bool:
        return bool(self.rows) and all(row.held for row in self.rows)


def plan(state: ChatState) -> tuple[Plan, ...]:
    """One for each card that is to be created or updated."""
    known, new = _sorted_out(state)
    cards = {card.id: card for card in state.cards}
    digest = [work for work in new.values() if work.held]
    at_once = [work for work in new.values() if not work.held]
    plans: list[Plan] = []
    if len(at_once) > MOST_SINGLE_CARDS:
        storm = _storm_card(state, len(at_once))
        if storm is None:
            plans.append(_creation(state, "storm", _together(at_once)))
        else:
            known[storm.id].join(_together(at_once))
    else:
        plans += [_creation(state, "group", work) for work in at_once]
    if digest:
        plans.append(_creation(state, "digest", _together(digest)))
    for card_id, work in known.items():
        card = cards[card_id]
        if _must_be_replaced(card, state):
            plans.append(_replacement(state, card, work))
        else:
            plans.append(_update(state, card, work))
    plans += [
        _replacement(state, card, _Work())
        for card in state.cards
        if card.gone and card.id not in known and _still_fires(state, card)
    ]
    return tuple(plans)


def _sorted_out(state: ChatState) -> tuple[defaultdict[str, _Work], dict[str, _Work]]:
    """What is due, by the id of the card that shows it, or by the group that has no card.

    An end belongs to the card that shows the episode, whatever group it comes in. Each row is
    covered where its first item belongs.
    """
    of_episode: dict[EpisodeKey, str] = {}
    of_group: dict[str, str] = {}
    for card in sorted(state.cards, key=lambda one: not one.closed):
        of_episode.update(dict.fromkeys(card.episodes, card.id))
        if not card.closed:
            of_group.update(dict.fromkeys((group.key for group in card.groups), card.id))
    known: defaultdict[str, _Work] = defaultdict(_Work)
    new: dict[str, _Work] = {}
    for row in state.rows:
        by_card: dict[str | None, list[DueItem]] = {}
        for item in row.items:
            card_id = of_episode.get(item.key, of_group.get(row.group_key))
            by_card.setdefault(card_id, []).append(item)
        if not by_card:
            by_card[of_group.get(row.group_key)] = []
        for number, (card_id, items) in enumerate(by_card.items()):
            is_new = card_id is None
            work = new.setdefault(row.group_key, _Work()) if card_id is None else known[card_id]
            work.add(row, items, with_group=is_new)
            if number == 0:
                work.rows.append(row)
    return known, new


def _together(works: Iterable[_Work]) -> _Work:
    found = _Work()
    for work in works:
        found.join(work)
    return found


def _storm_card(state: ChatState, more: int) -> ShownCard | None:
    """The newest card of a storm that still goes on and has room."""
    fitting = [
        card
        for card in state.cards
        if not card.closed
        and not card.gone
        and len(card.groups) > MOST_SINGLE_CARDS
        and len(card.groups) + more <= MOST_GROUPS
        and state.now - card.opened_at <= STORM_LASTS
    ]
    return max(fitting, key=lambda card: (card.opened_at, card.id), default=None)


def _must_be_replaced(card: ShownCard, state: ChatState) -> bool:
    return card.gone or state.now - card.opened_at > CARD_LASTS


def _still_fires(state: ChatState, card: ShownCard) -> bool:
    return any(one.episode.is_open for one in _known(state, card.episodes))


def _creation(state: ChatState, occasion: Occasion, work: _Work) -> Plan:
    fresh = _fresh(state, work)
    return Plan(
        occasion=occasion,
        card=None,
        groups=tuple(work.groups.values()),
        shown=_known(state, (item.key for item in work.items)),
        fresh=fresh,
        again=(),
        rings=True,
        covers=tuple(row.id for row in work.rows),
        truncated=_truncated(work.rows),
    )


def _replacement(state: ChatState, card: ShownCard, work: _Work) -> Plan:
    """A new card in the place of one that cannot be updated: what still fires, what is due."""
    firing = [_key(one) for one in _known(state, card.episodes) if one.episode.is_open]
    groups = {group.key: group for group in (*card.groups, *work.groups.values())}
    return Plan(
        occasion="groups" if len(groups) > 1 else "group",
        card=None,
        groups=tuple(groups.values()),
        shown=_known(state, (*firing, *(item.key for item in work.items))),
        fresh=_fresh(state, work),
        again=(),
        rings=True,
        covers=tuple(row.id for row in work.rows),
        truncated=max(card.truncated, _truncated(work.rows)),
        replaces=(card.id,),
    )


def _update(state: ChatState, card: ShownCard, work: _Work) -> Plan:
    fresh = _fresh(state, work)
    fresh_keys = {_key(one) for one in fresh}
    keys_before = (key for key in card.episodes if key not in fresh_keys)
    before = [one.episode for one in _known(state, keys_before)]
    seen = {one.fingerprint for one in before}
    names = {one.name for one in before}
    severities = {one.severity for one in before}
    again = tuple(_key(one) for one in fresh if one.episode.fingerprint in seen)
    long_ago = card.last_woke_at is not None and state.now - card.last_woke_at > RINGS_AGAIN
    rings = bool(fresh) and (
        long_ago
        or any(row.held for row in work.rows)
        or bool(again)
        or bool(work.groups)
        or any(
            one.episode.name not in names or one.episode.severity not in severities for one in fresh
        )
    )
    groups = {group.key: group for group in (*card.groups, *work.groups.values())}
    return Plan(
        occasion="groups" if len(groups) > 1 else "group",
        card=card,
        groups=tuple(groups.values()),
        shown=_known(state, (*card.episodes, *(item.key for item in work.items))),
        fresh=fresh,
        again=again,
        rings=rings,
        covers=tuple(row.id for row in work.rows),
        truncated=max(card.truncated, _truncated(work.rows)),
    )


def _fresh(state: ChatState, work: _Work) -> tuple[Known, ...]:
    opened = (item.key for item in work.items if item.transition == "opened")
    return tuple(one for one in _known(state, opened) if one.episode.is_open)


def _known(state: ChatState, keys: Iterable[EpisodeKey]) -> tuple[Known, ...]:
    """Each once; those that the store has forgotten are skipped, for a chat must not get stuck."""
    return tuple(state.episodes[key] for key in dict.fromkeys(keys) if key in state.episodes)


def _key(one: Known) -> EpisodeKey:
    return (one.episode.fingerprint, one.episode.number)


def _truncated(rows: Iterable[DueRow]) -> int:
    return max((row.truncated for row in rows), default=0)

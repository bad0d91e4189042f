"""A chat in memory: keeps what happens, composes what is due, and remembers what was sent."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from aegis.model.alert import fingerprint
from aegis.model.delivery import (
    CardGroup,
    ChatState,
    Draft,
    DueItem,
    DueRow,
    EpisodeKey,
    Known,
    ShownCard,
)
from aegis.model.episode import Episode, History, Transition
from aegis.workflows.deliver_messages.compose import compose
from aegis.workflows.deliver_messages.style import Style
from tests.messages.states import NOW


@dataclass
class Chat:
    style: Style
    now: datetime = NOW
    episodes: dict[EpisodeKey, Known] = field(default_factory=dict)
    waiting: list[DueRow] = field(default_factory=list)
    cards: dict[str, ShownCard] = field(default_factory=dict)
    sent: list[Draft] = field(default_factory=list)
    rows: int = 0

    def fires(self, group: str, *alerts: dict[str, str], held: bool = False) -> None:
        """Alerts that fire already are heartbeats; the others open an episode."""
        opened = []
        for labels in alerts:
            pairs = tuple(sorted(labels.items()))
            name = fingerprint(pairs)
            numbers = [number for found, number in self.episodes if found == name]
            number = max(numbers, default=0)
            if number and self.episodes[name, number].episode.is_open:
                continue
            one = Episode(name, number + 1, pairs, (), group, self.now, self.now, self.now, None)
            self.episodes[name, number + 1] = Known(
                one, History(number + 1, 5.0 if number else None)
            )
            opened.append((name, number + 1))
        self._keep(group, opened, "opened", held)

    def ends(self, group: str, *alerts: dict[str, str], held: bool = False) -> None:
        closed = []
        for labels in alerts:
            name = fingerprint(tuple(sorted(labels.items())))
            for key, one in list(self.episodes.items()):
                if key[0] == name and one.episode.is_open:
                    ended = replace(one.episode, resolved_at=self.now)
                    self.episodes[key] = replace(one, episode=ended)
                    closed.append(key)
        self._keep(group, closed, "closed", held)

    def passes(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)

    def state(self) -> ChatState:
        due = {item.key for row in self.waiting for item in row.items}
        cards = [
            card
            for card in self.cards.values()
            if card.gone or not card.closed or due & set(card.episodes)
        ]
        named = {key for card in cards for key in card.episodes} | due
        episodes = {key: self.episodes[key] for key in named}
        return ChatState("oc_a", self.now, tuple(self.waiting), tuple(cards), episodes)

    def delivers(self) -> tuple[Draft, ...]:
        """Composes, keeps and sends everything that is due."""
        drafts = compose(self.state(), self.style)
        rows = {row.id: row for row in self.waiting}
        for number, draft in enumerate(drafts, start=len(self.sent)):
            self._remember(draft, [rows[one] for one in draft.covers], f"card-{number:04}")
        self.waiting.clear()
        self.sent += drafts
        return drafts

    def _remember(self, draft: Draft, rows: list[DueRow], new_id: str) -> None:
        if draft.operation == "reply":
            card = self.cards[draft.card_id or ""]
            self.cards[card.id] = replace(card, last_woke_at=self.now)
            return
        keys = {item.key: None for row in rows for item in row.items}
        for one in draft.replaces:
            old = self.cards.pop(one)
            keys |= {key: None for key in old.episodes if self.episodes[key].episode.is_open}
        if draft.card_id is None:
            self.cards[new_id] = ShownCard(
                new_id, self.now, draft.groups, tuple(keys), draft.closes, False, self.now
            )
            return
        card = self.cards[draft.card_id]
        self.cards[card.id] = replace(
            card,
            groups=draft.groups,
            episodes=tuple(dict.fromkeys((*card.episodes, *keys))),
            closed=draft.closes,
        )

    def _keep(self, group: str, keys: list[EpisodeKey], transition: Transition, held: bool) -> None:
        if keys:
            self.rows += 1
            labels = CardGroup(group, (("alertname", group),)).labels
            items = tuple(DueItem(*key, transition) for key in keys)
            self.waiting.append(DueRow(f"row-{self.rows:05}", group, labels, items, 0, held))

"""From what a chat is to be told to the messages that tell it. Pure: same state, same bytes."""

from __future__ import annotations

from collections.abc import Iterable

from aegis.model.delivery import ChatState, Draft, EpisodeKey, Known
from aegis.model.message import NOBODY, Mention
from aegis.model.routing import mention_for
from aegis.workflows.deliver_messages import titles
from aegis.workflows.deliver_messages.card import Face, card_content
from aegis.workflows.deliver_messages.plain import text_content
from aegis.workflows.deliver_messages.planning import Plan, plan
from aegis.workflows.deliver_messages.style import Style
from aegis.workflows.deliver_messages.voice import Voice, rank


def compose(state: ChatState, style: Style) -> tuple[Draft, ...]:
    """Messages in the order they are to be sent; empty where nothing is due and no card is gone.

    Every due row is covered by exactly one creation or update. For MessageTooLarge call again
    with smaller `most_bytes`.
    """
    voice = Voice(style, state.now)
    return tuple(
        draft
        for one in sorted(plan(state), key=_urgency)
        for draft in _drafts(one, state.chat_id, voice)
    )


def _urgency(one: Plan) -> tuple[object, ...]:
    """What rings first, the worst first, then in the order in which it became due."""
    worst = min((rank(fresh)[:2] for fresh in one.fresh), default=(True,))
    card_id = "" if one.card is None else one.card.id
    return (not (one.rings and one.fresh), worst, one.covers, one.replaces, card_id)


def _drafts(one: Plan, chat_id: str, voice: Voice) -> Iterable[Draft]:
    mention, woken = _woken(one, chat_id, voice.style) if one.rings else (NOBODY, ())
    creates = one.card is None
    face = Face(
        titles.card_title(one, voice),
        one.groups,
        one.shown,
        mention if creates else NOBODY,
        one.truncated,
    )
    yield Draft(
        operation="create" if creates else "update",
        kind="interactive",
        content=card_content(face, voice),
        fallback=text_content(face, voice),
        card_id=None if one.card is None else one.card.id,
        covers=one.covers,
        groups=one.groups,
        closes=one.closes,
        replaces=one.replaces,
        wakes=woken if creates else (),
    )
    if one.card is not None and one.rings and one.fresh:
        news = Face(titles.news_title(one, voice), one.groups, one.fresh, mention, 0)
        yield Draft(
            operation="reply",
            kind="interactive",
            content=card_content(news, voice),
            fallback=text_content(news, voice),
            card_id=one.card.id,
            groups=one.groups,
            wakes=woken,
        )


def _woken(one: Plan, chat_id: str, style: Style) -> tuple[Mention, tuple[EpisodeKey, ...]]:
    """Everybody any of the new episodes wants to be told, and those episodes."""
    everybody = False
    people: dict[str, None] = {}
    keys: list[EpisodeKey] = []
    for known in one.fresh:
        mention = mention_for(style.routing, chat_id, known.episode.labels)
        if mention == NOBODY:
            continue
        everybody = everybody or mention.everybody
        people.update(dict.fromkeys(mention.people))
        keys.append(_key(known))
    return Mention(everybody, () if everybody else tuple(people)), tuple(keys)


def _key(known: Known) -> EpisodeKey:
    return (known.episode.fingerprint, known.episode.number)

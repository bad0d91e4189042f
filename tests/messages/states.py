"""What a chat is to be told, from captured webhook bodies and from a few words."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aegis.model.alert import Labels, fingerprint
from aegis.model.delivery import CardGroup, ChatState, DueItem, DueRow, EpisodeKey, Known, ShownCard
from aegis.model.episode import Episode, History, Transition
from aegis.model.text import Language
from aegis.workflows.deliver_messages.style import Style

CAPTURES = Path(__file__).parent / "captures"
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
FIRST_TIME = History(1, None)


def style(language: Language = "zh", **changed: Any) -> Style:
    return Style(language, ZoneInfo("Asia/Shanghai"), **changed)


def known(
    labels: dict[str, str],
    *,
    number: int = 1,
    group: str = "g",
    annotations: dict[str, str] | None = None,
    minutes_ago: float = 12,
    lasted: float | None = None,
    history: History = FIRST_TIME,
    now: datetime = NOW,
) -> Known:
    """An episode that began so many minutes ago; `lasted` so many minutes, or still fires."""
    pairs = tuple(sorted(labels.items()))
    start = now - timedelta(minutes=minutes_ago)
    return Known(
        Episode(
            fingerprint(tuple((name, _encodable(value)) for name, value in pairs)),
            number,
            pairs,
            tuple(sorted((annotations or {}).items())),
            group,
            start,
            start,
            now,
            None if lasted is None else start + timedelta(minutes=lasted),
        ),
        history,
    )


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def key(one: Known) -> EpisodeKey:
    return (one.episode.fingerprint, one.episode.number)


def row(
    number: int,
    opened: Iterable[Known] = (),
    closed: Iterable[Known] = (),
    group: str = "g",
    labels: Labels = (("alertname", "HighLatency"),),
    **changed: Any,
) -> DueRow:
    told: list[tuple[Known, Transition]] = [
        *((one, "opened") for one in opened),
        *((one, "closed") for one in closed),
    ]
    items = tuple(DueItem(*key(one), transition) for one, transition in told)
    return DueRow(f"row-{number:04}", group, labels, items, **changed)


def card(
    name: str, shown: Iterable[Known], groups: Iterable[str] = ("g",), **changed: Any
) -> ShownCard:
    opened_at = changed.pop("opened_at", NOW - timedelta(minutes=5))
    kept = tuple(CardGroup(group, (("alertname", "HighLatency"),)) for group in groups)
    return ShownCard(name, opened_at, kept, tuple(key(one) for one in shown), **changed)


def state(
    rows: Iterable[DueRow],
    episodes: Iterable[Known],
    cards: Iterable[ShownCard] = (),
    now: datetime = NOW,
) -> ChatState:
    return ChatState("oc_a", now, tuple(rows), tuple(cards), {key(one): one for one in episodes})


def captured(name: str, now: datetime = NOW) -> ChatState:
    """The chat after one captured webhook call came to an empty store."""
    body = json.loads((CAPTURES / f"{name}.json").read_text(encoding="utf-8"))
    group = body["groupKey"]
    episodes = [_episode(one, group) for one in body["alerts"]]
    transitions: list[Transition] = ["opened", "closed"]
    items = tuple(
        DueItem(*key(one), transition)
        for one in episodes
        for transition in transitions[: 1 if one.episode.is_open else 2]
    )
    labels = tuple(sorted(body["groupLabels"].items()))
    only = DueRow("row-0001", group, labels, items, body["truncatedAlerts"])
    return state([only], episodes, now=now)


def _episode(alert: dict[str, Any], group: str) -> Known:
    ends = _moment(alert["endsAt"]) if alert["status"] == "resolved" else None
    start = _moment(alert["startsAt"])
    labels = tuple(sorted(alert["labels"].items()))
    annotations = tuple(sorted(alert["annotations"].items()))
    return Known(
        Episode(fingerprint(labels), 1, labels, annotations, group, start, start, start, ends),
        FIRST_TIME,
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)

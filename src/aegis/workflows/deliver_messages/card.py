"""A card, JSON 2.0: the conclusion first, the worst alerts next, the rest folded away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aegis.model.delivery import CardGroup, Known
from aegis.model.message import Mention
from aegis.model.severity import Severity, severity_of
from aegis.model.text import Text
from aegis.workflows.deliver_messages import lines, wording
from aegis.workflows.deliver_messages.fitting import Room, content_of, sent_bytes
from aegis.workflows.deliver_messages.quoting import in_markdown, in_plain_text
from aegis.workflows.deliver_messages.voice import Voice, latest

Element = dict[str, object]

MOST_OPEN = 8
"""Alerts that are shown without unfolding anything: about two screens of a phone."""
MOST_STRUCK = 3
MOST_FOLDED = 60
MOST_DETAILED = 3
DETAILS_SHARE = 0.3
GROUP_LINES_FROM = 6
"""Groups on a card from which on a group is one line."""

_COLOURS: dict[Severity, str] = {
    Severity.CRITICAL: "red",
    Severity.MAJOR: "orange",
    Severity.WARNING: "yellow",
    Severity.UNKNOWN: "purple",
    Severity.INFO: "blue",
    Severity.NONE: "grey",
}
_WIDEST = 9_999_999


@dataclass(frozen=True, slots=True)
class Face:
    """What a card is about. `shown` may hold older episodes of an alert: the latest is shown."""

    title: str
    groups: tuple[CardGroup, ...]
    shown: tuple[Known, ...]
    mention: Mention
    truncated: int


def card_content(face: Face, voice: Voice) -> str:
    """At most `style.most_bytes` as sent. What does not fit is counted and can be looked up."""
    newest = latest(face.shown)
    open_lines, struck_lines = _lines(face, newest, voice)
    fixed = _fixed(face, newest, voice)
    room = Room(voice.style.most_bytes - sent_bytes(_skeleton(face, newest, fixed, voice)))
    room.components_left -= len(fixed) + 8
    most_struck = MOST_STRUCK if open_lines else MOST_OPEN
    first = _taken(open_lines[:MOST_OPEN], room)
    struck = _taken(struck_lines[:most_struck], room)
    details = _details(newest, voice, room) if len(face.groups) < GROUP_LINES_FROM else []
    more = open_lines[MOST_OPEN:] if len(first) == MOST_OPEN else []
    folded = _taken(more[:MOST_FOLDED], room)
    folded_struck = _taken(struck_lines[len(struck) :][:MOST_FOLDED], room)
    told = sum(one.alerts for one in (*first, *struck, *folded, *folded_struck))
    elements = [
        *fixed,
        *(one.element for one in (*first, *struck)),
        *_panel(wording.MORE_FIRING, folded, voice),
        *_panel(wording.RESOLVED_PART, folded_struck, voice),
        *_panel(wording.DETAILS, details, voice),
        *_footer(len(newest) - told, len(face.shown) - len(newest), face, voice),
    ]
    return content_of(_card(face, newest, elements, voice))


@dataclass(frozen=True, slots=True)
class _Line:
    """An element, and how many alerts it tells of."""

    element: Element
    alerts: int


def _lines(face: Face, newest: tuple[Known, ...], voice: Voice) -> tuple[list[_Line], list[_Line]]:
    """Of what fires and of what ended, the worst first; only as many as may be shown."""
    if len(face.groups) < GROUP_LINES_FROM:
        open_ones = [one for one in newest if one.episode.is_open]
        ended = [one for one in newest if not one.episode.is_open]
        most, alone = MOST_OPEN + MOST_FOLDED, len(newest) == 1
        return (
            [_Line(_markdown(lines.firing(one, voice, alone)), 1) for one in open_ones[:most]],
            [_Line(_markdown(lines.resolved(one, voice)), 1) for one in ended[:most]],
        )
    members: defaultdict[str, list[Known]] = defaultdict(list)
    for one in newest:
        members[one.episode.group_key].append(one)
    labels = {group.key: group for group in face.groups}
    firing: list[_Line] = []
    ended_groups: list[_Line] = []
    for key, found in members.items():  # by their worst alert, for `newest` is in that order
        chosen = firing if found[0].episode.is_open else ended_groups
        if len(chosen) < MOST_OPEN + MOST_FOLDED:
            group = labels.get(key, CardGroup(key, ()))
            text = lines.group_line(group, tuple(found), voice)
            chosen.append(_Line(_markdown(text), len(found)))
    return firing, ended_groups


def _taken(wanted: Sequence[_Line], room: Room) -> list[_Line]:
    """As many as there is room for, without leaving out one in between."""
    found: list[_Line] = []
    for one in wanted:
        if not room.take(one.element):
            break
        found.append(one)
    return found


def _details(newest: tuple[Known, ...], voice: Voice, room: Room) -> list[_Line]:
    share = Room(int(room.bytes_left * DETAILS_SHARE), room.components_left)
    chosen = [one for one in newest[:MOST_DETAILED] if one.episode.is_open]
    found = _taken([_Line(_markdown(lines.details(one, voice)), 0) for one in chosen], share)
    for one in found:
        room.take(one.element)
    return found


def _fixed(face: Face, newest: tuple[Known, ...], voice: Voice) -> list[Element]:
    found = []
    if mention := _mention(face.mention):
        found.append(_markdown(mention))
    if newest:
        worst = in_markdown(lines.worst_severity(newest, voice), 24)
        said = wording.conclusion(newest, worst, voice.now, voice.style.timezone)
        found.append(_markdown(voice.say(said)))
    if face.truncated:
        found.append(_markdown(f"**{voice.say(wording.data_loss(face.truncated))}**"))
    if not newest:
        found.append(_markdown(voice.say(wording.NOTHING_KNOWN)))
    return found


def _mention(mention: Mention) -> str:
    names = ("all",) if mention.everybody else mention.people
    return " ".join(f"<at id={name}></at>" for name in names)


def _skeleton(face: Face, newest: tuple[Known, ...], fixed: list[Element], voice: Voice) -> str:
    """A card with everything but its alerts, with the longest footer there can be."""
    empty = [
        panel
        for title in (wording.MORE_FIRING, wording.RESOLVED_PART, wording.DETAILS)
        for panel in _panel(title, [_Line({}, _WIDEST)], voice)
    ]
    elements = [*fixed, *empty, *_footer(_WIDEST, _WIDEST, face, voice)]
    return content_of(_card(face, newest, elements, voice))


def _panel(title: Text, content: Iterable[_Line], voice: Voice) -> list[Element]:
    content = list(content)
    if not content:
        return []
    count = sum(one.alerts for one in content)
    text = f"{voice.say(title)} ({count})" if count else voice.say(title)
    return [
        {
            "tag": "collapsible_panel",
            "expanded": False,
            "header": {"title": {"tag": "plain_text", "content": text}},
            "elements": [one.element for one in content],
        }
    ]


def _footer(left_out: int, earlier: int, face: Face, voice: Voice) -> list[Element]:
    said = left_out_of(left_out, earlier, voice)
    if not said and voice.style.public_url is None:
        return []
    where = voice.ledger(face.groups)
    return [_markdown(" · ".join([*(f"**{one}**" for one in said), where]))]


def left_out_of(alerts: int, earlier: int, voice: Voice) -> list[str]:
    """What a message does not list: alerts, and older episodes of those that it lists."""
    found = []
    if alerts:
        found.append(voice.say(wording.left_out(alerts)))
    if earlier:
        found.append(voice.say(wording.earlier(earlier)))
    return found


def _card(
    face: Face, newest: tuple[Known, ...], elements: list[Element], voice: Voice
) -> dict[str, object]:
    first = newest[0] if newest else None
    firing = first is not None and first.episode.is_open
    colour = _COLOURS[severity_of(first.episode.severity)] if first and firing else "green"
    said = lines.summary(first) if first is not None else ""
    noticed = in_plain_text(f"{face.title} — {said}" if said and firing else face.title, 160)
    return {
        "schema": "2.0",
        "config": {"update_multi": True, "width_mode": "fill", "summary": {"content": noticed}},
        "header": {
            "template": colour,
            "title": {"tag": "plain_text", "content": in_plain_text(face.title, 120)},
        },
        "body": {"elements": elements},
    }


def _markdown(content: str) -> Element:
    return {"tag": "markdown", "content": content}

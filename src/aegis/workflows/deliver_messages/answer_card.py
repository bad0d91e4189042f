"""The answer to a question as a card: impact, causes with their proof, what to do next.

It is for a phone, so it shows the little that is needed now and folds the rest. The whole answer
goes to whoever asked; what the card leaves out is counted on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from aegis.model.message import Notice
from aegis.model.text import Text
from aegis.workflows.deliver_messages.answer_lines import (
    LEFT_OUT,
    MORE_ACTIONS,
    MORE_UNSEEN,
    NEXT_ACTIONS,
    RULED_OUT,
    TIMELINE,
    AnswerLines,
    Told,
    ToldCause,
)
from aegis.workflows.deliver_messages.fitting import Room, content_of, sent_bytes
from aegis.workflows.deliver_messages.quoting import in_plain_text
from aegis.workflows.deliver_messages.style import Style

Element = dict[str, object]

MOST_OPEN_ACTIONS = 3
MOST_OPEN_GAPS = 2
MOST_FOLDED = 12
_WIDEST = Counter(dict.fromkeys(LEFT_OUT, 9999))


def answer_notice(told: Told, style: Style) -> Notice:
    """At most `style.most_bytes` each, as sent. Pure: the same answer, the same bytes."""
    lines = AnswerLines(told, style)
    return Notice(_Card(lines, style.most_bytes).content(), _text_content(lines, style.most_bytes))


@dataclass(frozen=True, slots=True)
class _Folded:
    """Lines behind a title, and what each of them is."""

    title: Text
    noun: str
    lines: tuple[str, ...]


class _Card:
    def __init__(self, lines: AnswerLines, most_bytes: int) -> None:
        self._lines = lines
        self._left_out: Counter[str] = Counter()
        gaps, actions = lines.gaps(), lines.actions()
        self._head = [lines.question(), lines.impact(), *gaps[:MOST_OPEN_GAPS]]
        self._actions = actions[:MOST_OPEN_ACTIONS]
        self._panels = (
            _Folded(MORE_ACTIONS, "actions", actions[MOST_OPEN_ACTIONS:]),
            _Folded(MORE_UNSEEN, "gaps", gaps[MOST_OPEN_GAPS:]),
            _Folded(RULED_OUT, "services", lines.ruled_out()),
            _Folded(TIMELINE, "events", lines.timeline()),
        )
        self._room = Room(most_bytes - sent_bytes(self._skeleton()))
        self._room.components_left -= len(self._head) + 2 * len(self._panels) + 4

    def content(self) -> str:
        """What matters most takes its room first; it is shown in the order people read in."""
        causes = self._lines.causes()
        first = [self._cause(one) for one in causes[:1]]
        actions = self._taken(self._actions, "actions")
        others = [self._cause(one) for one in causes[1:]]
        found = [one for one in (*first, *others) if one is not None]
        panels = [self._panel(one) for one in self._panels]
        body = [_markdown(one) for one in self._head]
        body += found or [_markdown(self._lines.verdict())]
        if actions:
            body += [_markdown(self._lines.bold(NEXT_ACTIONS)), *actions]
        body += [panel for panel in panels if panel is not None]
        body.append(_markdown(self._lines.footer(self._left_out)))
        return content_of(self._around(body))

    def _cause(self, cause: ToldCause) -> Element | None:
        """With as many proofs as there is room for; None where there is none for its head."""
        for shown in range(len(cause.proofs), -1, -1):
            element = _markdown("\n".join((cause.head, *cause.proofs[:shown])))
            if self._room.take(element):
                self._left_out["proofs"] += len(cause.proofs) - shown + cause.more
                return element
        self._left_out["causes"] += 1
        return None

    def _taken(self, wanted: Sequence[str], noun: str) -> list[Element]:
        found: list[Element] = []
        for one in wanted:
            if not self._room.take(_markdown(one)):
                break
            found.append(_markdown(one))
        self._left_out[noun] += len(wanted) - len(found)
        return found

    def _panel(self, folded: _Folded) -> Element | None:
        shown = self._taken(folded.lines[:MOST_FOLDED], folded.noun)
        self._left_out[folded.noun] += max(0, len(folded.lines) - MOST_FOLDED)
        return self._folded(folded.title, shown) if shown else None

    def _folded(self, title: Text, shown: list[Element]) -> Element:
        said = f"{self._lines.say(title)} ({len(shown)})"
        return {
            "tag": "collapsible_panel",
            "expanded": False,
            "header": {"title": {"tag": "plain_text", "content": said}},
            "elements": shown,
        }

    def _skeleton(self) -> str:
        """Everything but what takes its room, with the longest footer there can be."""
        body = [_markdown(one) for one in self._head]
        body += [_markdown(self._lines.verdict()), _markdown(self._lines.bold(NEXT_ACTIONS))]
        body += [self._folded(one.title, []) for one in self._panels]
        body.append(_markdown(self._lines.footer(_WIDEST)))
        return content_of(self._around(body))

    def _around(self, body: list[Element]) -> dict[str, object]:
        title = self._lines.title()
        noticed = in_plain_text(f"{title} — {self._lines.impact_text()}", 160)
        return {
            "schema": "2.0",
            "config": {"update_multi": True, "width_mode": "fill", "summary": {"content": noticed}},
            "header": {
                "template": "blue" if self._lines.names_a_cause else "grey",
                "title": {"tag": "plain_text", "content": in_plain_text(title, 120)},
            },
            "body": {"elements": body},
        }


def _text_content(lines: AnswerLines, most_bytes: int) -> str:
    """The same in short as plain text; what does not fit is told to be missing."""
    told = lines.as_text()
    shown = len(told)
    while True:
        foot = [] if shown == len(told) else [lines.cut_short()]
        content = content_of({"text": "\n".join([*told[:shown], *foot])})
        if sent_bytes(content) <= most_bytes or shown <= 1:
            return content
        shown -= 1


def _markdown(content: str) -> Element:
    return {"tag": "markdown", "content": content}

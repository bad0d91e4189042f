"""The same as a card says, as plain text: for when the platform refuses the card."""

from __future__ import annotations

from aegis.model.delivery import Known
from aegis.model.message import Mention
from aegis.workflows.deliver_messages import lines, wording
from aegis.workflows.deliver_messages.card import Face, left_out_of
from aegis.workflows.deliver_messages.fitting import content_of, sent_bytes
from aegis.workflows.deliver_messages.quoting import in_plain_text
from aegis.workflows.deliver_messages.voice import Voice, latest, mark_of

MOST_LINES = 40


def text_content(face: Face, voice: Voice) -> str:
    """The content of a message of kind text, at most `style.most_bytes` as sent."""
    newest = latest(face.shown)
    head = [in_plain_text(face.title, 120)]
    if newest:
        worst = in_plain_text(lines.worst_severity(newest, voice), 24)
        said = wording.conclusion(newest, worst, voice.now, voice.style.timezone)
        head.append(voice.say(said).replace("**", ""))
    if face.truncated:
        head.append(voice.say(wording.data_loss(face.truncated)))
    if mention := _mention(face.mention):
        head.insert(0, mention)
    told = [_line(one, voice) for one in newest[:MOST_LINES]]
    while True:
        earlier = len(face.shown) - len(newest)
        rest = left_out_of(len(newest) - len(told), earlier, voice)
        foot = [" · ".join([*rest, voice.ledger(face.groups, plain=True)])] if rest else []
        content = content_of({"text": "\n".join([*head, *told, *foot])})
        if sent_bytes(content) <= voice.style.most_bytes or not told:
            return content
        told = told[: len(told) // 2]


def _line(one: Known, voice: Voice) -> str:
    parts = [in_plain_text(lines.headline(one, voice), 160)]
    if one.episode.is_open:
        parts.append(in_plain_text(lines.summary(one), 160))
    parts.append(voice.say(wording.lasting(one.episode, voice.now, voice.style.timezone)))
    return f"{mark_of(one)} " + " — ".join(part for part in parts if part)


def _mention(mention: Mention) -> str:
    names = ("all",) if mention.everybody else mention.people
    return " ".join(f'<at user_id="{name}"></at>' for name in names)

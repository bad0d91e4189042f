"""What a card says of an answer, line by line, in the language of the question.

Names, statements and queries come from telemetry, so they are foreign text like a label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from aegis.engine.links import link_of
from aegis.engine.quantities import clock_time
from aegis.engine.verdict import FAMILY_WORDS, named, objections, percent
from aegis.model.diagnosis import Answer, Diagnosis, RootCause
from aegis.model.evidence import Evidence
from aegis.model.links import NO_ADDRESSES, ExternalAddresses
from aegis.model.redaction import redacted
from aegis.model.telemetry import TimeWindow
from aegis.model.text import Text
from aegis.workflows.deliver_messages.quoting import in_markdown, in_plain_text, safe_link
from aegis.workflows.deliver_messages.style import Style

NEXT_ACTIONS = Text("下一步", "Next")
MORE_ACTIONS = Text("更多下一步", "More to do")
MORE_UNSEEN = Text("其余没有看到的", "More that was not seen")
RULED_OUT = Text("已排除", "Ruled out")
TIMELINE = Text("时间线（UTC）", "Timeline (UTC)")
LEFT_OUT = {
    "causes": Text("原因 {count} 个", "causes: {count}"),
    "proofs": Text("证据 {count} 条", "proofs: {count}"),
    "actions": Text("下一步 {count} 条", "next actions: {count}"),
    "gaps": Text("未看到的 {count} 处", "blind spots: {count}"),
    "services": Text("已排除的服务 {count} 个", "services ruled out: {count}"),
    "events": Text("事件 {count} 条", "events: {count}"),
}
"""What may be missing on a card, and how that is counted."""

_QUESTION = Text("问", "Asked")
_IMPACT = Text("影响", "Impact")
_UNSEEN = Text("没有看到", "Not seen")
_SINCE = Text("自 UTC {time} 起", "since {time} UTC")
_AGAINST = Text("反证", "against")
_WHOLE = Text("完整答案已返回给提问者", "the whole answer went to whoever asked")
_MISSING = Text("此处未列出", "Not listed here")
_LIST = Text("、", ", ")
_ROOT_CAUSE = Text("根因", "Root cause")
_NO_CAUSE = Text("没有发现足以指认的根因", "No cause stands out enough to be named")
_CUT = Text("……（已截断）", "… (cut short)")
_NUMBERS = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮"
_MOST_PROOFS = (4, 2, 2)
_LONGEST_NAME = 80
_LONGEST_LINE = 300
_LONGEST_ACTION = 500
_LONGEST_VERDICT = 700


@dataclass(frozen=True, slots=True)
class Told:
    """An answer and what it stands on. `causes` are those worth naming, most probable first;
    `window` is the time that was asked about."""

    question: str
    window: TimeWindow
    diagnosis: Diagnosis
    answer: Answer
    causes: tuple[RootCause, ...]
    addresses: ExternalAddresses = NO_ADDRESSES


@dataclass(frozen=True, slots=True)
class ToldCause:
    """`more` counts the proofs of it that are not among `proofs`."""

    head: str
    proofs: tuple[str, ...]
    more: int


class AnswerLines:
    """Markdown, unless a name says text."""

    def __init__(self, told: Told, style: Style) -> None:
        self._told = told
        self._style = style

    def say(self, text: Text) -> str:
        return text.in_language(self._told.answer.language)

    def bold(self, text: Text) -> str:
        return f"**{self.say(text)}**"

    @property
    def names_a_cause(self) -> bool:
        return bool(self._told.causes)

    def title(self) -> str:
        """Not yet harmless."""
        if not self._told.causes:
            return f"🔎 {self.say(_NO_CAUSE)}"
        first = self._told.causes[0]
        return f"🔎 {self.say(_ROOT_CAUSE)}: {first.service} ({percent(first.probability)})"

    def question(self) -> str:
        asked = in_markdown(self._told.question, 200)
        return f"<font color='grey'>{self.say(_QUESTION)}: {asked}</font>"

    def impact(self) -> str:
        said = [in_markdown(self._told.answer.impact, _LONGEST_LINE)]
        if self._told.answer.onset:
            said.append(in_markdown(self._told.answer.onset, _LONGEST_LINE))
        return f"{self.bold(_IMPACT)}\n" + "\n".join(said)

    def impact_text(self) -> str:
        """Not yet harmless."""
        return self._told.answer.impact

    def verdict(self) -> str:
        """What is said in place of causes; what the card tells elsewhere is not said again."""
        before = {self._told.answer.impact, self._told.answer.onset}
        lines = [one for one in self._told.answer.summary.splitlines() if one not in before]
        return in_markdown(lines[0] if lines else self.say(_NO_CAUSE), _LONGEST_VERDICT)

    def gaps(self) -> tuple[str, ...]:
        """First of all: what was not seen limits everything said after it."""
        word = self.say(_UNSEEN)
        return tuple(f"⚠️ {word}: {in_markdown(one, 200)}" for one in self._told.answer.blind_spots)

    def causes(self) -> tuple[ToldCause, ...]:
        return tuple(
            self._cause(rank, one, _MOST_PROOFS[min(rank, len(_MOST_PROOFS) - 1)])
            for rank, one in enumerate(self._told.causes)
        )

    def actions(self) -> tuple[str, ...]:
        actions = self._told.answer.next_actions
        return tuple(
            f"{_number(place)} {in_markdown(one, _LONGEST_ACTION)}"
            for place, one in enumerate(actions)
        )

    def ruled_out(self) -> tuple[str, ...]:
        return tuple(in_markdown(one, _LONGEST_LINE) for one in self._told.answer.ruled_out)

    def timeline(self) -> tuple[str, ...]:
        diagnosis = self._told.diagnosis
        return tuple(
            f"{clock_time(one.time_ns, diagnosis.window)} "
            + in_markdown(self.say(one.event), _LONGEST_LINE)
            for one in diagnosis.timeline
        )

    def footer(self, left_out: Counter[str]) -> str:
        """The time asked about; before it what the card leaves out."""
        asked = f"<font color='grey'>{self._asked()}</font>"
        missing = [
            self.say(words).format(count=left_out[noun])
            for noun, words in LEFT_OUT.items()
            if left_out[noun]
        ]
        if not missing:
            return asked
        listed = self.say(_LIST).join(missing)
        return f"**{self.say(_MISSING)}: {listed}** · {self.say(_WHOLE)}\n{asked}"

    def cut_short(self) -> str:
        return f"{self.say(_CUT)} · {self.say(_WHOLE)}"

    def as_text(self) -> list[str]:
        """The lines of a plain text, the most important first."""
        told, answer = self._told, self._told.answer
        lines = [in_plain_text(self.title(), 120)]
        lines.append(f"{self.say(_QUESTION)}: {in_plain_text(told.question, 200)}")
        lines.append(f"{self.say(_IMPACT)}: {in_plain_text(answer.impact, _LONGEST_LINE)}")
        lines += [
            f"⚠️ {self.say(_UNSEEN)}: {in_plain_text(one, 200)}" for one in answer.blind_spots[:2]
        ]
        for place, cause in enumerate(told.causes):
            head = f"{cause.service} · {percent(cause.probability)}"
            family = self.say(FAMILY_WORDS[cause.family])
            lines.append(f"{_number(place)} {in_plain_text(f'{head} · {family}', 160)}")
            lines += [
                f"  · {in_plain_text(self.say(item.statement), _LONGEST_LINE)}"
                for item in named(told.diagnosis, cause.evidence_ids[:2])
            ]
        if not told.causes:
            lines += [in_plain_text(one, _LONGEST_LINE) for one in answer.summary.splitlines()[1:3]]
        if answer.next_actions:
            lines.append(f"{self.say(NEXT_ACTIONS)}:")
        lines += [
            f"{_number(place)} {in_plain_text(one, _LONGEST_ACTION)}"
            for place, one in enumerate(answer.next_actions[:3])
        ]
        lines.append(f"{self._asked()} · {self.say(_WHOLE)}")
        return lines

    def _cause(self, rank: int, cause: RootCause, most: int) -> ToldCause:
        family = self.say(FAMILY_WORDS[cause.family])
        name = in_markdown(cause.service, _LONGEST_NAME)
        facts = [f"**{_number(rank)} {name}**", f"**{percent(cause.probability)}**", family]
        if cause.onset_ns is not None:
            at = clock_time(cause.onset_ns, self._told.diagnosis.window)
            facts.append(self.say(_SINCE).format(time=at))
        items = named(self._told.diagnosis, cause.evidence_ids)
        proofs = [self._proof(one) for one in items[:most]]
        proofs += self._against(cause) if rank == 0 else []
        return ToldCause(" · ".join(facts), tuple(proofs), max(0, len(items) - most))

    def _proof(self, item: Evidence) -> str:
        """With the worst line of a log, without what looks like a secret: others read along."""
        said = f"• {in_markdown(self.say(item.statement), _LONGEST_LINE)}{self._mark(item)}"
        if not item.samples:
            return said
        line = in_markdown(redacted(item.samples[0]), 160)
        return f"{said}\n<font color='grey'>{line}</font>" if line else said

    def _against(self, cause: RootCause) -> Sequence[str]:
        return [
            f"• {self.say(_AGAINST)}: {in_markdown(self.say(how), _LONGEST_LINE)}"
            for _, how in objections(self._told.diagnosis, cause)[:1]
        ]

    def _mark(self, item: Evidence) -> str:
        """The id of the evidence, which leads to where a browser shows it."""
        name = in_markdown(item.id, 20)
        link = link_of(item, self._told.addresses)
        safe = safe_link(link, self._style.link_hosts) if link is not None else None
        return f" ({name})" if safe is None else f" [{name}]({safe})"

    def _asked(self) -> str:
        zone, window = self._style.timezone, self._told.window
        start, end = (one.astimezone(zone) for one in (window.start, window.end))
        same_day = start.date() == end.date()
        until = f"{end:%H:%M}" if same_day else f"{end:%Y-%m-%d %H:%M}"
        return f"{start:%Y-%m-%d %H:%M} – {until} ({zone.key})"


def _number(place: int) -> str:
    return _NUMBERS[place] if place < len(_NUMBERS) else f"({place + 1})"

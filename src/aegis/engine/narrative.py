"""A diagnosis in words, without a model: the same input gives the same text.

Every number comes from the diagnosis: from its statements, its probabilities and its times.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from aegis.engine.next_actions import next_actions
from aegis.engine.quantities import clock_time, tidy
from aegis.engine.verdict import (
    FAMILY_WORDS,
    SOURCE_WORDS,
    blind,
    cited,
    clause,
    how_likely,
    lacks_baseline,
    named,
    nothing_found,
    objections,
    percent,
    runner_up,
    sources_seen,
    span_of_time,
    tell_apart,
)
from aegis.model.diagnosis import Answer, Diagnosis, RootCause, RuledOut
from aegis.model.evidence import Evidence
from aegis.model.text import Language, Text

DESCRIBED_CAUSES = 3
_PROOFS = 2
_LISTED = 3
"""How many ruled-out services and gaps the summary names; the answer lists them all."""


def narrate(diagnosis: Diagnosis, language: Language, question: str) -> Answer:
    """The answer to `question` in one language; services it names come first.

    `summary` has a line each for the impact, when it began (where that was looked for), the
    verdict with its proof, a close second cause, what was ruled out and what was not seen;
    lines without content are left out.
    """
    ruled_out = [_ruled_out(item) for item in _asked_first(diagnosis.ruled_out, question)]
    gaps = _distinct(gap.statement for gap in diagnosis.gaps)
    described = tuple(_describe(diagnosis, cause) for cause in diagnosis.causes[:DESCRIBED_CAUSES])
    onset = () if diagnosis.onset is None else (diagnosis.onset.statement,)
    lines = [diagnosis.impact.statement, *onset, *_verdict(diagnosis)]
    if ruled_out:
        lines.append(_shortlist(Text("已排除", "Ruled out"), ruled_out))
    if gaps:
        lines.append(_shortlist(Text("未能看到", "Not seen"), gaps))

    def words(texts: Iterable[Text]) -> tuple[str, ...]:
        return tuple(text.in_language(language) for text in texts)

    return Answer(
        language=language,
        summary="\n".join(words(lines)),
        impact=diagnosis.impact.statement.in_language(language),
        cause_descriptions=words(described),
        ruled_out=words(ruled_out),
        blind_spots=words(gaps),
        next_actions=words(next_actions(diagnosis)),
        onset=next(iter(words(onset)), None),
    )


def _verdict(diagnosis: Diagnosis) -> list[Text]:
    nothing = nothing_found(diagnosis)
    if not sources_seen(diagnosis) or (nothing and blind(diagnosis)):
        return [_no_verdict(diagnosis)]
    if nothing:
        return [_nothing_abnormal(diagnosis)]
    first, second = diagnosis.causes[0], runner_up(diagnosis)
    likely = how_likely(first.probability)
    if likely is None:
        named_cause = _named(first)
        line = Text(
            f"没有明确的原因；证据相对最强的是 {named_cause.zh}",
            f"No clear cause; the strongest candidate is {named_cause.en}",
        )
    else:
        name, how = tidy(first.service), _how(first)
        line = Text(
            f"{name} {likely.zh}是原因（{how.zh}）", f"{name} is {likely.en} the cause ({how.en})"
        )
    proofs = _proofs(diagnosis, first)
    if proofs:
        shown = _joined([cited(item) for item in proofs])
        line = Text(f"{line.zh}。证据：{shown.zh}。", f"{line.en}. Proof: {shown.en}.")
    else:
        line = Text(f"{line.zh}。", f"{line.en}.")
    return [line] if second is None else [line, _close_second(diagnosis, second)]


def _no_verdict(diagnosis: Diagnosis) -> Text:
    if lacks_baseline(diagnosis):
        return Text(
            "无法判断：所读数据全在这段时间之内，没有正常时段可以比较。",
            "No verdict: all that was read lies in this time, with nothing normal to compare.",
        )
    return Text(
        "无法判断：没有任何可用的遥测数据。", "No verdict: there was no telemetry to look at."
    )


def _nothing_abnormal(diagnosis: Diagnosis) -> Text:
    when = span_of_time(diagnosis.window)
    seen = [SOURCE_WORDS[source] for source in sources_seen(diagnosis)]
    looked = Text("、".join(s.zh for s in seen), ", ".join(s.en for s in seen))
    sure = percent(diagnosis.none_probability)
    text = Text(
        f"{when} 没有发现明显异常（{sure}）。查看了{looked.zh}。",
        f"Nothing abnormal stood out in {when} ({sure}). Looked at: {looked.en}.",
    )
    first = diagnosis.causes[0] if diagnosis.causes else None
    if first is None or how_likely(first.probability) is None:
        return text
    suspect, proofs = _named(first), _proofs(diagnosis, first)[:1]
    proof = cited(proofs[0]) if proofs else None
    return Text(
        f"{text.zh}最值得怀疑的是 {suspect.zh}" + (f"：{proof.zh}。" if proof else "。"),
        f"{text.en} The strongest suspect is {suspect.en}" + (f": {proof.en}." if proof else "."),
    )


def _close_second(diagnosis: Diagnosis, second: RootCause) -> Text:
    suspect, test = _named(second), tell_apart(diagnosis, second)
    return Text(
        f"与之接近的是 {suspect.zh}。区分方法：{test.zh}。",
        f"Close behind: {suspect.en}. To tell them apart, {test.en}.",
    )


def _describe(diagnosis: Diagnosis, cause: RootCause) -> Text:
    """One paragraph: who, how sure, since when, the proof, and the best counter-evidence."""
    text = _named(cause)
    if cause.onset_ns is not None:
        since = clock_time(cause.onset_ns, diagnosis.window)
        text = Text(f"{text.zh}，自 UTC {since} 起异常", f"{text.en}, abnormal since {since} UTC")
    proofs = [cited(item) for item in _proofs(diagnosis, cause)]
    if proofs:
        shown = _joined(proofs)
        text = Text(f"{text.zh}。支持：{shown.zh}", f"{text.en}. For: {shown.en}")
    for _, objection in objections(diagnosis, cause)[:1]:
        return Text(f"{text.zh}。反对：{objection.zh}。", f"{text.en}. Against: {objection.en}.")
    return Text(
        f"{text.zh}。没有测到反对它的证据。", f"{text.en}. Nothing measured speaks against it."
    )


def _named(cause: RootCause) -> Text:
    name, how = tidy(cause.service), _how(cause)
    return Text(f"{name}（{how.zh}）", f"{name} ({how.en})")


def _how(cause: RootCause) -> Text:
    sure, family = percent(cause.probability), FAMILY_WORDS[cause.family]
    return Text(f"{sure}，{family.zh}", f"{sure}, {family.en}")


def _proofs(diagnosis: Diagnosis, cause: RootCause) -> Sequence[Evidence]:
    """The strongest evidence and the strongest of another kind, else the next one."""
    items = named(diagnosis, cause.evidence_ids)
    if len(items) < _PROOFS:
        return items
    other = next((item for item in items[1:] if item.signal != items[0].signal), items[1])
    return [items[0], other]


def _ruled_out(item: RuledOut) -> Text:
    """The reason, with the service in front of it unless the reason names it."""
    name, why = tidy(item.service), item.why
    if _mentions(why.en, item.service):
        return why
    return Text(f"{name}：{why.zh}", f"{name}: {why.en}")


def _asked_first(items: Sequence[RuledOut], question: str) -> list[RuledOut]:
    return sorted(items, key=lambda item: not _mentions(question, item.service))


def _mentions(text: str, service: str) -> bool:
    """Whether the service's whole name occurs: "cart" is not in "cart-db is slow"."""
    whole = rf"(?<![A-Za-z0-9_.-]){re.escape(service)}(?![A-Za-z0-9_]|[.-][A-Za-z0-9_])"
    return re.search(whole, text, re.IGNORECASE) is not None


def _distinct(statements: Iterable[Text]) -> list[Text]:
    return list(dict.fromkeys(statements))


def _joined(texts: Sequence[Text]) -> Text:
    return Text("；".join(t.zh for t in texts), "; ".join(t.en for t in texts))


def _shortlist(title: Text, texts: Sequence[Text]) -> Text:
    """The first few on one line, and a word for the rest."""
    shown = _joined([clause(text) for text in texts[:_LISTED]])
    rest = Text("；还有其他", "; and others") if len(texts) > _LISTED else Text("", "")
    return Text(f"{title.zh}：{shown.zh}{rest.zh}。", f"{title.en}: {shown.en}{rest.en}.")

"""The card of an answer: what a phone shows first, and that nothing is left out in silence."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from aegis.engine.narrative import narrate
from aegis.model.diagnosis import Diagnosis, RootCause, TimelineEntry
from aegis.model.links import ExternalAddresses
from aegis.model.message import Notice
from aegis.model.text import Language, Text
from aegis.workflows.deliver_messages.answer_card import answer_notice
from aegis.workflows.deliver_messages.answer_lines import Told
from aegis.workflows.deliver_messages.style import MOST_BYTES
from tests.engine.diagnoses import (
    CPU,
    ONSET_NS,
    WINDOW,
    cause,
    diagnosis,
    evidence,
    gap,
    quiet,
    ruled_out,
)
from tests.messages.card_rules import check_card, check_text, elements, texts
from tests.messages.states import style

GRAFANA = ExternalAddresses(grafana="https://grafana.example.com")


def told(
    found: Diagnosis,
    language: Language = "en",
    question: str = "Why is checkout slow?",
    causes: tuple[RootCause, ...] | None = None,
    **more: Any,
) -> Told:
    listed = found.causes[:3] if causes is None else causes
    return Told(question, WINDOW, found, narrate(found, language, question), listed, **more)


def card_of(given: Told, **how: Any) -> dict[str, Any]:
    notice = answer_notice(given, style(**how))
    check_text(notice.fallback, how.get("most_bytes", MOST_BYTES))
    return check_card(notice.content, how.get("most_bytes", MOST_BYTES))


def lines_of(card: dict[str, Any]) -> list[str]:
    return [line for text in texts(card) for line in text.splitlines()]


def text_of(notice: Notice) -> str:
    return str(json.loads(notice.fallback)["text"])


def test_it_says_the_cause_the_impact_the_proof_and_what_to_do_next() -> None:
    card = card_of(told(diagnosis(cause(against_ids=("m7",)))))
    assert card["header"]["title"]["content"] == "🔎 Root cause: payment (86 %)"
    assert card["config"]["summary"]["content"].startswith("🔎 Root cause: payment (86 %) — Since")
    lines = lines_of(card)
    assert lines[0] == "<font color='grey'>Asked: Why is checkout slow?</font>"
    assert lines[1] == "**Impact**"
    assert "checkout is slow" in lines[2]
    assert lines[3] == "**① payment** · **86 %** · CPU starvation · since 10:02:13 UTC"
    assert lines[4].startswith("• payment CPU (process")
    assert lines[4].endswith("(m1)")
    assert lines[6].startswith("• against: within its usual noise")
    assert lines[7] == "**Next**"
    assert lines[8].startswith("① ")
    assert lines[-1] == "<font color='grey'>2024-05-14 18:00 – 18:15 (Asia/Shanghai)</font>"


def test_it_speaks_the_language_of_the_question_and_not_that_of_the_chat() -> None:
    card = card_of(told(diagnosis(), "zh", "结账为什么慢？"), language="en")
    assert card["header"]["title"]["content"] == "🔎 根因: payment (86 %)"
    lines = lines_of(card)
    assert lines[1] == "**影响**"
    assert "**下一步**" in lines


def test_up_to_three_causes_each_with_its_probability() -> None:
    services = ("payment", "checkout", "cart")
    found = diagnosis(*(cause(one, 0.3) for one in services))
    heads = [one for one in lines_of(card_of(told(found))) if one[:3] in ("**①", "**②", "**③")]
    assert [one.split(" · ")[:2] for one in heads] == [
        [f"**{number} {name}**", "**30 %**"] for number, name in zip("①②③", services, strict=True)
    ]


def test_without_a_cause_it_says_so_and_names_none() -> None:
    card = card_of(told(quiet(), causes=()))
    assert card["header"]["template"] == "grey"
    assert card["header"]["title"]["content"] == "🔎 No cause stands out enough to be named"
    assert any(one.startswith("Nothing abnormal stood out") for one in lines_of(card))


def test_what_was_not_seen_stands_before_the_causes() -> None:
    missing = (gap("logs", "not_configured"), gap("traces", "no_data"), gap("metrics", "short"))
    lines = lines_of(card_of(told(diagnosis(gaps=missing))))
    places = [place for place, one in enumerate(lines) if one.startswith("⚠️ Not seen")]
    assert places[:2] == [3, 4]
    assert lines[5].startswith("**① payment")
    assert len(places) == 3


def test_an_evidence_leads_to_where_a_browser_shows_it_if_that_host_may_be_linked() -> None:
    given = told(diagnosis(), addresses=GRAFANA)
    linked = card_of(given, link_hosts=("grafana.example.com",))
    assert "[m1](https://grafana.example.com/explore?" in json.dumps(linked)
    assert "(m1)" in json.dumps(card_of(given))


def test_the_line_of_a_log_is_shown_without_its_secrets() -> None:
    line = 'login failed password="hunter2hunter2" for <at id=all></at>'
    log = replace(evidence("l1", "error_logs", subject="errors"), samples=(line,))
    found = diagnosis(cause(evidence_ids=("l1",)), more=(log,))
    content = json.dumps(card_of(told(found)), ensure_ascii=False)
    assert "login failed" in content
    assert "hunter2" not in content


def test_foreign_names_ping_nobody_and_format_nothing() -> None:
    odd = "**pay** <at id=all></at> [x](https://evil.example) ~~"
    item = replace(CPU, service=odd, statement=Text(f"{odd}。", f"{odd}."))
    found = replace(diagnosis(cause(odd)), evidence=(item,), ruled_out=(ruled_out(odd),))
    given = told(found, question="@_all <at id=all></at>")
    card_of(given)
    assert "https://evil" not in answer_notice(given, style()).content


def crowded(services: int = 40) -> Diagnosis:
    """More of everything than a card can hold."""
    long = "x" * 120 + '"<>&*' * 30
    many = tuple(
        replace(evidence(f"m{number}", "cpu"), statement=Text(long, long), samples=(long,))
        for number in range(10, 70)
    )
    ids = tuple(one.id for one in many)
    causes = [cause(f"{name}-{long}", 0.3, evidence_ids=ids) for name in "abc"]
    return replace(
        diagnosis(*causes, more=many, gaps=(gap("logs", "not_configured"),) * 1),
        ruled_out=tuple(ruled_out(f"{number}{long}") for number in range(services)),
        timeline=tuple(
            TimelineEntry(ONSET_NS, Text(f"{number} {long}", f"{number} {long}"), None)
            for number in range(services)
        ),
    )


@pytest.mark.parametrize("most_bytes", [28_000, 14_000, 9_000])
def test_what_does_not_fit_is_counted_on_the_card(most_bytes: int) -> None:
    given = told(crowded())
    card = card_of(given, most_bytes=most_bytes)
    lines = lines_of(card)
    missing = lines[-2]
    assert missing.startswith("**Not listed here: ")
    assert missing.endswith("the whole answer went to whoever asked")
    shown = {"events": 0, "services ruled out": 0}
    for one in card["body"]["elements"]:
        if one["tag"] == "collapsible_panel":
            title = one["header"]["title"]["content"]
            name = "events" if title.startswith("Timeline") else "services ruled out"
            if not title.startswith("More"):
                shown[name] += len(one["elements"])
    for name, count in shown.items():
        assert f"{name}: {40 - count}" in missing
    assert "proofs: " in missing


def test_a_text_that_is_too_long_says_that_it_was_cut() -> None:
    notice = answer_notice(told(crowded()), style(most_bytes=6_000))
    text = check_text(notice.fallback, 6_000)
    assert text.splitlines()[-1].startswith("… (cut short)")
    assert text.splitlines()[0].startswith("🔎 Root cause: a-xxx")


def test_the_text_says_the_same_in_short() -> None:
    lines = text_of(answer_notice(told(diagnosis()), style())).splitlines()
    assert lines[0] == "🔎 Root cause: payment (86 %)"
    assert "① payment · 86 % · CPU starvation" in lines
    assert "Next:" in lines


def test_the_same_answer_gives_the_same_bytes() -> None:
    given = told(diagnosis())
    assert answer_notice(given, style()) == answer_notice(given, style())
    assert list(elements(json.loads(answer_notice(given, style()).content)))

"""Labels and annotations are written by anybody: they ping nobody, break nothing, hide nothing."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aegis.model.text import Language
from aegis.workflows.deliver_messages.compose import compose
from aegis.workflows.deliver_messages.quoting import (
    cleaned,
    in_markdown,
    in_plain_text,
    safe_link,
)
from tests.messages.card_rules import check_card, check_text, sent_bytes, texts
from tests.messages.states import known, row, state, style

NASTY = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            [
                "<at id=all></at>",
                '<at user_id="all"></at>',
                "@all",
                "**",
                "~~",
                "`",
                "```",
                "\n",
                "\r\n",
                "\u2028",
                "---",
                "# ",
                "- ",
                "1. ",
                "> ",
                "[a](https://evil.example)",
                "![](x)",
                "https://evil.example/",
                "<font color='red'>",
                "</font>",
                "\x00",
                "\x1b[31m",
                "\u202e",
                "\u2066",
                "\u200b",
                "\ufeff",
                "\U000e0041",
                "\ud800",
                '"',
                "\\",
                "&#60;",
                ":DONE:",
                "|",
                "🔥",
                "告警",
            ]
        ),
        max_size=12,
    ).map("".join),
)
LABELS = st.dictionaries(
    st.sampled_from(["alertname", "severity", "service", "pod", "namespace", "instance", "x\n*"]),
    NASTY,
    max_size=5,
)
ANNOTATIONS = st.dictionaries(
    st.sampled_from(["summary", "description", "runbook_url", "link`", "note"]), NASTY, max_size=4
)


@given(NASTY, st.integers(1, 50))
@example("\ud800", 5)
def test_cleaned_text_is_one_line_that_can_be_sent_and_seen(text: str, most: int) -> None:
    found = cleaned(text, most)
    assert len(found) <= most
    found.encode("utf-8")
    assert "\n" not in found
    assert all(letter == " " or letter.isprintable() for letter in found)
    assert not re.search("[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]", found)


@given(NASTY)
def test_markdown_has_nothing_left_to_interpret(text: str) -> None:
    found = in_markdown(text, 1_000)
    assert not re.search(r"[<>*~_`\[\]\\#|$@]", re.sub(r"&#\d+;", "", found))
    assert "://" not in found
    assert not re.match(r"[-+=]|\d\d?[.)]", found)


def test_entities_in_the_text_stay_text() -> None:
    assert in_markdown("&#60;at&gt;", 99) == "&#38;&#35;60;at&#38;gt;"


def test_plain_text_cannot_mention() -> None:
    found = in_plain_text('<at user_id="all">x</at> @all [a](https://b)', 99)
    assert found == '＜at user_id="all"＞x＜/at＞ ＠all ［a］(https[:]//b)'


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("https://wiki.example.com/a?b=c#d", "https://wiki.example.com/a?b=c#d"),
        ("http://WIKI.example.com:8443/x", "http://WIKI.example.com:8443/x"),
        ("https://a.corp.example.org/x", "https://a.corp.example.org/x"),
        ("https://grafana.example.com:3000/d", "https://grafana.example.com:3000/d"),
        ("https://wiki.example.com/a)<at id=all>", None),
        ("https://wiki.example.com/a)b'(c)[d]", "https://wiki.example.com/a%29b%27%28c%29%5Bd%5D"),
        ("https://wiki.example.com/支付", "https://wiki.example.com/%E6%94%AF%E4%BB%98"),
        ("https://grafana.example.com/d", None),
        ("https://grafana.example.com:3001/d", None),
        ("https://evil.example/?https://wiki.example.com", None),
        ("https://wiki.example.com@evil.example/", None),
        ("https://wiki.example.com.evil.example/", None),
        ("https://evil.example\\@wiki.example.com/", None),
        ("https://evilcorp.example.org/", None),
        ("//wiki.example.com/", None),
        ("javascript://wiki.example.com/%0aalert(1)", None),
        ("https://wiki.example.com/\n", None),
        ("https://wiki.example.com/\u202egpj", None),
        ("https://[::1/", None),
        ("https://wiki.example.com:99999/", None),
        ("https://wiki.example.com/" + "a" * 2_000, None),
    ],
)
def test_a_link_leads_to_a_host_that_the_site_named_or_nowhere(
    address: str, wanted: str | None
) -> None:
    hosts = ("wiki.example.com", ".corp.example.org", "grafana.example.com:3000")
    assert safe_link(address, hosts) == wanted


def test_other_addresses_are_shown_and_cannot_be_clicked() -> None:
    one = known(
        {"alertname": "A"},
        annotations={
            "runbook_url": "https://wiki.example.com/a",
            "dashboard": "https://evil.example/b",
            "summary": "look at https://evil.example/c",
        },
    )
    (draft,) = compose(state([row(1, [one])], [one]), style("en", link_hosts=("wiki.example.com",)))
    check_card(draft.content)
    assert "[Runbook](https://wiki.example.com/a)" in draft.content
    assert "https://evil" not in draft.content + draft.fallback
    assert draft.content.count("evil.example/b") == 1
    assert draft.content.count("evil.example/c") == 2  # the card and its notification


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(LABELS, ANNOTATIONS, st.booleans()), min_size=1, max_size=6), st.data())
def test_no_text_of_an_alert_has_an_effect(
    alerts: list[tuple[dict[str, str], dict[str, str], bool]], data: st.DataObject
) -> None:
    episodes = [
        known(
            {**labels, "n": str(number)},
            annotations=annotations,
            lasted=None if fires else 3,
            group="g" + data.draw(NASTY),
        )
        for number, (labels, annotations, fires) in enumerate(alerts)
    ]
    rows = [
        row(number, [one], group=one.episode.group_key, labels=(("k", data.draw(NASTY)),))
        for number, one in enumerate(episodes)
    ]
    public = data.draw(st.sampled_from([None, "https://aegis.example.com"]))
    language: Language = data.draw(st.sampled_from(["zh", "en"]))
    for draft in compose(state(rows, episodes), style(language, public_url=public)):
        card = check_card(draft.content)
        check_text(draft.fallback)
        pings = sum(text.count("<at") for text in texts(card))
        assert pings == (1 if draft.wakes else 0)


def long_alert(number: int, length: int) -> Any:
    return known(
        {"alertname": "Long", "severity": "critical", "pod": f"p{number}"},
        annotations={"summary": "很" * length, "description": '"\\' * length},
    )


def test_one_huge_annotation_is_cut_and_hides_no_other_alert() -> None:
    episodes = [long_alert(0, 105_000), known({"alertname": "Small", "severity": "info"})]
    (draft,) = compose(state([row(1, episodes)], episodes), style())
    assert sent_bytes(draft.content) < 6_000
    assert "…" in draft.content
    assert "Small" in draft.content
    assert "Small" in draft.fallback


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 400),
    length=st.integers(0, 700),
    groups=st.integers(1, 12),
    ended=st.integers(0, 3),
    most=st.sampled_from([4_000, 12_000, 28_000]),
    public=st.sampled_from([None, "https://aegis.example.com/base"]),
)
@example(count=3_000, length=700, groups=1, ended=0, most=28_000, public=None)
@example(count=3_000, length=0, groups=3_000, ended=2, most=28_000, public=None)
def test_a_message_is_never_too_large_and_counts_what_it_leaves_out(
    count: int, length: int, groups: int, ended: int, most: int, public: str | None
) -> None:
    episodes = [
        known(
            {"alertname": f"N{number % 7}", "severity": "critical", "pod": f"pod-{number}"},
            annotations={"summary": "很" * length, "description": '"\\' * length},
            group=f"g{number % groups}",
            lasted=3 if ended and number % ended == 0 else None,
        )
        for number in range(count)
    ]
    rows = [row(number, [one], group=one.episode.group_key) for number, one in enumerate(episodes)]
    given_style = style("en", most_bytes=most, public_url=public)
    for draft in compose(state(rows, episodes), given_style):
        card = check_card(draft.content, most)
        check_text(draft.fallback, most)
        mine = len({item for item in rows if item.id in draft.covers})
        heads = [text.partition("\n")[0] for text in texts(card)]
        if groups < 6:
            told = sum(head.startswith(("🔴", "✅")) for head in heads)
            assert told + left_out(draft.content) == mine
        assert (left_out(draft.content) == 0) or where_to_look(draft.content, public)


def left_out(content: str) -> int:
    found = re.search(r"\+(\d+) more not listed", content)
    return int(found[1]) if found else 0


def where_to_look(content: str, public: str | None) -> bool:
    return ("aegis alerts list" if public is None else f"]({public}/alerts") in content


def test_the_ledger_is_asked_for_the_group_however_it_is_spelled() -> None:
    key = '{}/{k="a b"}:{alertname="支付\'s"}'
    one = known({"alertname": "A"}, group=key)
    given_state = state([row(1, [one], group=key)], [one])
    (linked,) = compose(given_state, style(public_url="https://aegis.example.com"))
    found = re.search(
        r"\((https://aegis[^)]*)\)", json.loads(linked.content)["body"]["elements"][-1]["content"]
    )
    assert found is not None
    assert found[1] == (
        "https://aegis.example.com/alerts?group=%7B%7D%2F%7Bk%3D%22a%20b%22%7D%3A%7Balertname%3D"
        "%22%E6%94%AF%E4%BB%98%27s%22%7D"
    )

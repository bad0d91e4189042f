"""What stands first, what an alert's newest episode is, and what an element weighs."""

from __future__ import annotations

import html
from dataclasses import replace
from datetime import timedelta

import pytest

from aegis.workflows.deliver_messages import wording
from aegis.workflows.deliver_messages.compose import compose
from aegis.workflows.deliver_messages.fitting import Room, content_of, element_bytes, sent_bytes
from aegis.workflows.deliver_messages.voice import latest
from tests.messages.card_rules import check_card, texts
from tests.messages.states import NOW, card, known, row, state, style

SLOW = {"alertname": "HighLatency", "severity": "warning"}


def title(content: str) -> str:
    return str(check_card(content)["header"]["title"]["content"])


@pytest.mark.parametrize("turned", [False, True])
def test_the_newest_episode_of_an_alert_is_shown(turned: bool) -> None:
    old, new = known(SLOW, number=1, lasted=3), known(SLOW, number=2)
    shown = (new, old) if turned else (old, new)
    assert latest(shown) == (new,)


def test_a_group_is_as_urgent_as_its_worst_alert() -> None:
    mixed = [
        known({"alertname": "A", "severity": one, "pod": one}, group="mixed")
        for one in ("info", "critical")
    ]
    mild = known(SLOW, group="mild")
    rows = [row(1, [mild], group="mild"), row(2, mixed, group="mixed")]
    drafts = compose(state(rows, [mild, *mixed]), style())
    assert [draft.covers for draft in drafts] == [("row-0002",), ("row-0001",)]


def test_a_title_names_two_alerts_and_counts_the_rest() -> None:
    found = [known({"alertname": name, "severity": "warning"}) for name in "ABCD"]
    for count, wanted in ((2, "🟡 A, B (2)"), (3, "🟡 A, B +1 (3)"), (4, "🟡 A, B +2 (4)")):
        (draft,) = compose(state([row(1, found[:count])], found), style("en"))
        assert title(draft.content) == wanted


def test_a_card_of_two_groups_says_so() -> None:
    one, two = known(SLOW, group="g"), known({**SLOW, "pod": "p"}, group="h", lasted=2)
    shown = card("c", [one, two], ["g", "h"])
    (draft,) = compose(state([row(1, closed=[two], group="h")], [one, two], [shown]), style("en"))
    assert title(draft.content) == "🟡 2 alert groups: 1 firing, 1 resolved"


def test_what_is_over_ended_when_the_last_of_it_did() -> None:
    found = [known({**SLOW, "pod": str(number)}, lasted=number) for number in (1, 3, 2)]
    (draft,) = compose(state([row(1, found, found)], found), style("en"))
    assert texts(check_card(draft.content))[0] == "**all 3 resolved** · 15:51"


def test_a_clock_that_is_a_little_ahead_is_believed() -> None:
    one = known(SLOW).episode
    ahead = one.first_seen + timedelta(seconds=20)
    assert wording.since_of(replace(one, starts_at=ahead)) == ahead
    assert wording.end_of(replace(one, resolved_at=NOW + timedelta(seconds=20))) is not None


def test_long_texts_of_an_alert_are_cut() -> None:
    one = known(
        {"alertname": "N" * 300, "service": "s" * 300},
        annotations={"summary": "u" * 3_000, "description": "d" * 3_000},
    )
    (draft,) = compose(state([row(1, [one])], [one]), style("en"))
    lengths = [len(line) for text in texts(check_card(draft.content)) for line in text.split("\n")]
    assert 200 in lengths
    assert 600 in lengths
    assert max(lengths) == 600
    assert len(title(draft.content)) <= 120


def test_elements_weigh_what_they_add_to_a_card() -> None:
    element: dict[str, object] = {"tag": "markdown", "content": '很 "\\\n🔥'}
    one, four = ({"elements": [element] * count} for count in (1, 4))
    added = sent_bytes(content_of(dict(four))) - sent_bytes(content_of(dict(one)))
    assert added == 3 * element_bytes(element)


def test_room_is_used_up_to_the_last_byte_and_component() -> None:
    element: dict[str, object] = {"tag": "markdown", "content": "x"}
    size = element_bytes(element)
    assert Room(size).take(element)
    assert not Room(size - 1).take(element)
    assert not Room(size, components_left=0).take(element)
    room = Room(3 * size, components_left=2)
    assert [room.take(element) for _ in range(3)] == [True, True, False]


def test_three_that_are_over_are_shown_and_the_others_folded() -> None:
    ended = [known({**SLOW, "pod": str(number)}, lasted=2) for number in range(5)]
    one = known(SLOW)
    (draft,) = compose(state([row(1, [one, *ended], ended)], [one, *ended]), style("en"))
    elements = check_card(draft.content)["body"]["elements"]
    shown = [one["content"][0] for one in elements if one["tag"] == "markdown"]
    assert shown.count("✅") == 3
    panels = [one for one in elements if one["tag"] == "collapsible_panel"]
    assert [panel["header"]["title"]["content"] for panel in panels] == ["Resolved (2)", "Details"]


def test_at_most_four_links_the_well_known_first() -> None:
    annotations = {name: f"https://w.example/{name}" for name in ("a", "b", "c", "d")}
    annotations |= {
        "runbook_url": "https://w.example/r",
        "dashboard": "https://w.example/d1",
        "twin": "https://w.example/a",
        "note": "see https://w.example/x",
        "ftp": "ftp://w.example/x",
    }
    one = known(SLOW, annotations=annotations)
    asked = style("en", link_hosts=("w.example",))
    (draft,) = compose(state([row(1, [one])], [one]), asked)
    links = next(text for text in texts(check_card(draft.content)) if "](" in text)
    assert links.rsplit("\n", 1)[1] == (
        "[Runbook](https://w.example/r) · [Dashboard](https://w.example/d1)"
        " · [a](https://w.example/a) · [b](https://w.example/b)"
    )


def test_data_loss_stays_on_a_card_that_is_updated() -> None:
    one = known(SLOW, lasted=2)
    for before, now_ in ((7, 0), (0, 7), (7, 3)):
        shown = card("c", [one], truncated=before)
        due = row(1, closed=[one], truncated=now_)
        (draft,) = compose(state([due], [one], [shown]), style("en"))
        assert "cut off 7 alerts" in draft.content


@pytest.mark.parametrize(
    ("key", "command"),
    [
        ('{}:{alertname="A B"}', """aegis alerts list --group '{}:{alertname="A B"}'"""),
        ("k" * 161, "aegis alerts list"),
        ("odd\u202ekey", "aegis alerts list"),
        ("", "aegis alerts list"),
    ],
)
def test_without_an_address_the_command_of_the_ledger_is_shown(key: str, command: str) -> None:
    found = [known({**SLOW, "pod": str(number)}, group=key) for number in range(200)]
    (draft,) = compose(state([row(1, found, group=key)], found), style("en"))
    foot = html.unescape(texts(check_card(draft.content))[-1])
    assert foot == f"**+132 more not listed here** · see all: {command}"


def test_a_very_long_group_key_is_no_part_of_a_link() -> None:
    for length, wanted in ((600, f"/alerts?group={'k' * 600})"), (601, "/alerts)")):
        one = known(SLOW, group="k" * length)
        asked = style("en", public_url="https://aegis.example.com")
        (draft,) = compose(state([row(1, [one], group="k" * length)], [one]), asked)
        assert texts(check_card(draft.content))[-1].endswith(wanted)

"""What stands first, what an alert's newest episode is, and what an element weighs."""

from __future__ import annotations

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

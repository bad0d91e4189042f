"""Which card tells of what, and what is a message of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aegis.model.delivery import ShownCard
from aegis.model.message import NOBODY, Mention
from aegis.model.routing import MentionRule, Routing
from aegis.workflows.deliver_messages.compose import compose
from tests.messages.card_rules import check_card, check_text
from tests.messages.chat import Chat
from tests.messages.states import NOW, card, known, row, state, style

SLOW = {"alertname": "HighLatency", "severity": "critical", "service": "checkout"}
SLOW_CART = {**SLOW, "service": "cart"}
SLOW_MILDLY = {**SLOW, "severity": "warning"}
FULL = {"alertname": "DiskFull", "severity": "critical", "service": "checkout"}


def chat(**changed: Any) -> Chat:
    return Chat(style("en", **changed))


def operations(one: Chat) -> list[tuple[str, bool]]:
    """What is sent, and whether it rings."""
    return [(draft.operation, "<at id=all>" in draft.content) for draft in one.delivers()]


def test_a_new_group_is_a_card_that_rings() -> None:
    one = chat()
    one.fires("g", SLOW)
    assert operations(one) == [("create", True)]


def test_another_instance_of_the_same_updates_the_card() -> None:
    one = chat()
    one.fires("g", SLOW)
    one.delivers()
    one.fires("g", SLOW_CART)
    assert operations(one) == [("update", False)]


@pytest.mark.parametrize("news", [SLOW_MILDLY, FULL], ids=["severity", "name"])
def test_a_new_severity_or_name_rings_in_the_thread(news: dict[str, str]) -> None:
    one = chat()
    one.fires("g", SLOW)
    one.delivers()
    one.fires("g", news)
    assert operations(one) == [("update", False), ("reply", True)]


def test_what_fires_again_while_its_group_does_rings_in_the_thread() -> None:
    one = chat()
    one.fires("g", SLOW, SLOW_CART)
    one.delivers()
    one.ends("g", SLOW)
    assert operations(one) == [("update", False)]
    one.fires("g", SLOW)
    drafts = one.delivers()
    assert [draft.operation for draft in drafts] == ["update", "reply"]
    assert "Firing again: HighLatency" in drafts[1].content
    assert "2nd time this week, last 5 min" in drafts[1].content
    assert [key[1] for key in drafts[1].wakes] == [2]
    assert "**+1 earlier episodes of these** · see all: aegis alerts list" in drafts[0].content
    assert "more not listed" not in drafts[0].content


def test_what_opens_long_after_the_last_message_rings_whatever_it_is() -> None:
    one = chat()
    one.fires("g", SLOW)
    one.delivers()
    one.passes(31)
    one.fires("g", SLOW_CART)
    assert operations(one) == [("update", False), ("reply", True)]


def test_an_end_rings_for_nobody_and_the_last_one_closes_the_card() -> None:
    one = chat()
    one.fires("g", SLOW, FULL)
    one.delivers()
    one.ends("g", SLOW)
    assert operations(one) == [("update", False)]
    one.ends("g", FULL)
    (last,) = one.delivers()
    assert last.closes
    assert '"template":"green"' in last.content
    assert "<at" not in last.content


def test_a_group_that_ended_and_fires_again_is_a_new_card() -> None:
    one = chat()
    one.fires("g", SLOW)
    one.delivers()
    one.ends("g", SLOW)
    one.delivers()
    one.fires("g", SLOW)
    assert operations(one) == [("create", True)]


def test_what_opened_and_ended_before_it_was_told_is_told_without_ringing() -> None:
    one = chat()
    one.fires("g", SLOW)
    one.ends("g", SLOW)
    (only,) = one.delivers()
    assert (only.operation, only.closes, only.wakes) == ("create", True, ())
    assert "<at" not in only.content


def test_rows_that_wait_together_become_one_update() -> None:
    one = chat()
    one.fires("g", SLOW)
    one.delivers()
    for number in range(20):
        one.fires("g", {**SLOW, "service": f"s{number}"})
    (only,) = one.delivers()
    assert len(only.covers) == 20
    assert "21 firing" in only.content


def test_five_new_groups_have_a_card_each_and_six_share_one() -> None:
    one, other = chat(), chat()
    for number in range(6):
        if number < 5:
            one.fires(f"g{number}", {**SLOW, "service": f"s{number}"})
        other.fires(f"g{number}", {**SLOW, "service": f"s{number}"})
    assert operations(one) == [("create", True)] * 5
    (storm,) = other.delivers()
    assert len(storm.groups) == 6
    assert "Alert storm: 6 groups, 6 firing" in storm.content


def test_a_storm_that_goes_on_joins_its_card_and_rings_in_the_thread() -> None:
    one = chat()
    for number in range(20):
        one.fires(f"g{number}", {**SLOW, "service": f"s{number}"})
        if number == 9:
            one.delivers()
            one.passes(1)
    drafts = one.delivers()
    assert [draft.operation for draft in drafts] == ["update", "reply"]
    assert len(drafts[0].groups) == 20
    assert len(drafts[1].wakes) == 10
    one.passes(11)
    for number in range(20, 30):
        one.fires(f"g{number}", {**SLOW, "service": f"s{number}"})
    assert operations(one) == [("create", True)]


def test_the_worst_is_sent_first() -> None:
    one = chat()
    one.fires("mild", {**SLOW_MILDLY, "service": "a"})
    one.fires("bad", FULL)
    one.ends("mild", {**SLOW_MILDLY, "service": "a"})
    drafts = one.delivers()
    assert ["DiskFull" in draft.content for draft in drafts] == [True, False]


def test_what_quiet_hours_held_is_one_digest() -> None:
    one = chat()
    one.fires("a", SLOW_MILDLY, held=True)
    one.fires("b", {**SLOW_MILDLY, "service": "b"}, held=True)
    one.ends("b", {**SLOW_MILDLY, "service": "b"}, held=True)
    one.fires("c", FULL)
    drafts = one.delivers()
    assert [draft.operation for draft in drafts] == ["create", "create"]
    assert "Quiet hours digest: 1 firing, 1 resolved" in drafts[1].content
    assert drafts[1].covers == ("row-00001", "row-00002", "row-00003")
    one.ends("a", SLOW_MILDLY)
    (last,) = one.delivers()
    assert (last.operation, last.closes) == ("update", True)


def test_a_digest_in_which_all_is_over_rings_for_nobody() -> None:
    one = chat()
    one.fires("a", SLOW_MILDLY, held=True)
    one.ends("a", SLOW_MILDLY, held=True)
    assert operations(one) == [("create", False)]


def test_what_was_held_rings_in_the_thread_of_a_card_that_is_there() -> None:
    one = chat()
    one.fires("a", SLOW)
    one.delivers()
    one.fires("a", SLOW_CART, held=True)
    assert operations(one) == [("update", False), ("reply", True)]


@pytest.mark.parametrize("change", [{"gone": True}, {"opened_at": NOW - timedelta(days=14)}])
def test_a_card_that_cannot_be_updated_is_replaced(change: dict[str, Any]) -> None:
    old, ended, new = known(SLOW), known(FULL, lasted=3), known(SLOW_CART)
    shown = card("old", [old, ended], **change)
    (only,) = compose(state([row(1, [new])], [old, ended, new], [shown]), style("en"))
    assert (only.operation, only.replaces, only.covers) == ("create", ("old",), ("row-0001",))
    assert only.wakes == ((new.episode.fingerprint, 1),)
    assert "2 firing" in only.content
    assert "DiskFull" not in only.content


def test_a_card_that_is_gone_is_sent_again_without_ringing_while_something_fires() -> None:
    old, ended = known(SLOW), known(FULL, lasted=3)
    gone = card("old", [old], gone=True)
    (only,) = compose(state([], [old], [gone]), style())
    assert (only.operation, only.replaces, only.wakes) == ("create", ("old",), ())
    assert "<at" not in only.content
    over = card("over", [ended], gone=True)
    assert compose(state([], [ended], [over]), style()) == ()


def test_an_end_goes_to_the_card_that_shows_it_whatever_group_it_comes_in() -> None:
    old = known(SLOW, lasted=3)
    shown = card("old", [old])
    (only,) = compose(state([row(1, closed=[old], group="other")], [old], [shown]), style())
    assert (only.operation, only.card_id, only.closes) == ("update", "old", True)


def test_an_end_of_an_episode_on_a_closed_card_updates_that_card() -> None:
    old = known(SLOW, lasted=3)
    shown = card("old", [old], closed=True)
    (only,) = compose(state([row(1, closed=[old])], [old], [shown]), style())
    assert (only.operation, only.card_id) == ("update", "old")


def test_a_row_whose_alerts_belong_to_two_cards_updates_both_and_is_covered_once() -> None:
    one, two = known(SLOW, lasted=3), known(FULL, lasted=3)
    cards = [card("a", [one], ["g"]), card("b", [two], ["h"])]
    drafts = compose(state([row(1, closed=[one, two])], [one, two], cards), style())
    assert sorted(draft.card_id or "" for draft in drafts) == ["a", "b"]
    assert [covered for draft in drafts for covered in draft.covers] == ["row-0001"]


def test_truncation_without_alerts_is_a_card_that_says_so() -> None:
    (only,) = compose(state([row(1, truncated=40)], []), style("en"))
    assert "Data loss: Alertmanager cut off 40 alerts" in only.content
    check_card(only.content)
    assert only.closes


def test_an_episode_that_the_store_forgot_is_skipped() -> None:
    old, new = known(SLOW), known(FULL)
    given = state([row(1, [new])], [new], [card("old", [old])])
    assert [draft.operation for draft in compose(given, style())] == ["update", "reply"]


def test_only_those_are_mentioned_whom_the_rules_name() -> None:
    rules = (
        MentionRule(Mention(everybody=True), ("critical",)),
        MentionRule(Mention(people=("ou_1", "ou_2")), ("warning",)),
        MentionRule(NOBODY),
    )
    for severity, wanted in {
        "critical": "<at id=all></at>",
        "warning": "<at id=ou_1></at> <at id=ou_2></at>",
    }.items():
        one = chat(routing=Routing(mentions=rules))
        one.fires("g", {**SLOW, "severity": severity})
        (only,) = one.delivers()
        assert check_card(only.content)["body"]["elements"][0]["content"] == wanted
        assert wanted.replace("id=", 'user_id="').replace("></at", '"></at') in check_text(
            only.fallback
        )
    one = chat(routing=Routing(mentions=rules))
    one.fires("g", {**SLOW, "severity": "info"})
    (only,) = one.delivers()
    assert "<at" not in only.content + only.fallback
    assert only.wakes == ()


NAMES = st.sampled_from(["A", "B"])
SEVERITIES = st.sampled_from(["critical", "warning", "info", "odd"])
ALERTS = st.fixed_dictionaries(
    {"alertname": NAMES, "severity": SEVERITIES, "pod": st.sampled_from("xyz")}
)
GROUPS = st.sampled_from([f"g{number}" for number in range(9)])
STEPS = st.one_of(
    st.tuples(st.just("fires"), GROUPS, st.lists(ALERTS, min_size=1, max_size=4), st.booleans()),
    st.tuples(st.just("ends"), GROUPS, st.lists(ALERTS, min_size=1, max_size=4), st.booleans()),
    st.tuples(st.just("passes"), st.sampled_from([1, 20, 40, 60 * 24 * 14])),
    st.tuples(st.just("loses"), st.integers(0, 9)),
    st.tuples(st.just("delivers")),
)


def does(one: Chat, step: tuple[Any, ...]) -> None:
    match step:
        case ("fires", group, alerts, held):
            one.fires(group, *({**labels, "group": group} for labels in alerts), held=held)
        case ("ends", group, alerts, held):
            one.ends(group, *({**labels, "group": group} for labels in alerts), held=held)
        case ("passes", minutes):
            one.passes(minutes)
        case ("loses", number) if one.cards:
            name = sorted(one.cards)[number % len(one.cards)]
            one.cards[name] = replace(one.cards[name], gone=True)
        case _:
            delivers(one)


def delivers(one: Chat) -> None:
    before = one.state()
    due = [waiting.id for waiting in one.waiting]
    assert compose(before, one.style) == compose(before, one.style)
    drafts = one.delivers()
    assert sorted(covered for draft in drafts for covered in draft.covers) == due
    for draft in drafts:
        check_card(draft.content)
        check_text(draft.fallback)
        rings = "<at" in draft.content
        assert rings == bool(draft.wakes)
        assert rings == ("<at" in draft.fallback)
        assert all(one.episodes[key].episode.is_open for key in draft.wakes)
        assert not (rings and draft.operation == "update")
        assert draft.covers == () or draft.operation != "reply"
    told = {item.key for waiting in before.rows for item in waiting.items}
    shown = {key for card_ in one.cards.values() for key in card_.episodes}
    assert told <= shown
    open_ = [card_ for card_ in one.cards.values() if not card_.closed]
    groups = [group.key for card_ in open_ for group in card_.groups]
    assert len(groups) == len(set(groups)), "a group is on one open card"
    for card_ in one.cards.values():
        firing = any(one.episodes[key].episode.is_open for key in card_.episodes)
        assert card_.closed is not firing


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_whatever_happens_everything_is_told_once_and_nobody_is_woken_twice(
    steps: list[tuple[Any, ...]],
) -> None:
    one = chat()
    for step in steps:
        does(one, step)
    delivers(one)
    woken = [key for draft in one.sent for key in draft.wakes]
    assert len(woken) == len(set(woken))
    first_cards = [draft for draft in one.sent if draft.operation == "create" and draft.covers]
    for draft in first_cards:
        assert draft.closes or draft.wakes or draft.replaces


def test_a_card_is_updated_until_shortly_before_the_platform_refuses() -> None:
    old, new = known(SLOW), known(SLOW_CART)
    for age, wanted in (
        (timedelta(days=13, hours=12), "update"),
        (timedelta(days=13, hours=12, seconds=1), "create"),
    ):
        shown = card("old", [old], opened_at=NOW - age)
        drafts = compose(state([row(1, [new])], [old, new], [shown]), style())
        assert drafts[0].operation == wanted


def test_what_takes_a_cards_place_shows_its_groups_and_its_losses() -> None:
    one, two = known(SLOW, group="g"), known(FULL, group="h")
    gone = card("old", [one, two], ["g", "h"], gone=True, truncated=7)
    late = known(SLOW_CART, group="g")
    rows = [row(1, [late], group="g", truncated=2), row(2, group="g", truncated=1)]
    (only,) = compose(state(rows, [one, two, late], [gone]), style("en"))
    assert [group.key for group in only.groups] == ["g", "h"]
    assert "2 alert groups: 3 firing" in only.content
    assert "cut off 7 alerts" in only.content
    (other,) = compose(state(rows, [late]), style("en"))
    assert "cut off 2 alerts" in other.content


def test_a_storm_joins_the_newest_card_of_it_that_has_room() -> None:
    def storm(name: str, minutes: float, count: int = 6, **changed: Any) -> ShownCard:
        groups = [f"{name}{number}" for number in range(count)]
        return card(name, [old], groups, opened_at=NOW - timedelta(minutes=minutes), **changed)

    old = known(SLOW, group="a0")
    new = [known({**FULL, "pod": str(number)}, group=f"n{number}") for number in range(6)]
    rows = [row(number, [one], group=one.episode.group_key) for number, one in enumerate(new)]

    def joined(*cards: ShownCard) -> str | None:
        drafts = compose(state(rows, [old, *new], cards), style())
        return next(draft.card_id for draft in drafts if draft.covers)

    assert joined(storm("a", 5), storm("b", 2), storm("c", 4)) == "b"
    assert joined(storm("a", 5), storm("b", 2, closed=True), storm("c", 4, gone=True)) == "a"
    assert joined(storm("a", 5, 1_994)) == "a"
    assert joined(storm("a", 5, 1_995)) is None
    assert joined(storm("a", 10.1)) is None
    assert joined(storm("a", 5, 5)) is None

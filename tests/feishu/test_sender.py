"""The sender: what it sends, in which form, and how often."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from aegis.adapters.feishu.sender import LARGEST_IMAGE
from aegis.model.errors import (
    ChatUnreachable,
    DeliveryRefused,
    DeliveryUnavailable,
    MessageTooLarge,
)
from aegis.model.message import MessageKind
from aegis.ports import Notifier
from tests.feishu.bot import CHAT, Bot, card, markdown, new_bot, run
from tests.feishu_platform.faults import Fault, FaultKind
from tests.feishu_platform.platform import Platform

pytestmark = pytest.mark.loopback


def test_it_is_a_notifier(bot: Bot) -> None:
    notifier: Notifier = bot.sender
    sent = run(notifier.send(bot.message("create", "text", {"text": "hello"})))
    assert sent == bot.last.message_id


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("text", {"text": "磁盘满了 🔥"}),
        ("post", {"zh_cn": {"title": "t", "content": [[{"tag": "text", "text": "hello"}]]}}),
        ("interactive", card()),
    ],
)
def test_a_new_message_arrives_in_its_chat_as_it_was_stored(
    bot: Bot, kind: MessageKind, content: dict[str, object]
) -> None:
    message_id = bot.create(content, kind)
    assert bot.last.message_id == message_id
    assert (bot.last.chat_id, bot.last.kind, bot.last.content) == (CHAT, kind, content)
    (asked,) = bot.platform.asked("/open-apis/im/")
    assert asked.query == {"receive_id_type": "chat_id"}
    assert asked.json()["content"] == json.dumps(content, ensure_ascii=False)
    assert asked.json()["uuid"] == bot.last.uuid


def test_an_answer_stands_in_the_thread_of_its_card(bot: Bot) -> None:
    first = bot.create(card())
    answer = bot.reply(first, {"text": "again"}, "text")
    held = bot.platform.memory.messages[answer]
    assert held.parent_id == first
    assert held.thread_id == bot.platform.memory.messages[first].thread_id != ""


def test_an_update_replaces_the_card_in_place_and_keeps_its_id(bot: Bot) -> None:
    first = bot.create(card())
    assert bot.update(first, card(markdown("all is well"))) == first
    assert bot.last.content == card(markdown("all is well"))
    assert len(bot.platform.messages) == 1


def test_a_message_that_is_sent_again_with_its_uuid_arrives_once(bot: Bot) -> None:
    message = bot.message("create", "text", {"text": "disk full"})
    assert bot.send(message) == bot.send(message)
    assert len(bot.platform.messages) == 1
    assert bot.platform.memory.complaints == []


def test_an_answer_that_is_sent_again_with_its_uuid_arrives_once(bot: Bot) -> None:
    message = bot.message("reply", "text", {"text": "again"}, bot.create(card()))
    assert bot.send(message) == bot.send(message)
    assert len(bot.platform.messages) == 2


@pytest.mark.parametrize("kind", ["reset", "half", "gateway", "hang"])
def test_a_message_whose_answer_was_lost_is_healed_by_sending_it_again(
    platform: Platform, kind: FaultKind
) -> None:
    bot = new_bot(platform, deadline_s=0.5)
    platform.fail(Fault(kind, path="/im/v1/messages", after=True))
    message = bot.message("create", "text", {"text": "disk full"})
    error = bot.refused(message)
    assert isinstance(error, DeliveryUnavailable)
    assert error.may_have_arrived
    assert bot.send(message) == bot.last.message_id
    assert len(platform.messages) == 1
    bot.sender.close()


def test_one_token_serves_many_messages(bot: Bot) -> None:
    for text in ("one", "two", "three"):
        bot.say(text)
    assert len(bot.platform.asked("tenant_access_token")) == 1


def test_a_token_that_is_refused_is_dropped_and_the_message_sent_once_more(bot: Bot) -> None:
    bot.say("one")
    bot.platform.tokens.invalidate()
    bot.say("two")
    assert [one.code for one in bot.platform.asked("/im/")] == [0, 99991663, 0]
    assert len(bot.platform.asked("tenant_access_token")) == 2


def test_a_token_that_stays_invalid_is_tried_twice_and_no_more(bot: Bot) -> None:
    bot.platform.tokens.stubborn = True
    bot.say("one")
    bot.platform.tokens.invalidate()
    error = bot.refused(bot.message("create", "text", {"text": "two"}))
    assert isinstance(error, DeliveryUnavailable)
    assert error.code == 99991663
    assert not error.may_have_arrived
    assert len(bot.platform.asked("/im/")) == 3


def test_a_token_is_renewed_ten_minutes_before_its_end(bot: Bot) -> None:
    bot.say("one")
    bot.platform.clock.advance(7200 - 660)
    bot.say("two")
    assert len(bot.platform.asked("tenant_access_token")) == 1
    bot.platform.clock.advance(61)
    bot.say("three")
    assert len(bot.platform.asked("tenant_access_token")) == 2
    assert {one.code for one in bot.platform.asked("/im/")} == {0}


@pytest.mark.parametrize(("told_s", "asked"), [(10**20, 2), (0, 3), (-1, 3)])
def test_a_token_s_life_is_believed_within_reason(bot: Bot, told_s: int, asked: int) -> None:
    bot.platform.tokens.told_life_s = told_s
    bot.say("one")
    bot.say("two")
    bot.platform.clock.advance(7200)
    bot.say("three")
    assert len(bot.platform.asked("tenant_access_token")) == asked


def test_what_is_no_token_is_not_held_against_the_message(bot: Bot) -> None:
    bot.platform.tokens.ending = "é"
    error = bot.refused(bot.message("create", "text", {"text": "hello"}))
    assert isinstance(error, DeliveryUnavailable)
    assert not error.may_have_arrived


def test_an_image_gets_a_key_that_a_card_may_show(bot: Bot) -> None:
    key = run(bot.sender.upload_image(b"\x89PNG\r\n\x1a\n\x00\xff" * 100))
    assert bot.platform.memory.images[key] == b"\x89PNG\r\n\x1a\n\x00\xff" * 100
    alt = {"tag": "plain_text", "content": "chart"}
    bot.create(card({"tag": "img", "img_key": key, "alt": alt}))


def test_an_image_over_ten_megabytes_is_not_even_sent(bot: Bot) -> None:
    with pytest.raises(MessageTooLarge):
        run(bot.sender.upload_image(b"\0" * (LARGEST_IMAGE + 1)))
    assert bot.platform.seen == []


def test_the_bot_knows_itself_and_the_chats_it_is_in(bot: Bot) -> None:
    assert run(bot.sender.bot_open_id()) == "ou_stand_in_bot"
    assert run(bot.sender.is_in_chat(CHAT))
    assert not run(bot.sender.is_in_chat("oc_nobody_knows"))


def test_what_can_never_be_sent_is_refused_without_asking(bot: Bot) -> None:
    message = bot.message("create", "text", {"text": "hello"})
    for wrong in (
        replace(message, uuid="u" * 51),
        replace(message, operation="reply"),
        replace(message, operation="update"),
        replace(message, content='{"text":"\ud800"}'),
    ):
        assert type(bot.refused(wrong)) is DeliveryRefused
    assert bot.platform.asked("/im/") == []


def test_a_card_whose_chat_dropped_the_bot_cannot_be_reached(bot: Bot) -> None:
    first = bot.create(card())
    bot.platform.memory.chats[CHAT].admits_bot = False
    for message in (
        bot.message("create", "interactive", card()),
        bot.message("reply", "interactive", card(), first),
        bot.message("update", "interactive", card(), first),
    ):
        assert type(bot.refused(message)) is ChatUnreachable

"""The platform keeps the rules of sending that Feishu documents; told by the real SDK."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.feishu.bot import CHAT, Bot, button, card, markdown, post, run
from tests.feishu_platform.platform import APP_ID, APP_SECRET, Platform

pytestmark = pytest.mark.loopback

DAY_S = 86_400
HTTP = httpx.Client(verify=False)  # noqa: S501 (there is nothing to verify: saves a second)


def token_of(platform: Platform, **more: str) -> dict[str, Any]:
    body = {"app_id": APP_ID, "app_secret": APP_SECRET, **more}
    url = f"{platform.url}/open-apis/auth/v3/tenant_access_token/internal"
    found: dict[str, Any] = HTTP.post(url, json=body).json()
    return found


def raw(platform: Platform, method: str, path: str, **more: Any) -> dict[str, Any]:
    """A request as it is written here, with a good token."""
    headers = {"Authorization": f"Bearer {token_of(platform)['tenant_access_token']}"}
    url = f"{platform.url}/open-apis{path}"
    found: dict[str, Any] = HTTP.request(method, url, headers=headers, **more).json()
    return found


def body(**more: Any) -> dict[str, Any]:
    return {"receive_id": CHAT, "msg_type": "text", "content": '{"text":"hello"}', **more}


SEND = "/im/v1/messages?receive_id_type=chat_id"


def test_a_token_lives_two_hours_and_a_new_one_comes_in_its_last_half_hour(
    platform: Platform,
) -> None:
    first = token_of(platform)
    assert first["expire"] == 7200
    platform.clock.advance(7200 - 1810)
    same = token_of(platform)
    assert same["tenant_access_token"] == first["tenant_access_token"]
    assert 1800 <= same["expire"] <= 1811
    platform.clock.advance(20)
    assert token_of(platform)["tenant_access_token"] != first["tenant_access_token"]


def test_a_token_past_its_end_is_refused(platform: Platform) -> None:
    old = token_of(platform)["tenant_access_token"]
    platform.clock.advance(7201)
    url = f"{platform.url}/open-apis/bot/v3/info"
    answer = HTTP.get(url, headers={"Authorization": f"Bearer {old}"})
    assert answer.json()["code"] == 99991663


def test_a_wrong_secret_gets_no_token(platform: Platform) -> None:
    answer = token_of(platform, app_secret="guessed")  # noqa: S106
    assert answer["code"] == 10014
    assert "tenant_access_token" not in answer


def test_the_bot_stands_at_the_top_of_the_answer(platform: Platform) -> None:
    answer = raw(platform, "GET", "/bot/v3/info")
    assert answer["bot"]["open_id"] == "ou_stand_in_bot"
    assert "data" not in answer


def test_unknown_fields_are_refused(platform: Platform) -> None:
    answer = raw(platform, "POST", SEND, json=body(urgent=True))
    assert (answer["code"], "urgent" in answer["msg"]) == (99992402, True)
    assert raw(platform, "POST", "/im/v1/messages", json=body())["code"] == 99992402


def test_content_is_a_string_of_json(platform: Platform) -> None:
    for content in ({"text": "hello"}, "hello", "[]", None):
        assert raw(platform, "POST", SEND, json=body(content=content))["code"] == 230001
    assert raw(platform, "POST", SEND, json=body())["code"] == 0


def test_a_post_has_no_outer_post(bot: Bot) -> None:
    hello = post({"tag": "text", "text": "hello"})
    assert bot.code_of(hello, "post") == 0
    assert bot.code_of({"post": hello}, "post") == 230001


def test_a_uuid_makes_a_message_happen_once_within_an_hour(bot: Bot) -> None:
    first = bot.say("hello", uuid="u" * 50)
    bot.platform.clock.advance(3599)
    assert bot.say("hello", uuid="u" * 50) == first
    bot.platform.clock.advance(2)
    assert bot.say("hello", uuid="u" * 50) != first


def test_a_uuid_that_comes_with_another_body_is_noticed(bot: Bot) -> None:
    first = bot.say("hello", uuid="u")
    assert bot.say("something else", uuid="u") == first
    assert len(bot.platform.memory.complaints) == 1


def test_a_uuid_has_at_most_fifty_characters(platform: Platform) -> None:
    assert raw(platform, "POST", SEND, json=body(uuid="u" * 51))["code"] == 99992402


def test_only_cards_are_updated(bot: Bot) -> None:
    text = bot.say("hello")
    error = bot.refused(bot.message("update", "interactive", card(), text))
    assert error.code == 230001


def test_a_card_is_updated_for_fourteen_days(bot: Bot) -> None:
    first = bot.create(card())
    bot.platform.clock.advance(14 * DAY_S - 60)
    bot.update(first, card(markdown("still")))
    bot.platform.clock.advance(120)
    assert bot.refused(bot.message("update", "interactive", card(), first)).code == 230031


def test_a_card_takes_five_updates_a_second(bot: Bot) -> None:
    bot.platform.clock.stop()
    first = bot.create(card())
    for _ in range(5):
        bot.update(first, card())
    assert bot.refused(bot.message("update", "interactive", card(), first)).code == 230020
    bot.platform.clock.advance(1)
    bot.update(first, card())


def test_a_chat_takes_five_messages_a_second_whoever_sends_them(bot: Bot) -> None:
    bot.platform.clock.stop()
    first = bot.create(card())
    for _ in range(4):
        bot.reply(first, card())
    assert bot.code_of(card()) == 230020
    bot.say("other chats are free", chat="oc_other")
    bot.platform.clock.advance(1)
    assert bot.code_of(card()) == 0


def test_an_api_takes_fifty_calls_a_second(platform: Platform) -> None:
    platform.clock.stop()
    codes = [raw(platform, "GET", "/bot/v3/info")["code"] for _ in range(51)]
    assert codes == [0] * 50 + [99991400]
    assert platform.seen[-1].status == 429


def test_an_api_takes_a_thousand_calls_a_minute(platform: Platform) -> None:
    platform.clock.stop()
    for _ in range(20):
        for _ in range(50):
            platform.limits.call("bot")
        platform.clock.advance(1.0)
    answer = raw(platform, "GET", "/bot/v3/info")
    assert answer["code"] == 99991400


@pytest.mark.parametrize(("kind", "most"), [("text", 150), ("post", 30), ("interactive", 30)])
def test_messages_have_a_largest_size(bot: Bot, kind: str, most: int) -> None:
    """What counts is the whole request."""

    def of_size(size: int) -> int | None:
        text = "x" * size
        contents: dict[str, Any] = {
            "text": {"text": text},
            "post": post({"tag": "text", "text": text}),
            "interactive": card(markdown(text)),
        }
        return bot.code_of(contents[kind], kind)  # type: ignore[arg-type]

    assert of_size(most * 1024 - 400) == 0
    assert of_size(most * 1024) == 230025


def test_an_image_has_at_most_ten_megabytes(platform: Platform) -> None:
    def upload(size: int) -> int:
        files = {"image": ("a.png", b"x" * size, "image/png")}
        form = {"image_type": "message"}
        return int(raw(platform, "POST", "/im/v1/images", files=files, data=form)["code"])

    assert upload(10 * 1024 * 1024) == 0
    assert upload(10 * 1024 * 1024 + 1) == 234006
    assert upload(0) == 234010


def test_an_image_that_was_not_uploaded_cannot_be_shown(bot: Bot) -> None:
    alt = {"tag": "plain_text", "content": ""}
    assert bot.code_of(card({"tag": "img", "img_key": "img_1", "alt": alt})) == 230099


def test_a_bot_that_is_not_in_the_chat_cannot_write_there(bot: Bot) -> None:
    bot.platform.memory.chats[CHAT].admits_bot = False
    assert bot.code_of(card()) == 230002
    assert not run(bot.sender.is_in_chat(CHAT))


def test_a_bot_without_availability_cannot_write_either(bot: Bot) -> None:
    bot.platform.memory.chats[CHAT].available = False
    assert bot.code_of(card()) == 230013


def test_a_recalled_message_is_neither_answered_nor_updated(bot: Bot) -> None:
    first = bot.create(card())
    bot.platform.memory.messages[first].recalled = True
    for operation in ("reply", "update"):
        message = bot.message(operation, "interactive", card(), first)
        assert bot.refused(message).code == 230011


def test_a_message_that_is_gone_is_gone(bot: Bot) -> None:
    first = bot.create(card())
    bot.platform.memory.messages[first].gone = True
    assert bot.refused(bot.message("reply", "interactive", card(), first)).code == 231003
    assert raw(bot.platform, "GET", f"/im/v1/messages/{first}")["code"] == 231003


def test_mentions_of_a_message_that_is_read_are_plain_strings(bot: Bot) -> None:
    sent = bot.say('<at user_id="ou_ann">Ann</at> look')
    (item,) = raw(bot.platform, "GET", f"/im/v1/messages/{sent}")["data"]["items"]
    assert item["mentions"][0]["id"] == "ou_ann"
    assert json.loads(item["body"]["content"])["text"].endswith("look")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("text", {"text": '<at user_id="all"></at> disk full'}),
        ("post", post({"tag": "md", "text": '<at user_id="all"></at> disk full'})),
        ("post", post({"tag": "at", "user_id": "all"})),
        ("interactive", card(markdown("<at id=all></at> disk full"))),
    ],
)
def test_at_all_wakes_everybody_in_the_syntax_of_its_place(
    bot: Bot, kind: str, content: dict[str, Any]
) -> None:
    bot.create(content, kind)  # type: ignore[arg-type]
    assert bot.last.pings == {"all"}
    assert bot.platform.memory.complaints == []


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("text", {"text": "<at id=all></at> disk full"}),
        ("post", post({"tag": "md", "text": "<at id=all></at> disk full"})),
        ("post", post({"tag": "text", "text": '<at user_id="all"></at> disk full'})),
        ("interactive", card(markdown('<at user_id="all"></at> disk full'))),
        ("interactive", card(markdown("<at id='all'></at> disk full"))),
    ],
)
def test_the_wrong_syntax_is_taken_and_wakes_nobody(
    bot: Bot, kind: str, content: dict[str, Any]
) -> None:
    bot.create(content, kind)  # type: ignore[arg-type]
    assert bot.last.pings == frozenset()
    assert len(bot.platform.memory.complaints) == 1


def test_a_title_wakes_nobody(bot: Bot) -> None:
    title = {"tag": "plain_text", "content": "<at id=all></at>"}
    bot.create(card(header={"title": title}))
    assert bot.last.pings == frozenset()


def test_the_group_must_allow_the_bot_to_wake_all(bot: Bot) -> None:
    bot.platform.memory.chats[CHAT].everybody = False
    bot.create(card(markdown("<at id=all></at><at id=ou_ann></at>")))
    assert bot.last.pings == {"ou_ann"}


def test_an_update_wakes_nobody(bot: Bot) -> None:
    first = bot.create(card())
    bot.update(first, card(markdown("<at id=all></at>")))
    assert bot.last.pings == frozenset()


def test_a_button_calls_back_with_an_object(bot: Bot) -> None:
    sent = bot.create(card(button({"action": "silence"})))
    assert bot.platform.click(sent, "silence").clicker_saw == 200671

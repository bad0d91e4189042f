"""The long connection, with the real client of the SDK at its other end."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from itertools import pairwise
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from aegis.adapters.feishu.sdk import load
from tests.feishu.bot import CHAT, Bot, button, card, markdown, run
from tests.feishu.long_connection import AT_ONCE, connected, until
from tests.feishu_platform import frames
from tests.feishu_platform.answers import Refusal
from tests.feishu_platform.cardkit import Card
from tests.feishu_platform.connections import LOG_ID, SERVICE, Delivery
from tests.feishu_platform.faults import Fault
from tests.feishu_platform.platform import APP_ID, APP_SECRET, DISCOVERY_PATH, Platform
from tests.feishu_platform.running import platform_running
from tests.feishu_platform.wire import Request

pytestmark = pytest.mark.loopback


@pytest.fixture(autouse=True)
def _reconnects_at_once(platform: Platform) -> None:
    platform.connections.client_config |= AT_ONCE


def discover(platform: Platform, **more: str) -> dict[str, Any]:
    body = {"AppID": APP_ID, "AppSecret": APP_SECRET, **more}
    with httpx.Client(verify=False) as client:  # noqa: S501 (plain HTTP)
        found: dict[str, Any] = client.post(f"{platform.url}{DISCOVERY_PATH}", json=body).json()
    return found


def discoveries(platform: Platform) -> int:
    return len(platform.asked(DISCOVERY_PATH))


def acknowledged(delivery: Delivery) -> None:
    until(lambda: delivery.acknowledged, "no acknowledgement")


def answered(delivery: Delivery) -> None:
    until(lambda: delivery.sent and delivery.sent[-1].answer is not None, "no answer")


# --- Discovery and handshake -------------------------------------------------------------------


def test_the_address_comes_with_a_ticket_and_the_client_s_configuration(
    platform: Platform,
) -> None:
    answer = discover(platform)
    assert answer["code"] == 0
    url = answer["data"]["URL"]
    assert url.startswith("ws://")
    assert all(f"{name}=" in url for name in ("device_id", "access_key", "service_id", "ticket"))
    config = answer["data"]["ClientConfig"]
    assert set(config) == {"ReconnectCount", "ReconnectInterval", "ReconnectNonce", "PingInterval"}


def test_a_wrong_secret_gets_no_address(platform: Platform) -> None:
    assert discover(platform, AppSecret="guessed")["code"] == 1000040344
    assert discover(platform, Token="x")["code"] == 99992402  # noqa: S106


@pytest.mark.parametrize(
    ("refusal", "code"),
    [((403, "forbidden", None), 403), ((514, "too many", 1000040350), 514)],
)
def test_the_reason_of_a_refused_handshake_stands_in_its_headers(
    platform: Platform, refusal: tuple[int, str, int | None], code: int
) -> None:
    platform.connections.handshake = refusal
    with connected(platform, wait=False) as client:
        until(lambda: client.ended_with is not None, "no refusal")
        error = client.ended_with
    assert type(error).__name__ == "ClientException"
    assert str(error) == f"{code}: {refusal[1]}"


def test_an_app_has_at_most_so_many_connections(platform: Platform) -> None:
    assert platform.connections.most == 50
    platform.connections.most = 1
    with connected(platform), connected(platform, wait=False) as second:
        until(lambda: second.ended_with is not None, "no refusal")
        assert len(platform.connections.open) == 1
    assert "exceed the limit" in str(second.ended_with)


def test_a_ticket_opens_one_connection(platform: Platform) -> None:
    url = discover(platform)["data"]["URL"]
    with connect(url, proxy=None), pytest.raises(InvalidStatus) as caught, connect(url, proxy=None):
        pass
    headers = caught.value.response.headers
    assert headers["Handshake-Status"] == "514"
    assert headers["Handshake-Autherrcode"] == "1000040345"


# --- Frames ------------------------------------------------------------------------------------


def test_our_frames_are_the_sdk_s_frames() -> None:
    pb = load().ws.client.Frame
    headers = {"type": "event", "message_id": "m", "sum": "1", "seq": "0"}
    ours = frames.Frame(300, 2**40, 33554678, frames.DATA, headers, "载荷".encode())
    theirs = pb()
    theirs.ParseFromString(ours.encode())
    assert (theirs.SeqID, theirs.LogID, theirs.service, theirs.method) == (300, 2**40, 33554678, 1)
    assert {one.key: one.value for one in theirs.headers} == headers
    assert frames.decode(theirs.SerializeToString()) == ours


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_four_fields_are_always_there(number: int) -> None:
    whole = frames.Frame(0, 0, 0, 0).encode()
    assert frames.decode(whole) == frames.Frame(0, 0, 0, 0)
    at = (number - 1) * 2
    with pytest.raises(ValueError, match="without the fields"):
        frames.decode(whole[:at] + whole[at + 2 :])


def test_pings_are_answered_with_the_configuration(platform: Platform) -> None:
    platform.connections.client_config["PingInterval"] = 0
    with connected(platform):
        until(lambda: platform.connections.pings > 3, "no pings")
        platform.connections.client_config["PingInterval"] = 3600
        time.sleep(0.2)
        before = platform.connections.pings
        time.sleep(0.2)
        assert platform.connections.pings <= before + 1  # the pong told it to ping less often


# --- Events ------------------------------------------------------------------------------------


def test_a_message_comes_as_an_event_and_is_acknowledged_in_its_frame(bot: Bot) -> None:
    with connected(bot.platform) as client:
        delivery = bot.platform.say("为什么结账变慢？", CHAT, to_bot=True)
        acknowledged(delivery)
    event = client.said[0].event
    assert json.loads(event.message.content) == {"text": "@_user_1 为什么结账变慢？"}
    assert event.message.mentions[0].id.open_id == run(bot.sender.bot_open_id())
    (sent,) = delivery.sent
    assert sent.answer == {"code": 200}
    assert sent.frame is not None
    assert sent.frame.headers["message_id"] == sent.message_id
    assert (sent.frame.log_id, sent.frame.service) == (LOG_ID, SERVICE)
    assert {"type", "sum", "seq", "trace_id", "timestamp", "biz_rt"} <= set(sent.frame.headers)


def test_at_all_of_a_user_is_in_the_text_only(platform: Platform) -> None:
    with connected(platform) as client:
        acknowledged(platform.say("look", CHAT, everybody=True))
    message = client.said[0].event.message
    assert json.loads(message.content)["text"].startswith("@_all")
    assert not message.mentions


def test_a_bot_s_message_says_that_it_is_one(platform: Platform) -> None:
    with connected(platform) as client:
        acknowledged(platform.say("beep", CHAT, sender_type="bot"))
    assert client.said[0].event.sender.sender_type == "bot"


def test_a_payload_may_come_in_pieces(platform: Platform) -> None:
    with connected(platform) as client:
        acknowledged(platform.say("磁盘" * 500, CHAT, fragments=4))
    assert len(client.said) == 1
    assert json.loads(client.said[0].event.message.content)["text"] == "磁盘" * 500


def test_an_event_comes_again_until_it_is_acknowledged(platform: Platform) -> None:
    platform.clock.stop()

    def fails(_: Any) -> None:
        raise ValueError("not now")

    with connected(platform, fails) as client:
        delivery = platform.say("hello", CHAT)
        for count, after_s in enumerate((15.0, 300.0, 3600.0, 21600.0), start=1):
            until(lambda count=count: len(delivery.sent) == count, "no delivery")  # type: ignore[misc]
            answered(delivery)
            platform.clock.advance(after_s - 0.5)
            time.sleep(0.06)
            assert len(delivery.sent) == count
            platform.clock.advance(0.6)
        until(lambda: len(delivery.sent) == 5, "no last delivery")
        answered(delivery)
        platform.clock.advance(100_000)
        until(lambda: delivery.over, "it never ends")
    assert len(delivery.sent) == 5
    assert {one.answer["code"] for one in delivery.sent if one.answer} == {500}
    events = client.said
    assert len({one.event.message.message_id for one in events}) == 1  # what to dedupe by
    assert len({one.header.event_id for one in events}) == 5  # what not to dedupe by


def test_an_event_may_come_twice_though_it_was_acknowledged(platform: Platform) -> None:
    with connected(platform) as client:
        first = platform.say("hello", CHAT)
        acknowledged(first)
        event = first.event["event"]
        delivery = platform.connections.push("im.message.receive_v1", event, repeated=True)
        until(lambda: len(delivery.sent) == 2, "no repetition")
        until(lambda: len(client.said) == 3, "not handed on")


def test_an_acknowledgement_after_three_seconds_comes_too_late(platform: Platform) -> None:
    platform.clock.stop()
    go_on = threading.Event()

    def slow(_: Any) -> None:
        go_on.wait(10)

    with connected(platform, slow):
        delivery = platform.say("hello", CHAT)
        until(lambda: delivery.sent, "no delivery")
        platform.clock.advance(3.1)
        go_on.set()
        time.sleep(0.1)
        assert not delivery.acknowledged
        platform.clock.advance(12)
        until(lambda: len(delivery.sent) == 2, "no redelivery")
        acknowledged(delivery)


def test_an_event_without_a_handler_is_answered_500_and_comes_again(platform: Platform) -> None:
    platform.clock.stop()
    with connected(platform):
        delivery = platform.connections.push("im.chat.updated_v1", {"chat_id": CHAT})
        answered(delivery)
        assert delivery.sent[0].answer == {"code": 500}
        platform.clock.advance(15)
        until(lambda: len(delivery.sent) == 2, "no redelivery")


def test_each_event_goes_to_one_connection_whichever(platform: Platform) -> None:
    with connected(platform, clients=2) as both:
        deliveries = [platform.say(str(number), CHAT) for number in range(30)]
        for one in deliveries:
            acknowledged(one)
    assert len(both.said) == 30
    used = {one.sent[0].connection for one in deliveries}
    assert len(used) == 2  # by chance one alone: once in 500 million


# --- Clicks ------------------------------------------------------------------------------------

TOAST = {"toast": {"type": "success", "content": "silenced"}}


def test_a_click_is_answered_with_a_toast_and_a_card(bot: Bot) -> None:
    sent = bot.create(card(button({"action": "silence", "id": 7})))
    after = card(markdown("silenced by Ann"))
    answer = TOAST | {"card": {"type": "raw", "data": after}}
    with connected(bot.platform, on_click=lambda _: answer) as client:
        delivery = bot.platform.click(sent, {"action": "silence", "id": 7})
        acknowledged(delivery)
        until(lambda: delivery.over, "not over")
    event = client.pressed[0].event
    assert event.action.value == {"action": "silence", "id": 7}
    assert (event.operator.open_id, event.context.open_message_id) == ("ou_ann", sent)
    assert event.context.open_chat_id == CHAT
    assert delivery.sent[0].data == answer
    assert bot.last.content == after


def test_a_click_that_fails_is_shown_to_the_clicker_and_never_comes_again(bot: Bot) -> None:
    bot.platform.clock.stop()
    sent = bot.create(card(button({"a": 1})))

    def fails(_: Any) -> Any:
        raise ValueError("not now")

    with connected(bot.platform, on_click=fails):
        delivery = bot.platform.click(sent, {"a": 1})
        answered(delivery)
        bot.platform.clock.advance(3.1)
        until(lambda: delivery.over, "not over")
        bot.platform.clock.advance(100_000)
        time.sleep(0.1)
    assert len(delivery.sent) == 1
    assert delivery.clicker_saw is not None


def test_until_a_click_is_answered_its_card_takes_no_update(bot: Bot) -> None:
    sent = bot.create(card(button({"a": 1})))
    go_on = threading.Event()

    def slow(_: Any) -> Any:
        go_on.wait(10)
        return TOAST

    with connected(bot.platform, on_click=slow) as client:
        delivery = bot.platform.click(sent, {"a": 1})
        until(lambda: client.pressed, "no click")
        error = bot.refused(bot.message("update", "interactive", card(), sent))
        assert error.code == 230099
        assert "11310" in str(error)
        go_on.set()
        until(lambda: delivery.over, "not over")
        bot.update(sent, card())


@pytest.mark.parametrize("streams", [True, False])
def test_while_a_card_streams_the_card_in_the_answer_is_ignored(bot: Bot, streams: bool) -> None:
    kit = bot.platform.cardkit
    value = card(button({"a": 1}), config={"streaming_mode": streams})
    held = Card("71", value, streams_since=bot.platform.clock.now() if streams else None)
    kit.cards["71"] = held
    sent = bot.create({"type": "card", "data": {"card_id": "71"}})
    answer = {"card": {"type": "raw", "data": card(markdown("silenced"))}}
    with connected(bot.platform, on_click=lambda _: answer):
        delivery = bot.platform.click(sent, {"a": 1})
        until(lambda: delivery.over, "not over")
    assert len(bot.platform.memory.messages[sent].versions) == (1 if streams else 2)


def test_until_a_click_is_answered_a_streaming_card_takes_no_text(bot: Bot) -> None:
    kit = bot.platform.cardkit
    kit.cards["71"] = Card("71", card(button({"a": 1})))
    sent = bot.create({"type": "card", "data": {"card_id": "71"}})
    body = json.dumps({"content": "x", "sequence": 1}).encode()
    request = Request("PUT", "", {}, {}, body)
    go_on = threading.Event()
    with connected(bot.platform, on_click=lambda _: {"waited": go_on.wait(10)}) as client:
        delivery = bot.platform.click(sent, {"a": 1})
        until(lambda: client.pressed, "no click")
        with pytest.raises(Refusal, match="200810"):
            kit.content(request, "71", "answer")
        go_on.set()
        until(lambda: delivery.over, "not over")


# --- What bites: the numbered facts --------------------------------------------------------------


def test_start_blocks_and_a_closed_socket_makes_it_connect_again(platform: Platform) -> None:
    assert not hasattr(load().ws.Client, "stop")
    with connected(platform) as client:
        platform.connections.drop()
        until(lambda: discoveries(platform) == 2, "no second discovery")
        until(lambda: platform.connections.open, "no second connection")
        acknowledged(platform.say("still here?", CHAT))
        assert client.thread.is_alive()


def test_one_slow_handler_delays_every_acknowledgement(platform: Platform) -> None:
    go_on = threading.Event()

    def slow_at_first(event: Any) -> None:
        if "slow" in event.event.message.content:
            go_on.wait(10)

    with connected(platform, slow_at_first) as client:
        platform.say("slow", CHAT)
        until(lambda: client.said, "no event")
        quick = platform.say("quick", CHAT)
        until(lambda: quick.sent, "not sent")
        time.sleep(0.2)
        assert not quick.acknowledged
        go_on.set()
        acknowledged(quick)


@pytest.mark.parametrize("where", ["discovery", "handshake"])
def test_a_refusal_while_it_reconnects_ends_it_in_silence(platform: Platform, where: str) -> None:
    with connected(platform) as client:
        if where == "discovery":
            platform.connections.refuse = 1000040344
        else:
            platform.connections.handshake = (403, "forbidden", None)
        platform.connections.drop()
        until(lambda: discoveries(platform) == 2, "no second discovery")
        time.sleep(0.3)
        platform.connections.refuse = None
        time.sleep(0.3)
        assert discoveries(platform) == 2  # it does not try again
        assert not platform.connections.open
        assert client.thread.is_alive()  # and start() neither returns nor raises
        assert client.ended_with is None


def test_a_discovery_that_hangs_stops_everything_of_the_client(platform: Platform) -> None:
    """It asks with a blocking request, in its loop, without a timeout."""
    ticks: list[float] = []

    async def tick() -> None:
        while True:
            ticks.append(time.monotonic())
            await asyncio.sleep(0.01)

    with connected(platform) as client:
        client.loop.call_soon_threadsafe(lambda: client.loop.create_task(tick()))
        until(lambda: len(ticks) > 3, "no ticks")
        platform.fail(Fault("hang", path=DISCOVERY_PATH, hang_s=0.5))
        platform.connections.drop()
        until(lambda: discoveries(platform) == 3, "not asked again")
        until(lambda: platform.connections.open, "no connection")
    gaps = [after - before for before, after in pairwise(ticks)]
    assert max(gaps) > 0.4


@pytest.mark.parametrize("code", [1, 1000040343])
def test_a_busy_platform_is_asked_again(platform: Platform, code: int) -> None:
    with connected(platform):
        platform.connections.refuse = code
        platform.connections.drop()
        until(lambda: discoveries(platform) > 3, "it gave up")
        platform.connections.refuse = None
        until(lambda: platform.connections.open, "no connection")


def test_a_platform_that_answers_no_ping_is_not_noticed(platform: Platform) -> None:
    """Hence a watchdog must look for pongs."""
    platform.connections.client_config["PingInterval"] = 0
    with connected(platform) as client:
        platform.connections.deaf = True
        before = platform.connections.pings
        until(lambda: platform.connections.pings > before + 20, "no pings")
        assert discoveries(platform) == 1
        assert client.thread.is_alive()


def test_http_obeys_proxies_and_the_websocket_does_not(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    with platform_running(CHAT) as proxy:
        for name in ("http_proxy", "ws_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        with connected(platform, wait=False):
            until(lambda: proxy.connections.open, "no connection")
        assert [one.path for one in proxy.seen] == [DISCOVERY_PATH]
    assert platform.seen == []


def test_frames_of_the_type_card_are_dropped_without_an_answer(platform: Platform) -> None:
    platform.connections.frame_type = "card"
    with connected(platform) as client:
        delivery = platform.say("hello", CHAT)
        until(lambda: delivery.sent, "not sent")
        time.sleep(0.2)
        assert delivery.sent[0].answer is None
        assert client.said == []


def test_its_information_would_tell_the_key_and_the_ticket(
    platform: Platform, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    with connected(platform):
        acknowledged(platform.say("hello", CHAT))
        platform.connections.drop()
        until(lambda: discoveries(platform) == 2, "no second discovery")
        until(lambda: platform.connections.open, "no second connection")
    told = caplog.text + capfd.readouterr().out
    assert "secret" not in told
    assert "receive message loop exit" in told  # what went wrong is told all the same

"""Every way in which a call can fail becomes one of ours, within the deadline."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from aegis.adapters.feishu.calling import guarded
from aegis.adapters.feishu.sdk import load
from aegis.adapters.feishu.sender import FeishuSender
from aegis.adapters.system_clock import SystemClock
from aegis.model.errors import DeliveryRefused, DeliveryUnavailable
from aegis.model.feishu import FeishuConfig
from tests.adapters.stand_in import closed_port
from tests.feishu.bot import CHAT, Bot, new_bot, run
from tests.feishu_platform.faults import Fault, FaultKind
from tests.feishu_platform.platform import APP_ID, APP_SECRET, Platform
from tests.feishu_platform.running import platform_running

pytestmark = pytest.mark.loopback

IM = "/im/v1/messages"


def unavailable(bot: Bot) -> DeliveryUnavailable:
    error = bot.refused(bot.message("create", "text", {"text": "disk full"}))
    assert type(error) is DeliveryUnavailable
    return error


def test_the_first_shape_is_a_code_in_the_answer(bot: Bot) -> None:
    error = bot.refused(bot.message("create", "text", {"no_text": 1}))
    assert type(error) is DeliveryRefused
    assert error.code == 230001


@pytest.mark.parametrize("status", [200, 502, 504])
def test_the_second_shape_is_a_page_of_a_gateway(bot: Bot, status: int) -> None:
    bot.platform.fail(Fault("gateway", path=IM, status=status))
    error = unavailable(bot)
    assert error.may_have_arrived
    assert "nginx" not in str(error)


def test_the_third_shape_is_an_error_of_requests(platform: Platform) -> None:
    """The SDK's own way to a token, which Aegis does not take, goes through `requests`."""
    sdk = load()
    builder = sdk.Client.builder().app_id("cli_shape").app_secret("x").domain(platform.url)
    client = builder.timeout(1).build()
    platform.fail(Fault("reset"))

    async def ask() -> Any:
        request = sdk.api.im.v1.GetMessageRequest.builder().message_id("om_1").build()
        return await client.im.v1.message.aget(request)

    with pytest.raises(DeliveryUnavailable, match="broke") as caught:
        run(guarded(ask, sdk))
    assert caught.value.may_have_arrived


@pytest.mark.parametrize("kind", ["reset", "half"])
def test_the_fourth_shape_is_an_error_of_httpx(bot: Bot, kind: FaultKind) -> None:
    bot.platform.fail(Fault(kind, path=IM))
    assert unavailable(bot).may_have_arrived


def test_nobody_listening_means_that_nothing_arrived() -> None:
    config = FeishuConfig(APP_ID, APP_SECRET, f"http://127.0.0.1:{closed_port()}")
    sender = FeishuSender(config, SystemClock())
    try:
        with pytest.raises(DeliveryUnavailable, match="cannot be reached") as caught:
            run(sender.bot_open_id())
    finally:
        sender.close()
    assert not caught.value.may_have_arrived


def test_a_platform_that_went_down_got_nothing_of_the_message() -> None:
    with platform_running(CHAT) as platform:
        bot = new_bot(platform)
        bot.say("hello")
    error = unavailable(bot)
    bot.sender.close()
    assert (error.code, error.may_have_arrived) == (None, False)


@pytest.mark.parametrize("kind", ["empty", "odd"])
def test_an_answer_of_another_shape_is_no_success(bot: Bot, kind: FaultKind) -> None:
    bot.platform.fail(Fault(kind, path=IM, status=200))
    assert unavailable(bot).may_have_arrived


def test_a_route_the_sdk_does_not_know_is_no_success_either_with_a_page(bot: Bot) -> None:
    """The SDK says 0 for it, whatever came."""
    bot.platform.fail(Fault("gateway", path="/bot/v3/info", status=200))
    with pytest.raises(DeliveryUnavailable):
        run(bot.sender.bot_open_id())


def test_such_a_route_gives_no_success_with_another_shape_either(bot: Bot) -> None:
    bot.platform.fail(Fault("odd", path="/bot/v3/info"))
    with pytest.raises(DeliveryUnavailable, match="shape"):
        run(bot.sender.bot_open_id())


def test_success_without_an_id_is_asked_for_again(bot: Bot) -> None:
    bot.platform.fail(Fault("code", path=IM, code=0, status=200))
    assert unavailable(bot).may_have_arrived


def test_an_answer_without_end_is_not_read_to_the_end(bot: Bot) -> None:
    text = "x" * (2 * 1024 * 1024)
    bot.platform.fail(Fault("code", path=IM, code=230001, message=text, status=200))
    assert "longer than" in str(unavailable(bot))


def test_a_call_ends_at_its_deadline_and_the_next_one_works(platform: Platform) -> None:
    bot = new_bot(platform, deadline_s=0.3)
    platform.fail(Fault("hang", path=IM))
    began = time.monotonic()
    error = unavailable(bot)
    assert 0.25 < time.monotonic() - began < 2.0
    assert error.may_have_arrived
    bot.say("still here")
    bot.sender.close()


def test_calls_do_not_wait_for_one_that_hangs(bot: Bot) -> None:
    bot.platform.fail(Fault("hang", path=IM))

    async def both() -> str:
        slow = asyncio.ensure_future(bot.sender.send(bot.message("create", "text", {"text": "1"})))
        await asyncio.sleep(0.1)
        async with asyncio.timeout(5):
            sent = await bot.sender.send(bot.message("create", "text", {"text": "2"}))
        slow.cancel()
        return sent

    assert run(both()) == bot.last.message_id


def test_a_rate_limit_says_how_long_to_wait(bot: Bot) -> None:
    bot.platform.fail(Fault("rate", path=IM, reset_s=17))
    error = unavailable(bot)
    assert (error.code, error.retry_after_s, error.may_have_arrived) == (99991400, 17.0, False)


def test_a_failing_token_is_not_held_against_the_message(platform: Platform) -> None:
    bot = new_bot(platform)
    faults = (
        Fault("code", path="tenant_access_token", code=424242, status=400),
        Fault("gateway", path="tenant_access_token"),
        Fault("rate", path="tenant_access_token", reset_s=9),
    )
    waits = []
    for fault in faults:
        platform.fail(fault)
        error = unavailable(bot)
        assert not error.may_have_arrived
        waits.append(error.retry_after_s)
    assert waits == [None, None, 9.0]
    assert platform.asked("/im/") == []
    bot.sender.close()


def test_a_wrong_secret_is_named_and_the_message_kept(platform: Platform) -> None:
    config = FeishuConfig(APP_ID, "not-the-secret", platform.url)
    sender = FeishuSender(config, SystemClock())
    try:
        with pytest.raises(DeliveryUnavailable, match="FEISHU_APP_SECRET") as caught:
            run(sender.bot_open_id())
    finally:
        sender.close()
    assert "not-the-secret" not in str(caught.value)


def test_a_redirect_is_not_followed(bot: Bot) -> None:
    """The token would go wherever it leads."""
    bot.platform.fail(Fault("redirect", path=IM))
    unavailable(bot)
    assert len(bot.platform.asked(IM)) == 1
    assert bot.platform.asked("/elsewhere") == []


def test_a_proxy_of_the_environment_is_used(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Feishu is often behind one; the chats are the proxy's here, for it answers itself."""
    with platform_running(CHAT) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        bot = new_bot(platform)
        bot.say("hello")
        bot.sender.close()
        assert len(proxy.messages) == 1
    assert platform.seen == []


def test_nothing_is_tried_again_unasked(bot: Bot) -> None:
    bot.platform.fail(Fault("code", path=IM, code=230020, times=5))
    unavailable(bot)
    assert len(bot.platform.asked(IM)) == 1


def test_a_sender_that_was_closed_says_so_and_can_be_closed_again(platform: Platform) -> None:
    bot = new_bot(platform)
    bot.say("hello")
    bot.sender.close()
    bot.sender.close()
    error = unavailable(bot)
    assert not error.may_have_arrived


def test_a_call_under_way_when_the_sender_closes_may_have_arrived(bot: Bot) -> None:
    bot.platform.fail(Fault("hang", path=IM))
    message = bot.message("create", "text", {"text": "hello"})

    async def close_meanwhile() -> None:
        sending = asyncio.ensure_future(bot.sender.send(message))
        while not bot.platform.asked(IM):  # noqa: ASYNC110 (another thread fills it)
            await asyncio.sleep(0.01)
        await asyncio.to_thread(bot.sender.close)
        await sending

    with pytest.raises(DeliveryUnavailable, match="closed before") as caught:
        run(close_meanwhile())
    assert caught.value.may_have_arrived


def test_errors_are_one_line_and_short(bot: Bot) -> None:
    said = "line\n" * 500
    bot.platform.fail(Fault("code", path=IM, code=230001, message=said, status=400))
    text = str(bot.refused(bot.message("create", "text", {"text": "hello"})))
    assert "\n" not in text
    assert len(text) < 300
    assert json.dumps(text)

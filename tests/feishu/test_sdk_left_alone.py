"""What lark-oapi 1.7.5 does when nobody stops it: the reasons for what the adapter does."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from aegis.adapters.feishu.sdk import load
from tests.feishu.bot import CHAT, run
from tests.feishu_platform.faults import Fault
from tests.feishu_platform.platform import APP_ID, APP_SECRET, Platform

pytestmark = pytest.mark.loopback


@pytest.fixture
def sdk(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Its cache of tokens is one of the process: empty for each test."""
    found = load()
    cache = found.core.cache.LocalCache()
    monkeypatch.setattr(found.core.token.TokenManager, "cache", cache)
    return found


@pytest.fixture
def client(sdk: Any, platform: Platform) -> Any:
    builder = sdk.Client.builder().app_id(APP_ID).app_secret(APP_SECRET)
    return builder.domain(platform.url).timeout(2).build()


def hello(sdk: Any) -> Any:
    v1 = sdk.api.im.v1
    body = v1.CreateMessageRequestBody.builder().receive_id(CHAT).msg_type("text")
    body = body.content('{"text":"hello"}').build()
    return v1.CreateMessageRequest.builder().receive_id_type("chat_id").request_body(body).build()


def test_it_uses_a_dead_token_on_and_on(sdk: Any, client: Any, platform: Platform) -> None:
    assert client.im.v1.message.create(hello(sdk)).code == 0
    platform.tokens.invalidate()
    codes = [client.im.v1.message.create(hello(sdk)).code for _ in range(3)]
    assert codes == [99991663] * 3
    assert len(platform.asked("tenant_access_token")) == 1


def test_it_tries_nothing_again(sdk: Any, client: Any, platform: Platform) -> None:
    platform.fail(Fault("rate", path="/im/", times=5))
    assert client.im.v1.message.create(hello(sdk)).code == 99991400
    assert len(platform.asked("/im/")) == 1


def test_its_asynchronous_calls_wait_for_a_token_with_the_loop_stopped(
    sdk: Any, client: Any, platform: Platform
) -> None:
    platform.fail(Fault("hang", path="tenant_access_token", hang_s=0.3))

    async def longest_gap_s() -> float:
        gaps = [0.0]

        async def tick() -> None:
            before = time.monotonic()
            while True:
                await asyncio.sleep(0.01)
                gaps.append(time.monotonic() - before)
                before = time.monotonic()

        ticking = asyncio.ensure_future(tick())
        await asyncio.sleep(0.05)
        with pytest.raises(OSError, match="Remote end closed"):  # an error of `requests`
            await client.im.v1.message.acreate(hello(sdk))
        await asyncio.sleep(0.02)
        ticking.cancel()
        return max(gaps)

    assert run(longest_gap_s()) > 0.25


def test_it_says_success_for_a_page_on_a_route_it_does_not_know(
    sdk: Any, client: Any, platform: Platform
) -> None:
    platform.fail(Fault("gateway", path="/bot/", status=200))

    async def ask() -> Any:
        request = sdk.BaseRequest.builder().http_method(sdk.HttpMethod.GET)
        request = request.uri("/open-apis/bot/v3/info")
        return await client.arequest(request.token_types({sdk.AccessTokenType.TENANT}).build())

    assert run(ask()).code == 0


def test_a_page_of_a_gateway_is_an_error_of_json(sdk: Any, client: Any, platform: Platform) -> None:
    platform.fail(Fault("gateway", path="/im/"))
    with pytest.raises(ValueError, match="Expecting value"):
        client.im.v1.message.create(hello(sdk))


def test_its_synchronous_half_follows_a_redirect(sdk: Any, client: Any, platform: Platform) -> None:
    platform.fail(Fault("redirect", path="/im/"))
    client.im.v1.message.create(hello(sdk))
    assert len(platform.asked("/elsewhere")) == 1

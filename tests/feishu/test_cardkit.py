"""CardKit: cards that stream, told by the real SDK."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from aegis.adapters.feishu.calling import Caller
from aegis.adapters.feishu.sdk_thread import SdkThread
from aegis.model.errors import DeliveryError
from tests.feishu.bot import Bot, PlatformTime, button, card, config, markdown, run
from tests.feishu_platform.platform import Platform

pytestmark = pytest.mark.loopback

STREAMING = card(
    markdown() | {"element_id": "answer"}, button({"a": 1}), config={"streaming_mode": True}
)
Ask = Callable[[Any, Any, Any], Awaitable[Any]]


class Stream:
    """A streaming card, written through the SDK; each method gives Feishu's code."""

    def __init__(self, platform: Platform) -> None:
        self.thread = SdkThread()
        self._caller = Caller(config(platform), PlatformTime(platform), self.thread)
        self.card_id = ""

    def create(self, content: dict[str, Any]) -> int | None:
        async def ask(sdk: Any, client: Any, option: Any) -> Any:
            v1 = sdk.api.cardkit.v1
            body = v1.CreateCardRequestBody.builder().type("card_json").data(json.dumps(content))
            request = v1.CreateCardRequest.builder().request_body(body.build()).build()
            return await client.cardkit.v1.card.acreate(request, option)

        try:
            self.card_id = run(self._caller.call(ask)).text("data", "card_id")
        except DeliveryError as error:
            return error.code
        return 0

    def write(self, text: str, sequence: int) -> int | None:
        async def ask(sdk: Any, client: Any, option: Any) -> Any:
            v1 = sdk.api.cardkit.v1
            body = v1.ContentCardElementRequestBody.builder().content(text).sequence(sequence)
            request = v1.ContentCardElementRequest.builder().card_id(self.card_id)
            request = request.element_id("answer").request_body(body.build())
            return await client.cardkit.v1.card_element.acontent(request.build(), option)

        return self._code(ask)

    def stop(self, sequence: int) -> int | None:
        async def ask(sdk: Any, client: Any, option: Any) -> Any:
            v1 = sdk.api.cardkit.v1
            settings = json.dumps({"config": {"streaming_mode": False}})
            body = v1.SettingsCardRequestBody.builder().settings(settings).sequence(sequence)
            request = v1.SettingsCardRequest.builder().card_id(self.card_id)
            return await client.cardkit.v1.card.asettings(
                request.request_body(body.build()).build(), option
            )

        return self._code(ask)

    def replace(self, content: dict[str, Any], sequence: int) -> int | None:
        async def ask(sdk: Any, client: Any, option: Any) -> Any:
            v1 = sdk.api.cardkit.v1
            whole = v1.Card.builder().type("card_json").data(json.dumps(content)).build()
            body = v1.UpdateCardRequestBody.builder().card(whole).sequence(sequence).build()
            request = v1.UpdateCardRequest.builder().card_id(self.card_id).request_body(body)
            return await client.cardkit.v1.card.aupdate(request.build(), option)

        return self._code(ask)

    def _code(self, ask: Ask) -> int | None:
        try:
            run(self._caller.call(ask))
        except DeliveryError as error:
            return error.code
        return 0


@pytest.fixture
def stream(bot: Bot) -> Any:
    found = Stream(bot.platform)
    assert found.create(STREAMING) == 0
    yield found
    found.thread.close()


def as_message(stream: Stream) -> dict[str, Any]:
    return {"type": "card", "data": {"card_id": stream.card_id}}


def test_a_stream_is_made_sent_written_closed_and_replaced(bot: Bot, stream: Stream) -> None:
    sent = bot.create(as_message(stream))
    assert [stream.write("The disk", 1), stream.write("The disk is full", 2)] == [0, 0]
    assert [stream.stop(3), stream.replace(card(markdown("The disk is full.")), 4)] == [0, 0]
    held = bot.platform.cardkit.cards[stream.card_id]
    assert held.texts == {"answer": ["The disk", "The disk is full"]}
    assert held.value == card(markdown("The disk is full."))
    assert bot.platform.memory.messages[sent].card_id == stream.card_id


def test_a_card_is_sent_once(bot: Bot, stream: Stream) -> None:
    bot.create(as_message(stream))
    assert bot.code_of(as_message(stream)) == 230099


def test_a_sequence_only_rises_over_all_operations(stream: Stream) -> None:
    assert stream.write("The", 5) == 0
    assert [stream.write("The disk", 5), stream.write("The disk", 4)] == [300317, 300317]
    assert [stream.stop(5), stream.replace(card(), 3)] == [300317, 300317]
    assert stream.stop(6) == 0


def test_a_stream_that_was_closed_takes_no_more_text(stream: Stream) -> None:
    assert stream.stop(1) == 0
    assert stream.write("The disk", 2) == 300309


def test_a_stream_ends_after_ten_minutes_and_a_whole_card_is_still_taken(
    bot: Bot, stream: Stream
) -> None:
    bot.platform.clock.advance(590)
    assert stream.write("The disk", 1) == 0
    bot.platform.clock.advance(11)
    assert [stream.write("The disk is", 2), stream.write("The disk is", 3)] == [200850, 300309]
    assert stream.replace(card(), 4) == 0


def test_a_card_takes_ten_operations_a_second(bot: Bot, stream: Stream) -> None:
    bot.platform.clock.stop()
    codes = [stream.write("The disk"[:number], number) for number in range(1, 12)]
    assert codes == [0] * 10 + [99991400]


def test_text_that_is_too_long_is_refused(stream: Stream) -> None:
    assert stream.write("x" * 30_721, 1) == 200860
    assert stream.write("x" * 30_720, 1) == 0


def test_a_bad_card_is_refused_before_it_is_sent(stream: Stream) -> None:
    assert stream.create(card({"tag": "note", "elements": []})) == 230099

"""Feishu limits the whole request, and what the composer counts is that request."""

from __future__ import annotations

import json

import pytest

from aegis.adapters.feishu.sender import LONGEST_UUID
from aegis.model.message import Message, Operation
from aegis.workflows.deliver_messages.compose import compose
from aegis.workflows.deliver_messages.fitting import AROUND_BYTES, sent_bytes
from aegis.workflows.deliver_messages.style import MOST_BYTES
from tests.feishu.bot import Bot, card, markdown
from tests.feishu_platform.chats import Chat
from tests.messages.states import known, row, state, style

pytestmark = pytest.mark.loopback

LONGEST_CHAT = "oc_" + "x" * 100
LONGEST = "u" * LONGEST_UUID
FEISHU_TAKES = 30 * 1024


def written(bot: Bot, content: str, operation: Operation = "create", target: str = "") -> int:
    """Bytes of the request that the SDK made of it."""
    bot.platform.memory.chats.setdefault(LONGEST_CHAT, Chat(LONGEST_CHAT))
    message = Message("1", LONGEST_CHAT, operation, "interactive", content, LONGEST, target or None)
    bot.send(message)
    return len(bot.platform.seen[-1].body)


def test_the_last_byte_that_is_taken_and_the_first_that_is_not(bot: Bot) -> None:
    size = 1000
    empty = written(bot, json.dumps(card(markdown("x" * size)))) - size
    fits, over = (
        bot.message(
            "create",
            "interactive",
            json.dumps(card(markdown("x" * (FEISHU_TAKES - empty + more)))),
            uuid=one * LONGEST_UUID,
            chat=LONGEST_CHAT,
        )
        for more, one in ((0, "a"), (1, "b"))
    )
    bot.send(fits)
    assert len(bot.platform.seen[-1].body) == FEISHU_TAKES
    assert bot.refused(over).code == 230025
    assert len(bot.platform.seen[-1].body) == FEISHU_TAKES + 1


@pytest.mark.parametrize("text", ["x" * 5000, "结账变慢 " * 900, '"\\\n' * 1500])
def test_what_the_composer_counts_is_never_less_than_what_is_sent(bot: Bot, text: str) -> None:
    content = json.dumps(card(markdown(text)), ensure_ascii=False)
    size = written(bot, content)
    assert size <= sent_bytes(content) <= size + AROUND_BYTES
    target = bot.platform.messages[-1].message_id
    for operation in ("reply", "update"):
        bot.platform.clock.advance(10)
        size = written(bot, content, operation, target)
        assert size <= sent_bytes(content) <= size + AROUND_BYTES


def test_a_card_that_is_as_full_as_it_can_be_is_taken(bot: Bot) -> None:
    found = [
        known(
            {"alertname": f"告警{number}", "severity": "critical", "service": "结账" * 20},
            annotations={"summary": '"慢"' * 60, "description": "很慢 " * 120},
            group=f"g{number % 4}",
        )
        for number in range(200)
    ]
    rows = [row(place, [one], group=one.episode.group_key) for place, one in enumerate(found)]
    for draft in compose(state(rows, found), style("zh")):
        size = written(bot, draft.content)
        assert MOST_BYTES - 1_500 < size <= MOST_BYTES < FEISHU_TAKES
        bot.platform.clock.advance(4000)

"""Nothing secret, and nothing of a message, reaches a log line or a repr."""

from __future__ import annotations

import logging

import pytest

from aegis.adapters.feishu.sdk import load, quiet, without_secrets
from aegis.model.errors import AegisError
from tests.feishu.bot import Bot, config, run
from tests.feishu_platform.faults import KINDS, Fault
from tests.feishu_platform.platform import APP_SECRET, Platform

pytestmark = pytest.mark.loopback

BODY = "customer 4711 cannot pay"


def test_a_message_its_token_and_the_secret_are_in_no_line_whatever_happens(
    bot: Bot, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("Lark").setLevel(logging.DEBUG)
    errors = []
    bot.say(BODY)
    for kind in KINDS:
        if kind == "hang":
            continue
        bot.platform.fail(Fault(kind, path="/im/", status=500, message=f"bad: {BODY}"))
        bot.platform.clock.advance(2)
        try:
            bot.say(BODY)
        except AegisError as error:
            errors += [str(error), repr(error)]
    bot.platform.tokens.invalidate()
    bot.say(BODY)

    out = capfd.readouterr()
    told = "\n".join([caplog.text, out.out, out.err, *errors])
    assert errors
    for secret in (APP_SECRET, "t-0001", "t-0002", BODY):
        assert secret not in told


def test_a_config_shows_no_secret(platform: Platform) -> None:
    shown = repr(config(platform, verification_token="vt", encrypt_key="ek"))  # noqa: S106
    assert APP_SECRET not in shown
    assert "vt" not in shown
    assert "'ek'" not in shown
    assert "cli_stand_in" in shown


def test_the_sdk_prints_no_information_and_no_line_twice(
    bot: Bot, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    run(bot.sender.start())
    lark = logging.getLogger("Lark")
    lark.setLevel(logging.INFO)  # what every new client of the SDK does
    caplog.set_level(logging.DEBUG)
    lark.info("connected to wss://x/?access_key=hunter1&ticket=hunter2")
    lark.error("connect failed: %s", "wss://x/?access_key=hunter1&ticket=hunter2&service_id=7")
    assert "hunter" not in caplog.text
    try:
        raise ValueError("ticket=hunter2")
    except ValueError:
        lark.exception("broken")
    assert "hunter" not in caplog.text
    assert [one.getMessage() for one in caplog.records] == [
        "connect failed: wss://x/?access_key=[hidden]&ticket=[hidden]&service_id=7",
        "broken",
    ]
    assert capfd.readouterr().out == ""


def test_loading_again_changes_nothing() -> None:
    lark = logging.getLogger("Lark")
    load()
    before = (list(lark.filters), len(lark.handlers))
    quiet()
    assert (list(lark.filters), len(lark.handlers)) == before


@pytest.mark.parametrize(
    "text",
    [
        "wss://x/?device_id=1&access_key=hunter&ticket=hunter",
        "Authorization: Bearer hunter",
        "{'Authorization': 'Bearer hunter'}",
        '{"app_id": "cli", "app_secret": "hunter"}',
        '{"AppSecret":"hunter"}',
        "tenant_access_token=hunter",
        "bearer hunter",
    ],
)
def test_what_follows_the_name_of_a_secret_is_hidden(text: str) -> None:
    assert "hunter" not in without_secrets(text)
    assert "[hidden]" in without_secrets(text)


def test_other_text_stays_as_it_is() -> None:
    assert without_secrets("the ticket was sold; app cli_1") == "the ticket was sold; app cli_1"

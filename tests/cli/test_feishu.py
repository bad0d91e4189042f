"""`aegis feishu send-test`, and what `aegis doctor` says about Feishu."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aegis.model.backend import BACKENDS, settings_of
from aegis.settings.feishu import NAMES
from tests.adapters.stand_in import closed_port
from tests.cli.commands import Aegis, Ran
from tests.feishu_platform.faults import Fault
from tests.feishu_platform.platform import APP_ID, APP_SECRET, Platform
from tests.feishu_platform.running import platform_running

pytestmark = pytest.mark.loopback


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """A platform, with the settings that lead to it and no others."""
    others = [name for backend in BACKENDS for name in settings_of(backend)]
    proxies = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
    for name in [*NAMES, *others, *proxies]:
        monkeypatch.delenv(name, raising=False)
    with platform_running("oc_ops", "oc_other") as found:
        monkeypatch.setenv("AEGIS_FEISHU_BASE_URL", found.url)
        monkeypatch.setenv("FEISHU_APP_ID", APP_ID)
        monkeypatch.setenv("FEISHU_APP_SECRET", APP_SECRET)
        monkeypatch.setenv("FEISHU_DEFAULT_CHAT_ID", "oc_ops")
        yield found


def findings(ran: Ran) -> list[tuple[str, str, str]]:
    """Name, state and message of what was found about Feishu."""
    (found,) = [one for one in ran.json()["backends"] if one["backend"] == "feishu"]
    return [(one["name"], one["state"], one["message"]) for one in found["findings"]]


def condition(ran: Ran) -> str:
    (found,) = [one for one in ran.json()["backends"] if one["backend"] == "feishu"]
    return str(found["condition"])


def look(aegis: Aegis) -> Ran:
    return aegis("doctor", "--json", "--lang", "en")


def test_a_test_card_arrives_in_the_default_chat_and_wakes_nobody(
    aegis: Aegis, platform: Platform
) -> None:
    ran = aegis("feishu", "send-test", "--lang", "en")
    assert (ran.code, ran.err) == (0, "")
    (sent,) = platform.messages
    assert ran.out == f"sent to oc_ops: message {sent.message_id}\n"
    assert (sent.chat_id, sent.pings) == ("oc_ops", frozenset())
    assert sent.content["header"]["title"]["content"] == "Aegis can write here"


def test_another_chat_is_named_and_the_card_speaks_chinese(
    aegis: Aegis, platform: Platform
) -> None:
    ran = aegis("feishu", "send-test", "--chat", "oc_other", "--json")
    (sent,) = platform.messages
    assert ran.json() == {"chat_id": "oc_other", "message_id": sent.message_id}
    assert sent.content["header"]["title"]["content"] == "Aegis 可以在这里发消息"
    assert "没有提醒任何人" in sent.content["body"]["elements"][0]["content"]


def test_two_tests_are_two_messages(aegis: Aegis, platform: Platform) -> None:
    aegis("feishu", "send-test")
    aegis("feishu", "send-test")
    assert len(platform.messages) == 2


def test_a_chat_without_the_bot_is_one_line_and_exit_4(aegis: Aegis, platform: Platform) -> None:
    platform.memory.chats["oc_ops"].admits_bot = False
    ran = aegis("feishu", "send-test")
    assert ran.code == 4
    assert ran.err.startswith("error: Feishu answered 230002")
    assert ran.err.count("\n") == 1


def test_without_an_app_or_a_chat_the_setting_is_named(
    aegis: Aegis, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FEISHU_DEFAULT_CHAT_ID")
    ran = aegis("feishu", "send-test")
    assert (ran.code, "FEISHU_DEFAULT_CHAT_ID" in ran.err) == (2, True)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    ran = aegis("feishu", "send-test")
    assert (ran.code, "FEISHU_APP_ID and FEISHU_APP_SECRET" in ran.err) == (2, True)


def test_doctor_knows_a_feishu_that_is_well(aegis: Aegis, platform: Platform) -> None:
    ran = look(aegis)
    assert condition(ran) == "answers"
    assert findings(ran) == [
        ("reachable", "ok", "can be reached"),
        ("credentials", "ok", "FEISHU_APP_SECRET is accepted"),
        ("bot", "ok", "the bot is ou_stand_in_bot"),
        ("chat", "ok", "the bot is in oc_ops"),
    ]
    assert platform.messages == []


def test_doctor_finds_a_site_with_alerts_alone_well(aegis: Aegis, platform: Platform) -> None:
    assert look(aegis).code == 0
    assert look(aegis).json()["ok"] is True
    shown = aegis("doctor", "--lang", "en").out
    assert "Alerts alone are delivered" in shown
    assert "All is well." in shown
    assert "There is no backend to ask" not in shown


def test_doctor_looks_at_the_chats_of_routes_too(
    aegis: Aegis, platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text("routes:\n  - chat: oc_other\n  - chat: oc_gone\n  - chat: none\n")
    monkeypatch.setenv("AEGIS_ROUTES_FILE", str(file))
    monkeypatch.delenv("FEISHU_DEFAULT_CHAT_ID")
    ran = look(aegis)
    assert ran.code == 2
    chats = [(state, said.partition(":")[0]) for name, state, said in findings(ran)[3:]]
    assert chats == [("ok", "the bot is in oc_other"), ("fail", "the bot is not in oc_gone")]


def test_doctor_says_that_alerts_are_stored_only(
    aegis: Aegis, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FEISHU_DEFAULT_CHAT_ID")
    (found,) = [one for one in look(aegis).json()["settings"] if one["name"] == "alerts"]
    assert found["state"] == "warn"
    assert "neither FEISHU_DEFAULT_CHAT_ID nor AEGIS_ROUTES_FILE" in found["message"]


def test_doctor_names_each_chat_the_bot_is_not_in(
    aegis: Aegis, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AEGIS_FEISHU_ALLOWED_CHATS", "oc_ops,oc_typo")
    ran = look(aegis)
    assert ran.code == 2
    chats = [(state, said) for name, state, said in findings(ran) if name == "chat"]
    assert chats == [
        ("ok", "the bot is in oc_ops"),
        (
            "fail",
            "the bot is not in oc_typo: add it in the group's settings, Bots, or correct the id",
        ),
    ]


def test_doctor_warns_where_alerts_have_no_chat(
    aegis: Aegis, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FEISHU_DEFAULT_CHAT_ID")
    assert findings(look(aegis))[-1][:2] == ("chat", "warn")


def test_doctor_names_a_wrong_secret_and_does_not_tell_it(
    aegis: Aegis, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEISHU_APP_SECRET", "hunter2")
    ran = look(aegis)
    assert condition(ran) == "wrong_setting"
    name, state, said = findings(ran)[-1]
    assert (name, state, "FEISHU_APP_SECRET is wrong" in said) == ("credentials", "fail", True)
    assert "hunter2" not in ran.out + ran.err


def test_doctor_names_the_address_of_a_feishu_that_does_not_answer(
    aegis: Aegis, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AEGIS_FEISHU_BASE_URL", f"http://127.0.0.1:{closed_port()}")
    ran = look(aegis)
    assert condition(ran) == "no_answer"
    ((name, state, said),) = findings(ran)
    assert (name, state) == ("reachable", "fail")
    assert "is AEGIS_FEISHU_BASE_URL right?" in said


def test_doctor_tells_which_permission_is_missing(aegis: Aegis, platform: Platform) -> None:
    platform.fail(Fault("code", path="is_in_chat", code=99991672, status=400))
    name, state, said = findings(look(aegis))[-1]
    assert (name, state) == ("chat", "warn")
    assert "it needs im:chat:readonly" in said


def test_doctor_tells_of_an_app_without_a_bot(aegis: Aegis, platform: Platform) -> None:
    platform.fail(Fault("code", path="/bot/", code=230006, status=400))
    ran = look(aegis)
    assert condition(ran) == "answers"
    assert findings(ran)[-1][:2] == ("bot", "fail")


def test_doctor_says_where_feishu_is_not_set_up(
    aegis: Aegis, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    ran = look(aegis)
    assert condition(ran) == "not_configured"
    assert findings(ran) == [("address", "warn", "not configured; set FEISHU_APP_ID")]

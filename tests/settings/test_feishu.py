"""The settings of Feishu: read together, and a wrong one named without giving a secret away."""

from __future__ import annotations

import pytest

from aegis.model.errors import ConfigurationError
from aegis.model.feishu import FEISHU, LARK, FeishuConfig
from aegis.settings import read_settings

APP = {"FEISHU_APP_ID": "cli_1", "FEISHU_APP_SECRET": "hunter2"}


def feishu(**given: str) -> FeishuConfig:
    found = read_settings({**APP, **given}).feishu
    assert found is not None
    return found


def test_without_an_app_there_is_no_feishu() -> None:
    assert read_settings({}).feishu is None
    assert read_settings({"FEISHU_APP_ID": "", "FEISHU_DEFAULT_CHAT_ID": ""}).feishu is None


def test_an_app_is_enough() -> None:
    assert feishu() == FeishuConfig("cli_1", "hunter2", FEISHU)


def test_everything_is_read() -> None:
    found = feishu(
        FEISHU_VERIFICATION_TOKEN="v",  # noqa: S106
        FEISHU_ENCRYPT_KEY="e",
        FEISHU_DEFAULT_CHAT_ID="oc_1",
        AEGIS_FEISHU_BASE_URL=f"{LARK}/",
        AEGIS_FEISHU_ALLOWED_CHATS="oc_2, oc_3,oc_2,",
    )
    assert found == FeishuConfig("cli_1", "hunter2", LARK, "oc_1", ("oc_2", "oc_3"), "v", "e")


def test_a_chat_is_written_to_where_it_is_the_default_or_allowed() -> None:
    found = feishu(FEISHU_DEFAULT_CHAT_ID="oc_1", AEGIS_FEISHU_ALLOWED_CHATS="oc_2")
    assert [found.may_write_to(one) for one in ("oc_1", "oc_2", "oc_3")] == [True, True, False]
    assert not feishu().may_write_to("")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost", "https://[::1]:1"])
def test_an_address_is_an_origin(url: str) -> None:
    assert feishu(AEGIS_FEISHU_BASE_URL=url).base_url == url


WRONG = [
    ("FEISHU_APP_ID", "cli 1"),
    ("FEISHU_APP_SECRET", "hunter2 hunter2"),
    ("FEISHU_APP_SECRET", "hunter2é"),
    ("FEISHU_VERIFICATION_TOKEN", "hunter2\n"),
    ("FEISHU_ENCRYPT_KEY", "hunter2 "),
    ("FEISHU_DEFAULT_CHAT_ID", "ops"),
    ("FEISHU_DEFAULT_CHAT_ID", "oc_1,oc_2"),
    ("AEGIS_FEISHU_ALLOWED_CHATS", "oc_1,ops"),
    ("AEGIS_FEISHU_BASE_URL", "open.feishu.cn"),
    ("AEGIS_FEISHU_BASE_URL", "http://open.feishu.cn"),
    ("AEGIS_FEISHU_BASE_URL", "ftp://open.feishu.cn"),
    ("AEGIS_FEISHU_BASE_URL", "https://open.feishu.cn/open-apis"),
    ("AEGIS_FEISHU_BASE_URL", "https://open.feishu.cn?"),
    ("AEGIS_FEISHU_BASE_URL", "https://me:hunter2@open.feishu.cn"),
    ("AEGIS_FEISHU_BASE_URL", "https://[open.feishu.cn"),
    ("AEGIS_FEISHU_BASE_URL", "https://open.feishu.cn:port"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_setting_is_named_and_no_secret_told(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name}: ") as caught:
        read_settings({**APP, name: value})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("missing", ["FEISHU_APP_ID", "FEISHU_APP_SECRET"])
def test_half_an_app_is_a_typing_mistake(missing: str) -> None:
    given = {name: value for name, value in APP.items() if name != missing}
    with pytest.raises(ConfigurationError, match=f"^{missing}: missing, but ") as caught:
        read_settings(given)
    assert "hunter2" not in str(caught.value)


def test_a_chat_without_an_app_names_what_is_missing() -> None:
    with pytest.raises(ConfigurationError, match=r"^FEISHU_APP_ID: missing, but FEISHU_DEFAULT"):
        read_settings({"FEISHU_DEFAULT_CHAT_ID": "oc_1"})


def test_no_secret_is_shown() -> None:
    given = {"FEISHU_VERIFICATION_TOKEN": "hunter3", "FEISHU_ENCRYPT_KEY": "hunter4"}
    shown = repr(feishu(**given))
    assert "hunter" not in shown
    assert read_settings(APP | given).secrets == ("hunter2", "hunter3", "hunter4")

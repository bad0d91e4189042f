"""An SDK that is missing or broken: said by name, and no message is given up for it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from aegis.adapters.feishu.examine import Examination
from aegis.adapters.feishu.sdk import load
from aegis.adapters.feishu.sdk_thread import SdkThread
from aegis.adapters.feishu.sender import FeishuSender
from aegis.adapters.system_clock import SystemClock
from aegis.model.errors import ConfigurationError, DeliveryUnavailable
from aegis.model.feishu import FeishuConfig
from aegis.model.message import Message

MESSAGE = Message("1", "oc_a", "create", "text", '{"text":"hi"}', "u-1")
BROKEN = {
    "a name it lacks": ("from json import no_such_name", "cannot import name 'no_such_name'"),
    "half a file": ("def f(:", "SyntaxError"),
    "a clash of versions": ("raise TypeError('Descriptors cannot be created')", "Descriptors"),
    "a package it stands on": ("import no_such_package_there", "no_such_package_there is missing"),
}


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """What is found in place of lark-oapi; what is to be said of it."""
    code, said = BROKEN[request.param]
    (tmp_path / "lark_oapi").mkdir()
    (tmp_path / "lark_oapi" / "__init__.py").write_text(code)
    for name in [one for one in sys.modules if one.partition(".")[0] == "lark_oapi"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    return said


def sender() -> FeishuSender:
    return FeishuSender(FeishuConfig("cli_a", "s", "http://127.0.0.1:9"), SystemClock())


@pytest.mark.parametrize("broken", list(BROKEN), indirect=True)
def test_what_is_wrong_is_said_to_whoever_loads_it(broken: str) -> None:
    thread = SdkThread()
    with pytest.raises(ConfigurationError) as error:
        asyncio.run(thread.start())
    thread.close()
    assert broken in str(error.value)
    assert 'pip install "aegis-sre[feishu]"' in str(error.value)
    assert "\n" not in str(error.value)


def test_one_that_is_not_there_is_not_called_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lark_oapi", None)
    with pytest.raises(ConfigurationError) as error:
        load()
    assert str(error.value).startswith("Feishu needs lark-oapi: pip install")


@pytest.mark.parametrize("broken", ["a name it lacks"], indirect=True)
def test_the_doctor_shows_it(broken: str) -> None:
    found = sender()
    examination = Examination(found)
    asyncio.run(examination.examine())
    found.close()
    (finding,) = examination.health().findings
    assert finding.state == "fail"
    assert broken in finding.said.en


@pytest.mark.parametrize("broken", ["a clash of versions"], indirect=True)
def test_a_message_waits_until_it_is_mended(broken: str) -> None:
    found = sender()
    with pytest.raises(DeliveryUnavailable, match="Descriptors"):
        asyncio.run(found.send(MESSAGE))
    found.close()

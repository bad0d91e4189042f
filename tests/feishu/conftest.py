"""What the tests of Feishu share: a platform on this machine and a bot that speaks to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.feishu.bot import CHAT, Bot, new_bot
from tests.feishu_platform.platform import Platform
from tests.feishu_platform.running import platform_running

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def platform() -> Iterator[Platform]:
    with platform_running(CHAT, "oc_other") as found:
        yield found


@pytest.fixture
def bot(platform: Platform) -> Iterator[Bot]:
    found = new_bot(platform)
    yield found
    found.sender.close()

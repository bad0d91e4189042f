"""Rules for every test: no sockets, except to this machine where a test is marked `loopback`.

And a home of its own: what a person keeps in theirs is neither read nor written.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

DATABASES = ["sqlite", "postgresql"]
LOOPBACK = ["127.0.0.1", "::1"]


def pytest_addoption(parser: pytest.Parser) -> None:
    told = "which database the tests of the store run on"
    parser.addoption("--database", choices=DATABASES, default=DATABASES[0], help=told)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("loopback"):
            item.add_marker(pytest.mark.allow_hosts(LOOPBACK))


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv("AEGIS_DATA_DIR", raising=False)
        yield

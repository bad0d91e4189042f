"""PostgreSQL goes away under a serving process, and comes back."""

from __future__ import annotations

import os
import pwd
import subprocess
import urllib.error
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.live_alertmanager.processes import Server, aegis, ask, feishu, running, until
from tests.live_alertmanager.test_drain import WITHIN_S, call
from tests.store.postgresql import NOBODY, cluster, programs


class Database:
    """A PostgreSQL of the test's own that can be switched off."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._folder = Path(parse_qs(urlsplit(url).query)["host"][0])

    def stop(self) -> None:
        self._control("-m", "immediate", "stop")

    def start(self) -> None:
        options = f"-c listen_addresses= -c unix_socket_directories={self._folder} -c fsync=off"
        self._control("-l", str(self._folder / "log"), "-o", options, "start")

    def _control(self, *command: str) -> None:
        bin_ = programs()
        assert bin_ is not None
        subprocess.run(  # noqa: S603
            [str(bin_ / "pg_ctl"), "-D", str(self._folder / "data"), "-w", *command],
            check=True,
            user=pwd.getpwnam(NOBODY).pw_uid if os.getuid() == 0 else None,
            cwd="/",
            stdout=subprocess.DEVNULL,
        )


@pytest.fixture
def database() -> Iterator[Database]:
    with cluster() as url:
        yield Database(url)


def refused(one: Server, name: str) -> bool:
    try:
        call(one, name)
    except urllib.error.HTTPError as error:
        return error.code == 503
    return False


@pytest.mark.slow
def test_it_recovers_by_itself_and_ends_in_time_while_the_database_is_away(
    tmp_path: Path, database: Database
) -> None:
    with ExitStack() as stack:
        platform = stack.enter_context(feishu(tmp_path))
        one = aegis(tmp_path, {"AEGIS_DB_URL": database.url} | dict(platform.environment))
        stack.enter_context(running(one))

        def told() -> int:
            return len(ask(f"{platform.url}/_platform/messages")["data"]["items"])

        call(one, "db-1")
        until(lambda: told() == 1, 40, "the first message")
        database.stop()
        assert refused(one, "db-2")
        database.start()
        until(lambda: not refused(one, "db-3"), 40, "a call that is kept")
        until(lambda: told() == 2, 60, "the message after the outage")
        database.stop()
        assert one.stop(WITHIN_S) < WITHIN_S
        database.start()


@pytest.mark.slow
def test_it_starts_without_its_database_and_delivers_once_that_is_there(
    tmp_path: Path, database: Database
) -> None:
    """The tables are made then."""
    database.stop()
    with ExitStack() as stack:
        platform = stack.enter_context(feishu(tmp_path))
        one = aegis(tmp_path, {"AEGIS_DB_URL": database.url} | dict(platform.environment))
        stack.enter_context(running(one))
        assert refused(one, "db-1")
        with pytest.raises(urllib.error.HTTPError) as not_ready:
            ask(f"{one.url}/readyz")
        assert not_ready.value.code == 503
        assert b"AEGIS_DB_URL: the database: " in not_ready.value.read()
        database.start()
        until(lambda: not refused(one, "db-2"), 40, "a call that is kept")
        assert ask(f"{one.url}/readyz")["alerts"] == "delivered"
        until(
            lambda: len(ask(f"{platform.url}/_platform/messages")["data"]["items"]) == 1,
            60,
            "the message",
        )
        assert one.stop(WITHIN_S) < WITHIN_S
    assert "Traceback" not in one.log.read_text()

"""Real servers: these tests run in `make test-alerting`, where the programs are installed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.conftest import LOOPBACK
from tests.store.postgresql import cluster, programs

ALERTMANAGER = "prometheus-alertmanager"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [] if shutil.which(ALERTMANAGER) else [ALERTMANAGER]
    missing += [] if programs() else ["postgresql"]
    for item in items:
        if "live_alertmanager" in item.path.parts:
            item.add_marker(pytest.mark.allow_hosts(LOOPBACK))
            if missing:
                item.add_marker(pytest.mark.skip(reason=f"not installed: {', '.join(missing)}"))


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with cluster() as url:
        yield url


@pytest.fixture
def db_url(server: str, request: pytest.FixtureRequest) -> str:
    """A database of the test's own."""
    import psycopg

    name = f"t{abs(hash(request.node.nodeid)) % 10**12}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.replace("/postgres?", f"/{name}?")

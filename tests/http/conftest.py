"""What the tests of the HTTP routes share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.http.server import Server, serving
from tests.recordings import SmallShop

settings.register_profile("thorough")  # what `make test-openapi` asks for


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A case whose cause is the store."""
    return SmallShop().recording().write(tmp_path / "cases" / "shop")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that is asked about the shop; for tests marked `loopback`."""
    folder = tmp_path_factory.mktemp("served") / "shop"
    with serving(SmallShop().recording().write(folder)) as running:
        yield running

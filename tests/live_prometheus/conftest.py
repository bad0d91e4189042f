"""Real backends: these tests run in `make test-backends`, where the programs are installed."""

from __future__ import annotations

import pytest

from tests.conftest import LOOPBACK
from tests.live_prometheus.server import PROGRAMS, is_installed


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = pytest.mark.skip(reason=f"not installed: {', '.join(PROGRAMS)}")
    for item in items:
        if "live_prometheus" in item.path.parts:
            item.add_marker(pytest.mark.allow_hosts(LOOPBACK))
            if not is_installed():
                item.add_marker(missing)

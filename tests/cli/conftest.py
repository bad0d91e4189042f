"""What the tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import Aegis, runner
from tests.recordings import SmallShop


@pytest.fixture(autouse=True)
def _database_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AEGIS_DATA_DIR", str(tmp_path / "data"))
    for name in ("AEGIS_DB_URL", "AEGIS_ROUTES_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def aegis(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Aegis:
    return runner(monkeypatch, capsys)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A case whose cause is the store."""
    return SmallShop().recording().write(tmp_path / "cases" / "shop")

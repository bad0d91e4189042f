"""The Alertmanager example of the documentation is one that Alertmanager takes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "alerting.md"


@pytest.fixture
def example(tmp_path: Path) -> Path:
    (text,) = re.findall(
        r"^```yaml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    file = tmp_path / "alertmanager.yml"
    file.write_text(text, encoding="utf-8")
    return file


def amtool(*arguments: str) -> str:
    command = ["amtool", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603


def test_it_is_valid(example: Path) -> None:
    assert "SUCCESS" in amtool("check-config", str(example))


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        (["severity=info"], "aegis"),
        (["severity=critical"], "fallback,aegis"),
        (["alertname=Watchdog"], "dead-mans-switch"),
    ],
)
def test_every_alert_reaches_aegis_and_the_watchdog_its_own(
    example: Path, labels: list[str], receivers: str
) -> None:
    told = amtool("config", "routes", "test", f"--config.file={example}", *labels)
    assert told.strip() == receivers

"""The import contracts of pyproject.toml hold, and they would notice if they did not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; from importlinter.cli import lint_imports_command as run; run()"
    return subprocess.run(  # noqa: S603 (our own interpreter)
        [sys.executable, "-c", code, "--no-cache", "--no-logo"],
        cwd=root,
        env={"PYTHONPATH": str(root / "src"), "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


BREACHES = {
    "model/text.py": "import aegis.engine",
    "adapters/__init__.py": "import aegis.engine",
    "workflows/__init__.py": "import aegis.adapters",
    "engine/__init__.py": "import random",
    "bootstrap.py": "import kubernetes\nimport dbos\nimport langgraph",
    "a_new_room.py": "",
}


def test_every_import_goes_downwards() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_an_import_that_breaks_the_layers_is_noticed(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("data"))
    for file, lines in BREACHES.items():
        path = tmp_path / "src" / "aegis" / file
        path.write_text(f"{path.read_text() if path.exists() else ''}\n{lines}\n")

    result = lint(tmp_path)

    assert result.returncode != 0
    broken = {line.partition(" (")[0] for line in result.stdout.splitlines() if "BROKEN" in line}
    for contract in (
        "Entrypoints stand on bootstrap, and everything stands on the model",
        "Only bootstrap names an adapter",
        "Adapters bring telemetry and do not think: no import of the engine",
        "Model and engine do no I/O and hold no clock, log or dice",
        "Aegis cannot act on a cluster",
        "DBOS lives in durable.engine only",
        "LangGraph lives in agent.graph only",
    ):
        assert f"{contract} BROKEN" in broken, result.stdout
    assert "a_new_room" in result.stdout

"""What the documentation names exists, and what exists is in the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from aegis.entrypoints.cli.app import app
from aegis.model.backend import BACKENDS, settings_of
from aegis.model.diagnosis import FAMILIES

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
WITHOUT_LINE = {"help", "version"}
SETTING = r"AEGIS_[A-Z_]+|(?:LOKI|PROMETHEUS|JAEGER|ALERTMANAGER|GRAFANA|FEISHU)_[A-Z_]+"


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, set[str]]]:
    """(full name, options) of every command that does something."""
    inner = getattr(command, "commands", {})
    for name, sub in inner.items():
        yield from walk(sub, (*path, name))
    if not inner:
        options = {
            option
            for parameter in command.params
            for option in parameter.opts
            if option.startswith("--") and option.strip("-") not in WITHOUT_LINE
        }
        yield " ".join(path), options


COMMANDS = dict(walk(typer.main.get_command(app), ("aegis",)))


def shown_commands(page: Path) -> Iterator[str]:
    """Everything in code style on a page that starts with `aegis ` or its path in .venv."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    spans = re.findall(
        r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    )
    for line in [line for block in blocks for line in block.splitlines()] + spans:
        if match := re.match(r"(?:\$ )?(?:\.venv/bin/)?(aegis [a-z-].*)", line.strip()):
            yield match[1].partition(" #")[0]


def sections() -> dict[str, str]:
    parts = re.split(r"^## ", text_of("docs/commands.md"), flags=re.MULTILINE)
    return {part.partition("\n")[0].strip("` "): part for part in parts}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_on_a_page_exists_with_its_options(page: Path) -> None:
    for line in shown_commands(page):
        if "→" in line:  # a drawing, not a command
            continue
        known = [name for name in COMMANDS if f"{line} ".startswith(f"{name} ")]
        assert known or line.startswith("aegis --"), f"no such command: {line}"
        used = set(re.findall(r"(?<!\S)--[a-z-]+", line)) - {"--help", "--version"}
        assert used <= set().union(*(COMMANDS[name] for name in known)), line


def test_some_commands_are_on_the_first_page() -> None:
    shown = " ".join(shown_commands(ROOT / "README.md"))
    assert all(name in shown for name in COMMANDS if name != "aegis demo")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_is_explained(name: str) -> None:
    explained = sections()[name]
    rows = "\n".join(line for line in explained.splitlines() if line.startswith("| `--"))
    assert set(re.findall(r"`(--[a-z-]+)`", rows)) == COMMANDS[name]


def test_settings_in_the_documentation_are_those_that_are_read() -> None:
    read = {
        name
        for file in [*(ROOT / "src/aegis/settings").glob("*.py"), ROOT / "tests/live_backends.py"]
        for name in re.findall(SETTING, file.read_text(encoding="utf-8"))
    }
    read |= {name for backend in BACKENDS for name in settings_of(backend)}
    told = {
        name for page in PAGES for name in re.findall(SETTING, page.read_text(encoding="utf-8"))
    }
    assert told == read
    assert read


def test_make_targets_in_the_documentation_are_those_there_are() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", text_of("Makefile"), re.MULTILINE))
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    told = set(re.findall(r"(?:`|^)make ([a-z-]+)", pages, re.MULTILINE))
    assert told == targets


def test_exit_codes_are_told_alike_everywhere() -> None:
    tables = [
        re.findall(r"^\| (\d) \|", text, re.MULTILINE)
        for text in (text_of("README.md"), text_of("docs/commands.md"))
    ]
    assert tables[0] == tables[1] * 2  # the README tells them in two languages
    for code in tables[1]:
        assert re.search(rf"\b{code} [a-z]", str(app.info.epilog))


def test_the_families_of_faults_are_those_the_engine_knows() -> None:
    for page in ("README.md", "docs/cases.md"):
        text = text_of(page).replace("`", "")
        assert any(", ".join(FAMILIES) in line.replace("、", ", ") for line in text.splitlines())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_first_page_starts_with_the_two_commands() -> None:
    block = re.findall(r"^```\w*\n(.*?)^```", text_of("README.md"), re.DOTALL | re.MULTILINE)[0]
    assert [line.split("#")[0].strip() for line in block.splitlines()] == ["make demo", "make test"]

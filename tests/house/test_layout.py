"""The house rules that no linter knows: sizes, names, and what no file may mention."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_OURS = {".git", ".venv", "build", "dist", "node_modules"}

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 60
LONG_FILES: dict[str, str] = {}
"""File (from the root) to the reason why it may be longer."""

VAGUE_WORDS = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}

# Written backwards, so that this file does not mention them either.
INDEX_HOSTS = [
    name[::-1]
    for name in ("gro.ipyp", "gro.detsohnohtyp", "gro.sjmpn", "moc.nuyila.srorrim", "ude.auhgnist")
]
RECORDED_ELSEWHERE = [
    name[::-1]
    for name in ("ahzen", "pohstep", "laveacr", "tekcitniart", "euqituobenilno", "pohskcos")
]


def our_files() -> Iterator[Path]:
    for path in sorted(ROOT.rglob("*")):
        parts = set(path.relative_to(ROOT).parts)
        hidden = {part for part in parts if part.endswith(("_cache", ".egg-info"))}
        if path.is_file() and not parts & (NOT_OURS | {"__pycache__", ".hypothesis"} | hidden):
            yield path


def python_files(folder: str) -> list[Path]:
    return [
        path for path in our_files() if path.is_relative_to(ROOT / folder) and path.suffix == ".py"
    ]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_files_are_short_enough_to_read_in_one_go() -> None:
    long = {
        name_of(path): count
        for path in python_files("src")
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > MAX_FILE_LINES
    }
    assert set(long) <= set(LONG_FILES), f"longer than {MAX_FILE_LINES} lines: {long}"
    assert set(LONG_FILES) <= set(long), "short again: take it off the list"


def test_functions_are_short_enough_to_see_at_once() -> None:
    long = [
        f"{name_of(path)}:{node.lineno} {node.name}: {lines} lines"
        for path in python_files("src")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_FUNCTION_LINES
    ]
    assert long == []


@pytest.mark.parametrize("folder", ["src", "lab", "tests"])
def test_names_say_what_is_inside(folder: str) -> None:
    vague = [
        name_of(path)
        for path in python_files(folder)
        if VAGUE_WORDS & set(re.split(r"[/_.]", name_of(path).lower()))
    ]
    assert vague == []


def test_classes_are_named_for_what_they_are() -> None:
    vague = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in python_files("src")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        and (node.name.startswith("Base") or node.name.endswith(("Manager", "Helper", "Utils")))
    ]
    assert vague == []


def test_the_engine_knows_no_incident_by_name() -> None:
    known = []
    for path in our_files():
        if path.suffix == ".parquet":
            continue
        letters = re.sub(rb"[^a-z]", b"", path.read_bytes().lower()).decode()
        known += [(name_of(path), name) for name in RECORDED_ELSEWHERE if name in letters]
    assert known == []


def test_no_file_names_a_package_index() -> None:
    named = [
        (name_of(path), host)
        for path in our_files()
        for host in INDEX_HOSTS
        if host.encode() in path.read_bytes().lower()
    ]
    assert named == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_every_package_by_hash_and_holds_no_url(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(
        r"^\s*(--(index|extra-index|find-links|trusted)|-i |-f )", text, re.MULTILINE
    )
    requirements = [block for block in re.split(r"\n(?=\S)", text) if not block.startswith("#")]
    assert requirements
    for requirement in requirements:
        assert re.match(r"[a-zA-Z0-9_.-]+==\S+", requirement), requirement
        assert "--hash=sha256:" in requirement, requirement


def test_the_dev_lock_pins_what_the_runtime_lock_pins() -> None:
    runtime, dev = (
        set(re.findall(r"^(\S+==\S+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))
        for lock in ("requirements.lock", "requirements-dev.lock")
    )
    assert runtime <= dev

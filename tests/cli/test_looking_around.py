"""`aegis case`, `aegis demo`, `aegis --help`: finding one's way."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aegis import bootstrap
from tests.cli.commands import Aegis

HEAVY = ("numpy", "scipy", "pyarrow", "drain3", "aegis.engine", "aegis.adapters")


def test_a_case_shows_what_it_holds_and_not_its_labels(aegis: Aegis, shop: Path) -> None:
    shown = aegis("case", "show", shop, "--json").json()
    assert shown["id"] == "small-shop"
    assert shown["metrics"] == {"series": 6, "samples": 480}
    assert (shown["spans"], shown["logs"]) == (1200, 460)
    assert shown["services"] == [
        {"name": "cart", "series": 2, "spans": 400, "logs": 0},
        {"name": "shop", "series": 2, "spans": 400, "logs": 0},
        {"name": "store", "series": 2, "spans": 400, "logs": 460},
    ]
    assert shown["fault_window"]["start"] == "2026-03-01T10:30:00Z"
    assert shown["asked"]["question"] == "Why is the shop slow?"
    assert "truth" not in str(shown)
    assert "cpu stress" not in str(shown)


def test_a_case_shows_itself_to_people(aegis: Aegis, shop: Path) -> None:
    text = aegis("case", "show", shop).out
    assert "6 series, 480 samples" in text
    assert ["store", "2", "400", "460"] in [line.split() for line in text.splitlines()]


def test_a_sound_case_is_valid(aegis: Aegis, shop: Path) -> None:
    ran = aegis("case", "validate", shop)
    assert (ran.code, ran.out) == (0, f"{shop} follows aegis-case/1.\n")
    assert aegis("case", "validate", shop, "--json").json() == {"valid": True, "problems": []}


def test_help_names_the_commands_and_the_exit_codes(aegis: Aegis) -> None:
    text = " ".join(aegis("--help").out.split())
    for command in ("analyze", "demo", "bench", "case"):
        assert command in text
    for code in ("0 answered", "2 wrong usage", "3 invalid case or input", "4 a source"):
        assert code in text


def test_help_comes_at_once_because_nothing_heavy_is_imported() -> None:
    program = (
        "import sys, aegis.entrypoints.cli.app\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    ran = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"


def test_the_demo_names_a_cause_with_proof_and_says_how_to_go_on(aegis: Aegis) -> None:
    text = aegis("demo", "--lang", "en").out
    assert "Most likely root causes" in text
    assert "How to go on" in text
    (command,) = [line for line in text.splitlines() if "--case" in line]
    assert command.endswith("demo-incident")


def test_the_demo_s_top_cause_is_the_labelled_one(aegis: Aegis) -> None:
    (top, *_) = aegis("demo", "--json").json()["ranked_root_causes"]
    truth = bootstrap.LabelledFolder(bootstrap.demo_case(), "demo").truth()
    assert truth is not None
    assert top["service"] in {cause.service for cause in truth}
    assert top["evidence_ids"]


def test_the_demo_speaks_the_configured_language(
    aegis: Aegis, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "最可能的根因" in aegis("demo").out
    monkeypatch.setenv("AEGIS_LANGUAGE", "en")
    assert "Most likely root causes" in aegis("demo").out


def test_a_case_can_neither_drive_the_terminal_nor_break_its_markup(
    aegis: Aegis, shop: Path
) -> None:
    header = json.loads((shop / "case.json").read_text())
    header["services"] += ["a[/b]", "[red]c", "\x1b[2Jd"]
    header |= {"source": "\x1b]0;mine\x07", "id": "x\u202ey"}
    (shop / "case.json").write_text(json.dumps(header))

    ran = aegis("case", "show", shop)

    assert ran.code == 0
    assert {"a[/b]", "[red]c", "\ufffd[2Jd"} <= set(ran.out.split())
    assert not set(ran.out) & {"\x1b", "\x07", "\u202e"}
    assert not set(aegis("case", "validate", shop).out) & {"\x1b", "\x07", "\u202e"}

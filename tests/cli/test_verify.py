"""`aegis verify` on an answer that `aegis analyze --json` printed."""

from __future__ import annotations

import json
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cli.commands import Aegis


@pytest.fixture
def printed(aegis: Aegis, shop: Path) -> Path:
    file = shop.parent / "answer.json"
    file.write_text(aegis("analyze", "Why is the shop slow?", "--case", shop, "--json").out)
    return file


def test_a_fresh_answer_stands(aegis: Aegis, shop: Path, printed: Path) -> None:
    ran = aegis("verify", printed, "--case", shop)
    cited = json.loads(printed.read_text())["evidence"]
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[-1] == f"{len(cited)} match"
    results = aegis("verify", printed, "--case", shop, "--json").json()["results"]
    assert [(one["id"], one["verdict"]) for one in results] == [
        (item["id"], "match") for item in cited
    ]


def test_the_case_may_come_from_the_setting(
    aegis: Aegis, shop: Path, printed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AEGIS_CASE_DIR", str(shop.parent))
    assert aegis("verify", printed).code == 0


def test_an_answer_comes_from_a_pipe_too(
    aegis: Aegis, shop: Path, printed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(printed.read_bytes())))
    assert aegis("verify", "-", "--case", shop).code == 0


def test_telemetry_that_is_gone_or_changed_is_exit_3(
    aegis: Aegis, shop: Path, printed: Path
) -> None:
    (shop / "metrics.parquet").unlink()
    logs = pq.read_table(shop / "logs.parquet")
    pq.write_table(logs.slice(0, 330), shop / "logs.parquet")
    ran = aegis("verify", printed, "--case", shop, "--json")
    verdicts = {one["id"][0]: one["verdict"] for one in ran.json()["results"]}
    assert ran.code == 3
    assert verdicts["m"] == "gone"
    assert verdicts["t"] == "match"
    assert verdicts["l"] == "changed"


def test_a_torn_file_is_exit_4_and_not_called_changed(
    aegis: Aegis, shop: Path, printed: Path
) -> None:
    path = shop / "metrics.parquet"
    footer = path.read_bytes()
    path.write_bytes(footer[:4] + b"\xff" * 400 + footer[404:])
    ran = aegis("verify", printed, "--case", shop, "--json")
    verdicts = {one["id"][0]: one["verdict"] for one in ran.json()["results"]}
    assert ran.code == 4
    assert verdicts["m"] == "unverifiable"
    assert verdicts["t"] == "match"


BAD_ANSWERS = {
    "not JSON": ("{oops", "answer.json: is not JSON"),
    "a list": ("[]", "evidence: must be a list"),
    "no evidence": ("{}", "evidence: must be a list"),
    "an item of text": ('{"evidence": ["m1"]}', "evidence[0]: must be an object"),
    "an item without a query": (
        '{"evidence": [{"id": "m1", "source": "metrics"}]}',
        "evidence[0].query: is missing",
    ),
    "a hash of numbers": (
        '{"evidence": [{"id": "m1", "source": "metrics", "query": "x", "sha256": 7, '
        '"start": "2026-03-01T10:00Z", "end": "2026-03-01T11:00Z"}]}',
        "evidence[0].sha256: must be text",
    ),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_what_is_no_answer_is_named_in_one_line(aegis: Aegis, shop: Path, name: str) -> None:
    content, message = BAD_ANSWERS[name]
    file = shop.parent / "answer.json"
    file.write_text(content)
    ran = aegis("verify", file, "--case", shop)
    assert (ran.code, ran.out) == (3, "")
    assert message in ran.err
    assert ran.err.count("\n") == 1


def test_a_file_that_is_not_there_is_named(aegis: Aegis, shop: Path) -> None:
    ran = aegis("verify", shop / "gone.json", "--case", shop)
    assert (ran.code, "gone.json: No such file" in ran.err) == (3, True)


def test_without_a_case_it_says_what_to_give(
    aegis: Aegis, printed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AEGIS_CASE_DIR", raising=False)
    ran = aegis("verify", printed)
    assert (ran.code, "AEGIS_CASE_DIR" in ran.err) == (2, True)


def test_an_answer_can_neither_drive_the_terminal_nor_break_its_markup(
    aegis: Aegis, shop: Path, printed: Path
) -> None:
    answer = json.loads(printed.read_text())
    answer["evidence"] = answer["evidence"][:1]
    answer["evidence"][0] |= {"id": "[/m1]\x1b[2J", "sha256": "0" * 64}
    printed.write_text(json.dumps(answer))

    ran = aegis("verify", printed, "--case", shop)

    assert ran.code == 3
    assert "[/m1]\ufffd[2J" in ran.out
    assert "\x1b" not in ran.out

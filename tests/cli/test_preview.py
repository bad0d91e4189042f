"""`aegis alerts preview`: the cards of a webhook body, with nothing stored or sent."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from tests.cli.commands import Aegis
from tests.messages.card_rules import check_card

CAPTURES = Path(__file__).parents[1] / "messages/captures"


@pytest.fixture(autouse=True)
def _routes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text("default: {chat: oc_a, quiet_hours: {from: 0:00, to: 24:00}}", "utf-8")
    monkeypatch.setenv("AEGIS_ROUTES_FILE", str(file))


def test_a_body_is_shown_as_people_would_read_it(aegis: Aegis) -> None:
    ran = aegis("alerts", "preview", CAPTURES / "am0.33.1_single.json", "--lang", "en")
    assert ran.code == 0
    assert ran.out.startswith("oc_a, ")
    assert "SingleAlert · lab" in ran.out
    assert "🌙" not in ran.out  # critical breaks through
    held = aegis("alerts", "preview", CAPTURES / "am0.33.1_partial_2.json", "--lang", "en")
    assert "quiet until" in held.out
    assert "🌙 Quiet hours digest: 1 firing, 2 resolved" in held.out


def test_a_program_gets_the_card_itself(aegis: Aegis) -> None:
    found = aegis("alerts", "preview", CAPTURES / "am0.33.1_unicode.json", "--json").json()
    (message,) = found["messages"]
    assert (message["chat_id"], message["not_before"], found["quarantined"]) == ("oc_a", None, 0)
    check_card(json.dumps(message["card"], ensure_ascii=False, separators=(",", ":")))
    assert 0 < message["bytes"] < 28_000


def test_a_body_comes_from_stdin_too_and_what_is_no_alert_is_counted(
    aegis: Aegis, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = io.TextIOWrapper(io.BytesIO(b'{"alerts": [{"labels": {}}]}'))
    monkeypatch.setattr(sys, "stdin", body)
    ran = aegis("alerts", "preview", "-", "--lang", "en")
    assert ran.code == 0
    assert "Nobody would be told" in ran.out
    assert "1 items are no alerts" in ran.out


def test_what_is_no_alert_is_shown_with_the_reason(
    aegis: Aegis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def given(body: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(body)))

    given(b'{"alerts": [{"status": "weird", "labels": 3}]}')
    assert "labels" in aegis("alerts", "preview", "-", "--lang", "en").out
    given(b'{"alerts": [{"labels": 3}, {"labels": 3}]}')
    found = aegis("alerts", "preview", "-", "--json").json()
    assert (found["quarantined"], len(found["reasons"])) == (2, 1)


def test_a_file_that_is_not_there_is_named(aegis: Aegis) -> None:
    ran = aegis("alerts", "preview", "nowhere.json")
    assert (ran.code, ran.err) == (
        3,
        "error: nowhere.json: cannot be read: No such file or directory\n",
    )

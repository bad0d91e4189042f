"""`aegis routes`: who would hear of an alert, before one fires."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.commands import Aegis

ROUTES = """\
routes:
  - name: payments
    matchers: ['team="payments"']
    chat: oc_payments
    mentions:
      - {severities: [critical], mention: all}
      - mention: [ou_ann]
    quiet_hours: {from: 22:00, to: 08:00}
  - {name: nobody, matchers: [team=b], chat: oc_b, mentions: {mention: none}}
"""


@pytest.fixture(autouse=True)
def _routes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(ROUTES, encoding="utf-8")
    monkeypatch.setenv("AEGIS_ROUTES_FILE", str(file))


def test_the_routes_an_alert_takes_are_shown(aegis: Aegis) -> None:
    at = ("--at", "2026-11-25T23:00", "--lang", "en")
    held = aegis("routes", "test", "team=payments", "severity=warning", *at)
    assert held.code == 0
    assert held.out.splitlines()[1].split() == [
        *("payments", "oc_payments", "ou_ann", "quiet", "until", "11-26", "08:00")
    ]
    loud = aegis("routes", "test", "team=payments,severity=critical", *at)
    assert loud.out.splitlines()[1].split() == [
        *("payments", "oc_payments", "everybody", "at", "once")
    ]
    silent = aegis("routes", "test", "team=b", "--lang", "zh")
    assert silent.out.splitlines()[1].split() == ["nobody", "oc_b", "不提醒", "立即"]
    lost = aegis("routes", "test", "team=x", "--lang", "en")
    assert "Nobody is told" in lost.out


def test_a_program_gets_the_same(aegis: Aegis) -> None:
    at = ("--at", "2026-11-25T23:00", "--json")
    assert aegis("routes", "test", "team=payments", 'note=a "b"', *at).json() == {
        "labels": {"note": 'a "b"', "team": "payments"},
        "at": "2026-11-25T15:00:00Z",
        "targets": [
            {
                "route": "payments",
                "chat_id": "oc_payments",
                "mention": {"everybody": False, "people": ["ou_ann"]},
                "not_before": "2026-11-26T00:00:00Z",
            }
        ],
    }


@pytest.mark.parametrize("label", ["severity", "severity=~critical", "=x"])
def test_what_is_no_label_is_wrong_usage(aegis: Aegis, label: str) -> None:
    assert aegis("routes", "test", label).code == 2
    assert aegis("routes", "test", "a=b", "--at", "soon").code == 2


def test_a_check_says_what_is_there_and_what_is_odd(aegis: Aegis) -> None:
    ran = aegis("routes", "check", "--lang", "en")
    assert ran.code == 0
    assert "✓ 2 routes to 2 chats" in ran.out
    assert "! no default chat" in ran.out
    found = aegis("routes", "check", "--json").json()
    assert (found["ok"], found["routes"], found["default"]) == (True, 2, None)


def test_a_check_of_a_wrong_file_names_the_line(aegis: Aegis, tmp_path: Path) -> None:
    (tmp_path / "routes.yaml").write_text("routes:\n  - chat: general\n", encoding="utf-8")
    ran = aegis("routes", "check")
    assert ran.code == 2
    assert "line 2: routes[1].chat: 'general' is neither the id of a chat" in ran.err


def test_without_any_chat_a_check_says_what_to_set(
    aegis: Aegis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AEGIS_ROUTES_FILE")
    assert "FEISHU_DEFAULT_CHAT_ID" in aegis("routes", "check").out


def test_the_example_of_the_documentation_says_what_it_shows(aegis: Aegis, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/routing.md").read_text(encoding="utf-8")
    file, command, shown = re.findall(r"^```\w*\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (tmp_path / "routes.yaml").write_text(file, encoding="utf-8")
    ran = aegis(*command.split()[1:], "--lang", "en")
    assert [line.rstrip() for line in ran.out.splitlines()] == shown.splitlines()
    assert "3 routes to 3 chats" in aegis("routes", "check", "--lang", "en").out

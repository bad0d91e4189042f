"""`aegis analyze`: the answer for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.cells import cell_len

from aegis.entrypoints.cli.answer_text import percent, probability_bar, sparkline
from tests.cli.commands import Aegis
from tests.recordings import SmallShop

ENGLISH, CHINESE = "Why is the shop slow?", "商店为什么变慢？"


def test_the_json_has_the_shape_of_the_http_answer(aegis: Aegis, shop: Path) -> None:
    ran = aegis("analyze", ENGLISH, "--case", shop, "--json")
    answer = ran.json()
    assert (ran.code, ran.err) == (0, "")
    assert set(answer) == {
        "summary",
        "ranked_root_causes",
        "none_probability",
        "next_actions",
        "trace",
        "evidence",
        "impact",
        "timeline",
        "ruled_out",
        "blind_spots",
        "narrator",
        "start",
        "end",
        "session_id",
    }
    assert (answer["narrator"], answer["session_id"]) == ("engine", None)
    assert (answer["start"], answer["end"]) == ("2026-03-01T10:30:00Z", "2026-03-01T10:36:00Z")


def test_the_top_cause_comes_with_evidence_that_is_in_the_answer(aegis: Aegis, shop: Path) -> None:
    answer = aegis("analyze", ENGLISH, "--case", shop, "--json").json()
    top, known = answer["ranked_root_causes"][0], {item["id"] for item in answer["evidence"]}
    assert (top["rank"], top["service"]) == (1, "store")
    assert top["probability"] == round(top["probability"], 4)
    assert top["evidence_ids"]
    assert {*top["evidence_ids"], *top["against"]} <= known
    assert top["key_indicators"]
    assert any("throttled" in line for line in top["key_logs"])
    assert top["onset"].startswith("2026-03-01T10:")


def test_every_evidence_can_be_asked_for_again(aegis: Aegis, shop: Path) -> None:
    answer = aegis("analyze", ENGLISH, "--case", shop, "--json").json()
    for item in answer["evidence"]:
        assert item["query"]
        assert len(item["sha256"]) == 64
        assert item["start"] < item["end"]


def test_the_trace_numbers_its_steps_from_the_plan_on(aegis: Aegis, shop: Path) -> None:
    steps = aegis("analyze", ENGLISH, "--case", shop, "--json").json()["trace"]["steps"]
    assert [step["index"] for step in steps] == list(range(len(steps)))
    assert steps[0]["tool"] == "trace_note"
    assert all(set(s) == {"index", "tool", "tool_input", "observation", "log"} for s in steps)


def test_the_language_follows_the_question_unless_it_is_chosen(aegis: Aegis, shop: Path) -> None:
    in_chinese = aegis("analyze", CHINESE, "--case", shop).out
    assert "最可能的根因" in in_chinese
    assert "Most likely root causes" in aegis("analyze", ENGLISH, "--case", shop).out
    assert "最可能的根因" in aegis("analyze", ENGLISH, "--case", shop, "--lang", "zh").out


@pytest.mark.parametrize("question", [ENGLISH, CHINESE])
def test_people_read_blind_spots_first_at_80_columns_without_colour(
    aegis: Aegis, shop: Path, question: str
) -> None:
    (shop / "logs.parquet").unlink()
    text = aegis("analyze", question, "--case", shop).out
    titles = ("没有看到的", "影响", "最可能的根因", "下一步")
    if question == ENGLISH:
        titles = ("Not seen", "Impact", "Most likely root causes", "Next actions")
    places = [text.index(title) for title in titles]
    assert places == sorted(places)
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert "\x1b" not in text


def test_the_order_of_rows_and_columns_changes_no_byte_of_the_answer(
    aegis: Aegis, shop: Path
) -> None:
    before = aegis("analyze", ENGLISH, "--case", shop, "--json").out
    dice = np.random.default_rng(11)
    for name in ("metrics", "spans", "logs"):
        table = pq.read_table(shop / f"{name}.parquet")
        table = table.take(dice.permutation(len(table)))
        columns = dice.permutation(table.column_names).tolist()
        pq.write_table(table.select(columns), shop / f"{name}.parquet", row_group_size=97)
    header = json.loads((shop / "case.json").read_text())
    header["services"].reverse()
    header["calls"].reverse()
    (shop / "case.json").write_text(json.dumps(header))
    assert aegis("analyze", ENGLISH, "--case", shop, "--json").out == before


def test_a_time_without_offset_is_in_the_configured_zone(
    aegis: Aegis, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("analyze", ENGLISH, "--case", shop, "--json")
    shanghai = ("--start", "2026-03-01 18:30", "--end", "2026-03-01T18:36:00")
    assert aegis(*asked, *shanghai).json()["start"] == "2026-03-01T10:30:00Z"
    with_offset = ("--start", "2026-03-01T11:30+01:00", "--end", "2026-03-01T10:36:00Z")
    assert aegis(*asked, *with_offset).json()["start"] == "2026-03-01T10:30:00Z"
    monkeypatch.setenv("AEGIS_TIMEZONE", "UTC")
    utc = ("--start", "2026-03-01 10:30", "--end", "2026-03-01 10:36")
    assert aegis(*asked, *utc).json()["start"] == "2026-03-01T10:30:00Z"


def test_without_logs_the_answer_cites_none(aegis: Aegis, shop: Path) -> None:
    asked = ("analyze", ENGLISH, "--case", shop, "--json")
    assert "logs" in {item["source"] for item in aegis(*asked).json()["evidence"]}
    ablated = aegis(*asked, "--ablate", "logs").json()
    assert "logs" not in {item["source"] for item in ablated["evidence"]}
    assert json.loads(ablated["trace"]["steps"][-1]["tool_input"])["without"] == ["logs"]


def test_where_nothing_is_wrong_no_cause_is_named(aegis: Aegis, tmp_path: Path) -> None:
    quiet = SmallShop(faulty=False).recording("quiet").write(tmp_path / "quiet")
    answer = aegis("analyze", ENGLISH, "--case", quiet, "--json").json()
    assert answer["ranked_root_causes"] == []
    assert answer["none_probability"] > 0.5
    assert answer["summary"]
    assert "No cause stands out" in aegis("analyze", ENGLISH, "--case", quiet).out


def test_recorded_text_cannot_drive_the_terminal(aegis: Aegis, tmp_path: Path) -> None:
    recording = SmallShop().recording()
    body = tuple(text.replace("throttled", "\x1b[31mthrottled") for text in recording.logs.body)
    object.__setattr__(recording.logs, "body", body)
    folder = recording.write(tmp_path / "evil")
    assert "\x1b" not in aegis("analyze", ENGLISH, "--case", folder).out


def test_a_bar_is_as_long_as_its_probability() -> None:
    assert probability_bar(0.5) == "█" * 10 + "░" * 10
    assert probability_bar(0.0) == "░" * 20
    assert probability_bar(0.001)[:2] == "█░"


def test_a_percentage_never_rounds_to_certainty() -> None:
    assert [percent(p) for p in (0.999, 0.5, 0.001, 0.0)] == [">99%", " 50%", " <1%", "  0%"]


def test_a_sparkline_runs_from_the_lowest_to_the_highest_value() -> None:
    assert sparkline([0.0, 7.0]) == "▁█"
    assert sparkline([3.0, 3.0, 3.0]) == "▁▁▁"
    assert sparkline([1.0]) == ""
    assert len(sparkline(list(range(100)))) == 16


def test_the_time_a_question_names_is_a_guess_whose_onset_is_told(aegis: Aegis, shop: Path) -> None:
    """The clock stands at 18:39:54 in Shanghai; the store is slow from 18:30 to 18:36."""
    chinese = aegis("analyze", "18:25~18:33 商店为什么慢？", "--case", shop, "--json").json()
    assert (chinese["start"], chinese["end"]) == ("2026-03-01T10:25:00Z", "2026-03-01T10:33:00Z")
    onset = chinese["onset"]
    assert onset["outcome"] == "ended"
    assert "2026-03-01T10:29:30Z" <= onset["start"] <= "2026-03-01T10:30:30Z"
    assert onset["statement"] in chinese["summary"].splitlines()
    assert onset["statement"].startswith("始于 UTC 10:")
    point = aegis("analyze", "why was the shop slow at 18:28?", "--case", shop, "--json").json()
    assert point["onset"]["start"] == onset["start"]
    step = next(one for one in point["trace"]["steps"] if one["tool"] == "find_onset")
    assert json.loads(step["tool_input"])["moment"] == "2026-03-01T10:28:00Z"
    assert point["onset"]["statement"].startswith("It began at 10:")


def test_a_window_that_is_given_is_explained_as_it_is(aegis: Aegis, shop: Path) -> None:
    given = ("--start", "2026-03-01T10:28:00Z", "--end", "2026-03-01T10:36:00Z")
    question = "why was the shop slow at 18:28?"
    answer = aegis("analyze", question, "--case", shop, *given, "--json").json()
    assert (answer["start"], answer["end"]) == ("2026-03-01T10:28:00Z", "2026-03-01T10:36:00Z")
    assert "onset" not in answer
    assert not any("left_out" in item for item in answer["evidence"])


def test_the_onset_step_can_be_left_out(aegis: Aegis, shop: Path) -> None:
    question = "why was the shop slow between 18:25 and 18:33?"
    answer = aegis("analyze", question, "--case", shop, "--ablate", "onset", "--json").json()
    assert (answer["start"], answer["end"]) == ("2026-03-01T10:25:00Z", "2026-03-01T10:33:00Z")
    assert "onset" not in answer

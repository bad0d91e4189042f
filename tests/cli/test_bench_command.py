"""`aegis bench`: every case below a folder, scored."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import Aegis
from tests.recordings import SmallShop, between


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """Two sets: three faults and one quiet case, beside things that are no case."""
    root = tmp_path / "sets"
    for number in range(3):
        start = 24 + 3 * number
        shop = SmallShop(fault=between(start, start + 6))
        shop.recording(f"fault-{number}").write(root / "faults" / f"case-{number}")
    SmallShop(faulty=False).recording("quiet-0").write(root / "quiet" / "case-0")
    (root / "notes").mkdir()
    (root / "notes" / "README.md").write_text("not a case")
    return root


def without_timings(report: Any) -> Any:
    if isinstance(report, dict):
        return {
            key: without_timings(value)
            for key, value in report.items()
            if not key.startswith("cpu_s")
        }
    return [without_timings(item) for item in report] if isinstance(report, list) else report


def test_every_case_is_scored_by_set_and_pooled(aegis: Aegis, sets: Path) -> None:
    ran = aegis("bench", sets, "--json")
    report = ran.json()
    assert (ran.code, ran.err) == (0, "")
    assert list(report["sets"]) == ["faults", "quiet"]
    assert report["sets"]["faults"]["cases"] == 3
    assert report["sets"]["faults"]["ac1"] == 1.0
    assert report["sets"]["quiet"]["false_alarms"] == {"0.5": 0.0, "0.8": 0.0, "0.9": 0.0}
    assert report["pooled"]["cases"] == 4
    assert [one["id"] for one in report["per_case"]] == ["fault-0", "fault-1", "fault-2", "quiet-0"]
    assert set(report["pooled"]) == {
        "cases",
        "ac1",
        "ac3",
        "avg5",
        "family",
        "brier",
        "ece",
        "false_alarms",
        "coverage",
        "precision",
        "cpu_s_p50",
        "cpu_s_p95",
    }


def test_a_table_for_people_has_a_column_for_each_set(aegis: Aegis, sets: Path) -> None:
    text = aegis("bench", sets).out
    assert text.split()[:3] == ["faults", "quiet", "pooled"]
    assert "ac1" in text
    assert "cpu s p95" in text


def test_a_broken_case_is_named_and_counted_and_does_not_stop_the_others(
    aegis: Aegis, sets: Path
) -> None:
    (sets / "faults" / "case-1" / "spans.parquet").write_bytes(b"torn")
    ran = aegis("bench", sets, "--json")
    assert ran.code == 0
    assert ran.err.count("\n") == 1
    assert "case-1/spans.parquet: cannot be read as Parquet" in ran.err
    assert ran.json()["failed"] == 1
    assert ran.json()["pooled"]["cases"] == 3


@pytest.mark.slow
def test_two_processes_find_what_one_finds(aegis: Aegis, sets: Path) -> None:
    alone = aegis("bench", sets, "--json").json()
    both = aegis("bench", sets, "--json", "--jobs", 2).json()
    assert without_timings(both) == without_timings(alone)


def test_unlabelled_cases_are_ranked_and_not_scored(aegis: Aegis, sets: Path) -> None:
    (sets / "quiet" / "case-0" / "truth.json").unlink()
    report = aegis("bench", sets / "quiet", "--json").json()
    assert report["pooled"]["brier"] is None
    assert report["per_case"][0]["truth"] is None
    assert report["per_case"][0]["ranking"]


def test_a_case_below_two_given_folders_counts_once(aegis: Aegis, sets: Path) -> None:
    report = aegis("bench", sets, sets / "faults", "--json").json()
    assert report["pooled"]["cases"] == 4


def test_sets_of_the_same_name_are_told_apart_by_their_paths(aegis: Aegis, sets: Path) -> None:
    SmallShop().recording("other").write(sets / "more" / "faults" / "case-9")
    named = aegis("bench", sets, "--json").json()["sets"]
    assert set(named) == {
        str(sets.resolve() / "faults"),
        str(sets.resolve() / "more" / "faults"),
        "quiet",
    }


def test_dealing_the_labels_anew_keeps_the_rankings(aegis: Aegis, sets: Path) -> None:
    for number, service in enumerate(("store", "cart", "shop")):
        truth = {"root_causes": [{"service": service, "fault": "x", "family": None}]}
        path = sets / "faults" / f"case-{number}" / "truth.json"
        path.write_text(json.dumps(truth))
    plain = aegis("bench", sets / "faults", "--json").json()
    dealt = aegis("bench", sets / "faults", "--json", "--shuffle-labels", 3).json()
    assert [one["ranking"] for one in dealt["per_case"]] == [
        one["ranking"] for one in plain["per_case"]
    ]
    assert [one["truth"] for one in dealt["per_case"]] != [
        one["truth"] for one in plain["per_case"]
    ]


def test_the_asked_window_is_used_and_cases_without_one_are_skipped(
    aegis: Aegis, sets: Path
) -> None:
    silent = SmallShop().recording("nobody-asked")
    silent = replace(silent, header=replace(silent.header, asked=None))
    silent.write(sets / "faults" / "case-3")
    report = aegis("bench", sets / "faults", "--window", "asked", "--json").json()
    assert [one["id"] for one in report["per_case"]] == ["fault-0", "fault-1", "fault-2"]
    assert report["failed"] == 0


def test_a_folder_without_cases_is_an_error(aegis: Aegis, sets: Path) -> None:
    ran = aegis("bench", sets / "notes")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == f"error: {sets / 'notes'}: there is no case folder in it\n"


def test_an_asked_window_is_looked_into_and_its_onset_scored(aegis: Aegis, sets: Path) -> None:
    """The question looks back 15 minutes from the end; the labels do not tell the onset."""
    truth = sets / "faults" / "case-1" / "truth.json"
    told = json.loads(truth.read_text())
    truth.write_text(json.dumps({**told, "onset": "2026-03-01T10:27:00Z"}))
    ran = aegis("bench", sets, "--window", "asked", "--json")
    report = ran.json()
    assert (ran.code, ran.err) == (0, "")
    onset = report["pooled"]["onset"]
    assert list(onset) == ["found", "error_s_p50", "error_s_p90", "false"]
    assert onset["found"] == 1.0
    assert onset["error_s_p50"] <= 60
    assert onset["false"] == 0.0
    by_id = {one["id"]: one["onset"] for one in report["per_case"]}
    assert by_id["fault-0"]["error_s"] is None
    assert abs(by_id["fault-1"]["error_s"]) <= 60
    assert by_id["quiet-0"] == {"outcome": "nothing", "start": None, "error_s": None}
    table = aegis("bench", sets, "--window", "asked").out
    for row in ("onset found", "onset error s p50", "onset error s p90", "onset where quiet"):
        assert row in table


def test_the_asked_window_can_be_moved_and_widened(aegis: Aegis, sets: Path) -> None:
    literal = ("--window", "asked", "--ablate", "onset", "--json")

    def starts(*options: str) -> list[str]:
        ran = aegis("bench", sets / "faults", *literal, *options)
        return [one["onset"]["start"] for one in ran.json()["per_case"]]

    assert starts() == ["2026-03-01T10:25:00Z"] * 3
    assert starts("--shift-minutes", "-5") == ["2026-03-01T10:20:00Z"] * 3
    assert starts("--shift-minutes", "-5", "--asked-minutes", "30") == ["2026-03-01T10:05:00Z"] * 3


@pytest.mark.parametrize("option", ["--shift-minutes", "--asked-minutes"])
def test_only_an_asked_window_can_be_moved(aegis: Aegis, sets: Path, option: str) -> None:
    ran = aegis("bench", sets, option, "5")
    assert (ran.code, ran.out) == (2, "")
    assert "only with --window asked" in ran.err
    assert option in ran.err


def test_a_broken_onset_label_is_named(aegis: Aegis, sets: Path) -> None:
    truth = sets / "faults" / "case-1" / "truth.json"
    told = json.loads(truth.read_text())
    for broken in ("soon", 5, "2026-03-01T10:27:00"):
        truth.write_text(json.dumps({**told, "onset": broken}))
        ran = aegis("bench", sets / "faults", "--window", "asked", "--json")
        assert ran.json()["failed"] == 1
        assert "truth.json: onset: must be a time with an offset, or null" in ran.err

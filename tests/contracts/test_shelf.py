"""Many recordings side by side: one clock, and for every window the case that recorded it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from aegis.adapters.cases.recorded import RecordedCase
from aegis.adapters.cases.shelf import Shelf
from aegis.model.errors import InvalidCase, InvalidWindow
from aegis.model.telemetry import LogLine, Matrix, SpanTable, TimeWindow
from tests.recordings import Recording, SmallShop, at, between, log_table, ns


def recorded(folder: Path, minutes: float, length: float = 10.0) -> Path:
    """A case with a row at its beginning and one just before its end."""
    lines = [LogLine(ns(minute), "shop", "up") for minute in (minutes, minutes + length)]
    shop = SmallShop(fault=between(minutes, minutes + 1)).recording(folder.name)
    return Recording(shop.header, Matrix(), SpanTable.empty(), log_table(lines)).write(folder)


def chosen(root: Path, start: float, end: float) -> str:
    return Shelf.open(root).covering(between(start, end)).name


def test_a_window_belongs_to_the_case_that_recorded_most_of_it(tmp_path: Path) -> None:
    recorded(tmp_path / "early", 0)
    recorded(tmp_path / "late", 20)
    assert chosen(tmp_path, 2, 5) == "early"
    assert chosen(tmp_path, 5, 23) == "early"
    assert chosen(tmp_path, 8, 28) == "late"


def test_among_equals_the_one_that_ended_last_is_asked(tmp_path: Path) -> None:
    recorded(tmp_path / "b", 0)
    recorded(tmp_path / "a", 0, 12)
    assert chosen(tmp_path, 2, 5) == "a"


def test_the_clock_stands_where_the_last_recording_ended(tmp_path: Path) -> None:
    recorded(tmp_path / "a", 20)
    recorded(tmp_path / "b", 0)
    assert Shelf.open(tmp_path).now() == at(30) + timedelta(microseconds=1)


def test_a_window_that_nobody_recorded_is_refused(tmp_path: Path) -> None:
    recorded(tmp_path / "early", 0)
    recorded(tmp_path / "late", 20)
    with pytest.raises(InvalidWindow, match="the 2 recordings lie between 2026-03-01T10:00:00Z"):
        chosen(tmp_path, 12, 15)


def test_what_the_files_tell_is_what_the_rows_say(tmp_path: Path) -> None:
    folder = SmallShop().recording().write(tmp_path / "shop")
    assert Shelf.open(folder).spans == ((folder, RecordedCase.open(folder).extent),)


def test_files_without_statistics_are_read(tmp_path: Path) -> None:
    folder = SmallShop().recording().write(tmp_path / "shop")
    told = Shelf.open(folder).spans
    for file in folder.glob("*.parquet"):
        pq.write_table(pq.read_table(file), file, write_statistics=False)
    assert Shelf.open(folder).spans == told


def test_a_file_that_changes_is_looked_at_again(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "shop", 0)
    first = Shelf.open(folder).now()
    recorded(folder, 0, 11.5)
    assert Shelf.open(folder).now() - first == timedelta(minutes=1.5)


def test_a_broken_case_is_passed_over_while_there_is_another(tmp_path: Path) -> None:
    recorded(tmp_path / "whole", 0)
    broken = recorded(tmp_path / "torn", 0, 20)
    (broken / "case.json").write_text("{oops")
    assert chosen(tmp_path, 2, 5) == "whole"
    (tmp_path / "whole" / "case.json").write_text(json.dumps({}))
    with pytest.raises(InvalidCase, match=r"case\.json"):
        Shelf.open(tmp_path)


@pytest.mark.parametrize(("name", "said"), [("", "no case.json in it"), ("gone", "not a folder")])
def test_a_root_without_cases_is_named(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(InvalidCase, match=said):
        Shelf.open(tmp_path / name)


def test_one_case_is_asked_whatever_the_window(tmp_path: Path) -> None:
    """Its own reader says better what it recorded."""
    folder = recorded(tmp_path / "only", 0)
    far = TimeWindow(at(1000), at(1001))
    assert Shelf.open(folder).covering(far) == folder

"""What every log source promises; each test runs on each implementation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from aegis.adapters.cases.recorded import RecordedCase
from aegis.model.telemetry import UNDATED, LogLine, Matrix, SpanTable, TimeWindow
from aegis.ports import LogSource
from tests.adapters.loki_server import HeldLoki, held, live, stored
from tests.fakes import FakeTelemetry
from tests.recordings import Recording, SmallShop, at, between, lines_of, log_table, ns

EVERYTHING = between(-60, 120)
LINES = (
    LogLine(ns(2), "b", "second", "WARN", "t1", "9"),
    LogLine(ns(1), "b", "first"),
    LogLine(ns(3), "b", "third"),
    LogLine(ns(2) + 1, "c", "µ “quoted” \\ {} `x` 中文\n\tat line 2", "error"),
    LogLine(UNDATED, "a", "when?", None, "t1", "1"),
)


@dataclass(frozen=True)
class Held:
    """A source and the lines it can hold: Loki dates every line when it comes."""

    source: LogSource
    lines: tuple[LogLine, ...]


DATED = tuple(line for line in LINES if line.time_ns != UNDATED)
IMPLEMENTATIONS = [
    "in memory",
    "case folder",
    pytest.param("loki stand-in", marks=pytest.mark.loopback),
    pytest.param("loki", marks=pytest.mark.loopback),
]


@pytest.fixture(params=IMPLEMENTATIONS)
def logs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Held]:
    if request.param == "in memory":
        yield Held(FakeTelemetry(logs=log_table(LINES)), LINES)
    elif request.param == "case folder":
        header = replace(SmallShop().recording().header, fault_window=between(1, 3))
        recording = Recording(header, Matrix(), SpanTable.empty(), log_table(LINES))
        yield Held(RecordedCase.open(recording.write(tmp_path)), LINES)
    else:
        lines = stored(DATED)
        with held(HeldLoki(lines)) if request.param == "loki stand-in" else live(lines) as source:
            yield Held(source, DATED)


def read(logs: Held, window: TimeWindow) -> list[LogLine]:
    table, gaps = asyncio.run(logs.source.read_logs(window))
    assert table.sampled_share == 1.0
    assert {gap.reason for gap in gaps} <= {"undated"}
    return lines_of(table)


def test_lines_of_the_window_come_with_the_undated_ones(logs: Held) -> None:
    inside = [one for one in logs.lines if one.time_ns in (UNDATED, ns(2), ns(2) + 1)]
    assert set(read(logs, between(2, 3))) == set(inside)


def test_a_line_keeps_all_its_fields(logs: Held) -> None:
    assert set(read(logs, EVERYTHING)) == set(logs.lines)


def test_lines_of_a_service_come_sorted_by_time(logs: Held) -> None:
    lines = read(logs, EVERYTHING)
    assert [one.body for one in lines if one.service == "b"] == ["first", "second", "third"]


def test_nothing_in_the_window_is_an_empty_answer_and_no_error(logs: Held) -> None:
    undated = [one for one in logs.lines if one.time_ns == UNDATED]
    assert read(logs, TimeWindow(at(50), at(60))) == undated

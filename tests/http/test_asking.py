"""Asked over HTTP, the answer is that of the command line, for the time that was meant."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aegis import bootstrap
from aegis.entrypoints.answer_json import answer_json
from aegis.entrypoints.http.schemas import AnalyzeAnswer
from aegis.model.telemetry import TimeWindow
from tests.http.service import (
    ANALYZE,
    QUESTION,
    STREAM,
    VERIFY,
    Sent,
    answers,
    events_of,
    problem_of,
    settings,
)
from tests.recordings import SmallShop

FAULT = {"start": "2026-03-01T10:30:00Z", "end": "2026-03-01T10:36:00Z"}
RANGES: dict[str, tuple[Any, tuple[str, str]]] = {
    "UTC": (FAULT, ("2026-03-01T10:30:00Z", "2026-03-01T10:36:00Z")),
    "without offset, in AEGIS_TIMEZONE": (
        {"start": "2026-03-01T18:30:00", "end": "2026-03-01 18:36"},
        ("2026-03-01T10:30:00Z", "2026-03-01T10:36:00Z"),
    ),
    "the last minutes": (
        {"last_minutes": 10},
        ("2026-03-01T10:29:54.010001Z", "2026-03-01T10:39:54.010001Z"),
    ),
    "not given": (None, ("2026-03-01T10:24:54.010001Z", "2026-03-01T10:39:54.010001Z")),
    "empty": ({}, ("2026-03-01T10:24:54.010001Z", "2026-03-01T10:39:54.010001Z")),
    "only a start, so not given": (
        {"start": "2026-03-01T10:30:00Z"},
        ("2026-03-01T10:24:54.010001Z", "2026-03-01T10:39:54.010001Z"),
    ),
    "only an end, so not given": (
        {"end": "2026-03-01T10:30:00Z", "start": None},
        ("2026-03-01T10:24:54.010001Z", "2026-03-01T10:39:54.010001Z"),
    ),
}


def asked(path: str = ANALYZE, **fields: Any) -> Sent:
    return Sent("POST", path, {"description": QUESTION} | fields)


def warm(folder: Path, *requests: Sent) -> list[httpx.Response]:
    return answers(*requests, given=settings(folder), warm=True)


def test_the_time_asked_about_is_the_one_that_was_given(shop: Path) -> None:
    found = warm(shop, *(asked(time_range=given) for given, _ in RANGES.values()))
    windows = [(one.json()["start"], one.json()["end"]) for one in found]
    assert dict(zip(RANGES, windows, strict=True)) == {
        name: meant for name, (_, meant) in RANGES.items()
    }


def test_without_a_range_the_time_is_the_one_the_question_names(shop: Path) -> None:
    """The clock stands at 18:39:54 in Shanghai, where the recording ended."""
    named, given, both = warm(
        shop,
        asked(description="18:30~18:36 商店为什么慢？"),
        asked(description="Why was the shop slow between 18:30 and 18:36?", time_range={}),
        asked(description="18:30~18:36 商店为什么慢？", time_range={"last_minutes": 5}),
    )
    assert (named.json()["start"], named.json()["end"]) == RANGES["UTC"][1]
    assert (given.json()["start"], given.json()["end"]) == RANGES["UTC"][1]
    assert both.json()["start"] == "2026-03-01T10:34:54.010001Z"


def test_a_time_named_in_the_question_without_telemetry_is_400(shop: Path) -> None:
    (response,) = warm(shop, asked(description="Why was the shop slow yesterday at 15:00?"))
    assert problem_of(response) == (400, "invalid_request", "description")


def test_the_answer_is_whole_with_the_case_and_the_onset_in_its_trace(shop: Path) -> None:
    (response,) = warm(shop, asked(time_range=FAULT, session_id="s-1"))
    found = response.json()
    window = TimeWindow(*(datetime.fromisoformat(moment) for moment in FAULT.values()))
    question = bootstrap.Asked(QUESTION, "en", ZoneInfo("UTC"), window)
    expected = json.loads(json.dumps(answer_json(bootstrap.analyze_recorded(shop, question))))
    assert found == expected | {"session_id": "s-1"}
    steps = found["trace"]["steps"]
    assert [step["tool"] for step in steps] == [
        "trace_note",
        "open_case",
        "read_metrics",
        "read_traces",
        "read_logs",
        "find_onset",
        "diagnose",
    ]
    assert json.loads(steps[1]["observation"])["case"] == "small-shop"
    AnalyzeAnswer.model_validate(response.json())


def test_the_language_is_that_of_the_question(shop: Path) -> None:
    chinese, english = warm(
        shop, asked(description="商店为什么慢？", time_range=FAULT), asked(time_range=FAULT)
    )
    assert "原因" in chinese.json()["summary"]
    assert "cause" in english.json()["summary"]


def test_a_window_without_telemetry_is_400_and_names_the_field(shop: Path) -> None:
    away = {"start": "2025-01-01T00:00Z", "end": "2025-01-01T01:00Z"}
    between_rows = {"start": "2026-03-01T10:00:00.5Z", "end": "2026-03-01T10:00:01Z"}
    for response in warm(shop, asked(time_range=away), asked(time_range=between_rows)):
        assert problem_of(response) == (400, "invalid_request", "time_range")
        assert "nothing was recorded from" in response.json()["message"]


def test_a_broken_case_is_400_and_names_file_and_field(shop: Path) -> None:
    (shop / "metrics.parquet").write_bytes((shop / "metrics.parquet").read_bytes()[:-200])
    (response,) = warm(shop, asked(time_range=FAULT))
    assert problem_of(response) == (400, "invalid_case", "metrics.parquet")
    assert str(shop.parent) not in response.text


def test_the_stream_tells_every_step_and_ends_with_the_same_answer(shop: Path) -> None:
    plain, streamed = warm(shop, asked(time_range=FAULT), asked(STREAM, time_range=FAULT))
    events = events_of(streamed)
    assert streamed.headers["content-type"] == "application/x-ndjson"
    assert [one["event"] for one in events[:3]] == ["start", "agent_thought", "tool_start"]
    assert [one["event"] for one in events[-2:]] == ["final", "end"]
    assert {k: v for k, v in events[-2].items() if k != "event"} == plain.json()
    steps = plain.json()["trace"]["steps"]
    assert events[1]["text"] == steps[0]["tool_input"]
    told = [
        (one["tool"], one["observation"]) for one in events if one["event"] == "agent_observation"
    ]
    assert told == [(step["tool"], step["observation"]) for step in steps[1:]]
    for tool in {step["tool"] for step in steps[1:]}:
        kinds = [one["event"] for one in events if one.get("tool") == tool]
        assert kinds == ["tool_start", "tool_end", "agent_observation"]


def test_an_error_in_the_stream_is_an_event_and_the_stream_still_ends(shop: Path) -> None:
    away = {"start": "2025-01-01T00:00Z", "end": "2025-01-01T01:00Z"}
    plain, streamed = warm(shop, asked(time_range=away), asked(STREAM, time_range=away))
    events = events_of(streamed)
    assert [one["event"] for one in events[-2:]] == ["error", "end"]
    assert {k: v for k, v in events[-2].items() if k != "event"} == plain.json()


def test_a_folder_answers_from_the_case_that_recorded_the_time(tmp_path: Path) -> None:
    root = tmp_path / "cases"
    early, late = SmallShop(), SmallShop()
    early.recording("early").write(root / "early")
    moved(late.recording("late").write(root / "late"), days=1)
    found = warm(
        root,
        asked(time_range=FAULT),
        asked(time_range={"start": "2026-03-02T10:30Z", "end": "2026-03-02T10:36Z"}),
        asked(),
        asked(time_range={"start": "2027-03-02T10:30Z", "end": "2027-03-02T10:36Z"}),
    )
    cases = [
        json.loads(one.json()["trace"]["steps"][1]["observation"])["case"] for one in found[:3]
    ]
    assert cases == ["early", "late", "late"]
    assert problem_of(found[3]) == (400, "invalid_request", "time_range")


def moved(folder: Path, days: int) -> None:
    """Shift a recorded case in time."""
    text = (folder / "case.json").read_text()
    (folder / "case.json").write_text(text.replace("2026-03-01", f"2026-03-{1 + days:02d}"))
    for name, column in (("metrics", "time"), ("spans", "start"), ("logs", "time")):
        path = folder / f"{name}.parquet"
        table = pq.read_table(path)
        place = table.column_names.index(column)
        unit = table[column].type.unit
        shift = pa.scalar(timedelta(days=days), pa.duration(unit))
        later = pc.add(table[column], shift)
        pq.write_table(table.set_column(place, column, later), path)


def test_the_evidence_of_an_answer_verifies(shop: Path) -> None:
    (response,) = warm(shop, asked(time_range=FAULT))
    (verified,) = warm(shop, Sent("POST", VERIFY, response.json()))
    results = verified.json()["results"]
    evidence = response.json()["evidence"]
    assert [(one["id"], one["verdict"]) for one in results] == [
        (one["id"], "match") for one in evidence
    ]
    assert [one["statement"] for one in results] == [one["statement"] for one in evidence]


def test_evidence_with_an_end_before_its_start_is_400_and_names_the_item(shop: Path) -> None:
    item = {
        "id": "m1",
        "source": "metrics",
        "query": "x",
        "start": "2026-03-01T10:30Z",
        "end": "2026-03-01T10:30Z",
        "sha256": "",
        "statement": "",
    }
    late = item | {"end": "soon"}
    found = warm(
        shop,
        Sent("POST", VERIFY, {"evidence": [item]}),
        Sent("POST", VERIFY, {"evidence": [item | {"end": "2026-03-02"}, late]}),
    )
    assert [problem_of(one)[2] for one in found] == ["evidence[0].end", "evidence[1].end"]


def test_the_answer_tells_when_it_began_and_the_time_asked_about_stays(shop: Path) -> None:
    """The store is slow from 10:30 to 10:36; the person is off by five minutes."""
    off = {"start": "2026-03-01T10:25:00Z", "end": "2026-03-01T10:33:00Z"}
    (response,) = warm(shop, asked(time_range=off))
    found = response.json()
    onset = found["onset"]
    assert (found["start"], found["end"]) == (off["start"], off["end"])
    assert onset["asked"] == off
    assert onset["outcome"] == "ended"
    assert "2026-03-01T10:29:30Z" <= onset["start"] <= "2026-03-01T10:30:30Z"
    assert onset["end"] == "2026-03-01T10:36:00Z"
    wound_down = "2026-03-01T10:34:00Z"  # what recovers last is not the cause
    assert onset["window"] == {"start": onset["start"], "end": wound_down}
    assert onset["statement"] in found["summary"]
    assert found["ranked_root_causes"][0]["service"] == "store"
    steps = {step["tool"]: step for step in found["trace"]["steps"]}
    assert json.loads(steps["find_onset"]["observation"])["outcome"] == "ended"
    AnalyzeAnswer.model_validate(found)

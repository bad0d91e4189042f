"""An answer is checked against its sources: the same rows, others, none, or nobody to ask."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from aegis.agent.joined_names import NameRules
from aegis.agent.monitor import Scene, Sources, collect
from aegis.engine.diagnosis import diagnose
from aegis.engine.onset import Found, focused, with_onset
from aegis.model.errors import InvalidCase, SourceUnavailable
from aegis.model.evidence import Evidence
from aegis.model.telemetry import (
    EPOCH,
    Change,
    LogLine,
    LogTable,
    Matrix,
    SpanTable,
    TimeWindow,
)
from aegis.workflows.analyze_incident import Analysis, Question, analyze_incident
from aegis.workflows.verify_answer.verify import Checked, Citation, verify_answer
from tests.fakes import AskedTogether, FailingTelemetry, FakeTelemetry
from tests.recordings import SmallShop, at, between, lines_of, log_table, ns

SHOP = SmallShop().recording()
HELD = FakeTelemetry(SHOP.metrics, SHOP.spans, SHOP.logs)
CHANGES = (Change("store", at(29), "deploy", "v7"),)
EVERYTHING = TimeWindow(EPOCH, EPOCH.replace(year=2200))


def analysis(held: FakeTelemetry = HELD) -> Analysis:
    header = SHOP.header
    scene = Scene(between(0, 40), header.alarm, header.services, header.calls, CHANGES)
    question = Question("Why is the shop slow?", header.fault_window, "en")
    return asyncio.run(analyze_incident(question, Sources(held, held, held), scene))


EVIDENCE = analysis().diagnosis.evidence


def cited(item: Evidence) -> Citation:
    return Citation(
        item.id,
        item.source,
        item.query,
        item.data_window,
        item.sha256,
        item.statement.en,
        item.signal,
        item.subject,
        item.window,
    )


def verified(
    citations: Sequence[Citation], sources: Sources, changes: tuple[Change, ...] = CHANGES
) -> tuple[Checked, ...]:
    return asyncio.run(verify_answer(citations, sources, changes, EVERYTHING))


def verdicts(held: FakeTelemetry, changes: tuple[Change, ...] = CHANGES) -> dict[str, set[str]]:
    """The verdicts by source."""
    found = verified([cited(item) for item in EVIDENCE], Sources(held, held, held), changes)
    by_source: dict[str, set[str]] = {}
    for item, one in zip(EVIDENCE, found, strict=True):
        by_source.setdefault(item.source, set()).add(one.verdict)
    return by_source


ALL_MATCH = {source: {"match"} for source in ("metrics", "traces", "logs", "changes")}


def test_the_answer_cites_every_kind_of_source() -> None:
    assert {item.source for item in EVIDENCE} == set(ALL_MATCH)


def test_what_did_not_change_matches_and_keeps_its_words() -> None:
    found = verified([cited(item) for item in EVIDENCE], Sources(HELD, HELD, HELD))
    assert [(one.id, one.verdict, one.sha256) for one in found] == [
        (item.id, "match", item.sha256) for item in EVIDENCE
    ]
    assert [one.statement.en for one in found] == [item.statement.en for item in EVIDENCE]


def test_a_citation_matches_without_more_than_the_contract_names() -> None:
    bare = [replace(cited(item), signal=None, subject=None, window=None) for item in EVIDENCE]
    assert {one.verdict for one in verified(bare, Sources(HELD, HELD, HELD))} == {"match"}


def test_what_was_recorded_later_changes_nothing() -> None:
    late = [(ns(50 + place), 99.0) for place in range(3)]
    longer = tuple(
        replace(
            one,
            times_ns=np.append(one.times_ns, [time for time, _ in late]),
            values=np.append(one.values, [value for _, value in late]),
        )
        for one in SHOP.metrics.series
    )
    assert verdicts(replace(HELD, metrics=Matrix(longer))) == ALL_MATCH


def hotter(matrix: Matrix) -> Matrix:
    return Matrix(tuple(replace(one, values=one.values + 1.0) for one in matrix.series))


LOST: dict[str, tuple[FakeTelemetry, dict[str, set[str]]]] = {
    "the metrics": (replace(HELD, metrics=Matrix()), {"metrics": {"gone"}}),
    "the traces": (replace(HELD, spans=SpanTable.empty()), {"traces": {"gone"}}),
    "the logs": (replace(HELD, logs=LogTable.empty()), {"logs": {"gone"}}),
}


@pytest.mark.parametrize("name", LOST)
def test_what_is_there_no_more_is_gone_and_the_rest_still_matches(name: str) -> None:
    held, expected = LOST[name]
    assert verdicts(held) == ALL_MATCH | expected


def test_a_change_that_nobody_remembers_is_gone() -> None:
    assert verdicts(HELD, ())["changes"] == {"gone"}


def test_changes_are_read_while_the_telemetry_is_read() -> None:
    waiting = AskedTogether(HELD, CHANGES)
    sources = Sources(waiting, HELD, HELD, waiting)
    found = verified([cited(item) for item in EVIDENCE], sources, ())
    assert {one.verdict for one in found} == {"match"}


def test_other_values_are_told_with_what_is_measured_now() -> None:
    held = replace(HELD, metrics=hotter(SHOP.metrics))
    cpu = next(item for item in EVIDENCE if item.subject == "cpu_usage_percent")
    (one,) = verified([cited(cpu)], Sources(held, held, held))
    assert one.verdict == "changed"
    assert one.sha256 not in (None, cpu.sha256)
    # Ask the engine about the new values: it says the same.
    again = {(item.query, item.subject): item for item in analysis(held).diagnosis.evidence}
    assert one.statement == again[cpu.query, cpu.subject].statement
    assert one.statement != cpu.statement


def test_what_has_become_normal_is_told_with_both_sides() -> None:
    flat = tuple(replace(one, values=one.values * 0 + 42.0) for one in SHOP.metrics.series)
    held = replace(HELD, metrics=Matrix(flat))
    cpu = next(item for item in EVIDENCE if item.subject == "cpu_usage_percent")
    (one,) = verified([cited(cpu)], Sources(held, held, held))
    assert one.verdict == "changed"
    assert "42 %" in one.statement.en
    assert "42 %" in one.statement.zh


def test_other_rows_without_a_known_window_are_only_counted() -> None:
    held = replace(HELD, metrics=hotter(SHOP.metrics))
    cpu = next(item for item in EVIDENCE if item.subject == "cpu_usage_percent")
    (one,) = verified([replace(cited(cpu), window=None)], Sources(held, held, held))
    assert one.statement.en == "The query now finds 80 rows, not those that were cited."


def test_lines_that_are_missing_change_a_count() -> None:
    fewer = replace(HELD, logs=without_every_third(SHOP.logs))
    assert verdicts(fewer)["logs"] == {"changed"}


def without_every_third(table: LogTable) -> LogTable:
    keep = np.arange(len(table)) % 3 > 0
    return replace(
        table,
        time_ns=table.time_ns[keep],
        service_code=table.service_code[keep],
        body=tuple(body for body, kept in zip(table.body, keep, strict=True) if kept),
        level_code=table.level_code[keep],
        trace_id=table.trace_id[keep],
        span_id=table.span_id[keep],
    )


@dataclass(frozen=True)
class TornFile:
    """A recording whose spans cannot be read."""

    async def read_spans(self, window: TimeWindow) -> tuple[SpanTable, tuple[()]]:
        raise InvalidCase("spans.parquet", None, "cannot be read as Parquet")


@pytest.mark.parametrize("traces", [FailingTelemetry(SourceUnavailable("HTTP 503")), TornFile()])
def test_what_cannot_be_asked_is_unverifiable_and_says_why(
    traces: FailingTelemetry | TornFile,
) -> None:
    found = verified([cited(item) for item in EVIDENCE], Sources(HELD, traces, HELD))
    by_source = {
        item.source: (one.verdict, one.statement.en)
        for item, one in zip(EVIDENCE, found, strict=True)
    }
    assert by_source["metrics"][0] == by_source["changes"][0] == "match"
    # Lines are placed by their spans, so without spans they cannot be compared either.
    for source in ("traces", "logs"):
        assert by_source[source][0] == "unverifiable"
        assert by_source[source][1].startswith("The source could not be read: ")


def test_a_source_we_do_not_know_is_unverifiable() -> None:
    foreign = replace(cited(EVIDENCE[0]), source="crystal ball")
    (one,) = verified([foreign], Sources(HELD, HELD, HELD))
    assert one.verdict == "unverifiable"


def test_what_left_out_another_incident_matches_only_with_that_left_out() -> None:
    """An answer to a guess: its baseline does without an incident an hour before."""
    shop = SmallShop(fault=between(30, 36)).recording()
    held = FakeTelemetry(shop.metrics, shop.spans, shop.logs)
    scene = Scene(between(0, 40), None, shop.header.services, shop.header.calls, ())
    question = Question("Why is the shop slow?", between(27, 37), "en", exact=False)
    sources = Sources(held, held, held)
    told = asyncio.run(analyze_incident(question, sources, scene)).diagnosis
    assert told.onset is not None
    other = (between(10, 14),)
    found = Found(replace(told.onset, left_out=other), told.window)
    seen, _ = asyncio.run(collect(sources, scene, question.window))
    cut = with_onset(diagnose(focused(seen, found)), found.onset)
    assert {item.left_out for item in cut.evidence} == {other}
    assert {item.source for item in cut.evidence} == {"metrics", "traces", "logs"}

    exact = [replace(cited(item), left_out=item.left_out) for item in cut.evidence]
    assert {one.verdict for one in verified(exact, sources, ())} == {"match"}
    series = [one for one in exact if one.source == "metrics"]
    forgotten = [replace(one, left_out=()) for one in series]
    assert {one.verdict for one in verified(forgotten, sources, ())} == {"changed"}
    mixed = verified([series[0], forgotten[0], series[1]], sources, ())
    assert [one.verdict for one in mixed] == ["match", "changed", "match"]


def test_names_are_joined_and_events_sorted_out_as_they_were_for_the_answer() -> None:
    """Logs that spell the service otherwise are cited, and found again, under one name."""
    told = {
        "reason": "BackOff",
        "message": "Back-off restarting failed container",
        "type": "Warning",
        "involvedObject": {"kind": "Pod", "name": "store-6d5f7c9b8d-x2x4z"},
    }
    lines = [replace(one, service="ns/Store") for one in lines_of(SHOP.logs)]
    lines += [LogLine(ns(30 + n / 10), "exporter", json.dumps(told)) for n in range(40)]
    held = FakeTelemetry(SHOP.metrics, SHOP.spans, log_table(lines))
    sources, names = Sources(held, held, held), NameRules()
    scene = Scene(between(0, 40), None, (), SHOP.header.calls, (), joins_names=names)
    question = Question("Why is the shop slow?", SHOP.header.fault_window, "en")
    evidence = asyncio.run(analyze_incident(question, sources, scene)).diagnosis.evidence
    logs = [cited(item) for item in evidence if item.source == "logs"]
    assert any("BackOff" in one.query for one in logs)
    assert {one.query.partition("}")[0] for one in logs} == {'{service="store"'}
    joined = asyncio.run(verify_answer(logs, sources, (), between(0, 40), names))
    apart = asyncio.run(verify_answer(logs, sources, (), between(0, 40)))
    assert {one.verdict for one in joined} == {"match"}
    assert {one.verdict for one in apart} == {"gone"}

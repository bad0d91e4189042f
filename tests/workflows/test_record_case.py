"""Recording: what is seen live is what a case replays, without secrets and within a size."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from aegis.adapters.cases.folder_sink import CaseFolder
from aegis.adapters.cases.recorded import RecordedCase
from aegis.adapters.cases.validation import validate
from aegis.agent.monitor import Scene, Sources
from aegis.agent.steps import Step
from aegis.model.errors import InvalidRequest, InvalidWindow, SourceUnavailable
from aegis.model.evidence import EvidenceGap
from aegis.model.incident import Asked
from aegis.model.redaction import REDACTED
from aegis.model.telemetry import (
    UNDATED,
    Change,
    LogLine,
    LogTable,
    Matrix,
    Span,
    SpanTable,
    TimeWindow,
)
from aegis.workflows.analyze_incident import Analysis, Question, analyze_incident
from aegis.workflows.record_case import Incident, Recorded, record_case
from tests.fakes import FailingTelemetry, FakeTelemetry
from tests.recordings import (
    SmallShop,
    at,
    between,
    lines_of,
    log_table,
    ns,
    series,
    span_table,
    spans_of,
)

SHOP = SmallShop().recording()
HELD = FakeTelemetry(SHOP.metrics, SHOP.spans, SHOP.logs)
LIVE = Sources(HELD, HELD, HELD)
FAULT = between(30, 36)
SCENE = Scene(between(-120, 40), None, (), (), SHOP.header.changes)
PLENTY = 50_000_000


def record(
    folder: Path,
    sources: Sources = LIVE,
    window: TimeWindow = FAULT,
    most_bytes: int = PLENTY,
    scene: Scene = SCENE,
    question: str = "Why is the shop slow?",
) -> Recorded:
    incident = Incident("shop-1", "prometheus, loki, jaeger", question, window)
    return asyncio.run(record_case(incident, sources, scene, CaseFolder(folder), most_bytes))


def errors_of(folder: Path) -> list[str]:
    return [str(one) for one in validate(folder) if one.severity == "error"]


def read_back(folder: Path) -> tuple[Matrix, SpanTable, LogTable]:
    case = RecordedCase.open(folder)

    async def all_of_it() -> tuple[Matrix, SpanTable, LogTable]:
        metrics, _ = await case.read_metrics(case.extent)
        spans, _ = await case.read_spans(case.extent)
        logs, _ = await case.read_logs(case.extent)
        return metrics, spans, logs

    return asyncio.run(all_of_it())


def rows_of(matrix: Matrix) -> Sequence[object]:
    found = [
        (one.service, one.name, one.labels, one.times_ns.tolist(), one.values.tolist())
        for one in matrix.series
    ]
    return sorted(found)


def asked_of(sources: Sources, scene: Scene) -> Analysis:
    question = Question("Why is the shop slow?", FAULT, "en")
    return asyncio.run(analyze_incident(question, sources, scene))


def test_what_was_seen_live_is_what_the_case_holds(tmp_path: Path) -> None:
    recorded = record(tmp_path / "case")
    metrics, spans, logs = read_back(tmp_path / "case")
    assert rows_of(metrics) == rows_of(SHOP.metrics)
    assert spans_of(spans) == spans_of(SHOP.spans)
    assert lines_of(logs) == lines_of(SHOP.logs)
    assert validate(tmp_path / "case") == []
    kept = recorded.kept
    assert (kept.samples, kept.spans, kept.lines) == (480, 1200, 460)
    assert kept.size_bytes == sum(one.stat().st_size for one in (tmp_path / "case").iterdir())
    assert kept.left_out == ()


def test_the_header_says_what_was_asked_and_who_calls_whom(tmp_path: Path) -> None:
    record(tmp_path / "case")
    header = RecordedCase.open(tmp_path / "case").header
    assert header.id == "shop-1"
    assert header.fault_window == FAULT
    assert header.asked == Asked("Why is the shop slow?", at(30), at(36))
    assert header.services == ("cart", "shop", "store")
    assert header.calls == (("cart", "store"), ("shop", "cart"))
    assert header.changes == (Change("cart", at(5), "deploy", "v2"),)
    assert header.alarm is None


def test_recorded_and_replayed_the_ranking_is_the_same(tmp_path: Path) -> None:
    live = asked_of(LIVE, SCENE)
    record(tmp_path / "case")
    case = RecordedCase.open(tmp_path / "case")
    header = case.header
    scene = Scene(case.extent, header.alarm, header.services, header.calls, header.changes)
    replayed = asked_of(Sources(case, case, case), scene)

    def ranking(analysis: Analysis) -> list[tuple[str, float]]:
        return [(one.service, one.probability) for one in analysis.diagnosis.causes]

    assert ranking(replayed) == ranking(live)
    assert ranking(live)[0][0] == "store"
    assert replayed.diagnosis.none_probability == live.diagnosis.none_probability


def test_secrets_are_taken_out_wherever_they_stand(tmp_path: Path) -> None:
    spans = [Span("t1", "s1", "", "shop", "GET /?token=a1b2c3d4", ns(31), 5, False)]
    lines = [LogLine(ns(31), "shop", "login of anna@example.com with password=hunter2", "INFO")]
    load = [
        series("shop", "load", [(ns(31), 1.0)], (("url", "http://anna:hunter2@db/"),)),
        series("shop", "load", [(ns(31), 2.0)], (("url", "http://bert:hunter3@db/"),)),
        series("shop", "load", [(ns(31), 3.0)], (("password", "hunter2"),)),
    ]
    held = FakeTelemetry(Matrix(tuple(load)), span_table(spans), log_table(lines))
    scene = replace(SCENE, changes=(Change("shop", at(30), "deploy", "v2 secret=hunter2"),))
    sources = Sources(held, held, held)
    record(tmp_path / "case", sources, scene=scene, question="why does pwd=hunter2 fail?")
    metrics, kept_spans, logs = read_back(tmp_path / "case")
    assert kept_spans.operations == (f"GET /?token={REDACTED}",)
    assert logs.body == (f"login of {REDACTED} with password={REDACTED}",)
    assert sorted((one.labels, one.values.tolist()) for one in metrics.series) == [
        ((("password", REDACTED),), [3.0]),
        ((("redacted_twin", "2"), ("url", f"http://{REDACTED}@db/")), [2.0]),
        ((("url", f"http://{REDACTED}@db/"),), [1.0]),
    ]
    header = RecordedCase.open(tmp_path / "case").header
    assert header.changes[0].version == f"v2 secret={REDACTED}"
    assert header.asked is not None
    assert header.asked.question == f"why does pwd={REDACTED} fail?"
    assert not [
        file.name for file in (tmp_path / "case").iterdir() if b"hunter" in file.read_bytes()
    ]


def test_half_a_character_does_not_spoil_the_recording(tmp_path: Path) -> None:
    held = replace(HELD, logs=log_table([LogLine(ns(31), "shop", "broken \ud83d emoji")]))
    record(tmp_path / "case", Sources(HELD, HELD, held))
    assert read_back(tmp_path / "case")[2].body == ("broken ? emoji",)


def test_rows_the_format_cannot_hold_are_left_out_and_told(tmp_path: Path) -> None:
    good = Span("t", "1", "", "shop", "GET", ns(31), 5, False)
    table = span_table(
        [
            good,
            replace(good, span_id="2" * 129),
            replace(good, span_id="3", duration_ns=-1),
            replace(good, span_id="4", parent_span_id="p"),
        ]
    )
    parents = np.where(table.parent_span_id == b"p", b"\xff", table.parent_span_id)
    lines = [LogLine(ns(31), "shop", "up"), LogLine(ns(32), "shop", "odd", None, "y" * 129)]
    lines.append(LogLine(UNDATED, "shop", "undated"))
    logs = FakeTelemetry(logs=log_table(lines))
    recorded = record(
        tmp_path / "case", Sources(HELD, _Spans(replace(table, parent_span_id=parents)), logs)
    )
    assert errors_of(tmp_path / "case") == []
    _, kept_spans, kept_lines = read_back(tmp_path / "case")
    assert kept_spans.span_id.tolist() == [b"1"]
    assert sorted(kept_lines.body) == ["undated", "up"]
    assert [text.en.split(" are")[0] for text in recorded.kept.left_out] == [
        "Traces: 3 spans",
        "Logs: 1 lines",
    ]


@dataclass(frozen=True)
class _Spans:
    """A trace source that answers with what it holds, whatever the window."""

    table: SpanTable

    async def read_spans(self, window: TimeWindow) -> tuple[SpanTable, tuple[EvidenceGap, ...]]:
        return self.table, ()


def test_what_does_not_fit_is_thinned_to_whole_traces_and_points(tmp_path: Path) -> None:
    everything = record(tmp_path / "all").kept
    most = everything.size_bytes // 2
    recorded = record(tmp_path / "case", most_bytes=most)
    kept = recorded.kept
    assert kept.size_bytes <= most
    assert errors_of(tmp_path / "case") == []
    _, spans, logs = read_back(tmp_path / "case")
    sizes = {trace: int((spans.trace_id == trace).sum()) for trace in set(spans.trace_id.tolist())}
    assert set(sizes.values()) == {3}
    assert 0 < kept.spans == len(spans) < 1200
    early = int((spans.start_ns < ns(20)).sum()) / len(spans)
    assert 0.35 < early < 0.65
    assert 0 < kept.lines == len(logs) < 460
    assert kept.left_out[-2].en == (
        f"Traces: {kept.spans:,} of 1,200 spans are kept "
        "(whole traces, at the same rate throughout)."
    )


def test_points_in_time_are_kept_for_all_series_or_for_none(tmp_path: Path) -> None:
    points = [(ns(second / 60), second * 0.37 % 1) for second in range(0, 2400, 2)]
    load = [series(name, "load", points) for name in ("cart", "shop", "store")]
    bare = FakeTelemetry(Matrix(tuple(load)))
    everything = record(tmp_path / "all", Sources(bare, bare, bare)).kept
    most = everything.size_bytes * 2 // 3
    kept = record(tmp_path / "case", Sources(bare, bare, bare), most_bytes=most).kept
    metrics, _, _ = read_back(tmp_path / "case")
    assert kept.size_bytes <= most
    assert len(metrics.series) == 3
    assert len({tuple(one.times_ns.tolist()) for one in metrics.series}) == 1
    assert kept.samples == 3 * len(metrics.series[0].times_ns)
    assert 900 < kept.samples < 3600
    early = float((metrics.series[0].times_ns < ns(20)).mean())
    assert 0.4 < early < 0.6


def test_a_size_that_leaves_nothing_of_the_window_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"^max-mb: so small"):
        record(tmp_path / "case", most_bytes=700)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_a_place_that_is_taken_is_refused_before_anybody_is_asked(
    tmp_path: Path, kind: str
) -> None:
    place = tmp_path / "case"
    if kind == "folder":
        place.mkdir()
    elif kind == "file":
        place.write_text("mine")
    else:
        place.symlink_to(tmp_path / "nowhere")
    down = FailingTelemetry(SourceUnavailable("asked in vain"))
    with pytest.raises(InvalidRequest, match=r"^out: .* exists already"):
        record(place, Sources(down, down, down))
    assert [one.name for one in tmp_path.iterdir()] == ["case"]


def test_a_place_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InvalidRequest, match=r"^out: .* cannot be made"):
        record(tmp_path / "file" / "case")


def test_folders_above_are_made_and_nothing_else_is_left_behind(tmp_path: Path) -> None:
    record(tmp_path / "a" / "b" / "case")
    assert [one.name for one in (tmp_path / "a" / "b").iterdir()] == ["case"]
    assert sorted(one.name for one in (tmp_path / "a" / "b" / "case").iterdir()) == [
        "case.json",
        "logs.parquet",
        "metrics.parquet",
        "spans.parquet",
    ]


def test_a_disk_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(InvalidRequest, match=r"cannot be written: .*No space left"):
        record(tmp_path / "case")
    assert list(tmp_path.iterdir()) == []


def test_a_backend_that_fails_is_told_and_the_rest_is_recorded(tmp_path: Path) -> None:
    down = FailingTelemetry(SourceUnavailable("HTTP 503"))
    recorded = record(tmp_path / "case", Sources(HELD, down, HELD))
    assert [gap.statement.en for gap in recorded.gaps] == [
        "The traces could not be read: HTTP 503."
    ]
    assert recorded.kept.spans == 0
    assert recorded.kept.lines == 460
    assert not (tmp_path / "case" / "spans.parquet").exists()
    assert errors_of(tmp_path / "case") == []


def test_when_nobody_answers_nothing_is_recorded(tmp_path: Path) -> None:
    down = FailingTelemetry(SourceUnavailable("HTTP 503"))
    with pytest.raises(SourceUnavailable, match=r"nothing to record: .*metrics.*HTTP 503"):
        record(tmp_path / "case", Sources(down, down, down))
    assert list(tmp_path.iterdir()) == []


def test_a_window_in_which_nothing_happened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidWindow, match="nothing was recorded"):
        record(tmp_path / "case", window=between(-60, -50))
    assert list(tmp_path.iterdir()) == []


@dataclass
class Onlooker:
    """Remembers the steps that ended."""

    ended_steps: list[Step] = field(default_factory=list)

    def thought(self, text: str) -> None: ...

    def started(self, tool: str, tool_input: str) -> None: ...

    def ended(self, step: Step) -> None:
        self.ended_steps.append(step)


def test_every_step_is_told_the_writing_last(tmp_path: Path) -> None:
    onlooker = Onlooker()
    incident = Incident("shop-1", "jaeger", "why?", FAULT)
    asyncio.run(record_case(incident, LIVE, SCENE, CaseFolder(tmp_path / "case"), PLENTY, onlooker))
    tools = [step.tool for step in onlooker.ended_steps]
    assert sorted(tools[:3]) == ["read_logs", "read_metrics", "read_traces"]
    assert tools[3:] == ["write_case"]
    assert '"spans": 1200' in onlooker.ended_steps[-1].observation

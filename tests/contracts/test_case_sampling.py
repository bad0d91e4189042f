"""Too large a case is sampled: whole traces, the same rate everywhere, in any row order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from aegis.adapters.cases.log_rows import read_logs
from aegis.adapters.cases.metric_rows import read_metrics
from aegis.adapters.cases.problems import raise_first
from aegis.adapters.cases.span_rows import read_spans
from aegis.model.telemetry import LogLine, Span
from tests.recordings import MS, Recording, SmallShop, log_table, ns, span_table, spans_of

TRACES = 2000
SPANS_A_TRACE = 3


@pytest.fixture
def busy(tmp_path: Path) -> Path:
    """2,000 traces of 3 spans and 2 log lines each, over 20 minutes."""
    spans, lines = [], []
    for number in range(TRACES):
        trace, start = f"{number * 7919:032x}", ns(20 * number / TRACES)
        for place in range(SPANS_A_TRACE):
            span = f"{number:08x}{place:08x}"
            spans.append(Span(trace, span, "", "a", "op", start + place * MS, MS, False))
        lines += [LogLine(start, "a", f"line {n} of {number}", None, trace, "") for n in range(2)]
    small = SmallShop().recording()
    return Recording(small.header, small.metrics, span_table(spans), log_table(lines)).write(
        tmp_path
    )


def test_a_case_below_the_cap_is_read_whole(busy: Path) -> None:
    table, gaps = read_spans(busy / "spans.parquet", raise_first, TRACES * SPANS_A_TRACE)
    assert (len(table), table.sampled_share, gaps) == (TRACES * SPANS_A_TRACE, 1.0, ())


def test_kept_traces_are_whole_and_the_cap_holds(busy: Path) -> None:
    table, gaps = read_spans(busy / "spans.parquet", raise_first, 1500)
    _, sizes = np.unique(table.trace_id, return_counts=True)
    assert set(sizes.tolist()) == {SPANS_A_TRACE}
    assert 1200 <= len(table) <= 1500
    assert table.sampled_share == pytest.approx(len(table) / (TRACES * SPANS_A_TRACE), abs=0.03)
    assert [gap.reason for gap in gaps] == ["sampled"]
    assert f"{len(table):,} of 6,000 were read" in gaps[0].statement.en
    assert f"{len(table):,} 个" in gaps[0].statement.zh


def test_the_rate_is_the_same_in_every_part_of_the_recording(busy: Path) -> None:
    table, _ = read_spans(busy / "spans.parquet", raise_first, 3000)
    quarters = np.histogram(table.start_ns, bins=4, range=(ns(0), ns(20)))[0]
    assert quarters / (TRACES * SPANS_A_TRACE / 4) == pytest.approx([0.5] * 4, abs=0.06)


def test_the_sample_does_not_depend_on_the_order_of_rows(busy: Path) -> None:
    before, _ = read_spans(busy / "spans.parquet", raise_first, 1500)
    rows = pq.read_table(busy / "spans.parquet")
    shuffled = rows.take(np.random.default_rng(3).permutation(len(rows)))
    pq.write_table(shuffled, busy / "spans.parquet", row_group_size=501)
    after, _ = read_spans(busy / "spans.parquet", raise_first, 1500)
    assert spans_of(after) == spans_of(before)


def test_the_lines_of_kept_traces_are_kept_with_them(busy: Path) -> None:
    spans, _ = read_spans(busy / "spans.parquet", raise_first, 1500)
    logs, gaps = read_logs(busy / "logs.parquet", raise_first, most_lines=1000)
    traced, lined = set(spans.trace_id.tolist()), set(logs.trace_id.tolist())
    assert lined <= traced or traced <= lined
    assert len(logs) == 2 * len(lined)
    assert len(logs) <= 1000
    assert [gap.reason for gap in gaps] == ["sampled"]


def test_many_bytes_of_log_text_are_sampled_as_many_lines_are(busy: Path) -> None:
    every, _ = read_logs(busy / "logs.parquet", raise_first)
    size = sum(len(body) for body in every.body)
    logs, gaps = read_logs(busy / "logs.parquet", raise_first, most_bytes=size // 4)
    assert 0 < sum(len(body) for body in logs.body) <= size // 4
    assert [gap.reason for gap in gaps] == ["sampled"]


def test_a_monstrous_trace_does_not_push_out_all_others(tmp_path: Path) -> None:
    spans = [Span("monster", f"{n:x}", "", "a", "op", ns(1) + n, MS, False) for n in range(2000)]
    spans += [Span(f"{n:032x}", f"s{n}", "", "a", "op", ns(2) + n, MS, False) for n in range(500)]
    small = SmallShop().recording()
    Recording(small.header, small.metrics, span_table(spans), small.logs).write(tmp_path)
    table, _ = read_spans(tmp_path / "spans.parquet", raise_first, 1000)
    kept = {span.trace_id for span in spans_of(table)}
    assert "monster" not in kept
    assert len(kept) >= 490


def test_metrics_lose_whole_moments_of_all_series_at_once(tmp_path: Path) -> None:
    folder = SmallShop().recording().write(tmp_path)
    matrix, gaps = read_metrics(folder / "metrics.parquet", raise_first, most_samples=240)
    moments = {tuple(one.times_ns.tolist()) for one in matrix.series}
    assert len(moments) == 1
    assert 20 <= len(moments.pop()) <= 40
    assert [gap.reason for gap in gaps] == ["sampled"]

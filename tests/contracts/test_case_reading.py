"""A case means the same however its files are laid out."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from aegis.adapters.cases.metric_rows import selector
from aegis.adapters.cases.recorded import RecordedCase
from aegis.adapters.cases.truth import read_truth
from aegis.adapters.cases.writer import write_case
from aegis.model.errors import InvalidCase
from aegis.model.incident import TrueCause
from aegis.model.telemetry import UNDATED, LogTable, Matrix, Series, SpanTable
from tests.recordings import SmallShop, between, ns, series

FILES = ("metrics", "spans", "logs")
Tables = tuple[Matrix, SpanTable, LogTable]


def read(folder: Path) -> Tables:
    case = RecordedCase.open(folder)
    window = between(-100_000, 100_000)
    spans, _ = asyncio.run(case.read_spans(window))
    logs, _ = asyncio.run(case.read_logs(window))
    matrix, _ = asyncio.run(case.read_metrics(window))
    return matrix, spans, logs


def same(one: object, other: object) -> bool:
    """Equal in every field, arrays included."""
    if isinstance(one, np.ndarray):
        return (
            np.array_equal(one, np.asarray(other))
            and one.dtype.kind == np.asarray(other).dtype.kind
        )
    if isinstance(one, Matrix) and isinstance(other, Matrix):
        pairs = zip(one.series, other.series, strict=True)
        return all(same(first, second) for first, second in pairs)
    if isinstance(one, SpanTable | LogTable | Series):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    return one == other


def alter(folder: Path, name: str, change: Callable[[pa.Table], pa.Table], **options: Any) -> None:
    path = folder / f"{name}.parquet"
    pq.write_table(change(pq.read_table(path)), path, **options)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return SmallShop().recording().write(tmp_path / "shop")


def test_what_is_written_is_read_back(shop: Path) -> None:
    recording = SmallShop().recording()
    tables = (recording.metrics, recording.spans, recording.logs)
    assert all(same(*pair) for pair in zip(read(shop), tables, strict=True))
    assert RecordedCase.open(shop).header == recording.header
    assert read_truth(shop) == (TrueCause("store", "cpu stress", "cpu"),)


def test_labels_and_undated_lines_are_read_back(tmp_path: Path) -> None:
    small = SmallShop().recording()
    labelled = (
        series("a", "load", [(ns(1), 1.0)], (("pod", "p 1"), ("zone", ""))),
        series("a", "load", [(ns(1), 2.0)], (("pod", "p 2"),)),
        series("a", "other", [(ns(1), 3.0)]),
    )
    times = small.logs.time_ns.copy()
    times[:3] = UNDATED
    logs = replace(small.logs, time_ns=times)
    write_case(tmp_path, small.header, Matrix(labelled), SpanTable.empty(), logs, None)
    metrics, spans, lines = read(tmp_path)
    assert same(metrics, Matrix(tuple(sorted(labelled, key=lambda one: (one.name, one.labels)))))
    assert len(spans) == 0
    assert int((lines.time_ns == UNDATED).sum()) == 3
    assert read_truth(tmp_path) is None


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_rows_columns_row_groups_and_services_means_nothing(
    shop: Path, seed: int
) -> None:
    before = read(shop)
    dice = np.random.default_rng(seed)

    def shuffle(table: pa.Table) -> pa.Table:
        rows = table.take(dice.permutation(len(table)))
        return rows.select(dice.permutation(rows.column_names).tolist())

    for name in FILES:
        alter(shop, name, shuffle, row_group_size=int(dice.integers(7, 200)))
    header = json.loads((shop / "case.json").read_text())
    for key in ("services", "calls", "changes"):
        header[key] = [header[key][place] for place in dice.permutation(len(header[key]))]
    shuffled = {key: header[key] for key in dice.permutation(list(header)).tolist()}
    (shop / "case.json").write_text(json.dumps(shuffled))
    assert all(same(*pair) for pair in zip(read(shop), before, strict=True))
    assert RecordedCase.open(shop).header == SmallShop().recording().header


def test_rows_that_tie_in_time_and_id_still_have_one_order(shop: Path) -> None:
    def tie(table: pa.Table) -> pa.Table:
        start = pa.array(np.full(len(table), ns(31))).cast(pa.timestamp("ns", tz="UTC"))
        same_id = pa.array(["x"] * len(table))
        place = table.column_names.index
        table = table.set_column(place("start"), "start", start)
        table = table.set_column(place("trace_id"), "trace_id", same_id)
        return table.set_column(place("span_id"), "span_id", same_id)

    alter(shop, "spans", tie)
    before = read(shop)[1]
    alter(shop, "spans", lambda table: table.take(np.arange(len(table))[::-1]))
    assert same(read(shop)[1], before)


def test_text_may_come_as_string_large_string_or_dictionary(shop: Path) -> None:
    before = read(shop)
    for kind in (pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.large_string())):
        for name in ("spans", "logs"):
            alter(shop, name, functools.partial(_retyped, kind=kind))
        assert all(same(*pair) for pair in zip(read(shop), before, strict=True))


def _retyped(table: pa.Table, kind: pa.DataType) -> pa.Table:
    """Text columns as `kind`; a dictionary of bytes only where it can number the names."""
    for place, name in enumerate(table.column_names):
        column = table[name].cast(pa.string()) if _is_text(table[name].type) else None
        if column is None or (
            pa.types.is_dictionary(kind) and pc.count_distinct(column).as_py() > 99
        ):
            continue
        retyped = column.dictionary_encode() if pa.types.is_dictionary(kind) else column.cast(kind)
        table = table.set_column(place, name, retyped)
    return table


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    inner = kind.value_type if types.is_dictionary(kind) else kind
    return bool(types.is_string(inner) or types.is_large_string(inner))


@pytest.mark.parametrize(
    "kind",
    [
        pa.timestamp("s"),
        pa.timestamp("ms"),
        pa.timestamp("us", tz="UTC"),
        pa.timestamp("ns", tz="Asia/Tokyo"),
    ],
    ids=str,
)
def test_times_may_have_any_unit_and_any_or_no_zone(
    shop: Path, kind: pa.TimestampType[Any, Any]
) -> None:
    def whole_seconds(table: pa.Table) -> pa.Table:
        place = table.column_names.index("time")
        seconds = pc.floor_temporal(table["time"], unit="second")
        return table.set_column(place, "time", seconds)

    alter(shop, "metrics", whole_seconds)
    before = read(shop)[0]

    def retimed(table: pa.Table) -> pa.Table:
        place = table.column_names.index("time")
        in_utc = table["time"].cast(pa.timestamp(kind.unit, tz="UTC"))
        return table.set_column(place, "time", in_utc.cast(pa.int64()).cast(kind))

    alter(shop, "metrics", retimed)
    assert same(read(shop)[0], before)


def test_whole_numbers_are_taken_as_metric_values(shop: Path) -> None:
    def whole(table: pa.Table) -> pa.Table:
        place = table.column_names.index("value")
        return table.set_column(place, "value", pc.round(table["value"]).cast(pa.int32()))

    alter(shop, "metrics", whole)
    assert read(shop)[0].series[0].values.dtype == np.float64


def test_samples_of_one_series_at_one_time_become_their_mean(tmp_path: Path) -> None:
    small = SmallShop().recording()
    twice = series("a", "load", [(ns(31), 1.0), (ns(31), 4.0), (ns(32), 7.0)])
    replace(small, metrics=Matrix((twice,))).write(tmp_path)
    (read_back,) = read(tmp_path)[0].series
    assert read_back.times_ns.tolist() == [ns(31), ns(32)]
    assert read_back.values.tolist() == [2.5, 7.0]


def test_a_log_time_before_1990_is_no_time_and_is_said_so(shop: Path) -> None:
    def forget(table: pa.Table) -> pa.Table:
        times = np.asarray(table["time"].cast(pa.int64())).copy()
        times[:4] = -6_795_364_578_871_345_152
        place = table.column_names.index("time")
        return table.set_column(place, "time", pa.array(times).cast(pa.timestamp("ns", tz="UTC")))

    alter(shop, "logs", forget)
    case = RecordedCase.open(shop)
    logs, gaps = asyncio.run(case.read_logs(case.extent))
    assert int((logs.time_ns == UNDATED).sum()) == 4
    assert [gap.reason for gap in gaps] == ["undated"]
    assert gaps[0].statement.en == "4 of 460 log lines carry no believable time."
    assert case.extent.start >= between(0, 1).start


@pytest.mark.parametrize("missing", FILES)
def test_any_one_file_may_be_absent(shop: Path, missing: str) -> None:
    (shop / f"{missing}.parquet").unlink()
    sizes = dict(
        zip(
            FILES,
            (len(t.series) if isinstance(t, Matrix) else len(t) for t in read(shop)),
            strict=True,
        )
    )
    assert {name for name, size in sizes.items() if size == 0} == {missing}


def test_a_case_without_any_telemetry_is_refused(shop: Path) -> None:
    for name in FILES:
        (shop / f"{name}.parquet").unlink()
    with pytest.raises(InvalidCase, match=r"has neither metrics\.parquet nor"):
        RecordedCase.open(shop)


def test_an_optional_column_of_nulls_counts_as_absent(shop: Path) -> None:
    alter(shop, "logs", lambda table: table.drop_columns(["level"]))
    before = read(shop)[2]
    alter(shop, "logs", lambda table: table.append_column("level", pa.nulls(len(table))))
    assert same(read(shop)[2], before)
    assert before.levels == ()


def test_columns_nobody_asked_for_are_not_read(shop: Path) -> None:
    before = read(shop)
    for name in FILES:
        alter(shop, name, lambda table: table.append_column("note", pa.nulls(len(table))))
    assert all(same(*pair) for pair in zip(read(shop), before, strict=True))


def test_labels_mean_the_same_in_any_order(tmp_path: Path) -> None:
    SmallShop().recording().write(tmp_path)
    maps = [[("pod", "p"), ("zone", "z")], [("zone", "z"), ("pod", "p")], [], None]
    table = pa.table(
        {
            "time": pa.array([ns(31 + place) for place in range(4)]).cast(pa.timestamp("ns")),
            "service": ["a"] * 4,
            "name": ["load"] * 4,
            "value": [1.0, 2.0, 3.0, 4.0],
            "labels": pa.array(maps, pa.map_(pa.string(), pa.string())),
        }
    )
    pq.write_table(table, tmp_path / "metrics.parquet")
    found = {one.labels: one.values.tolist() for one in read(tmp_path)[0].series}
    assert found == {(): [3.0, 4.0], (("pod", "p"), ("zone", "z")): [1.0, 2.0]}


@pytest.mark.parametrize(
    ("name", "labels", "query"),
    [
        ("up", (), 'up{service="a \\"b\\" \\\\ c"}'),
        ("up", (("pod", "p"),), 'up{service="a \\"b\\" \\\\ c",pod="p"}'),
        ("CPU (%)", (), '{"CPU (%)",service="a \\"b\\" \\\\ c"}'),
        ("up", (("k8s.pod", "x\ny"),), 'up{service="a \\"b\\" \\\\ c","k8s.pod"="x\\ny"}'),
    ],
)
def test_a_series_can_be_asked_for_again(
    name: str, labels: tuple[tuple[str, str], ...], query: str
) -> None:
    assert selector('a "b" \\ c', name, labels) == query

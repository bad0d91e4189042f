"""metrics.parquet: rows of samples become one Series for each (service, name, labels)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aegis.adapters.cases.columns import Batch, Column, Names, read_batches
from aegis.adapters.cases.problems import Report
from aegis.adapters.cases.sampling import (
    BUCKETS,
    Hashes,
    Sample,
    bucket_of,
    choose,
    hash_times,
    keep_all,
)
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import Floats, Int32s, Int64s, Matrix, Series
from aegis.model.text import Text

if TYPE_CHECKING:
    AnyArray = pa.Array[Any]
    AnyMap = pa.MapArray[Any, Any]

COLUMNS = (
    Column("time", "time"),
    Column("service", "text"),
    Column("name", "text"),
    Column("value", "number"),
    Column("labels", "labels", required=False, nullable=True),
)
MOST_SAMPLES = 6_000_000
_CLASSIC_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_CLASSIC_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")

Labels = tuple[tuple[str, str], ...]


def read_metrics(
    path: Path, report: Report, most_samples: int = MOST_SAMPLES
) -> tuple[Matrix, tuple[EvidenceGap, ...]]:
    """Every series of the file, sorted by (service, name, labels).

    Samples of one series at one time become their mean. Beyond `most_samples` rows, whole
    points in time are left out, the same ones for every series.
    """
    sample, total = _sample(path, report, most_samples)
    reading = _Reading()
    for batch in read_batches(path, COLUMNS, report):
        reading.add(batch, sample)
    matrix, kept = reading.matrix()
    return matrix, () if sample.everything else (_sampled_gap(kept, total),)


def selector(service: str, name: str, labels: Labels) -> str:
    """A PromQL selector that finds the series again in a Prometheus with a `service` label."""
    matchers = [
        f"{label if _CLASSIC_LABEL.fullmatch(label) else _quoted(label)}={_quoted(value)}"
        for label, value in (("service", service), *labels)
    ]
    if _CLASSIC_METRIC.fullmatch(name):
        return f"{name}{{{','.join(matchers)}}}"
    return f"{{{','.join([_quoted(name), *matchers])}}}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _sample(path: Path, report: Report, most_samples: int) -> tuple[Sample, int]:
    """The counting pass; it reads the file only where it is too large to be kept whole."""
    try:
        total = pq.read_metadata(path).num_rows
    except (pa.ArrowException, OSError):
        return keep_all(), 0
    if total <= most_samples:
        return keep_all(), total
    load = np.zeros(BUCKETS)
    for batch in read_batches(path, COLUMNS, report, only=("time",)):
        hashes = hash_times(batch.times_ns("time")[0])
        load += np.bincount(bucket_of(hashes), minlength=BUCKETS)
    return choose(load / most_samples), total


def _sampled_gap(kept: int, total: int) -> EvidenceGap:
    return EvidenceGap(
        "metrics",
        "sampled",
        None,
        Text(
            f"指标样本过多：{total:,} 个中读取了 {kept:,} 个（按时间点抽样，比例各时段相同）。",
            f"Too many metric samples: {kept:,} of {total:,} were read "
            "(whole points in time, at the same rate throughout).",
        ),
    )


@dataclass(slots=True)
class _Reading:
    """What was read so far, as columns."""

    services: Names = field(default_factory=Names)
    names: Names = field(default_factory=Names)
    labels: _LabelSets = field(default_factory=lambda: _LabelSets())
    series: dict[tuple[int, int, int], int] = field(default_factory=dict)
    codes: list[Int32s] = field(default_factory=list)
    times: list[Int64s] = field(default_factory=list)
    values: list[Floats] = field(default_factory=list)

    def add(self, batch: Batch, sample: Sample) -> None:
        times = batch.required_times_ns("time")
        values = batch.numbers("value")
        batch.flag_rows("value", "NaN is not a measurement", np.isnan(values))
        batch.flag_rows("value", "an infinite value is not a measurement", np.isinf(values))
        keep = np.isfinite(values) & sample.keeps(hash_times(times))
        service = self.services.codes(batch, "service")
        name = self.names.codes(batch, "name")
        keep &= (service >= 0) & (name >= 0)
        labels = self.labels.codes(batch)
        self.codes.append(self._series_codes(service[keep], name[keep], labels[keep]))
        self.times.append(times[keep])
        self.values.append(values[keep])

    def _series_codes(self, service: Int32s, name: Int32s, labels: Int32s) -> Int32s:
        packed = service.astype(np.int64) << 42 | name.astype(np.int64) << 21 | labels
        distinct, inverse = np.unique(packed, return_inverse=True)
        mask = (1 << 21) - 1
        codes = [
            self.series.setdefault((key >> 42, key >> 21 & mask, key & mask), len(self.series))
            for key in distinct.tolist()
        ]
        return np.array(codes, dtype=np.int32)[inverse]

    def matrix(self) -> tuple[Matrix, int]:
        """The series in canonical order, and how many rows they were made of."""
        if not self.series:
            return Matrix(), 0
        codes = np.concatenate(self.codes)
        times = np.concatenate(self.times)
        values = np.concatenate(self.values)
        self.codes, self.times, self.values = [], [], []
        rows = len(codes)
        codes, times, values = _means(codes, times, values)
        bounds = np.searchsorted(codes, np.arange(len(self.series) + 1))
        names, services = self.names.all(), self.services.all()
        series = []
        for (service, name, labels), code in self.series.items():
            part = slice(int(bounds[code]), int(bounds[code + 1]))
            key = (services[service], names[name], self.labels.sets[labels])
            series.append(Series(*key, times[part], values[part], selector(*key)))
        series.sort(key=lambda one: (one.service, one.name, one.labels))
        return Matrix(tuple(series)), rows


def _means(codes: Int32s, times: Int64s, values: Floats) -> tuple[Int32s, Int64s, Floats]:
    """Rows sorted by series and time, those that share both replaced by their mean.

    Equal rows are summed in the order of their values: a float sum depends on its order.
    """
    order = np.lexsort((times, codes))
    first = np.ones(len(codes), dtype=np.bool_)
    first[1:] = (np.diff(codes[order]) != 0) | (np.diff(times[order]) != 0)
    if first.all():
        return codes[order], times[order], values[order]
    order = np.lexsort((values, times, codes))
    starts = np.flatnonzero(first)
    sizes = np.diff(np.append(starts, len(codes)))
    means = np.add.reduceat(values[order], starts) / sizes
    return codes[order][starts], times[order][starts], means


class _LabelSets:
    """Numbers label sets without a Python object for each row."""

    def __init__(self) -> None:
        self.sets: list[Labels] = [()]
        self._codes: dict[Labels, int] = {(): 0}
        self._text_hashes: dict[str, int] = {}

    def codes(self, batch: Batch) -> Int32s:
        if "labels" not in batch.columns:
            return np.zeros(len(batch), dtype=np.int32)
        maps = cast("AnyMap", batch.columns["labels"])
        hashes = self._row_hashes(maps)
        _, examples, inverse = np.unique(hashes, return_index=True, return_inverse=True)
        found = [_label_set(maps[index].as_py()) for index in examples.tolist()]
        codes = []
        for labels in found:
            code = self._codes.setdefault(labels, len(self.sets))
            if code == len(self.sets):
                self.sets.append(labels)
            codes.append(code)
        return np.array(codes, dtype=np.int32)[inverse]

    def _row_hashes(self, maps: AnyMap) -> Hashes:
        """One number a row, the same for the same labels in any order."""
        offsets = np.asarray(maps.offsets)
        keys = self._hashes(maps.keys)[offsets[0] : offsets[-1]]
        items = self._hashes(maps.items)[offsets[0] : offsets[-1]]
        entries = hash_times((keys * np.uint64(3) + items).view(np.int64))
        sums = np.concatenate((np.zeros(1, dtype=np.uint64), np.cumsum(entries, dtype=np.uint64)))
        ends = offsets - offsets[0]
        hashes: Hashes = sums[ends[1:]] - sums[ends[:-1]]
        return hashes

    def _hashes(self, texts: AnyArray) -> Hashes:
        encoded = texts.dictionary_encode()
        distinct = cast("list[str]", encoded.dictionary.to_pylist())
        table = np.array([self._text_hash(text) for text in distinct] or [0], dtype=np.uint64)
        hashes: Hashes = table[np.asarray(encoded.indices.fill_null(0))]
        return hashes

    def _text_hash(self, text: str) -> int:
        known = self._text_hashes.get(text)
        if known is None:
            digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
            known = self._text_hashes[text] = int.from_bytes(digest, "little")
        return known


def _label_set(pairs: list[tuple[str, str | None]] | None) -> Labels:
    return tuple(sorted((key, value or "") for key, value in pairs or ()))

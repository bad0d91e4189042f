"""From Arrow columns of any fitting type to the numpy columns of the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aegis.adapters.cases.problems import Problem, Report, one_line, report_rows
from aegis.model.telemetry import Bools, Floats, Ids, Int32s, Int64s, to_ns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    AnyArray = pa.Array[Any]
    Bytes = NDArray[np.uint8]

BATCH_ROWS = 32_768
READ_BYTES = 1 << 20
LONGEST_ID = 128
FIRST_NS = 0
LAST_NS = to_ns(datetime(2200, 1, 1, tzinfo=UTC))
_NS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_LARGEST_EXACT = 2**53

Kind = Literal["time", "text", "number", "whole", "flag", "labels"]
_KIND_WORDS: dict[Kind, str] = {
    "time": "a timestamp",
    "text": "text",
    "number": "a number (float64)",
    "whole": "a whole number (int64)",
    "flag": "a boolean",
    "labels": "a map of text to text",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column the format knows. Rows may be null only where `nullable`."""

    name: str
    kind: Kind
    required: bool = True
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Some consecutive rows of one file, checked for nulls; `first_row` counts from 1."""

    file: str
    first_row: int
    columns: dict[str, AnyArray]
    report: Report

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def flag_rows(self, column: str, message: str, bad: Bools) -> None:
        report_rows(self.report, self.file, column, message, bad, self.first_row)

    def times_ns(self, column: str) -> tuple[Int64s, Bools]:
        """Nanoseconds UTC, and which rows hold none that fits; those read 0."""
        array = self.columns[column]
        factor = _NS[array.type.unit]
        raw = np.asarray(array.cast(pa.int64()).fill_null(0))
        bad = np.asarray(array.is_null())
        limit = np.iinfo(np.int64).max // factor
        bad = bad | (raw > limit) | (raw < -limit)
        return np.where(bad, 0, raw) * factor, bad

    def required_times_ns(self, column: str) -> Int64s:
        times, bad = self.times_ns(column)
        bad |= (times < FIRST_NS) | (times >= LAST_NS)
        self.flag_rows(column, "not a time between 1970 and 2200", bad)
        return times

    def ids(self, column: str) -> Ids:
        """UTF-8 bytes of each id; null reads as empty."""
        values, lengths = self.text_bytes(column)
        too_long = lengths > LONGEST_ID
        self.flag_rows(column, f"longer than {LONGEST_ID} bytes", too_long)
        return fixed_width(values, np.minimum(lengths, LONGEST_ID), lengths)

    def text_bytes(self, column: str) -> tuple[Bytes, Int64s]:
        """All bytes of a text column on end, and the length of each row in bytes."""
        array = _plain_text(self.columns[column])
        _, places, data = array.buffers()
        offsets = _numbers(places, np.int64)[array.offset : array.offset + len(array) + 1]
        every = _numbers(data, np.uint8)
        return every[offsets[0] : offsets[-1]], np.diff(offsets)

    def texts(self, column: str) -> list[str]:
        """Python strings; call it after sampling. Null reads as empty."""
        try:
            texts = _plain_text(self.columns[column]).to_pylist()
        except UnicodeDecodeError:
            self.report(Problem(self.file, None, column, "text that is not UTF-8"))
            return [""] * len(self)
        return cast("list[str]", texts)

    def numbers(self, column: str) -> Floats:
        """float64 values; whole numbers are taken where that loses nothing."""
        array = self.columns[column]
        if pa.types.is_integer(array.type):
            whole = np.asarray(array.fill_null(0))
            inexact = (whole > _LARGEST_EXACT) | (whole < -_LARGEST_EXACT)
            self.flag_rows(column, "too large to be read as float64 without loss", inexact)
            return whole.astype(np.float64)
        return np.asarray(array.cast(pa.float64()).fill_null(0.0))

    def whole_numbers(self, column: str) -> Int64s:
        array = self.columns[column].fill_null(0)
        if array.type == pa.uint64():
            raw = np.asarray(array)
            self.flag_rows(column, "too large for int64", raw > np.iinfo(np.int64).max)
            return raw.astype(np.int64)
        return np.asarray(array).astype(np.int64, copy=False)

    def flags(self, column: str) -> Bools:
        return np.asarray(self.columns[column].fill_null(False), dtype=np.bool_)

    def keep(self, rows: Bools) -> Batch:
        """Only the marked rows. Row numbers in later reports would be wrong, so check first."""
        if rows.all():
            return self
        mask = pa.array(rows)
        kept = {name: array.filter(mask) for name, array in self.columns.items()}
        return Batch(self.file, self.first_row, kept, self.report)


class Names:
    """Numbers strings in the order they are met, one Python string for each."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}

    def codes(self, batch: Batch, column: str) -> Int32s:
        """The number of each row's text; -1 where null or where the file has no such column."""
        if column not in batch.columns:
            return np.full(len(batch), -1, dtype=np.int32)
        array = batch.columns[column]
        encoded = array.dictionary_encode()
        indices = np.asarray(encoded.indices.cast(pa.int64()).fill_null(-1))
        used = np.unique(indices[indices >= 0])
        try:
            texts = encoded.dictionary.take(pa.array(used)).to_pylist()
        except UnicodeDecodeError:
            batch.report(Problem(batch.file, None, column, "text that is not UTF-8"))
            texts = [""] * len(used)
        table = np.full(len(encoded.dictionary) + 1, -1, dtype=np.int32)
        table[used] = [-1 if text is None else self._code(text) for text in texts]
        codes: Int32s = table[indices]
        return codes

    def _code(self, text: str) -> int:
        return self._codes.setdefault(text, len(self._codes))

    def all(self) -> list[str]:
        """Every name met, indexed by its number."""
        return list(self._codes)

    def in_order(self, codes: Int32s) -> tuple[tuple[str, ...], Int32s]:
        """The names that `codes` uses, sorted, and the codes renumbered to index them."""
        names = list(self._codes)
        used = [names[code] for code in np.unique(codes[codes >= 0]).tolist()]
        ordered = tuple(sorted(used))
        table = np.full(len(names) + 1, -1, dtype=np.int32)
        for rank, name in enumerate(ordered):
            table[self._codes[name]] = rank
        renumbered: Int32s = table[codes]
        return ordered, renumbered


def fixed_width(values: Bytes, keep: Int64s, lengths: Int64s) -> Ids:
    """Rows of bytes laid on end, as a numpy column of their first `keep` bytes."""
    width = max(int(keep.max(initial=0)), 1)
    if (lengths == width).all():  # hex ids, nearly always: ten times as fast
        whole: Ids = values.view(f"S{width}")
        return whole
    out = np.zeros((len(lengths), width), dtype=np.uint8)
    places = np.arange(width)
    starts = np.cumsum(lengths) - lengths
    inside = places < keep[:, None]
    if (keep == lengths).all():
        out[inside] = values
    else:
        out[inside] = values[(starts[:, None] + places)[inside]]
    padded: Ids = out.view(f"S{width}").ravel()
    return padded


def read_batches(
    path: Path, columns: tuple[Column, ...], report: Report, only: tuple[str, ...] | None = None
) -> Iterator[Batch]:
    """The rows of a Parquet file, a few at a time, with only the columns wanted.

    Reports a torn file, a missing column, a wrong type and each null that may not be. Ends
    early after a problem that leaves nothing to read.
    """
    file = str(path)
    wanted = [column for column in columns if only is None or column.name in only]
    try:
        with pq.ParquetFile(path, buffer_size=READ_BYTES) as parquet:
            present = _present(parquet.schema_arrow, wanted, file, report)
            if present is None:
                return
            names = [column.name for column in present]
            first_row = 1
            for raw in parquet.iter_batches(BATCH_ROWS, columns=names, use_threads=False):
                if raw.num_rows:
                    arrays = {name: raw.column(name) for name in names}
                    _report_nulls(arrays, present, file, first_row, report)
                    yield Batch(file, first_row, arrays, report)
                    first_row += raw.num_rows
    except (pa.ArrowException, OSError) as error:
        report(Problem(file, None, None, f"cannot be read as Parquet: {one_line(error)}"))


def _present(
    schema: pa.Schema, wanted: list[Column], file: str, report: Report
) -> list[Column] | None:
    """The wanted columns the file has, or None where one it needs is missing or mistyped."""
    present = []
    usable = True
    for column in wanted:
        found = schema.get_all_field_indices(column.name)
        if len(found) > 1:
            report(Problem(file, None, column.name, "occurs more than once"))
            usable = False
        elif not found:
            if column.required:
                report(Problem(file, None, column.name, "column is missing"))
                usable = False
        elif not column.required and pa.types.is_null(schema.field(found[0]).type):
            continue  # every row is null: as good as absent
        elif not _fits(schema.field(found[0]).type, column.kind):
            is_type = schema.field(found[0]).type
            message = f"must be {_KIND_WORDS[column.kind]}, is {is_type}"
            report(Problem(file, None, column.name, message))
            usable = False
        else:
            present.append(column)
    return present if usable else None


def _fits(arrow_type: pa.DataType, kind: Kind) -> bool:
    types = pa.types
    if kind == "time":
        return bool(types.is_timestamp(arrow_type))
    if kind == "text":
        inner = arrow_type.value_type if types.is_dictionary(arrow_type) else arrow_type
        return _is_text(inner)
    if kind == "number":
        return bool(types.is_floating(arrow_type) or types.is_integer(arrow_type))
    if kind == "whole":
        return bool(types.is_integer(arrow_type))
    if kind == "flag":
        return bool(types.is_boolean(arrow_type))
    return bool(
        types.is_map(arrow_type)
        and _is_text(arrow_type.key_type)
        and _is_text(arrow_type.item_type)
    )


def _is_text(arrow_type: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_string(arrow_type)
        or types.is_large_string(arrow_type)
        or types.is_string_view(arrow_type)
    )


def _report_nulls(
    arrays: dict[str, AnyArray], columns: list[Column], file: str, first_row: int, report: Report
) -> None:
    for column in columns:
        if not column.nullable and arrays[column.name].null_count:
            bad = np.asarray(arrays[column.name].is_null())
            report_rows(report, file, column.name, "null, but every row needs one", bad, first_row)


def _plain_text(array: AnyArray) -> AnyArray:
    """As large_string without nulls, whatever text type it came as."""
    return array.cast(pa.large_string()).fill_null("")


def _numbers(buffer: pa.Buffer | None, dtype: type[Any]) -> NDArray[Any]:
    """The content of an Arrow buffer; an empty array has none."""
    if buffer is None:
        return np.zeros(0, dtype=dtype)
    return np.frombuffer(cast("memoryview", buffer), dtype=dtype)

"""Several recordings side by side: which of them covers a window, and what time it is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from aegis.adapters.cases.header import FILE, read_header
from aegis.adapters.cases.problems import raise_first
from aegis.adapters.cases.recorded import LOGS, METRICS, SPANS, RecordedCase
from aegis.model.errors import InvalidCase, InvalidWindow
from aegis.model.telemetry import EPOCH, TimeWindow, from_ns, utc_text

_TIMES = {METRICS: "time", SPANS: "start", LOGS: "time"}
_TICK = timedelta(microseconds=1)
_UNIT = re.compile(r"timeUnit=(\w+)")
_NS_IN = {"milliseconds": 1_000_000, "microseconds": 1000, "nanoseconds": 1}
_BELIEVABLE = TimeWindow(EPOCH, EPOCH.replace(year=2200))


@dataclass(frozen=True, slots=True)
class Shelf:
    """The case at `root`, or every case below it.

    The clock of a shelf stands where its last recording ended. A window belongs to the case
    that recorded most of it; among equals to the one that ended last, then by path. Cases
    that break the format are left out as long as there is another.
    """

    spans: tuple[tuple[Path, TimeWindow], ...]

    @staticmethod
    def open(root: Path) -> Shelf:
        """Reads the headers and the footers of the files only; InvalidCase if none is whole."""
        folders = sorted(case_folders(root))
        if not folders:
            problem = "is not a folder" if not root.is_dir() else f"there is no {FILE} in it"
            raise InvalidCase(str(root), None, problem)
        found, broken = [], []
        for folder in folders:
            try:
                found.append((folder, _recorded(folder)))
            except InvalidCase as problem:
                broken.append(problem)
        if not found:
            raise broken[0]
        return Shelf(tuple(found))

    def now(self) -> datetime:
        return self.latest()[1].end

    def latest(self) -> tuple[Path, TimeWindow]:
        """The recording that ended last."""
        return max(self.spans, key=lambda one: (one[1].end, one[0]))

    def covering(self, window: TimeWindow) -> Path:
        """The case to ask about a window; InvalidWindow where nothing was recorded in it."""

        def overlap(span: TimeWindow) -> timedelta:
            return min(span.end, window.end) - max(span.start, window.start)

        folder, span = max(self.spans, key=lambda one: (overlap(one[1]), one[1].end, one[0]))
        if len(self.spans) > 1 and overlap(span) <= timedelta(0):
            first = min(one.start for _, one in self.spans)
            message = (
                f"nothing was recorded from {utc_text(window.start)} to {utc_text(window.end)}; "
                f"the {len(self.spans)} recordings lie between {utc_text(first)} "
                f"and {utc_text(self.now())}"
            )
            raise InvalidWindow("window", message)
        return folder


def case_folders(root: Path) -> Iterator[Path]:
    """Every case folder at or below the root."""
    if (root / FILE).is_file():
        yield root
        return
    for file in root.rglob(FILE):
        yield file.parent


def _recorded(folder: Path) -> TimeWindow:
    """What RecordedCase.extent says, without reading rows where the files tell."""
    files = [folder / name for name in (FILE, *_TIMES)]
    return _recorded_as_of(folder, tuple(_stamp(file) for file in files))


def _stamp(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError:
        return (0, 0)
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=4096)
def _recorded_as_of(folder: Path, stamps: tuple[tuple[int, int], ...]) -> TimeWindow:
    """Remembered until one of the files changes: a folder may hold hundreds of cases."""
    header = read_header(folder, raise_first)
    ends = [_ends(folder / name, column) for name, column in _TIMES.items()]
    told = [from_ns(time_ns) for pair in ends if pair is not None for time_ns in pair]
    if header is None or None in ends or not told:
        return RecordedCase.open(folder).extent
    window = header.fault_window
    moments = [window.start, window.end - _TICK, *told]
    return TimeWindow(min(moments), max(moments) + _TICK)


def _ends(path: Path, column: str) -> tuple[int, ...] | None:
    """First and last time in a file by its footer, () without rows; None where it is silent."""
    if not path.exists():
        return ()
    found: list[int] = []
    try:
        footer = pq.read_metadata(path)
        place = footer.schema.names.index(column)
        unit = _UNIT.search(str(footer.schema.column(place).logical_type))
        for group in range(footer.num_row_groups):
            told = footer.row_group(group).column(place).statistics
            ends = [told.min_raw, told.max_raw] if told is not None and told.has_min_max else [None]
            if None in ends or unit is None:
                return None
            found += [raw * _NS_IN[unit[1]] for raw in ends if raw is not None]
    except (pa.ArrowException, OSError, ValueError):
        return None
    believable = all(_BELIEVABLE.start_ns <= one < _BELIEVABLE.end_ns for one in found)
    return tuple(found) if believable else None

"""A new case folder, whole or not there at all."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from aegis.adapters.cases.fitting import lines_that_fit, spans_that_fit
from aegis.adapters.cases.header import FILE as HEADER
from aegis.adapters.cases.problems import one_line
from aegis.adapters.cases.thinning import (
    fair_shares,
    part_of_logs,
    part_of_metrics,
    part_of_spans,
    rows_of,
)
from aegis.adapters.cases.validation import validate
from aegis.adapters.cases.writer import write_header
from aegis.model.errors import InvalidCase, InvalidRequest
from aegis.model.incident import CaseHeader, KeptCase
from aegis.model.telemetry import LogTable, Matrix, SpanTable, TimeWindow
from aegis.model.text import Text


@dataclass(frozen=True, slots=True)
class CaseFolder:
    """Written beside its place under a name that begins with a dot, checked, then renamed."""

    folder: Path

    @property
    def case_id(self) -> str:
        return self.folder.resolve().name

    def check_free(self) -> None:
        if self.folder.exists() or self.folder.is_symlink():
            raise InvalidRequest("out", f"{self.folder} exists already; name a new folder")
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidRequest(
                "out", f"{self.folder} cannot be made: {one_line(error)}"
            ) from None

    def keep(
        self,
        header: CaseHeader,
        metrics: Matrix,
        spans: SpanTable,
        logs: LogTable,
        most_bytes: int,
    ) -> KeptCase:
        self.check_free()
        try:
            building = Path(
                tempfile.mkdtemp(prefix=f".{self.folder.name[:100]}.", dir=self.folder.parent)
            )
        except OSError as error:
            raise InvalidRequest(
                "out", f"{self.folder} cannot be made: {one_line(error)}"
            ) from None
        try:
            kept = _write(building, header, metrics, spans, logs, most_bytes)
            self.check_free()
            building.rename(self.folder)
        except OSError as error:
            message = f"{self.folder} cannot be written: {one_line(error)}"
            raise InvalidRequest("out", message) from None
        finally:
            shutil.rmtree(building, ignore_errors=True)
        return kept


def _write(
    folder: Path,
    header: CaseHeader,
    metrics: Matrix,
    spans: SpanTable,
    logs: LogTable,
    most_bytes: int,
) -> KeptCase:
    spans, left_out_spans = spans_that_fit(spans)
    logs, left_out_lines = lines_that_fit(logs)
    left_out = [*left_out_spans, *left_out_lines]
    write_header(folder, header)
    header_bytes = (folder / HEADER).stat().st_size
    (folder / HEADER).unlink()  # until all is there, nobody who looks for cases finds one
    points, traces, lines = part_of_metrics(metrics), part_of_spans(spans), part_of_logs(logs)
    sizes = {part.file: part.written(folder) for part in (points, traces, lines)}
    share = fair_shares(sizes, max(most_bytes - header_bytes, 0))

    def shrinks(file: str) -> bool:
        return share[file] < sizes[file]

    if shrinks(points.file):
        metrics, told = points.thinned(folder, sizes[points.file], share[points.file])
        left_out.append(told)
    if shrinks(traces.file):
        spans, told = traces.thinned(folder, sizes[traces.file], share[traces.file])
        left_out.append(told)
    if shrinks(lines.file):
        logs, told = lines.thinned(folder, sizes[lines.file], share[lines.file])
        left_out.append(told)
    write_header(folder, header)
    _check(folder, header.fault_window, metrics, spans, logs, left_out)
    size = sum(file.stat().st_size for file in folder.iterdir())
    return KeptCase(rows_of(metrics), len(spans), len(logs), size, tuple(left_out))


def _check(
    folder: Path,
    window: TimeWindow,
    metrics: Matrix,
    spans: SpanTable,
    logs: LogTable,
    left_out: list[Text],
) -> None:
    """What a reader would refuse is not handed over."""
    times = [series.times_ns for series in metrics.series]
    times += [spans.start_ns, logs.time_ns]
    if left_out and not any(window.contains(part).any() for part in times):
        raise InvalidRequest("max-mb", "so small that nothing of the window would be left")
    for problem in validate(folder):
        if problem.severity == "error":
            raise InvalidCase(Path(problem.file).name, problem.column, problem.message)

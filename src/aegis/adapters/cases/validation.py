"""Everything that is wrong with a case folder, not just the first thing."""

from __future__ import annotations

from pathlib import Path

from aegis.adapters.cases import header as header_file
from aegis.adapters.cases import truth as truth_file
from aegis.adapters.cases.header import read_header
from aegis.adapters.cases.log_rows import read_logs
from aegis.adapters.cases.metric_rows import read_metrics
from aegis.adapters.cases.problems import Collected, Problem, Report
from aegis.adapters.cases.recorded import LOGS, METRICS, SPANS
from aegis.adapters.cases.span_rows import read_spans
from aegis.adapters.cases.truth import read_truth
from aegis.model.incident import CaseHeader, TrueCause
from aegis.model.telemetry import UNDATED, Int64s, LogTable, Matrix, SpanTable


def validate(folder: Path) -> list[Problem]:
    """All problems of a case, at most MOST_PROBLEMS, in the order of the files.

    A case without errors can be analysed; a warning names what is likely a mistake.
    """
    found = Collected()
    if not folder.is_dir():
        found(Problem(str(folder), None, None, "is not a folder"))
        return found.problems
    header = read_header(folder, found)
    if not any((folder / name).exists() for name in (METRICS, SPANS, LOGS)):
        message = f"has neither {METRICS} nor {SPANS} nor {LOGS}"
        found(Problem(str(folder), None, None, message))
    metrics = read_metrics(folder / METRICS, found)[0] if (folder / METRICS).exists() else Matrix()
    spans, logs = SpanTable.empty(), LogTable.empty()
    if (folder / SPANS).exists():
        spans = read_spans(folder / SPANS, found)[0]
    if (folder / LOGS).exists():
        logs = read_logs(folder / LOGS, found)[0]
    truth = read_truth(folder, found)
    if header is not None:
        known = {series.service for series in metrics.series}
        known |= {*header.services, *spans.services, *logs.services}
        _check_names(folder, header, truth, known, found)
        times = [series.times_ns for series in metrics.series]
        times += [spans.start_ns, logs.time_ns[logs.time_ns != UNDATED]]
        _check_window(folder, header, times, found)
    return found.problems


def _check_names(
    folder: Path,
    header: CaseHeader,
    truth: tuple[TrueCause, ...] | None,
    known: set[str],
    report: Report,
) -> None:
    """Services that are named but occur nowhere: allowed, and most often a slip of the pen."""
    named = [("alarm.service", header.alarm.service)] if header.alarm else []
    for index, (caller, callee) in enumerate(header.calls):
        named += [(f"calls[{index}]", caller), (f"calls[{index}]", callee)]
    named += [
        (f"changes[{index}].service", one.service) for index, one in enumerate(header.changes)
    ]
    file = str(folder / header_file.FILE)
    for field, service in named:
        if service is not None and service not in known:
            message = f"names {service!r}, which is neither in services nor in the telemetry"
            report(Problem(file, None, field, message, "warning"))
    for index, cause in enumerate(truth or ()):
        if cause.service not in known:
            message = f"names {cause.service!r}, which is neither in services nor in the telemetry"
            where = f"root_causes[{index}].service"
            report(Problem(str(folder / truth_file.FILE), None, where, message, "warning"))


def _check_window(folder: Path, header: CaseHeader, times: list[Int64s], report: Report) -> None:
    window = header.fault_window
    file = str(folder / header_file.FILE)
    if not any(window.contains(part).any() for part in times):
        report(Problem(file, None, "fault_window", "no recorded row lies in it"))
    elif all(window.contains(part).all() for part in times):
        message = "every recorded row lies in it, so there is no baseline"
        report(Problem(file, None, "fault_window", message, "warning"))

"""`aegis case show` and `aegis case validate`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text as Line

from aegis import bootstrap
from aegis.entrypoints.cli.answer_text import window_text
from aegis.entrypoints.cli.options import printable
from aegis.model.telemetry import TimeWindow, utc_text

SERVICES_SHOWN = 40


def case_json(folder: Path) -> dict[str, object]:
    """What a case is about and how much it holds; the labels stay unread."""
    case = bootstrap.open_case(folder)
    header, contents = case.header, bootstrap.contents(case)
    return {
        "id": header.id,
        "source": header.source,
        "fault_window": case.fault_window().as_text(),
        "recorded": case.extent.as_text(),
        "alarm": asdict(header.alarm) if header.alarm else None,
        "metrics": {
            "series": len(contents.metrics.series),
            "samples": sum(len(series.times_ns) for series in contents.metrics.series),
        },
        "spans": len(contents.spans),
        "logs": len(contents.logs),
        "services": _services_json(contents),
        "calls": [list(call) for call in header.calls],
        "changes": [
            {
                "service": change.service,
                "time": utc_text(change.time),
                "kind": change.kind,
                "version": change.version,
            }
            for change in header.changes
        ],
        "asked": None
        if header.asked is None
        else {
            "question": header.asked.question,
            **TimeWindow(header.asked.start, header.asked.end).as_text(),
        },
        "blind_spots": [gap.statement.en for gap in contents.gaps],
    }


def print_case(console: Console, folder: Path) -> None:
    case = bootstrap.open_case(folder)
    header, contents = case.header, bootstrap.contents(case)
    samples = sum(len(series.times_ns) for series in contents.metrics.series)
    alarm = header.alarm
    rang = "none" if alarm is None else f"{alarm.service or '–'} ({alarm.kind or 'any kind'})"
    lines = {
        "case": header.id,
        "source": header.source,
        "fault window": window_text(case.fault_window()),
        "recorded": window_text(case.extent),
        "alarm": rang,
        "metrics": f"{len(contents.metrics.series):,} series, {samples:,} samples",
        "spans": f"{len(contents.spans):,}",
        "log lines": f"{len(contents.logs):,}",
        "changes": ", ".join(f"{one.service} {utc_text(one.time)}" for one in header.changes)
        or "none",
        "asked": header.asked.question if header.asked else "–",
    }
    for name, text in lines.items():
        console.print(f"{name:<13} {printable(text)}", markup=False, highlight=False)
    for gap in contents.gaps:
        told = printable(gap.statement.en)
        console.print(f"{'not seen':<13} {told}", markup=False, highlight=False)
    console.print()
    console.print(_service_table(contents))


def problems_json(problems: Sequence[bootstrap.Problem]) -> dict[str, object]:
    return {"valid": is_valid(problems), "problems": [asdict(problem) for problem in problems]}


def print_problems(console: Console, folder: Path, problems: Sequence[bootstrap.Problem]) -> None:
    for problem in problems:
        line = printable(f"{problem.severity}: {problem}")
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    verdict = "follows aegis-case/1" if is_valid(problems) else "does not follow aegis-case/1"
    console.print(f"{folder} {verdict}.", markup=False, highlight=False, soft_wrap=True)


def is_valid(problems: Sequence[bootstrap.Problem]) -> bool:
    return all(problem.severity != "error" for problem in problems)


def _services_json(contents: bootstrap.Contents) -> list[dict[str, object]]:
    return [
        {"name": name, "series": series, "spans": spans, "logs": logs}
        for name, series, spans, logs in _services(contents)
    ]


def _services(contents: bootstrap.Contents) -> list[tuple[str, int, int, int]]:
    series = Counter(one.service for one in contents.metrics.series)
    spans = Counter(contents.spans.service_code.tolist())
    logs = Counter(contents.logs.service_code.tolist())
    by_span = {name: spans[code] for code, name in enumerate(contents.spans.services)}
    by_log = {name: logs[code] for code, name in enumerate(contents.logs.services)}
    return [
        (name, series[name], by_span.get(name, 0), by_log.get(name, 0))
        for name in contents.services
    ]


def _service_table(contents: bootstrap.Contents) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("service", overflow="fold")
    for title in ("series", "spans", "log lines"):
        table.add_column(title, justify="right")
    rows = _services(contents)
    for name, *counts in rows[:SERVICES_SHOWN]:
        table.add_row(Line(printable(name)), *(f"{count:,}" if count else "–" for count in counts))
    if len(rows) > SERVICES_SHOWN:
        table.add_row(f"… {len(rows) - SERVICES_SHOWN} more with --json")
    return table

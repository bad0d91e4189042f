"""`aegis case record`."""

from __future__ import annotations

import shlex
from pathlib import Path

from rich.console import Console

from aegis.bootstrap import Asked, LastMinutes
from aegis.bootstrap.live import record_live
from aegis.entrypoints.cli import words
from aegis.entrypoints.cli.answer_text import window_text
from aegis.entrypoints.cli.asking import Progress
from aegis.entrypoints.cli.options import printable
from aegis.model.telemetry import TimeWindow
from aegis.model.text import Language
from aegis.settings import read_settings
from aegis.workflows.analyze_incident import speaks
from aegis.workflows.record_case import Recorded

MB = 1_000_000


def record(
    out: Path, question: str | None, minutes: int | None, window: TimeWindow | None, max_mb: int
) -> Recorded:
    """Progress goes to stderr where a person looks on."""
    settings = read_settings()
    language: Language = settings.language if question is None else speaks(question)
    text = question or words.RECORD_QUESTION.in_language(language)
    when = window if minutes is None else LastMinutes(minutes)
    asked = Asked(text, language, settings.timezone, when)
    return record_live(settings, asked, out, max_mb * MB, Progress(Console(stderr=True)))


def recorded_json(out: Path, recorded: Recorded) -> dict[str, object]:
    header, kept = recorded.header, recorded.kept
    return {
        "folder": str(out),
        "id": header.id,
        "fault_window": header.fault_window.as_text(),
        "services": list(header.services),
        "samples": kept.samples,
        "spans": kept.spans,
        "lines": kept.lines,
        "changes": len(header.changes),
        "bytes": kept.size_bytes,
        "left_out": [text.en for text in kept.left_out],
        "blind_spots": [gap.statement.en for gap in recorded.gaps],
    }


def print_recorded(console: Console, out: Path, recorded: Recorded) -> None:
    header, kept = recorded.header, recorded.kept
    lines = [
        f"{'recorded':<13} {out}, {kept.size_bytes / MB:.1f} MB",
        f"{'fault window':<13} {window_text(header.fault_window)}",
        f"{'holds':<13} {len(header.services):,} services, {kept.samples:,} samples, "
        f"{kept.spans:,} spans, {kept.lines:,} log lines, {len(header.changes):,} changes",
    ]
    lines += [f"{'left out':<13} {text.en}" for text in kept.left_out]
    lines += [f"{'not seen':<13} {gap.statement.en}" for gap in recorded.gaps]
    question = shlex.quote(header.asked.question if header.asked else "")
    lines.append(f"{'to replay':<13} aegis analyze {question} --case {shlex.quote(str(out))}")
    for line in lines:
        console.print(printable(line), markup=False, highlight=False, soft_wrap=True)

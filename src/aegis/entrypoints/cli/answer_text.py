"""An analysis for people: readable at 80 columns, without colour, in both languages."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Styled

from aegis.entrypoints.cli import words
from aegis.entrypoints.cli.options import printable
from aegis.model.diagnosis import Diagnosis, RootCause
from aegis.model.evidence import Evidence
from aegis.model.telemetry import TimeWindow, from_ns
from aegis.model.text import Language, Text
from aegis.workflows.analyze_incident import Analysis, listed_causes

BAR_WIDTH = 20
SPARK_WIDTH = 16
PROOFS_SHOWN = 5
EVENTS_SHOWN = 12
_BLOCKS = "▁▂▃▄▅▆▇█"


def print_answer(console: Console, analysis: Analysis) -> None:
    """Blind spots come first: what was not seen limits everything said after it."""
    diagnosis, answer = analysis.diagnosis, analysis.answer
    language = answer.language
    _line(console, f"{words.QUESTION.in_language(language)}  {analysis.question.text}", "bold")
    _line(console, f"{words.WINDOW.in_language(language)}  {window_text(diagnosis.window)}", "dim")
    unseen = answer.blind_spots or (words.NO_BLIND_SPOTS.in_language(language),)
    _section(console, words.BLIND_SPOTS, language, unseen)
    _section(console, words.IMPACT, language, [answer.impact])
    _print_causes(console, analysis)
    events = [
        f"{_clock(entry.time_ns, diagnosis.window)}  {entry.event.in_language(language)}"
        + (f" [{entry.evidence_id}]" if entry.evidence_id else "")
        for entry in diagnosis.timeline
    ]
    _section(console, words.TIMELINE, language, _first(events, EVENTS_SHOWN, language))
    _section(console, words.RULED_OUT, language, answer.ruled_out)
    _section(console, words.NEXT_ACTIONS, language, answer.next_actions, numbered=True)


def print_commands(console: Console, language: Language, commands: Mapping[Text, str]) -> None:
    """What each command is for, and the command in one piece, to be copied."""
    _title(console, words.GO_ON, language)
    for title, command in commands.items():
        _line(console, f"  {title.in_language(language)}", "dim")
        console.print(Styled(f"    {command}"), soft_wrap=True)


def probability_bar(probability: float) -> str:
    """Full blocks for the share, light ones for the rest; never empty above zero."""
    filled = round(probability * BAR_WIDTH)
    filled = max(filled, 1) if probability > 0 else 0
    return "█" * filled + "░" * (BAR_WIDTH - filled)


def percent(probability: float) -> str:
    """Four characters; never rounds to certainty."""
    if probability > 0.995:
        return ">99%"
    return " <1%" if 0 < probability < 0.005 else f"{probability:>4.0%}"


def sparkline(values: Sequence[float], width: int = SPARK_WIDTH) -> str:
    """The trend from its lowest to its highest value; empty for fewer than two values."""
    if len(values) < 2:
        return ""
    parts = min(width, len(values))
    edges = [round(index * len(values) / parts) for index in range(parts + 1)]
    means = [sum(values[start:end]) / (end - start) for start, end in itertools.pairwise(edges)]
    low, high = min(means), max(means)
    if high == low:
        return _BLOCKS[0] * parts
    top = len(_BLOCKS) - 1
    return "".join(_BLOCKS[round((mean - low) / (high - low) * top)] for mean in means)


def window_text(window: TimeWindow) -> str:
    """`2026-01-02 10:00:00 – 10:15:00 UTC`, with the second date where it differs."""
    start, end = window.start, window.end
    same_day = start.date() == end.date()
    return (
        f"{start:%Y-%m-%d %H:%M:%S} – {end:{'%H:%M:%S' if same_day else '%Y-%m-%d %H:%M:%S'}} UTC"
    )


def _print_causes(console: Console, analysis: Analysis) -> None:
    diagnosis, language = analysis.diagnosis, analysis.answer.language
    _title(console, words.CAUSES, language)
    causes = listed_causes(diagnosis)
    if not causes:
        _hanging(console, 1, Styled(""), Styled(words.NO_CAUSES.in_language(language)))
        for line in analysis.answer.summary.splitlines():
            _hanging(console, 1, Styled(""), Styled(line))
    for rank, cause in enumerate(causes, start=1):
        _print_cause(console, analysis, rank, cause)
    none = diagnosis.none_probability
    name = words.NOTHING_ABNORMAL.in_language(language)
    _line(console, f"  –  {probability_bar(none)} {percent(none)}  {name}", "dim")


def _print_cause(console: Console, analysis: Analysis, rank: int, cause: RootCause) -> None:
    diagnosis, language = analysis.diagnosis, analysis.answer.language
    bar = probability_bar(cause.probability)
    head = Styled(f"{bar} {percent(cause.probability)}  ")
    head.append(printable(cause.service), "bold")
    head.append(f"  {words.FAMILIES[cause.family].in_language(language)}", "cyan")
    if cause.onset_ns is not None:
        since = _clock(cause.onset_ns, diagnosis.window)
        head.append(f"  {words.SINCE.in_language(language)} {since}", "dim")
    _hanging(console, 2, Styled(f"{rank} "), head)
    for item in _named(diagnosis, cause.evidence_ids[:PROOFS_SHOWN]):
        _print_evidence(console, item, language, "")
    for item in _named(diagnosis, cause.against_ids[:1]):
        _print_evidence(console, item, language, words.AGAINST.in_language(language))


def _print_evidence(console: Console, item: Evidence, language: Language, prefix: str) -> None:
    said = Styled()
    trend = sparkline(item.trend)
    if trend:
        said.append(f"{trend} ", "cyan")
    said.append(prefix, "yellow")
    said.append(printable(item.statement.in_language(language)))
    mark = Styled(f"[{item.id}]", "yellow" if prefix else "green")
    _hanging(console, 5, mark, said)
    for sample in item.samples[:1]:
        _hanging(console, 7, Styled("│", "dim"), Styled(_cut(sample), "dim"))


def _named(diagnosis: Diagnosis, ids: Iterable[str]) -> list[Evidence]:
    by_id = diagnosis.evidence_by_id()
    return [by_id[one] for one in ids]


def _section(
    console: Console, title: Text, language: Language, lines: Sequence[str], numbered: bool = False
) -> None:
    if not lines:
        return
    _title(console, title, language)
    for number, line in enumerate(lines, start=1):
        _hanging(console, 2, Styled(f"{number}." if numbered else "•"), Styled(printable(line)))


def _hanging(console: Console, indent: int, mark: Styled, text: Styled) -> None:
    """A mark and a text whose later lines start below its first."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(mark, text)
    console.print(Padding(grid, (0, 0, 0, indent), expand=False))


def _title(console: Console, title: Text, language: Language) -> None:
    console.print()
    _line(console, title.in_language(language), "bold")


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(Styled(printable(text), style))


def _first(lines: list[str], most: int, language: Language) -> list[str]:
    if len(lines) <= most:
        return lines
    more = words.MORE.in_language(language).format(count=len(lines) - most)
    return [*lines[:most], more]


def _clock(time_ns: int, window: TimeWindow) -> str:
    """The time of day near the window, with the date further away."""
    moment = from_ns(time_ns)
    near = abs(moment - window.start) < timedelta(hours=12)
    return f"{moment:{'%H:%M:%S' if near else '%Y-%m-%d %H:%M'}}"


def _cut(text: str, longest: int = 160) -> str:
    line = printable(" ".join(text.split()))
    return line if len(line) <= longest else f"{line[: longest - 1]}…"

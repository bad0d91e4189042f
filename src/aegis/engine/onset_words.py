"""When it began, in words: four outcomes, four sentences."""

from __future__ import annotations

from aegis.engine.quantities import clock_time
from aegis.model.diagnosis import OnsetOutcome
from aegis.model.telemetry import TimeWindow
from aegis.model.text import Text

MINUTE_NS = 60_000_000_000


def onset_statement(
    outcome: OnsetOutcome,
    asked: TimeWindow,
    start_ns: int | None,
    end_ns: int | None,
    window: TimeWindow,
) -> Text:
    """One sentence; times are UTC, as everywhere in an answer."""
    if outcome == "nothing":
        return Text(
            "所问时间前后没有发现任何开始异常的迹象。",
            "Nothing began around the time asked about.",
        )
    if start_ns is None:  # before the history
        since = clock_time(window.start_ns, window)
        still = Text("，至今仍在持续", ", and it still goes on")
        if end_ns is not None:
            ended = clock_time(end_ns, window)
            still = Text(f"，于 UTC {ended} 结束", f", and it ended at {ended} UTC")
        return Text(
            f"在读到的历史（自 UTC {since} 起）之前就已开始{still.zh}。",
            f"It began before the history that was read (from {since} UTC){still.en}.",
        )
    began, away = clock_time(start_ns, window), _away(start_ns, asked)
    if end_ns is None:
        return Text(
            f"始于 UTC {began}，{away.zh}，仍在持续。",
            f"It began at {began} UTC, {away.en}, and still goes on.",
        )
    ended, lasted = clock_time(end_ns, window), _length(end_ns - start_ns)
    return Text(
        f"始于 UTC {began}，{away.zh}；UTC {ended} 结束，持续 {lasted.zh}。",
        f"It began at {began} UTC, {away.en}; it ended at {ended} UTC and lasted {lasted.en}.",
    )


def _away(start_ns: int, asked: TimeWindow) -> Text:
    before = asked.end_ns - start_ns
    length = _length(abs(before))
    if before >= 0:
        return Text(f"即提问时间之前 {length.zh}", f"{length.en} before you asked")
    return Text(f"即所问时间之后 {length.zh}", f"{length.en} after the time asked about")


def _length(length_ns: int) -> Text:
    minutes = round(length_ns / MINUTE_NS)
    if minutes == 0:
        return Text("不到一分钟", "less than a minute")
    if minutes < 120:
        return Text(f"{minutes} 分钟", f"{minutes} minute{'s' if minutes > 1 else ''}")
    hours = length_ns / MINUTE_NS / 60
    return Text(f"{hours:.1f} 小时", f"{hours:.1f} hours")

"""Numbers, units and times as people read them, with the same digits in every language."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from aegis.model.telemetry import TimeWindow, from_ns
from aegis.model.text import Text

LONGEST_NAME = 80
_MOST_NAMES = 5
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_FEWEST_DIGITS, _MOST_DIGITS = 2, 6
_CLEAR_FACTOR = 2.0
_HUGE_FACTOR = 1000.0
_SHARES = frozenset({"share", "per_line"})
_SUFFIXES: dict[str, tuple[str, str]] = {
    "%": (" %", " %"),
    "share": (" %", " %"),
    "per_line": (" %", " %"),
    "per_s": (" 次/秒", " per second"),
    "per_min": (" 次/分钟", " per minute"),
    "per_trace": (" 次/调用链", " per trace"),
    "count": ("", ""),
    "": ("", ""),
}
_NOT_REPEATED = frozenset({"per_s", "per_min", "per_trace", "count", ""})
_DURATIONS_S = ((7200.0, 3600.0, "h"), (120.0, 60.0, "min"), (1.0, 1.0, "s"), (1e-4, 1e-3, "ms"))
_IN_SECONDS = {"s": 1.0, "ms": 1e-3, "min": 60.0}
_CHINESE_TIMES = {"h": "小时", "min": "分钟"}
_BYTES = ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"))
_LARGE = ((1e12, "T"), (1e9, "G"), (1e6, "M"))


def finite(value: float | None) -> float | None:
    """The value, or None where it is missing or not a number that can be shown."""
    return value if value is not None and math.isfinite(value) else None


def numeral(value: float, digits: int = _FEWEST_DIGITS) -> str:
    """`value` with at least `digits` significant digits: 0.041, 4.1, 340, 1,240, 12M."""
    size = abs(value)
    if size == 0.0:
        return "0"
    if size < 1e-4 or size >= 1e15:
        return f"{value:.{digits - 1}e}"
    for scale, letter in _LARGE:
        if size >= scale:
            return _plain(value / scale, digits) + letter
    return _plain(value, digits)


def _plain(value: float, digits: int) -> str:
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    shown = f"{value:,.{decimals}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def amount(value: float, unit: str, digits: int = _FEWEST_DIGITS) -> Text:
    """A quantity with its unit: 1.2 s, 340 ms, 4.1 %, 1.5 GiB, 0.31 per trace.

    Shares (0..1) are shown in percent. An unknown unit is shown as it is.
    """
    number, suffix = _amount(value, unit, digits)
    return Text(number + suffix.zh, number + suffix.en)


def _amount(value: float, unit: str, digits: int) -> tuple[str, Text]:
    if unit in _IN_SECONDS:
        return _duration(value * _IN_SECONDS[unit], unit, digits)
    if unit == "bytes":
        for scale, name in _BYTES:
            if abs(value) >= scale:
                return numeral(value / scale, digits), Text(f" {name}", f" {name}")
        return numeral(value, digits), Text(" 字节", " bytes")
    shown = value * 100.0 if unit in _SHARES else value
    suffix = _SUFFIXES.get(unit, (f" {unit}", f" {unit}"))
    return numeral(shown, digits), Text(*suffix)


def _duration(seconds: float, unit: str, digits: int) -> tuple[str, Text]:
    if seconds == 0.0:
        return "0", Text(f" {_CHINESE_TIMES.get(unit, unit)}", f" {unit}")
    for least, scale, name in _DURATIONS_S:
        # A minute keeps its name where the unit is minutes: "1.5 min", not "90 s".
        if abs(seconds) >= least or (unit == name == "min" and abs(seconds) >= scale):
            shown = numeral(seconds / scale, digits)
            return shown, Text(f" {_CHINESE_TIMES.get(name, name)}", f" {name}")
    return numeral(seconds / 1e-6, digits), Text(" µs", " µs")


def movement(baseline: float | None, observed: float | None, unit: str) -> Text:
    """A predicate that tells both values and the change between them.

    "rose from 340 ms to 1.2 s (3.5×)"; values that are missing or not finite are said to be.
    """
    before, now = finite(baseline), finite(observed)
    if now is None:
        if before is None:
            return Text("有异常，但没有可比的数值", "changed, without comparable values")
        shown = amount(before, unit)
        return Text(f"现在没有数值（此前 {shown.zh}）", f"went missing (before: {shown.en})")
    if before is None:
        shown = amount(now, unit)
        return Text(f"现为 {shown.zh}（没有可比的基线）", f"came to {shown.en} (no baseline)")
    first, last = told_apart(before, now, unit)
    if first == last:
        return Text(f"保持在 {last.zh}", f"stayed at {last.en}")
    by = change(before, now, unit)
    zh, en = ("升至", "rose") if now > before else ("降至", "fell")
    return Text(
        f"从 {first.zh} {zh} {last.zh}（{by.zh}）", f"{en} from {first.en} to {last.en} ({by.en})"
    )


def told_apart(before: float, now: float, unit: str) -> tuple[Text, Text]:
    """Both amounts, with as many digits as it takes to see that they differ.

    A unit such as "per trace" is written once, after the second amount.
    """
    for digits in range(_FEWEST_DIGITS, _MOST_DIGITS + 1):
        first, last = amount(before, unit, digits), amount(now, unit, digits)
        if first == last:
            continue
        if unit in _NOT_REPEATED:
            number = _amount(before, unit, digits)[0]
            return Text(number, number), last
        return first, last
    same = amount(now, unit)
    return same, same


def change(before: float, now: float, unit: str) -> Text:
    """How `now` compares with `before` (they differ): a factor, a percentage or points."""
    if before == 0.0:
        return Text("此前为零", "none before")
    if now == 0.0:
        return Text("已归零", "nothing left")
    zh, en = ("上升", "up") if now > before else ("下降", "down")
    if before < 0.0 or now < 0.0:
        by = amount(abs(now - before), unit)
        return Text(f"{zh} {by.zh}", f"{en} {by.en}")
    factor = now / before
    if factor >= _HUGE_FACTOR:
        bound = numeral(_HUGE_FACTOR)
        return Text(f"超过 {bound} 倍", f"more than {bound}×")
    if factor >= _CLEAR_FACTOR:
        return Text(f"{numeral(factor)} 倍", f"{numeral(factor)}×")
    if unit == "%" or unit in _SHARES:
        points = _points(before, now, unit)
        return Text(f"{zh} {points} 个百分点", f"{en} {points} percentage points")
    percent = _percent_lost_or_won(factor)
    return Text(f"{zh} {percent} %", f"{en} {percent} %")


def _points(before: float, now: float, unit: str) -> str:
    """The difference of two percentages as they are shown, so that a reader can check it."""
    texts = [text.en.removesuffix(" %") for text in told_apart(before, now, unit)]
    try:
        first, last = (Decimal(text.replace(",", "")) for text in texts)
    except InvalidOperation:  # millions of percent carry a letter
        return numeral(abs(now - before) * (1.0 if unit == "%" else 100.0))
    return numeral(float(abs(last - first)), _MOST_DIGITS)


def _percent_lost_or_won(factor: float) -> str:
    """The relative change in percent; a loss of nearly everything is not rounded to 100."""
    percent = abs(factor - 1.0) * 100.0
    for digits in range(_FEWEST_DIGITS, _MOST_DIGITS + 1):
        shown = numeral(percent, digits)
        if factor > 1.0 or float(shown.replace(",", "")) < 100.0:
            return shown
    return ">99.99"


def tidy(name: str, longest: int = LONGEST_NAME) -> str:
    """A name, operation or log line on one line, free of control characters.

    What is longer than `longest` characters loses its middle to an ellipsis.
    """
    spaced = " ".join(_ANSI.sub("", name).split())
    kept = "".join(c for c in spaced if not unicodedata.category(c).startswith("C"))
    if len(kept) <= longest:
        return kept
    head = longest // 2
    return f"{kept[:head]}…{kept[len(kept) - (longest - head - 1) :]}"


def some_names(services: Iterable[str]) -> list[str]:
    """Each name once, in the order given, at most a handful."""
    return [tidy(name) for name in dict.fromkeys(services)][:_MOST_NAMES]


def clock_time(time_ns: int, window: TimeWindow) -> str:
    """HH:MM:SS in UTC, after the date where the window does not make the day plain."""
    moment = from_ns(time_ns)
    days = {from_ns(ns).date() for ns in (window.start_ns, window.end_ns, time_ns)}
    return moment.strftime("%H:%M:%S" if len(days) == 1 else "%Y-%m-%d %H:%M:%S")

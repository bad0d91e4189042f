"""What a line says of itself: level, trace and span, from labels, metadata or its own text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

LEVEL_LABELS = ("level", "severity_text", "severity", "lvl", "loglevel", "log_level")
TRACE_LABELS = ("trace_id", "traceID", "traceid", "TraceId", "otelTraceID")
SPAN_LABELS = ("span_id", "spanID", "spanid", "SpanId", "otelSpanID")
HINT = "detected_level"

HEADER_CHARACTERS = 240
LONGEST_JSON = 64 * 1024
LONGEST_ID = 128
LONGEST_LEVEL = 32

_JSON_LEVELS = (*LEVEL_LABELS, "log.level", "@l", "@level", "Level", "LogLevel", "levelname")
_WRAPPED = ("log", "message", "msg")
_PINO = {10: "TRACE", 20: "DEBUG", 30: "INFO", 40: "WARN", 50: "ERROR", 60: "FATAL"}
_KLOG = re.compile(r"([IWEF])\d{4} \d\d:\d\d", re.ASCII)
_SERILOG = re.compile(r"\[?[\d:.,TZ+/ -]{0,40}\b(VRB|DBG|INF|WRN|ERR|FTL)\]", re.ASCII)
_SHORT = {
    "I": "INFO",
    "W": "WARN",
    "E": "ERROR",
    "F": "FATAL",
    "VRB": "TRACE",
    "DBG": "DEBUG",
    "INF": "INFO",
    "WRN": "WARN",
    "ERR": "ERROR",
    "FTL": "FATAL",
}
_LOGFMT_LEVEL = re.compile(r'(?:^|[\s,{])(?:level|lvl|severity)="?([A-Za-z]{1,16})\b', re.ASCII)
_TRACE = re.compile(
    r'\b(?:trace_?id|trace\.id)"?\s*[=:]\s*"?([0-9a-f]{16,32})\b', re.ASCII | re.IGNORECASE
)
_SPAN = re.compile(
    r'\b(?:span_?id|span\.id)"?\s*[=:]\s*"?([0-9a-f]{16})\b', re.ASCII | re.IGNORECASE
)
_HINTED_BY = {
    "error": ("err",),
    "warn": ("warn", "wrn"),
    "info": ("inf",),
    "debug": ("debug", "dbg"),
    "trace": ("trace",),
    "fatal": ("fatal",),
    "critical": ("crit",),
}


def level_of(labels: Mapping[str, str], body: str) -> str | None:
    """The level as written; None where nobody says it or the text says it in plain sight.

    Loki's own `detected_level` is a guess from words in the line (a field `trace=…` makes
    "trace", the word FATAL in a message "fatal"). It counts only where the line holds no such
    word, for then Loki must have learnt it from metadata.
    """
    for name in LEVEL_LABELS:
        if said := labels.get(name, "").strip():
            return _named(said)
    if (own := _level_in(body)) is not None:
        return own
    hint = labels.get(HINT, "").strip().lower()
    words = _HINTED_BY.get(hint)
    if words is None or any(word in body.lower() for word in words):
        return None
    return hint


def trace_and_span(labels: Mapping[str, str], body: str) -> tuple[str, str]:
    """Ids as given by labels or metadata, else hexadecimal ones from the text; "" = none."""
    trace = _first(labels, TRACE_LABELS)
    if trace:
        return trace, _first(labels, SPAN_LABELS)
    found = _TRACE.search(body)
    if found is None:
        return "", ""
    span = _SPAN.search(body)
    return found[1].lower(), span[1].lower() if span else ""


def _first(labels: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")[:LONGEST_ID]


def _named(level: str) -> str:
    number = int(level) if level.isascii() and level.isdigit() and len(level) < 4 else None
    return _PINO.get(number, level) if number is not None else level[:LONGEST_LEVEL]


def _level_in(body: str) -> str | None:
    if body.startswith("{"):
        return _level_in_json(body, unwrap=True)
    head = body[:HEADER_CHARACTERS]
    if short := _KLOG.match(head) or _SERILOG.match(head):
        return _SHORT[short[1]]
    found = _LOGFMT_LEVEL.search(head)
    return found[1] if found else None


def _level_in_json(body: str, unwrap: bool) -> str | None:
    """Of an object, or of the object a log shipper wrapped in it as text."""
    if len(body) > LONGEST_JSON:
        return None
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    for name in _JSON_LEVELS:
        said = found.get(name)
        if isinstance(said, str) and said.strip():
            return _named(said.strip())
        if isinstance(said, int) and said in _PINO:
            return _PINO[said]
    if unwrap:
        for name in _WRAPPED:
            inner = found.get(name)
            if isinstance(inner, str) and inner.startswith("{"):
                return _level_in_json(inner, unwrap=False)
    return None

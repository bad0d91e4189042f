"""Items of evidence as JSON: read back from an answer, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aegis.entrypoints.moments import read_moment
from aegis.model.errors import InvalidRequest
from aegis.model.telemetry import TimeWindow
from aegis.workflows.analyze_incident import speaks
from aegis.workflows.verify_answer.verify import Checked, Citation

MOST_EVIDENCE = 1000
MOST_LEFT_OUT = 100


def citations_of(answer: object, timezone: ZoneInfo) -> list[Citation]:
    """The citations of an answer; InvalidRequest names the field that is wrong."""
    items = answer.get("evidence") if isinstance(answer, Mapping) else None
    if not isinstance(items, list):
        raise InvalidRequest("evidence", "must be a list, as in an answer printed with --json")
    if len(items) > MOST_EVIDENCE:
        raise InvalidRequest("evidence", f"holds more than {MOST_EVIDENCE} items")
    found = []
    for place, item in enumerate(items):
        if not isinstance(item, Mapping):
            raise InvalidRequest(f"evidence[{place}]", "must be an object")
        found.append(_citation(item, timezone, f"evidence[{place}]"))
    return found


def reach_of(answer: object) -> TimeWindow | None:
    """The time whose traces an answer read, as its trace tells; None where it does not.

    What a source samples depends on the time it is asked for: the same time again gives the
    same sample.
    """
    trace = answer.get("trace") if isinstance(answer, Mapping) else None
    steps = trace.get("steps") if isinstance(trace, Mapping) else None
    for step in steps if isinstance(steps, list) else []:
        if isinstance(step, Mapping) and step.get("tool") == "read_traces":
            try:
                asked = json.loads(str(step.get("tool_input")))
                start, end = (datetime.fromisoformat(asked[name]) for name in ("start", "end"))
                return TimeWindow(start, end)
            except (ValueError, TypeError, LookupError, RecursionError):
                return None
    return None


def checked_json(citations: Sequence[Citation], checked: Sequence[Checked]) -> list[object]:
    """The statement is in the language of the one cited."""
    return [
        {
            "id": one.id,
            "verdict": one.verdict,
            "statement": one.statement.in_language(speaks(cited.statement)),
            "sha256": one.sha256,
        }
        for cited, one in zip(citations, checked, strict=True)
    ]


def _citation(item: Mapping[str, Any], timezone: ZoneInfo, where: str) -> Citation:
    window = item.get("window")
    return Citation(
        id=_text(item, "id", where),
        source=_text(item, "source", where),
        query=_text(item, "query", where),
        data_window=_window(item, timezone, where),
        sha256=_text(item, "sha256", where),
        statement=_text(item, "statement", where),
        signal=_maybe(item, "signal", where),
        subject=_maybe(item, "subject", where),
        window=_window(window, timezone, f"{where}.window")
        if isinstance(window, Mapping)
        else None,
        left_out=_left_out(item, timezone, where),
    )


def _left_out(item: Mapping[str, Any], timezone: ZoneInfo, where: str) -> tuple[TimeWindow, ...]:
    windows = item.get("left_out")
    if windows is None:
        return ()
    if not isinstance(windows, list) or len(windows) > MOST_LEFT_OUT:
        raise InvalidRequest(f"{where}.left_out", f"must be a list of at most {MOST_LEFT_OUT}")
    found = []
    for place, window in enumerate(windows):
        if not isinstance(window, Mapping):
            raise InvalidRequest(f"{where}.left_out[{place}]", "must be an object")
        found.append(_window(window, timezone, f"{where}.left_out[{place}]"))
    return tuple(found)


def _text(item: Mapping[str, Any], name: str, where: str) -> str:
    value = item.get(name)
    if not isinstance(value, str):
        told = "is missing" if name not in item else "must be text"
        raise InvalidRequest(f"{where}.{name}", told)
    return value


def _maybe(item: Mapping[str, Any], name: str, where: str) -> str | None:
    return None if item.get(name) is None else _text(item, name, where)


def _window(item: Mapping[str, Any], timezone: ZoneInfo, where: str) -> TimeWindow:
    start, end = (_moment(item, name, timezone, where) for name in ("start", "end"))
    if end <= start:
        raise InvalidRequest(f"{where}.end", "is not after start")
    return TimeWindow(start, end)


def _moment(item: Mapping[str, Any], name: str, timezone: ZoneInfo, where: str) -> datetime:
    text = _text(item, name, where)
    try:
        return read_moment(text, timezone)
    except ValueError as error:
        raise InvalidRequest(f"{where}.{name}", str(error)) from None

"""Loki's answers become rows; an answer of another form is SourceRejected, never "nothing"."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aegis.adapters.http_client.answers import Answer
from aegis.model.errors import SourceRejected
from aegis.model.log_search import LogPattern

Labels = Mapping[str, str]
LAST_NS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Row:
    """A line with all its labels: of the stream, of structured metadata, of parsers."""

    time_ns: int
    body: str
    labels: Labels


@dataclass(frozen=True, slots=True)
class Counted:
    """One series of a metric query: (seconds, value) pairs."""

    labels: Labels
    points: tuple[tuple[float, float], ...]


def read_rows(answer: Answer) -> list[Row]:
    """The lines of a log query, in the order of the streams."""
    return [row for stream in _result(answer, "streams") for row in _rows(answer, stream)]


def _rows(answer: Answer, stream: Any) -> Iterator[Row]:
    labels = _texts(answer, _field(answer, stream, "stream"))
    for value in _list(answer, _field(answer, stream, "values")):
        if not isinstance(value, list) or not 2 <= len(value) <= 3:
            raise _unknown_form(answer)
        time, body = value[0], value[1]
        if not isinstance(time, str) or not isinstance(body, str):
            raise _unknown_form(answer)
        if not time.isascii() or not time.isdigit() or int(time[:20]) > LAST_NS:
            raise _unknown_form(answer)
        own = _metadata(answer, value[2]) if len(value) == 3 else {}
        yield Row(int(time), body, {**labels, **own} if own else labels)


def _metadata(answer: Answer, third: Any) -> Labels:
    """Flat, or sorted by origin where the answer categorizes labels."""
    if not isinstance(third, dict):
        raise _unknown_form(answer)
    flat: dict[str, str] = {}
    for name, value in third.items():
        if name in ("structuredMetadata", "parsed") and isinstance(value, dict):
            flat.update(_texts(answer, value))
        elif isinstance(value, str):
            flat[name] = value
    return flat


def read_counts(answer: Answer) -> list[Counted]:
    """The series of a metric query, instant or over time."""
    kind = _kind(answer)
    if kind not in ("matrix", "vector"):
        raise _unknown_form(answer)
    counted = []
    for series in _result(answer, kind):
        labels = _texts(answer, _field(answer, series, "metric"))
        if kind == "matrix":
            points = _list(answer, _field(answer, series, "values"))
        else:
            points = [_field(answer, series, "value")]
        counted.append(Counted(labels, tuple(_point(answer, point) for point in points)))
    return counted


def _point(answer: Answer, point: Any) -> tuple[float, float]:
    try:
        time, value = float(point[0]), float(point[1])
    except (TypeError, ValueError, IndexError, KeyError, OverflowError):
        raise _unknown_form(answer) from None
    if not math.isfinite(time) or not math.isfinite(value):
        raise _unknown_form(answer)
    return time, value


def read_names(answer: Answer) -> tuple[str, ...]:
    """Names of labels, or values of one, sorted; Loki leaves `data` out where there are none."""
    found = _data(answer)
    if not all(isinstance(name, str) for name in found):
        raise _unknown_form(answer)
    return tuple(sorted(found))


def read_streams(answer: Answer) -> list[Labels]:
    """The labels of each stream."""
    return [_texts(answer, one) for one in _data(answer)]


def read_patterns(answer: Answer) -> list[LogPattern]:
    """Most frequent first."""
    counted = []
    for one in _data(answer):
        pattern = _field(answer, one, "pattern")
        samples = _list(answer, _field(answer, one, "samples"))
        if not isinstance(pattern, str):
            raise _unknown_form(answer)
        lines = int(sum(_point(answer, point)[1] for point in samples))
        counted.append(LogPattern(pattern, str(one.get("level") or ""), lines))
    return sorted(counted, key=lambda one: (-one.lines, one.pattern, one.level))


def _data(answer: Answer) -> list[Any]:
    data = _success(answer).get("data")
    return [] if data is None else _list(answer, data)


def _success(answer: Answer) -> dict[str, Any]:
    found = answer.json()
    if not isinstance(found, dict) or found.get("status") != "success":
        raise _unknown_form(answer)
    return found


def _kind(answer: Answer) -> Any:
    return _field(answer, _success(answer).get("data"), "resultType")


def _result(answer: Answer, kind: str) -> list[Any]:
    data = _success(answer).get("data")
    if _field(answer, data, "resultType") != kind:
        raise _unknown_form(answer)
    result = _field(answer, data, "result")
    return [] if result is None else _list(answer, result)


def _field(answer: Answer, found: Any, name: str) -> Any:
    if not isinstance(found, dict) or name not in found:
        raise _unknown_form(answer)
    return found[name]


def _list(answer: Answer, found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise _unknown_form(answer)
    return found


def _texts(answer: Answer, found: Any) -> Labels:
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise _unknown_form(answer)
    return found


def _unknown_form(answer: Answer) -> SourceRejected:
    return SourceRejected(
        f"{answer.where} answered in a form Loki 2.9 to 3.x does not; is it Loki?"
    )

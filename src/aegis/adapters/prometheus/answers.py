"""The JSON of the Prometheus query API, read without believing it.

A number is a string there; NaN and infinities are samples that say nothing and are dropped.
A native histogram comes as `histogram(s)` in place of `value(s)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aegis.adapters.http_client.answers import Answer, one_line
from aegis.model.errors import SourceRejected
from aegis.model.telemetry import Floats, Int64s

MOST_WARNINGS = 5
NS_A_MS = 1_000_000
LARGEST_TIME_S = 1e11


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One series of an answer; `times_ns` ascends, `values` are finite, both may be empty."""

    labels: Mapping[str, str]
    times_ns: Int64s
    values: Floats


@dataclass(frozen=True, slots=True)
class Result:
    """What a query gave. `warnings` are the server's own words, on one line each.

    `is_partial`: some of the servers behind this one did not answer. `histograms` counts
    series that hold native histograms instead of numbers.
    """

    rows: tuple[Row, ...] = ()
    warnings: tuple[str, ...] = ()
    is_partial: bool = False
    histograms: int = 0


@dataclass(slots=True)
class Remarks:
    """What servers added to their answers, collected over a question."""

    warnings: list[str] = field(default_factory=list)
    is_partial: bool = False

    def note(self, result: Result) -> None:
        self.is_partial |= result.is_partial
        self.warnings += [one for one in result.warnings if one not in self.warnings]
        del self.warnings[MOST_WARNINGS:]


def data_of(answer: Answer) -> tuple[Any, tuple[str, ...], bool]:
    """(`data`, warnings, partial or not) of a successful answer; SourceRejected otherwise."""
    body = answer.json()
    if not isinstance(body, dict) or body.get("status") != "success" or "data" not in body:
        raise SourceRejected(
            f"{answer.where} answered with JSON that is not of the Prometheus API; "
            "is the base URL right?"
        )
    warnings = body.get("warnings")
    told = [one_line(one) for one in warnings if isinstance(one, str)] if warnings else []
    return body["data"], tuple(told[:MOST_WARNINGS]), body.get("isPartial") is True


def result_of(answer: Answer) -> Result:
    """The series of an instant or a range query."""
    data, warnings, is_partial = data_of(answer)
    found = data.get("result") if isinstance(data, dict) else None
    if not isinstance(found, list):
        raise SourceRejected(f"{answer.where} answered a query without a list of results")
    rows: list[Row] = []
    histograms = 0
    for item in found:
        if not isinstance(item, dict):
            continue
        if "histogram" in item or "histograms" in item:
            histograms += 1
        if "value" in item or "values" in item:
            rows.append(_row(item))
    return Result(tuple(rows), warnings, is_partial, histograms)


def _row(item: Mapping[str, Any]) -> Row:
    metric = item.get("metric")
    labels = {}
    if isinstance(metric, dict):
        labels = {name: text for name, text in metric.items() if isinstance(text, str)}
    samples = item["values"] if "values" in item else [item["value"]]
    times_s, values = _columns(samples if isinstance(samples, list) else [])
    times = np.rint(times_s * 1000.0)
    return Row(labels, times.astype(np.int64) * NS_A_MS, values)


def _columns(samples: list[Any]) -> tuple[Floats, Floats]:
    """Ascending seconds, and values; what is malformed or not finite is left out.

    Hardly ever is anything, so all are taken at once and looked through only where one is.
    """
    try:
        moments, texts = zip(*samples, strict=True)
        times = np.fromiter(map(float, moments), dtype=np.float64, count=len(samples))
        values = np.fromiter(map(float, texts), dtype=np.float64, count=len(samples))
    except (TypeError, ValueError):
        pass
    else:
        is_whole = times[0] >= 0.0 and times[-1] < LARGEST_TIME_S and np.isfinite(values).all()
        if is_whole and (np.diff(times) > 0.0).all():
            return times, values
    pairs = list(_numbers(samples))
    return (
        np.array([time for time, _ in pairs], dtype=np.float64),
        np.array([value for _, value in pairs], dtype=np.float64),
    )


def _numbers(samples: list[Any]) -> Iterator[tuple[float, float]]:
    """Ascending pairs of seconds and value; what is malformed or not finite is left out."""
    last = -1.0
    for sample in samples:
        try:
            moment, text = sample
            time_s, value = float(moment), float(text)
        except (TypeError, ValueError):
            continue
        if last < time_s < LARGEST_TIME_S and np.isfinite(value):
            last = time_s
            yield time_s, value

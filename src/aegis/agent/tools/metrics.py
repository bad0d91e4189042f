"""prometheus_query_range and metrics_metadata_lookup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from aegis.agent.tools.shown import number, remarks, shown, shown_labels
from aegis.agent.tools.times import Moment, Times, moment_text, step_seconds, told
from aegis.agent.tools.tool import Arguments, Result, Tool, fault
from aegis.model.errors import InvalidRequest, UnsupportedQuery
from aegis.model.metric_query import MetricFacts, MetricRequest, QueriedSeries
from aegis.ports import MetricQuery

USUAL_POINTS = 60
MOST_POINTS_SHOWN = 2000
LEAST_POINTS_SHOWN = 8
MOST_DESCRIBED = 50
_CODES = {"promql": "invalid_promql", "step": "invalid_step", "range": "invalid_time_range"}


class RangeArguments(Arguments):
    promql: Annotated[str, Field(min_length=1, max_length=1024, description="one expression")]
    start: Moment = "now-15m"
    end: Moment = "now"
    step: Annotated[str, Field(max_length=16, description="60s, 5m or auto")] = "auto"


class LookupArguments(Arguments):
    contains: Annotated[
        str,
        Field(min_length=2, max_length=256, description="part of a metric's name or description"),
    ]
    start: Moment = "now-15m"
    end: Moment = "now"
    limit: Annotated[int, Field(ge=1, le=MOST_DESCRIBED)] = 20


def query_range(source: MetricQuery, times: Times) -> Tool[RangeArguments]:
    asking = _Asking(source, times)
    return Tool(
        "prometheus_query_range",
        "Evaluate one PromQL expression over a time range. Every selector must name its metric "
        "or match a label with =. At most 6 h (24 h with a step of 60 s, 7 d with 300 s), 1000 "
        "points a series and 200 series: aggregate with sum by (…) or topk(…).",
        RangeArguments,
        asking.query_range,
        "prometheus_request_failed",
        lambda given: {
            "promql": given.promql,
            "start": given.start,
            "end": given.end,
            "step": given.step,
        },
    )


def metadata_lookup(source: MetricQuery, times: Times) -> Tool[LookupArguments]:
    asking = _Asking(source, times)
    return Tool(
        "metrics_metadata_lookup",
        "Find metrics by a part of their name or description: kind, unit, description, and "
        "labels with some of their values. Ask this before writing PromQL about a metric that "
        "nothing has named yet.",
        LookupArguments,
        asking.describe,
        "prometheus_request_failed",
        lambda given: {"contains": given.contains},
    )


@dataclass(frozen=True, slots=True)
class _Asking:
    source: MetricQuery
    times: Times

    async def query_range(self, given: RangeArguments) -> Result:
        window = self.times.window(given, promql=given.promql)
        if isinstance(window, dict):
            return window
        step_s = step_seconds(given.step, window, USUAL_POINTS)
        if step_s is None:
            message = f"{given.step!r} is not a step such as 60s, 5m or auto"
            return fault("invalid_step", message, promql=given.promql, step=given.step)
        asked = {"promql": given.promql, **told(window), "step": f"{step_s}s"}
        try:
            found = await self.source.query_range(MetricRequest(given.promql, window, step_s))
        except UnsupportedQuery as error:
            return fault("unsupported", str(error), **asked)
        except InvalidRequest as error:
            return fault(_CODES.get(error.field, "invalid_arguments"), str(error), **asked)
        points, cut = _points(found.series)
        left = found.there - len(found.series)
        more = f"{left} more series: these have the highest values" if left else ""
        series = [_series(one, points) for one in found.series]
        return {**asked, "series": series, **remarks(found.gaps, more, cut)}

    async def describe(self, given: LookupArguments) -> Result:
        window = self.times.window(given, contains=given.contains)
        if isinstance(window, dict):
            return window
        found = await self.source.describe(given.contains, window, given.limit)
        left = found.there - len(found.metrics)
        more = f"{left} more metrics fit: ask for a longer part of the name" if left else ""
        return {
            "contains": given.contains,
            "metrics": [_facts(one) for one in found.metrics],
            "known": found.known,
            **remarks((), more),
        }


def _points(series: Sequence[QueriedSeries]) -> tuple[int, str]:
    """How many points of a series are shown, and what is said where that is not all."""
    longest = max((len(one.times_ns) for one in series), default=0)
    most = max(LEAST_POINTS_SHOWN, MOST_POINTS_SHOWN // max(1, len(series)))
    if longest <= most:
        return longest, ""
    return most, f"{most} of {longest} points of a series are shown, evenly; ask for fewer series"


def _series(one: QueriedSeries, points: int) -> Mapping[str, object]:
    count = len(one.values)
    places = np.arange(count)
    if count > points:
        places = np.unique(np.linspace(0, count - 1, points).astype(np.int64))
    return {
        "labels": shown_labels(one.labels),
        "points": count,
        "min": number(float(one.values.min())),
        "max": number(float(one.values.max())),
        "max_at": moment_text(int(one.times_ns[int(np.argmax(one.values))])),
        "last": number(float(one.values[-1])),
        "values": [
            [moment_text(int(one.times_ns[place])), number(float(one.values[place]))]
            for place in places.tolist()
        ],
    }


def _facts(one: MetricFacts) -> Mapping[str, object]:
    return {
        "name": one.name,
        "type": one.kind or None,
        "unit": one.unit or None,
        "help": shown(one.told) or None,
        "labels": {
            name: [shown_labels([(name, value)])[name] for value in values]
            for name, values in one.labels
        },
    }

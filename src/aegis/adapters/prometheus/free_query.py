"""PromQL that a person or a model wrote: checked, counted, and only then asked.

Nothing is sent that `promql.check_range` cannot bound. Then the series that its selectors
select are counted in one instant query, because that is what a backend has to touch; an
expression that touches too many is refused with what to change. One answer is MOST_BYTES at
most, and of its series the MOST_SERIES with the highest values are given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from aegis.adapters.http_client.answers import storable
from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.prometheus import unseen
from aegis.adapters.prometheus.answers import Result, Row
from aegis.adapters.prometheus.api import PrometheusApi
from aegis.adapters.prometheus.batches import apart, counted
from aegis.adapters.prometheus.flavour import UNKNOWN
from aegis.adapters.prometheus.governor import Grid
from aegis.adapters.prometheus.inventory import PARTS
from aegis.adapters.prometheus.native_histograms import native_series
from aegis.adapters.prometheus.promql import (
    MOST_SERIES,
    CheckedRange,
    check_range,
    one_of,
)
from aegis.adapters.prometheus.selectors import selectors_of
from aegis.model.errors import AnswerTooLarge, InvalidRequest
from aegis.model.evidence import EvidenceGap
from aegis.model.metric_query import (
    MetricFacts,
    MetricListing,
    MetricRequest,
    QueriedMetrics,
    QueriedSeries,
)
from aegis.model.telemetry import TimeWindow

MOST_BYTES = 2 * 1024 * 1024
MOST_SELECTED = 20_000
"""Series that the selectors of one expression may select, together."""
MOST_EVALUATED = 4_000_000
"""Selected series times points, subqueries counted: some seconds of work for one backend."""
MOST_DESCRIBED = 50
SERIES_A_NAME = 20
MOST_LABELS = 16
MOST_VALUES = 6
LONGEST_TEXT = 256
SHORTEST_TEXT = 2


@dataclass(frozen=True, slots=True)
class PrometheusQuery:
    """A MetricQuery on the entered client of a question: two requests a query, three a listing."""

    client: BackendClient

    async def query_range(self, asked: MetricRequest) -> QueriedMetrics:
        checked = check_range(asked.promql, asked.window.duration_s, asked.step_s)
        grid = Grid(asked.window, asked.step_s)
        api = PrometheusApi(self.client)
        await _check_size(api, checked, asked.window.end)
        try:
            result = await api.over(asked.promql, grid.closed, asked.step_s, MOST_BYTES)
        except AnswerTooLarge:
            raise InvalidRequest("promql", f"gives more than 2 MiB; {_ADVICE}") from None
        return QueriedMetrics(_highest(result.rows), len(result.rows), _gaps(api, result))

    async def describe(self, contains: str, window: TimeWindow, most: int) -> MetricListing:
        text = contains.strip().lower()
        if not SHORTEST_TEXT <= len(text) <= LONGEST_TEXT:
            message = f"must have {SHORTEST_TEXT} to {LONGEST_TEXT} characters"
            raise InvalidRequest("contains", message)
        api = PrometheusApi(self.client)
        metadata = await api.metadata()
        names = await api.metric_names(window)
        fits = [name for name in names if text in name.lower() or text in _help(name, metadata)]
        given = fits[: min(most, MOST_DESCRIBED)]
        labels = await _labels(api, given, window.end) if given else {}
        described = tuple(_facts(name, metadata, labels.get(name, {})) for name in given)
        return MetricListing(described, len(fits), len(names))


_ADVICE = "aggregate with sum by (…) or topk(…), or match more labels"


async def _check_size(api: PrometheusApi, checked: CheckedRange, at: datetime) -> None:
    """InvalidRequest where the backend would have to touch too much; one small request."""
    selectors = dict(enumerate(selectors_of(checked.promql)))
    if not selectors:
        return
    rows = apart((await api.instant(counted(selectors), at)).rows)
    counts = [int(row.values[-1]) for found in rows.values() for row in found if row.values.size]
    selected = sum(counts)
    if selected > MOST_SELECTED:
        raise InvalidRequest("promql", f"selects {selected:,} series; {_ADVICE}")
    if selected * checked.points > MOST_EVALUATED:
        told = f"{selected:,} series at {checked.points:,} points are too much"
        raise InvalidRequest("step", f"{told}; use a coarser step or less time, or {_ADVICE}")


def _highest(rows: Sequence[Row]) -> tuple[QueriedSeries, ...]:
    """By labels; of too many those with the highest values."""
    series = [
        QueriedSeries(tuple(sorted(row.labels.items())), row.times_ns, row.values)
        for row in rows
        if row.values.size
    ]
    series.sort(key=lambda one: one.labels)
    if len(series) > MOST_SERIES:
        by_height = sorted(series, key=lambda one: (-float(np.max(one.values)), one.labels))
        series = sorted(by_height[:MOST_SERIES], key=lambda one: one.labels)
    return tuple(series)


def _gaps(api: PrometheusApi, result: Result) -> tuple[EvidenceGap, ...]:
    gaps = unseen.of_remarks(api.remarks)
    if result.histograms:
        gaps.append(unseen.of_histograms(result.histograms))
    return tuple(gaps)


def _told(name: str, metadata: Mapping[str, Any], field: str) -> str:
    """What the metadata says of a sample's name; families are listed without their endings."""
    families = (name, *(name.removesuffix(one) for one in ("_bucket", "_count", "_sum", "_total")))
    entries = next((metadata[one] for one in families if one in metadata), None)
    first = entries[0] if isinstance(entries, list) and entries else None
    found = first.get(field) if isinstance(first, dict) else None
    return storable(found, LONGEST_TEXT) if isinstance(found, str) else ""


def _help(name: str, metadata: Mapping[str, Any]) -> str:
    return _told(name, metadata, "help").lower()


async def _labels(
    api: PrometheusApi, names: Sequence[str], at: datetime
) -> dict[str, dict[str, set[str]]]:
    """Labels and some values of the names that have samples or native histograms then."""
    promql = f"topk by (__name__) ({SERIES_A_NAME}, {{__name__=~{one_of(names)}}})"
    series: list[Mapping[str, str]] = [row.labels for row in (await api.instant(promql, at)).rows]
    missing = set(names) - {one.get("__name__") for one in series}
    may_be = [one for one in missing if not one.endswith(PARTS)]
    if may_be:
        series += await native_series(api, may_be, [at], UNKNOWN, SERIES_A_NAME)
    found: dict[str, dict[str, set[str]]] = {}
    for one in series:
        of_name = found.setdefault(one.get("__name__", ""), {})
        for label, value in one.items():
            if label != "__name__":
                of_name.setdefault(label, set()).add(storable(value, LONGEST_TEXT))
    return found


def _facts(name: str, metadata: Mapping[str, Any], labels: Mapping[str, set[str]]) -> MetricFacts:
    kept = sorted(labels)[:MOST_LABELS]
    return MetricFacts(
        name,
        _told(name, metadata, "type"),
        _told(name, metadata, "unit"),
        _told(name, metadata, "help"),
        tuple((label, tuple(sorted(labels[label])[:MOST_VALUES])) for label in kept),
    )

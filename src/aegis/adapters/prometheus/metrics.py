"""Prometheus and its relatives as a source of metrics: every service in a few range queries.

At most MOST_REQUESTS requests, whatever the number of services: discovery (`discovery`), one
counting (`governor`), then the catalog's plan in batches. A batch that fails is split, and
what stays unanswered becomes an EvidenceGap; only where nothing at all was answered is it an
error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.prometheus import unseen
from aegis.adapters.prometheus.answers import Row
from aegis.adapters.prometheus.api import PrometheusApi
from aegis.adapters.prometheus.asking import Asker, leaves
from aegis.adapters.prometheus.batches import OVERHEAD
from aegis.adapters.prometheus.catalog import Catalog
from aegis.adapters.prometheus.discovery import MOST_NAMES, Discovered, discover
from aegis.adapters.prometheus.governor import (
    MOST_REQUESTS,
    MOST_SERVICES,
    SLOW_S,
    Shape,
    first_step_s,
    moments_of,
    rate_window_s,
    shape,
)
from aegis.adapters.prometheus.identity import combination, service_of
from aegis.adapters.prometheus.inventory import Inventory
from aegis.adapters.prometheus.one_series import OneSeries
from aegis.adapters.prometheus.plan import SignalQuery, plan
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import Floats, Int64s, Matrix, Series, TimeWindow

TARGETS_DOWN = "count by (job) (up == 0)"
Key = tuple[str, str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class PrometheusMetrics:
    """A MetricSource for one question. `slow_s`: from here on a backend counts as slow."""

    client: BackendClient
    catalog: Catalog
    slow_s: float = SLOW_S

    async def read_metrics(self, window: TimeWindow) -> tuple[Matrix, tuple[EvidenceGap, ...]]:
        api = PrometheusApi(self.client)
        with leaves():
            found = await discover(api, self.catalog, window)
        if not found.inventory.metrics:
            gaps = [unseen.nothing_known(found.names), *unseen.of_remarks(api.remarks)]
            if found.silent:
                gaps = [*unseen.of_silent(found.silent, moments_of(window)), *gaps[1:]]
            return Matrix(), tuple(gaps)
        window = found.flavour.settled(window)
        queries = plan(found.inventory, self.catalog, rate_window_s(found.slowest_s)).queries
        asker = Asker(api, MOST_REQUESTS)
        expressions = [*(one.promql for one in queries), TARGETS_DOWN]
        shaped = await _shaped(asker, expressions, window, found, self.slow_s)
        rows = await asker.read(expressions, shaped.batches, shaped.grid)
        asker.check([place for place in _places(shaped) if place < len(queries)])
        gathered = _Gathering(found.inventory)
        for place, query in enumerate(queries):
            gathered.add(query, rows.get(place, []), window)
        series, dropped = _most_used(gathered.series(), _signals(queries))
        unread = {*shaped.left_out, *asker.failed}
        gaps = [
            *unseen.of_targets_down(
                rows.get(len(queries), []),
                shaped.grid.closed.end_ns,
                shaped.grid.step_s * 1_000_000_000,
            ),
            *unseen.of_golden_signals(
                series,
                _signals(queries),
                {one.signal for place, one in enumerate(queries) if place in unread},
            ),
            *_not_asked(queries, shaped, asker),
            *unseen.of_silent(found.silent, moments_of(window)),
            *unseen.of_names_left_out(found.left_out, MOST_NAMES),
            *unseen.of_services_left_out(dropped, MOST_SERVICES),
            *unseen.of_remarks(api.remarks),
        ]
        return Matrix(series), tuple(gaps)


async def _shaped(
    asker: Asker, expressions: Sequence[str], window: TimeWindow, found: Discovered, slow_s: float
) -> Shape:
    longest = found.flavour.longest_query
    counts = await asker.count(expressions, window, longest)
    return shape(
        window,
        first_step_s(window, found.interval_s),
        counts.series,
        [len(one) + OVERHEAD for one in expressions],
        longest,
        is_slow=counts.took_s > slow_s,
        most_batches=MOST_REQUESTS - asker.api.asked,
    )


def _places(shaped: Shape) -> list[int]:
    return [place for batch in shaped.batches for place in batch]


def _not_asked(queries: Sequence[SignalQuery], shaped: Shape, asker: Asker) -> list[EvidenceGap]:
    names = {place: query.series_name for place, query in enumerate(queries)}
    skipped = [names[place] for place in shaped.left_out if place in names]
    gaps = unseen.of_skipped(skipped, is_slow=shaped.is_slow)
    by_error: dict[str, list[int]] = {}
    for place, error in asker.failed.items():
        if place in names:
            by_error.setdefault(str(error), []).append(place)
    for places in by_error.values():
        told = [names[place] for place in places]
        gaps.append(unseen.of_failed(told, asker.failed[places[0]]))
    return gaps


def _signals(queries: Sequence[SignalQuery]) -> dict[str, str]:
    return {query.series_name: query.signal for query in queries}


@dataclass(frozen=True, slots=True)
class _Part:
    """One row of an answer and the expression of it alone."""

    query: str
    times_ns: Int64s
    values: Floats


@dataclass(slots=True)
class _Gathering:
    """Rows by what the engine tells series apart by: service, name and kept labels."""

    inventory: Inventory
    parts: dict[Key, list[_Part]] = field(default_factory=dict)

    def add(self, query: SignalQuery, rows: Sequence[Row], window: TimeWindow) -> None:
        whole = OneSeries.of(query.promql, self.inventory)
        for row in rows:
            service = service_of(row.labels, query.identity)
            inside = window.contains(row.times_ns)
            if not service or not inside.any():
                continue
            labels = tuple((one, row.labels[one]) for one in query.keep if row.labels.get(one))
            alone = whole.with_labels(_all_labels(query, row.labels))
            part = _Part(alone, row.times_ns[inside], row.values[inside])
            self.parts.setdefault((service, query.series_name, labels), []).append(part)

    def series(self) -> tuple[Series, ...]:
        """Sorted, so that the order of an answer does not matter."""
        return tuple(_one(key, self.parts[key]) for key in sorted(self.parts))


def _all_labels(query: SignalQuery, labels: Mapping[str, str]) -> dict[str, str]:
    """Everything that tells this row from the others; "" where it lacks a label."""
    wanted = dict.fromkeys([*query.identity, *query.keep])
    return {name: labels.get(name, "") for name in wanted}


def _one(key: Key, parts: list[_Part]) -> Series:
    service, name, labels = key
    if len(parts) == 1:
        only = parts[0]
        return Series(service, name, labels, only.times_ns, only.values, only.query)
    how = combination(name)
    ordered = sorted(parts, key=lambda part: part.query)
    times = np.concatenate([part.times_ns for part in ordered])
    values = np.concatenate([part.values for part in ordered])
    distinct, place = np.unique(times, return_inverse=True)
    joined = np.full(len(distinct), -np.inf) if how == "max" else np.zeros(len(distinct))
    (np.maximum if how == "max" else np.add).at(joined, place, values)
    query = f"{how}({' or '.join(f'({part.query})' for part in ordered)})"
    return Series(service, name, labels, distinct, joined, query)


def _most_used(
    series: tuple[Series, ...], signals: Mapping[str, str]
) -> tuple[tuple[Series, ...], int]:
    """The series of the MOST_SERVICES services with the most traffic, and how many are cut."""
    traffic: dict[str, float] = {one.service: 0.0 for one in series}
    if len(traffic) <= MOST_SERVICES:
        return series, 0
    for one in series:
        if signals.get(one.name) == "traffic":
            traffic[one.service] += float(np.mean(one.values))
    ranked = sorted(traffic, key=lambda name: (-traffic[name], name))
    kept = set(ranked[:MOST_SERVICES])
    return tuple(one for one in series if one.service in kept), len(ranked) - MOST_SERVICES

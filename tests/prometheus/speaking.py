"""A stand-in that speaks the Prometheus query API well enough for discovery and batches."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aegis.adapters.http_client.budget import Budget
from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.prometheus.catalog import Catalog, load_catalog
from aegis.model.backend import BackendConfig
from tests.adapters.stand_in import Reply, Seen, StandIn, standing_in

MARKED = re.compile(r'label_replace\((.+?), "aegis_signal", "(\d+)", "", ""\)', re.DOTALL)
CATALOG: Catalog = load_catalog(None)
Metric = Mapping[str, str]
Rows = Callable[[str], Sequence[tuple[Metric, float]]]
"""What one expression gives: label sets and the value they have at every point."""


@dataclass
class Speaking:
    """`series`: what exists, by label set. `rows` answers an expression of the plan.
    `natives` exist as native histograms.

    `broken`: no query that contains this text is understood. `extra` goes beside `data`.
    `slow` makes counting take long. `buildinfo` None: there is no such endpoint.
    """

    series: Sequence[Metric]
    rows: Rows = lambda promql: ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    buildinfo: Mapping[str, Any] | None = field(default_factory=lambda: {"version": "2.55.1"})
    broken: str = "\0"
    extra: Mapping[str, Any] = field(default_factory=dict)
    series_each: int = 1
    natives: Sequence[Metric] = ()

    def __call__(self, seen: Seen) -> Reply:
        path = seen.path.rpartition("/api/v1")[2]
        if path == "/status/buildinfo":
            return Reply(404) if self.buildinfo is None else self._said(self.buildinfo)
        if path == "/metadata":
            return self._said(self.metadata)
        if path == "/label/__name__/values":
            return self._said(sorted({one["__name__"] for one in (*self.series, *self.natives)}))
        query = asked_for(seen, "query")
        if self.broken in query:
            return error(400, "bad_data", "parse error")
        if path == "/query_range":
            return self._range(query, seen)
        return self._instant(query)

    def _instant(self, query: str) -> Reply:
        if query.startswith("topk by"):
            quoted, _ = json.JSONDecoder().raw_decode(query[query.index('"') :])
            wanted = re.compile(quoted)
            found = [(one, 1.0) for one in self.series if wanted.fullmatch(one["__name__"])]
            counted = [({"aegis_signal": "0"}, 40.0)] if "count_over_time" in query else []
            return self._vector([*found, *counted])
        if "histogram_count" in query and "topk(" in query:
            return self._vector(
                [
                    (
                        {**{k: v for k, v in one.items() if k != "__name__"}, "aegis_signal": mark},
                        1.0,
                    )
                    for expression, mark in MARKED.findall(query)
                    for one in self.natives
                    if one["__name__"] in re.findall(r"[\w.]+", expression)
                ]
            )
        if "count_over_time" in query:
            return self._vector([({"aegis_signal": "0"}, 40.0)])
        return self._vector(
            [
                ({"aegis_signal": mark}, float(self.series_each))
                for expression, mark in MARKED.findall(query)
                if self.rows(expression)
            ]
        )

    def _vector(self, found: Sequence[tuple[Metric, float]]) -> Reply:
        rows = [{"metric": dict(metric), "value": [1.0, str(value)]} for metric, value in found]
        return self._said({"resultType": "vector", "result": rows})

    def _range(self, query: str, seen: Seen) -> Reply:
        start, end, step = (float(asked_for(seen, name)) for name in ("start", "end", "step"))
        times = [start + step * place for place in range(int((end - start) // step) + 1)]
        if "label_replace(count(" in query:
            counts = [
                {
                    "metric": {"aegis_signal": mark},
                    "values": [[moment, str(self.series_each)] for moment in times],
                }
                for expression, mark in MARKED.findall(query)
                if self.rows(expression)
            ]
            return self._said({"resultType": "matrix", "result": counts})
        rows: list[dict[str, Any]] = [
            {
                "metric": {**metric, "aegis_signal": mark},
                "values": [[moment, str(value)] for moment in times],
            }
            for expression, mark in MARKED.findall(query)
            for metric, value in self.rows(expression)
        ]
        if not MARKED.search(query):  # an expression of somebody else
            rows = [
                {"metric": dict(metric), "values": [[moment, str(value)] for moment in times]}
                for metric, value in self.rows(query)
            ]
        return self._said({"resultType": "matrix", "result": rows})

    def _said(self, data: Any) -> Reply:
        told = {"status": "success", "data": data, **self.extra}
        return Reply(body=json.dumps(told).encode())


def asked_for(seen: Seen, name: str) -> str:
    """A parameter, from the query or from the form in the body."""
    return dict(parse_qsl(seen.body.decode(), keep_blank_values=True)).get(name) or seen.one(name)


def error(status: int, kind: str, message: str) -> Reply:
    told = {"status": "error", "errorType": kind, "error": message}
    return Reply(status, json.dumps(told).encode())


@contextmanager
def backend(answer: Callable[[Seen], Reply]) -> Iterator[StandIn]:
    with standing_in(answer) as stand_in:
        yield stand_in


def client_of(url: str, *, timeout_s: float = 5.0, budget: Budget | None = None) -> BackendClient:
    config = BackendConfig("prometheus", url, timeout_s=timeout_s)
    return BackendClient(config, budget or Budget())

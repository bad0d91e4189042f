"""Rollouts and other changes of workloads, from kube-state-metrics and without Kubernetes' API.

A rollout shows as a new ReplicaSet, as a new image and as a new generation, seconds apart
and not all of them everywhere; together they are one change. A generation that only counts
up because the number of replicas was set is a change of scale, mostly the autoscaler's, and
is left out: it follows the load instead of causing it. So is the node a pod lands on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.prometheus.answers import Row
from aegis.adapters.prometheus.api import PrometheusApi
from aegis.adapters.prometheus.asking import Asker, leaves
from aegis.adapters.prometheus.batches import OVERHEAD
from aegis.adapters.prometheus.catalog import Catalog
from aegis.adapters.prometheus.discovery import discover
from aegis.adapters.prometheus.governor import (
    MOST_REQUESTS,
    Grid,
    first_step_s,
    rate_window_s,
    text_batches,
)
from aegis.adapters.prometheus.identity import service_of
from aegis.adapters.prometheus.plan import ChangeQuery, plan
from aegis.adapters.prometheus.unseen import of_changes, of_changes_failed
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import ONE_ROLLOUT_NS, Change, TimeWindow, from_ns

MOST_CHANGES = 200
LEAST_STEP_S = 15
MOST_POINTS = 720
_KINDS = {"deployment": "deploy", "generation": "config"}
_TAG = re.compile(r":([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})$")
_DIGEST = re.compile(r"@sha256:([0-9a-f]{12})")


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that kube-state-metrics showed to change."""

    service: str
    kind: str
    time_ns: int
    version: str | None = None


@dataclass(frozen=True, slots=True)
class KubernetesChanges:
    """A ChangeSource for one question; what discovery asked before is not asked again."""

    client: BackendClient
    catalog: Catalog

    async def read_changes(
        self, window: TimeWindow
    ) -> tuple[tuple[Change, ...], tuple[EvidenceGap, ...]]:
        api = PrometheusApi(self.client)
        with leaves():
            found = await discover(api, self.catalog, window)
        queries = plan(found.inventory, self.catalog, rate_window_s(found.slowest_s)).changes
        if not queries:
            return (), (of_changes(),)
        grid = Grid(window, _step_s(window, found.interval_s))
        expressions = [one.promql for one in queries]
        lengths = [len(one) + OVERHEAD for one in expressions]
        asker = Asker(api, MOST_REQUESTS)
        batches = text_batches(lengths, found.flavour.longest_query, 2)
        rows = await asker.read(expressions, batches, grid)
        asker.check([place for batch in batches for place in batch])
        signs = [
            sign
            for place, query in enumerate(queries)
            for sign in signs_of(query, rows.get(place, []), window, grid.step_s)
        ]
        gaps = tuple(
            of_changes_failed(queries[place].kind, error) for place, error in asker.failed.items()
        )
        return merged(signs)[-MOST_CHANGES:], gaps


def _step_s(window: TimeWindow, interval_s: int) -> int:
    """A change is told to the step, so it is as fine as the points allow."""
    interval = max(LEAST_STEP_S, first_step_s(window, interval_s))
    return interval * max(1, round(window.duration_s / interval / MOST_POINTS))


def signs_of(
    query: ChangeQuery, rows: Sequence[Row], window: TimeWindow, step_s: int
) -> Iterator[Sign]:
    """What changed inside the window; what was so from its first sample on did not change."""
    begins: dict[str, int] = {}
    for row in rows:
        service = service_of(row.labels, query.identity)
        if len(row.times_ns):
            first = int(row.times_ns[0])
            begins[service] = min(first, begins.get(service, first))
    for row in rows:
        service = service_of(row.labels, query.identity)
        if not service or not len(row.times_ns):
            continue
        version = version_of(row.labels)
        for time_ns in _moments(query, row, begins[service], step_s):
            if window.start_ns <= time_ns < window.end_ns:
                yield Sign(service, query.kind, time_ns, version)


def _moments(query: ChangeQuery, row: Row, began_ns: int, step_s: int) -> list[int]:
    if query.reading == "time":
        seconds = sorted({float(value) for value in row.values if value > 0})
        return [int(one * 1e9) for one in seconds]
    if query.reading == "appears":
        first = int(row.times_ns[0])
        return [first] if first > began_ns + step_s * 1_000_000_000 else []
    changed = row.values[1:] != row.values[:-1]
    return [int(one) for one in row.times_ns[1:][changed]]


def version_of(labels: Mapping[str, str]) -> str | None:
    """The tag of the image, else the beginning of its digest."""
    image = labels.get("image", "")
    tag = _TAG.search(image.partition("@")[0])
    if tag is not None and "/" not in tag[1]:
        return tag[1]
    digest = _DIGEST.search(image)
    return digest[1] if digest is not None else None


def merged(signs: Sequence[Sign]) -> tuple[Change, ...]:
    """Signs of one service that come together as one change, in order of time."""
    by_service: dict[str, list[Sign]] = {}
    for sign in sorted(signs, key=lambda one: (one.time_ns, one.kind, one.version or "")):
        by_service.setdefault(sign.service, []).append(sign)
    changes: list[Change] = []
    for service, own in by_service.items():
        group: list[Sign] = []
        for sign in own:
            if group and sign.time_ns - group[0].time_ns > ONE_ROLLOUT_NS:
                changes += _change(service, group)
                group = []
            group.append(sign)
        changes += _change(service, group)
    return tuple(sorted(changes, key=lambda one: (one.time, one.service)))


def _change(service: str, group: Sequence[Sign]) -> list[Change]:
    kinds = {sign.kind for sign in group}
    known = [sign for sign in group if sign.kind in _KINDS]
    if not known or ("scale" in kinds and "deployment" not in kinds):
        return []
    kind = "deploy" if "deployment" in kinds else "config"
    version = next((sign.version for sign in reversed(known) if sign.version), None)
    first = min(sign.time_ns for sign in known)
    return [Change(service, from_ns(first), kind, version)]

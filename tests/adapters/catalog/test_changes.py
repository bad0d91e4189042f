"""Rollouts, scaling and moves of workloads, read from a real Prometheus."""

from __future__ import annotations

import pytest

from aegis.adapters.prometheus.catalog import load_catalog
from aegis.adapters.prometheus.plan import ChangeQuery, plan
from tests.adapters.catalog.conftest import LoadedPrometheus
from tests.adapters.catalog.exposition import FOLDER, WINDOW_S, read_exposition

pytestmark = pytest.mark.loopback
KUBE_STATE = read_exposition(FOLDER / "kube_state.txt")
QUERIES = plan(KUBE_STATE.inventory(), load_catalog(), WINDOW_S).changes


def told(
    prometheus: LoadedPrometheus, kind: str, convention: str
) -> tuple[ChangeQuery, dict[tuple[str, ...], float]]:
    """The query, and what it gives by service and the labels kept."""
    query = next(one for one in QUERIES if (one.kind, one.convention) == (kind, convention))
    rows = prometheus.query(query.promql, prometheus.ends["kube_state"])
    names = [*query.identity, *(one for one in query.keep if one != "namespace")]
    return query, {tuple(labels[name] for name in names): value for labels, value in rows}


def test_a_new_image_appears(loaded_prometheus: LoadedPrometheus) -> None:
    query, rows = told(loaded_prometheus, "deployment", "kube-pods")
    assert query.reading == "appears"
    assert rows == {("cart", "app", "cart:2"): 2.0}


def test_the_newest_replica_set_says_when(loaded_prometheus: LoadedPrometheus) -> None:
    query, rows = told(loaded_prometheus, "deployment", "kube-replicasets")
    assert query.reading == "time"
    assert rows == {("cart",): 1789990000.0}


def test_pods_are_placed_on_nodes(loaded_prometheus: LoadedPrometheus) -> None:
    _, rows = told(loaded_prometheus, "placement", "kube-pods")
    assert set(rows) == {
        ("cart", "node-a"),
        ("cart", "node-b"),
        ("pay", "node-a"),
        ("db", "node-b"),
        ("agent", "node-c"),
    }


@pytest.mark.parametrize(
    ("kind", "convention", "service", "value"),
    [
        ("generation", "kube-deployments", "cart", 7),
        ("generation", "kube-statefulsets", "db", 1),
        ("generation", "kube-daemonsets", "agent", 3),
        ("scale", "kube-deployments", "cart", 4),
        ("scale", "kube-statefulsets", "db", 2),
    ],
)
def test_generations_and_replicas_step(
    kind: str, convention: str, service: str, value: float, loaded_prometheus: LoadedPrometheus
) -> None:
    query, rows = told(loaded_prometheus, kind, convention)
    assert query.reading == "step"
    assert rows[(service,)] == value

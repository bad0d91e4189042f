"""What a real Prometheus answers to a plan, in the words of expected.yaml."""

from __future__ import annotations

from aegis.adapters.prometheus.catalog import Catalog
from aegis.adapters.prometheus.inventory import Inventory
from aegis.adapters.prometheus.plan import SignalQuery, plan
from tests.adapters.catalog.conftest import LoadedPrometheus
from tests.adapters.catalog.exposition import WINDOW_S

Answers = dict[str, dict[str, float]]
"""Canonical series → service, with the labels kept as `name=value` after it → number."""


def answers(
    prometheus: LoadedPrometheus, fixture: str, inventory: Inventory, catalog: Catalog
) -> Answers:
    """Every query of the plan, asked when the fixture's history ends."""
    queries = plan(inventory, catalog, WINDOW_S).queries
    return {query.series_name: _answer(prometheus, fixture, query) for query in queries}


def _answer(prometheus: LoadedPrometheus, fixture: str, query: SignalQuery) -> dict[str, float]:
    found: dict[str, float] = {}
    for labels, value in prometheus.query(query.promql, prometheus.ends[fixture]):
        named = [labels[name] for name in query.identity if labels.get(name)]
        assert named, f"{query.series_name}: nothing names the service in {labels}"
        kept = [f"{name}={labels[name]}" for name in query.keep if labels.get(name)]
        key = " ".join([named[0], *kept])
        assert key not in found, f"{query.series_name}: {key} is there twice"
        found[key] = value
    return found


def without_filled_statuses(found: Answers) -> Answers:
    """Less the zeros of statuses that did not occur."""
    return {
        series: {key: value for key, value in values.items() if value or " status=" not in key}
        for series, values in found.items()
    }

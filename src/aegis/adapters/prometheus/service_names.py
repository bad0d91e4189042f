"""Which services a Prometheus knows: those with a golden signal at the end of a window."""

from __future__ import annotations

from dataclasses import dataclass

from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.prometheus.answers import Row
from aegis.adapters.prometheus.api import PrometheusApi
from aegis.adapters.prometheus.asking import leaves
from aegis.adapters.prometheus.batches import OVERHEAD, apart, joined
from aegis.adapters.prometheus.catalog import Catalog
from aegis.adapters.prometheus.discovery import discover
from aegis.adapters.prometheus.governor import MOST_COUNTS, rate_window_s, text_batches
from aegis.adapters.prometheus.identity import service_of
from aegis.adapters.prometheus.plan import plan
from aegis.adapters.prometheus.unseen import GOLDEN
from aegis.model.telemetry import TimeWindow


@dataclass(frozen=True, slots=True)
class PrometheusServices:
    """A ServiceNames: discovery and at most two instant queries."""

    client: BackendClient
    catalog: Catalog

    async def names(self, window: TimeWindow) -> tuple[str, ...]:
        api = PrometheusApi(self.client)
        with leaves():
            found = await discover(api, self.catalog, window)
        planned = plan(found.inventory, self.catalog, rate_window_s(found.slowest_s)).queries
        queries = [one for one in planned if one.signal in GOLDEN] or list(planned)
        lengths = [len(one.promql) + OVERHEAD for one in queries]
        rows: dict[int, list[Row]] = {}
        for batch in text_batches(lengths, found.flavour.longest_query, MOST_COUNTS):
            asked = {place: queries[place].promql for place in batch}
            if asked:
                rows |= apart((await api.instant(joined(asked), window.end)).rows)
        names = {
            service_of(row.labels, queries[place].identity)
            for place, found_rows in rows.items()
            for row in found_rows
        }
        return tuple(sorted(names - {""}))

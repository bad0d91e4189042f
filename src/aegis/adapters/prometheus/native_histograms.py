"""Which of the names hold native histograms, and some of their series.

`topk` leaves histograms out and `series` may spend its limit on one name, so each name is asked
for a few series of its count. That gives nothing for numbers, whatever metadata says or does
not say: what is pushed (OTLP, remote write) has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from aegis.adapters.prometheus.api import PrometheusApi
from aegis.adapters.prometheus.batches import OVERHEAD, apart, joined
from aegis.adapters.prometheus.flavour import Flavour
from aegis.adapters.prometheus.governor import text_batches
from aegis.adapters.prometheus.promql import selector
from aegis.model.errors import SourceRejected

MOST_MOMENTS = 2


async def native_series(
    api: PrometheusApi,
    names: Iterable[str],
    moments: Sequence[datetime],
    flavour: Flavour,
    series_a_name: int,
) -> list[Mapping[str, str]]:
    """Label sets with `__name__`, in one request where all names are there at the first moment.

    Empty where the server does not know histograms, as before 2.40.
    """
    found: list[Mapping[str, str]] = []
    missing = sorted(names)
    for moment in moments[:MOST_MOMENTS]:
        asked = [
            f"topk({series_a_name}, histogram_count({selector(one, {}, utf8=flavour.knows_utf8)}))"
            for one in missing
        ]
        lengths = [len(one) + OVERHEAD for one in asked]
        for batch in text_batches(lengths, flavour.longest_query, 1):
            if not batch:
                return found
            try:
                answer = await api.instant(joined({place: asked[place] for place in batch}), moment)
            except SourceRejected:
                return found
            for place, rows in apart(answer.rows).items():
                found += [{**row.labels, "__name__": missing[place]} for row in rows]
        seen = {one["__name__"] for one in found}
        missing = [one for one in missing if one not in seen]
    return found

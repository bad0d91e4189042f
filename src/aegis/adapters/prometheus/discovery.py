"""What exists in a metrics backend, in at most ten requests, mostly four, whatever its size.

1. `status/buildinfo`: which program this is (`flavour` tells how the programs differ).
2. `metadata`: kinds and units, where they are kept; else the endings of names tell.
3. values of `__name__` in the window. VictoriaMetrics takes today where no time is given.
4. a few series of each name that some convention knows, by `topk by (__name__)`: that names
   the labels without listing every series. Names without a sample at the window's end are
   looked for once more in its middle: their target may have died. The first of these
   requests tells as well how often samples come, by counting them.
5. native histograms, which `topk` leaves out: those that metadata tells, and those that are
   named as histograms and that `topk` does not find.

Servers that see only a part (Thanos `warnings`, VictoriaMetrics `isPartial`) say so in the
remarks of the `PrometheusApi`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aegis.adapters.prometheus.answers import Row
from aegis.adapters.prometheus.api import PrometheusApi
from aegis.adapters.prometheus.batches import MARK, marked
from aegis.adapters.prometheus.catalog import Catalog
from aegis.adapters.prometheus.flavour import Flavour, flavour_of
from aegis.adapters.prometheus.governor import moments_of, text_batches
from aegis.adapters.prometheus.inventory import PARTS, Inventory, Kind, MetricInfo, family_of
from aegis.adapters.prometheus.native_histograms import native_series
from aegis.adapters.prometheus.promql import one_of, selector
from aegis.model.errors import SourceRejected
from aegis.model.telemetry import TimeWindow

MOST_NAMES = 400
SERIES_A_NAME = 20
MOST_VALUES = 20
MOST_COUNTED = 6
MOST_LISTINGS = 2
COUNTED_OVER_S = 600
USUAL_INTERVALS_S = (1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 300)
UNKNOWN_INTERVAL_S = 60
_KINDS: Mapping[str, Kind] = {
    "counter": "counter",
    "gauge": "gauge",
    "histogram": "histogram",
    "summary": "summary",
}


@dataclass(frozen=True, slots=True)
class Discovered:
    """`names` counts all metric names; `interval_s` is the usual time between two samples,
    `slowest_s` the longest of those looked at. `left_out` names the catalog knows were not
    looked at, `silent` families had no series at any of the moments looked at."""

    flavour: Flavour
    names: int
    inventory: Inventory
    interval_s: int
    slowest_s: int
    left_out: int
    silent: tuple[str, ...] = ()


async def discover(api: PrometheusApi, catalog: Catalog, window: TimeWindow) -> Discovered:
    """Raises what asking raises; an empty inventory where nothing known is there."""
    async with asyncio.TaskGroup() as group:
        build = group.create_task(api.buildinfo())
        told = group.create_task(api.metadata())
        listed = group.create_task(api.metric_names(window))
    flavour, metadata, names = flavour_of(build.result()), told.result(), listed.result()
    known = sorted(catalog.of_interest(names))
    wanted, left_out = known[:MOST_NAMES], known[MOST_NAMES:]
    if not wanted:
        return Discovered(flavour, len(names), Inventory({}), *_unknown(), left_out=0)
    looked_at = [one for one in wanted if not _is_told_by_count(one, set(wanted))]
    histograms = catalog.histograms(looked_at)
    may_be = {one for one in looked_at if _may_be_native(one, metadata, set(names), histograms)}
    natives = {one for one in may_be if _told(one, metadata, "type")}
    plain = [one for one in looked_at if one not in natives]
    timing = _timing(_spread(plain, names), flavour)
    labels, natives, counts = await _labels(api, plain, natives, may_be, window, flavour, timing)
    metrics = {}
    for name in wanted:
        seen = labels.get(name)
        if seen is None and _is_told_by_count(name, set(wanted)):
            counted = labels.get(name.removesuffix("_bucket") + "_count", {})
            buckets = dict.fromkeys(flavour.bucket_labels, frozenset[str]())
            seen = {**counted, **buckets} if counted else None
        if seen is not None:
            kind = "native_histogram" if name in natives else _kind(name, metadata, seen, names)
            metrics[name] = MetricInfo(name, kind, _unit(name, metadata), seen)
    silent = tuple(sorted({family_of(one) for one in wanted if one not in metrics}))
    intervals = _intervals(counts)
    return Discovered(flavour, len(names), Inventory(metrics), *intervals, len(left_out), silent)


def _unknown() -> tuple[int, int]:
    return UNKNOWN_INTERVAL_S, UNKNOWN_INTERVAL_S


def _is_told_by_count(name: str, wanted: set[str]) -> bool:
    """Buckets have the labels of their `_count` and are many more."""
    return name.endswith("_bucket") and name.removesuffix("_bucket") + "_count" in wanted


def _family(name: str, metadata: Mapping[str, Any]) -> str:
    """The name that metadata knows: OpenMetrics leaves `_total` off, histograms their parts."""
    if name in metadata:
        return name
    for ending in (*PARTS, "_total"):
        if name.endswith(ending) and name.removesuffix(ending) in metadata:
            return name.removesuffix(ending)
    return name


def _told(name: str, metadata: Mapping[str, Any], key: str) -> str:
    entries = metadata.get(_family(name, metadata))
    first = entries[0] if isinstance(entries, list) and entries else None
    found = first.get(key) if isinstance(first, dict) else None
    return found if isinstance(found, str) else ""


def _unit(name: str, metadata: Mapping[str, Any]) -> str:
    return _told(name, metadata, "unit")


def _may_be_native(
    name: str, metadata: Mapping[str, Any], names: set[str], histograms: frozenset[str]
) -> bool:
    """Whether samples under a histogram's own name, without classic parts, may be histograms."""
    if name.endswith(PARTS) or any(name + part in names for part in PARTS):
        return False
    told = _told(name, metadata, "type")
    return told == "histogram" or (told in ("", "unknown") and name in histograms)


def _kind(
    name: str,
    metadata: Mapping[str, Any],
    labels: Mapping[str, frozenset[str]],
    names: Iterable[str],
) -> Kind:
    told = _KINDS.get(_told(name, metadata, "type"))
    if told is not None:
        return told
    if name.endswith("_bucket"):
        return "histogram"
    for ending in ("_count", "_sum"):
        if name.endswith(ending):
            family = name.removesuffix(ending)
            if family + "_bucket" in names:
                return "histogram"
            return "summary" if {family + "_count", family + "_sum"} <= set(names) else "unknown"
    if "quantile" in labels:
        return "summary"
    return "counter" if name.endswith("_total") else "unknown"


async def _labels(
    api: PrometheusApi,
    plain: list[str],
    natives: set[str],
    may_be: set[str],
    window: TimeWindow,
    flavour: Flavour,
    timing: str,
) -> tuple[dict[str, dict[str, frozenset[str]]], set[str], list[float]]:
    """Labels and a few values of each name, which are native histograms, what `timing` counted.

    Names without a series are missing. Of those that `may_be` native metadata told `natives`.
    """
    rows: list[Row] = []
    silent, moments = plain, moments_of(window)
    for moment in moments:
        rows += await _some_series(api, silent, moment, flavour, timing)
        found = {row.labels.get("__name__") for row in rows}
        natives = natives | {one for one in silent if one in may_be and one not in found}
        silent = [one for one in plain if one not in found and one not in natives]
        timing = ""
        if not silent:
            break
    series = [row.labels for row in rows if MARK not in row.labels]
    counts = [float(row.values[-1]) for row in rows if MARK in row.labels and len(row.values)]
    if natives:
        counted = await native_series(api, natives, moments, flavour, SERIES_A_NAME)
        natives = {one["__name__"] for one in counted}
        series += counted
    gathered: dict[str, dict[str, set[str]]] = {}
    for one in series:
        labels = gathered.setdefault(one.get("__name__", ""), {})
        for label, value in one.items():
            values = labels.setdefault(label, set())
            if label != "__name__" and len(values) < MOST_VALUES:
                values.add(value)
    kept = {
        name: {label: frozenset(values) for label, values in labels.items() if label != "__name__"}
        for name, labels in gathered.items()
    }
    return kept, natives, counts


async def _some_series(
    api: PrometheusApi, names: list[str], at: datetime, flavour: Flavour, beside: str
) -> list[Row]:
    """In two requests where the names are more text than the server takes in one.

    `beside` is asked with the first, and left out where the server does not understand it.
    """
    found: list[Row] = []
    lengths = [len(one) + 3 for one in names]
    longest = flavour.longest_query - 100 - len(beside)
    for batch in text_batches(lengths, longest, MOST_LISTINGS):
        pattern = one_of(names[place] for place in batch)
        listing = f"topk by (__name__) ({SERIES_A_NAME}, {{__name__=~{pattern}}})" if batch else ""
        together = " or ".join(one for one in (listing, beside) if one)
        if not together:
            continue
        try:
            found += (await api.instant(together, at)).rows
        except SourceRejected:
            if not beside:
                raise
            found += (await api.instant(listing, at)).rows if listing else ()
        beside = ""
    return found


def _spread(plain: list[str], names: tuple[str, ...]) -> list[str]:
    """A few names from which to learn how often samples come, `up` among them."""
    counters = [one for one in plain if one.endswith(("_total", "_count"))] or plain
    every = max(1, len(counters) // (MOST_COUNTED - 1))
    first = ["up"] if "up" in names else []
    return [*first, *counters[::every]][:MOST_COUNTED]


def _timing(names: list[str], flavour: Flavour) -> str:
    """How many samples each of the names usually has in a while."""
    return " or ".join(
        marked(
            "quantile(0.5, count_over_time("
            f"{selector(name, {}, utf8=flavour.knows_utf8)}[{COUNTED_OVER_S}s]))",
            place,
        )
        for place, name in enumerate(names)
    )


def _intervals(counts: list[float]) -> tuple[int, int]:
    """(usual, slowest) seconds between two samples; the unknown one where nothing was counted."""
    told = sorted(one for one in counts if one >= 2.0)
    if not told:
        return _unknown()
    return _interval_of(told[len(told) // 2]), _interval_of(told[0])


def _interval_of(samples: float) -> int:
    seconds = COUNTED_OVER_S / samples
    return min(USUAL_INTERVALS_S, key=lambda usual: abs(usual - seconds) / usual)

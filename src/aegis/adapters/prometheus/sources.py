"""A convention's metrics found in a backend: which spelling, which labels, whose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from aegis.adapters.prometheus.entries import Convention, Matcher, Metric, Spelling
from aegis.adapters.prometheus.expressions import Source, spelled
from aegis.adapters.prometheus.inventory import Inventory, family_of

USUAL_IDENTITY = (
    "service.name",
    "service_name",
    "app_kubernetes_io_name",
    "app",
    "application",
    "exported_service",
    "exported_job",
    "service",
    "workload",
    "job",
)
"""Labels that name the service where a convention has none of its own, best first."""
_NAMES_MORE_THAN_A_JOB = frozenset(USUAL_IDENTITY[:6])
PLACE_LABELS = (
    "cluster",
    "k8s_cluster_name",
    "namespace",
    "service.namespace",
    "service_namespace",
)
"""Kept on every series: the same name elsewhere is another service."""
COPY_LABELS = ("prometheus_replica", "__replica__", "receive_replica", "thanos_replica")
BUCKET_LABELS = ("le", "vmrange")
EXPORTED = ("namespace", "pod", "container")
OLD_POD_LABELS = {"pod": "pod_name", "container": "container_name"}


@dataclass(frozen=True, slots=True)
class Resolved:
    """A metric as stored, and the labels its result may have, with values seen.

    `place`: which spelling. `only_totals`: some of its series have a count and a sum but no
    buckets, as far as the inventory tells.
    """

    source: Source
    labels: Mapping[str, frozenset[str]]
    place: int
    only_totals: bool = True

    def has_label(self, label: str) -> bool:
        return spelled(label, dotted=self.source.dotted) in self.labels


def resolve(
    convention: Convention, inventory: Inventory, window_s: int, known: frozenset[str]
) -> tuple[dict[str, list[Resolved]], list[str]]:
    """Every stored spelling of every metric, best first, and what is missing in words.

    Patterns leave `known` names to the conventions that know them.
    """
    found: dict[str, list[Resolved]] = {}
    reasons = []
    for alias, metric in convention.metrics.items():
        found[alias] = []
        stored = list(_stored(metric, inventory, known))
        for place, spelling, name in stored:
            missing = [
                need
                for need in metric.needs
                if spelled(need, dotted=spelling.dotted) not in inventory.labels(name)
            ]
            if missing:
                reasons.append(f"{name} has no label {', '.join(missing)}")
            else:
                found[alias].append(
                    _resolved(convention, metric, spelling, place, inventory, window_s)
                )
        if not stored:
            wanted = metric.spellings[0].name if metric.spellings else "nothing that fits"
            told = metric.pattern.pattern if metric.pattern is not None else wanted
            reasons.append(f"no {told}")
    return found, reasons


def _stored(
    metric: Metric, inventory: Inventory, known: frozenset[str]
) -> Iterator[tuple[int, Spelling, str]]:
    """(place among the spellings, spelling, a sample name of it) of what the inventory holds."""
    spellings = metric.spellings
    if metric.pattern is not None:
        names = {family_of(one) if metric.histogram else one for one in inventory.metrics}
        spellings = tuple(
            Spelling(name)
            for name in sorted(names - known)
            if metric.pattern.fullmatch(name)
            and not (metric.without is not None and metric.without.search(name))
        )
    for place, spelling in enumerate(spellings):
        if not metric.histogram:
            if inventory.stores(spelling.name) or _is_family(spelling.name, inventory):
                yield place, spelling, spelling.name
        elif inventory.is_native(spelling.name):
            yield place, spelling, spelling.name
        elif inventory.stores(spelling.name + "_count") and inventory.stores(
            spelling.name + "_sum"
        ):
            yield place, spelling, spelling.name + "_count"


def _is_family(name: str, inventory: Inventory) -> bool:
    """A counter that metadata lists without the ending its samples have."""
    return name in inventory.metrics and inventory.metrics[name].kind == "counter"


def _resolved(
    convention: Convention,
    metric: Metric,
    spelling: Spelling,
    place: int,
    inventory: Inventory,
    window_s: int,
) -> Resolved:
    name = spelling.name
    native = metric.histogram and inventory.is_native(name)
    sample = name + "_count" if metric.histogram and not native else name
    labels = inventory.labels(sample)
    renamed = [*_kubernetes_names(labels)]
    for new, sources in convention.labels:
        there = tuple(one for one in sources if spelled(one, dotted=spelling.dotted) in labels)
        if there and there != (new,):
            renamed.append((new, there))
    known = dict(labels)
    for new, sources in renamed:
        values = (labels[spelled(one, dotted=spelling.dotted)] for one in sources)
        known[new] = frozenset().union(*values)
    workload = "pod" in known and (
        convention.workload or (not convention.identity and not _NAMES_MORE_THAN_A_JOB & set(known))
    )
    matchers = [
        *(Matcher(spelled(one, dotted=spelling.dotted), "!=", "") for one in metric.needs),
        *(
            Matcher(spelled(one, dotted=spelling.dotted), "=", "")
            for one in metric.lacks
            if spelled(one, dotted=spelling.dotted) in labels
        ),
        *(
            Matcher(spelled(one.label, dotted=spelling.dotted), one.op, one.value)
            for one in metric.where
        ),
    ]
    source = Source(
        name=name,
        dotted=spelling.dotted,
        matchers=tuple(matchers),
        factor=metric.factor,
        copies=tuple(one for one in COPY_LABELS if one in labels),
        renamed=tuple(renamed),
        workload=workload,
        window_s=window_s,
        family=metric.histogram,
        has_buckets=metric.histogram and not native and inventory.stores(name + "_bucket"),
        bucketed_by=tuple(
            one for one in BUCKET_LABELS if one == "le" or one in inventory.labels(name + "_bucket")
        ),
        native=native,
    )
    if workload:
        known["workload"] = frozenset()
    bucketed = inventory.labels(name + "_bucket")
    only_totals = any(
        not values <= bucketed.get(label, frozenset()) for label, values in labels.items()
    )
    return Resolved(source, known, place, only_totals or not source.has_buckets)


def _kubernetes_names(
    labels: Mapping[str, frozenset[str]],
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Labels that a scrape without honor_labels moved aside, and those of before 1.16."""
    if "exported_pod" in labels or "exported_namespace" in labels:
        for label in EXPORTED:
            if f"exported_{label}" in labels:
                yield label, (f"exported_{label}",)
    for label, old in OLD_POD_LABELS.items():
        if old in labels and label not in labels:
            yield label, (old,)


def identity_of(convention: Convention, of: Resolved) -> tuple[str, ...]:
    """Labels of the result that may name the service, best first."""
    if convention.workload and "workload" in of.labels:
        return ("workload",)
    wanted = convention.identity or USUAL_IDENTITY
    return tuple(one for one in wanted if one in of.labels)


def identity_of_all(joined: Iterable[tuple[Convention, Resolved]]) -> tuple[str, ...]:
    """The same for conventions joined: labels that a convention chose, then the usual ones.

    The usual ones are ordered anew, else a convention that knows nothing but a job would name
    the services of all others by it.
    """
    chosen: dict[str, None] = {}
    usual: set[str] = set()
    for convention, of in joined:
        found = identity_of(convention, of)
        if convention.identity or convention.workload:
            chosen.update(dict.fromkeys(found))
        else:
            usual.update(found)
    return tuple(dict.fromkeys([*chosen, *(one for one in USUAL_IDENTITY if one in usual)]))


def keep_of(convention: Convention, of: Resolved, keep: tuple[str, ...]) -> tuple[str, ...]:
    """Labels of the result that stay on the series: where it is, then what the entry keeps."""
    renamed = [new for new, _ in of.source.renamed]
    places = [one for one in PLACE_LABELS if one in of.labels]
    kept = [one for one in keep if one in of.labels or one == "status"]
    inside = [new for new in renamed if new in keep]
    return tuple(dict.fromkeys([*places, *kept, *inside]))

"""PromQL built from the catalog's words; the cures of known traps live here, once.

- A share of errors reads 0 where requests came and none failed, and is absent where no
  request came, or where nothing says how requests end: `(bad or 0 * told) / (total > 0)`.
- A rate comes before a sum, so that a restart of one instance is seen as one.
- A quantile of an idle histogram is NaN: `>= 0` drops it.
- Copies of a series from highly available collectors count once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from aegis.adapters.prometheus.entries import Matcher, Metric, SignalEntry
from aegis.model.label_text import label_name, quoted

_LEGACY_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_RANDOM = "[bcdfghjklmnpqrstvwxz2456789]"
POD_OF_WORKLOAD = (
    f"(.+?)(?:-(?:{_RANDOM}{{6,10}}|[0-9]{{8,10}})-{_RANDOM}{{5}}|-{_RANDOM}{{5}}|-[0-9]+)?"
)
"""A pod's name less what Deployments, CronJobs, DaemonSets and StatefulSets append."""


@dataclass(frozen=True, slots=True)
class Source:
    """A metric of a convention as the backend at hand stores it.

    `copies`: labels that tell only which collector wrote a series. `renamed`: new label →
    labels it is taken from. `family`: stored as `_count` and `_sum`, with `has_buckets` as
    `_bucket` as well, told apart by `bucketed_by`; `native`: stored as native histograms.
    """

    name: str
    dotted: bool
    matchers: tuple[Matcher, ...]
    factor: float = 1.0
    copies: tuple[str, ...] = ()
    renamed: tuple[tuple[str, tuple[str, ...]], ...] = ()
    workload: bool = False
    window_s: int = 300
    family: bool = False
    has_buckets: bool = False
    bucketed_by: tuple[str, ...] = ("le",)
    native: bool = False

    def selector(self, extra: Iterable[Matcher] = (), part: str = "") -> str:
        """`extra` in the catalog's spelling, `matchers` as stored."""
        written = [replace(one, label=spelled(one.label, dotted=self.dotted)) for one in extra]
        return selector(self.name + part, [*self.matchers, *written])

    def rate(self, extra: Iterable[Matcher] = (), part: str = "", function: str = "rate") -> str:
        """Each series' increase per second; of a family, that of its count unless said."""
        part = part or ("_count" if self.family else "")
        if self.native:
            inner = f"{function}({self.selector(extra)}[{self.window_s}s])"
            return self._named(inner if part == "_bucket" else f"histogram{part}({inner})")
        return self._named(f"{function}({self.selector(extra, part)}[{self.window_s}s])")

    def gauge(self, extra: Iterable[Matcher] = ()) -> str:
        return self._named(self.selector(extra))

    def _named(self, inner: str) -> str:
        if self.copies and not self.native:
            inner = f"max without ({_labels(self.copies)}) ({inner})"
        for new, sources in self.renamed:
            for source in reversed(sources):
                inner = _taken(inner, new, spelled(source, dotted=self.dotted), "(.+)")
        return _taken(inner, "workload", "pod", POD_OF_WORKLOAD) if self.workload else inner


def spelled(label: str, *, dotted: bool) -> str:
    """The label as stored: with its dots, or with underscores in their place."""
    return label if dotted else label.replace(".", "_")


def _labels(names: Iterable[str]) -> str:
    return ", ".join(label_name(name) for name in names)


def selector(metric: str, matchers: Sequence[Matcher]) -> str:
    inside = [f"{label_name(one.label)}{one.op}{quoted(one.value)}" for one in matchers]
    if _LEGACY_METRIC.fullmatch(metric):
        return f"{metric}{{{','.join(inside)}}}" if inside else metric
    return "{" + ",".join([quoted(metric), *inside]) + "}"


def _taken(inner: str, new: str, source: str, pattern: str) -> str:
    if new == source:
        return inner
    return f'label_replace({inner}, "{new}", "$1", {quoted(source)}, {quoted(pattern)})'


def scaled(expression: str, factor: float) -> str:
    return expression if factor == 1.0 else f"{expression} * {factor:.12g}"


def expression_of(
    entry: SignalEntry, of: Source, others: dict[str, Source], group: Sequence[str]
) -> str:
    """The entry as one expression over `group`, the labels of its result."""
    by = f"by ({_labels(group)})"
    factor = of.factor * entry.scale
    match entry.ask:
        case "rate" | "increase" | "changes":
            inner = of.rate(entry.where, function=entry.ask)
            counted = entry.scale if of.family else factor  # a count has not the unit of times
            return scaled(f"{entry.aggregation} {by} ({inner})", counted)
        case "gauge":
            return scaled(f"{entry.aggregation} {by} ({of.gauge(entry.where)})", factor)
        case "share":
            return _share(entry, of, others, by)
        case "status_mix":
            return _status_mix(entry, of, group)
        case "quantile":
            return scaled(_quantile(entry, of, group), factor)
        case "mean":
            return scaled(_mean(entry, of, by), factor)
        case "ratio":
            return _ratio(entry, of, others[entry.over], group)
        case "rate_ratio":
            over = others[entry.over]
            return scaled(
                f"sum {by} ({of.rate(entry.where)}) / (sum {by} ({over.rate()}) > 0)", factor
            )
        case _:
            return written_out(entry.expression, {**others, entry.of: of}, group)


def _share(entry: SignalEntry, of: Source, others: dict[str, Source], by: str) -> str:
    total = f"sum {by} ({of.rate(entry.where)})"
    told = total
    if entry.bad_of:
        bad = others[entry.bad_of].rate(entry.bad)
    else:
        bad = " or ".join(of.rate([*entry.where, one]) for one in entry.bad)
        told = f"sum {by} ({_told(entry, of)})"
    return f"(sum {by} ({bad}) or 0 * {told}) / ({total} > 0)"


def _told(entry: SignalEntry, of: Source) -> str:
    """Requests of which somebody says how they ended: no others can be said not to fail."""
    needed = {one.label for one in of.matchers if (one.op, one.value) == ("!=", "")}
    labels = list(dict.fromkeys(one.label for one in entry.bad))
    if needed & {spelled(one, dotted=of.dotted) for one in labels}:
        return of.rate(entry.where)
    return " or ".join(of.rate([*entry.where, Matcher(one, "!=", "")]) for one in labels)


def _status_mix(entry: SignalEntry, of: Source, group: Sequence[str]) -> str:
    """Shares of the statuses that are no errors by convention, known ones filled with 0."""
    rest = [name for name in group if name != "status"]
    total = f"sum by ({_labels(rest)}) ({of.rate(entry.where)})"
    stored = spelled(entry.status, dotted=of.dotted)
    mixed = _taken(of.rate([*entry.where, *entry.bad]), "status", stored, "(.+)")
    zeros = "".join(
        f' or label_replace(0 * {total}, "status", {quoted(one)}, "", "")' for one in entry.fill
    )
    on = f"on ({_labels(rest)})"
    return f"(sum by ({_labels(group)}) ({mixed}){zeros}) / {on} group_left () ({total} > 0)"


def _quantile(entry: SignalEntry, of: Source, group: Sequence[str]) -> str:
    if of.native:
        inner = f"sum by ({_labels(group)}) ({of.rate(entry.where, '_bucket')})"
    else:
        inner = f"sum by ({_labels([*group, *of.bucketed_by])}) ({of.rate(entry.where, '_bucket')})"
    return f"(histogram_quantile({entry.quantile:g}, {inner}) >= 0)"


def _mean(entry: SignalEntry, of: Source, by: str) -> str:
    """The mean, for services of which no quantile can be told."""
    mean = (
        f"sum {by} ({of.rate(entry.where, '_sum')})"
        f" / (sum {by} ({of.rate(entry.where, '_count')}) > 0)"
    )
    if of.has_buckets:  # not native ones: of those a quantile is told wherever a mean is
        return f"({mean} unless count {by} ({of.rate(entry.where, '_bucket')}))"
    return f"({mean})"


def _ratio(entry: SignalEntry, of: Source, over: Source, group: Sequence[str]) -> str:
    inner_by = f"by ({_labels(dict.fromkeys([*group, *entry.per]))})"
    used = scaled(f"sum {inner_by} ({of.gauge(entry.where)})", of.factor * entry.scale)
    limit = f"sum {inner_by} ({over.gauge()}) > 0"
    ratio = f"{used} / ({scaled(f'({limit})', over.factor)})"
    whole = f"1 - {ratio}" if entry.complement else ratio
    return f"{entry.aggregation} by ({_labels(group)}) ({whole})"


_PLACE = re.compile(r"\{(rate|increase|gauge):([a-z0-9_]+)((?:\|[^{}|]+)*)\}|\{by\}|\{window\}")


def written_out(text: str, sources: dict[str, Source], group: Sequence[str]) -> str:
    """A written expression with its places filled.

    `{rate:m|label="x"}`, `{increase:m}` and `{gauge:m}` stand for the metric m, `{by}` for the
    labels of the result and `{window}` for the window of rates.
    """

    def filled(place: re.Match[str]) -> str:
        if place[0] == "{by}":
            return _labels(group)
        if place[0] == "{window}":
            return f"{next(iter(sources.values())).window_s}s"
        source, extra = sources[place[2]], parse_matchers(place[3])
        if place[1] == "gauge":
            return source.gauge(extra)
        return source.rate(extra, function=place[1])

    return _PLACE.sub(filled, text)


def metrics_in(text: str) -> list[str]:
    """Short names of metrics in a written expression, each once, in order."""
    return list(dict.fromkeys(place[2] for place in _PLACE.finditer(text) if place[2]))


_MATCHER = re.compile(r'\s*([a-zA-Z_][\w.]*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*')


def parse_matcher(text: str) -> Matcher:
    """`label="value"` with =, !=, =~ or !~; ValueError where it is none."""
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise ValueError(f'must look like label="value", is {text!r}')
    return Matcher(found[1], found[2], found[3].replace('\\"', '"').replace("\\\\", "\\"))


def parse_matchers(text: str) -> list[Matcher]:
    """Matchers separated by bars, which regexes in them therefore cannot hold."""
    return [parse_matcher(one) for one in text.split("|") if one]


def names_of(metric: Metric) -> tuple[str, ...]:
    """Sample names a metric may be stored under, all spellings; empty where a pattern tells."""
    parts = ("", "_bucket", "_count", "_sum") if metric.histogram else ("",)
    return tuple(one.name + part for one in metric.spellings for part in parts)

"""A catalog file, checked and turned into conventions; errors name file, entry and key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import cast, get_args

import yaml

from aegis.adapters.prometheus.catalog_tables import Table
from aegis.adapters.prometheus.entries import (
    ASKS,
    LAYERS,
    SIGNALS,
    Aggregation,
    Ask,
    ChangeEntry,
    Convention,
    Layer,
    Metric,
    Reading,
    Signal,
    SignalEntry,
    Spelling,
)
from aegis.adapters.prometheus.expressions import metrics_in
from aegis.adapters.prometheus.request_signals import Requests
from aegis.model.errors import ConfigurationError

LARGEST_FILE = 1 << 20
_SafeLoader: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)
"""The fast one wherever PyYAML was built with it; neither makes objects of its own."""
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FACTORS = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "By": 1.0, "1": 1.0}
_UNIT_ENDINGS = {"s": "_seconds", "ms": "_milliseconds", "By": "_bytes"}
_OPERANDS: dict[str, tuple[str, ...]] = {
    "share": ("of",),
    "status_mix": ("of", "status"),
    "quantile": ("of", "quantile"),
    "ratio": ("of", "over"),
    "rate_ratio": ("of", "over"),
    "expression": ("expression",),
}
_CONVENTION_KEYS = (
    *("convention", "layer", "about", "identity", "labels", "workload", "fallback"),
    *("metrics", "requests", "signals", "changes"),
)
_REQUEST_KEYS = (
    *("prefix", "of", "duration", "max", "status", "bad", "bad_of", "rejected", "fill"),
    *("keep", "where"),
)
_AGGREGATIONS = get_args(Aggregation)
_READINGS = get_args(Reading)


def read_catalog_file(path: Path) -> tuple[tuple[Convention, ...], tuple[str, ...]]:
    """The file's conventions and the names it switches off; ConfigurationError if wrong."""
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise ConfigurationError(f"{path}: {size} bytes, more than {LARGEST_FILE}")
        loaded = yaml.load(path.read_text(encoding="utf-8"), _SafeLoader)  # noqa: S506 - safe
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}") from None
    except (yaml.YAMLError, RecursionError) as error:
        told = " ".join(str(error).split())[:200]
        raise ConfigurationError(f"{path}: is no YAML: {told}") from None
    if not isinstance(loaded, dict):
        raise ConfigurationError(f"{path}: must be a mapping with the key conventions")
    top = Table(str(path), loaded)
    top.only(("conventions", "disable"))
    conventions = tuple(_convention(one) for one in top.tables("conventions"))
    names = [one.name for one in conventions]
    for name in names:
        if names.count(name) > 1:
            raise top.fail("conventions", f"two are named {name}")
    return conventions, top.texts("disable")


def _convention(unnamed: Table) -> Convention:
    name = unnamed.text("convention")
    table = Table(f"{unnamed.where} ({name})", unnamed.values)
    table.only(_CONVENTION_KEYS)
    metrics = {
        alias: _metric(alias, table.table("metrics")) for alias in table.table("metrics").values
    }
    signals: list[SignalEntry] = []
    for bundle in [table.table("requests")] if "requests" in table.values else []:
        bundle.only(_REQUEST_KEYS)
        signals += Requests(
            prefix=_series(bundle, "prefix"),
            of=_alias(bundle, "of", metrics),
            duration=_alias(bundle, "duration", metrics, optional=True),
            largest=_alias(bundle, "max", metrics, optional=True),
            status=bundle.text("status", ""),
            bad=bundle.matchers("bad"),
            bad_of=_alias(bundle, "bad_of", metrics, optional=True),
            rejected=bundle.matchers("rejected"),
            fill=bundle.texts("fill"),
            keep=bundle.texts("keep"),
            where=bundle.matchers("where"),
        ).signals()
    signals += [_signal(one, metrics) for one in table.tables("signals")]
    changes = tuple(_change(one, metrics) for one in table.tables("changes"))
    if not signals and not changes:
        raise table.fail("signals", "nothing comes out of this convention")
    labels = table.table("labels")
    return Convention(
        name=name,
        layer=cast(Layer, table.choice("layer", LAYERS, "service")),
        about=table.text("about", ""),
        metrics=metrics,
        signals=tuple(signals),
        changes=changes,
        identity=table.texts("identity"),
        labels=tuple((new, labels.texts(new)) for new in labels.values),
        workload=table.flag("workload"),
        fallback=table.flag("fallback"),
    )


def _metric(alias: str, metrics: Table) -> Metric:
    value = metrics.values[alias]
    if isinstance(value, str | list):
        value = {"name": value}
    if not isinstance(value, dict) or not _NAME.fullmatch(str(alias)):
        raise metrics.fail(str(alias), "must be a name, a list of names or a mapping")
    table = Table(f"{metrics.where}.{alias}", value)
    table.only(["name", "otel", "pattern", "without", "unit", "kind", "where", "needs", "lacks"])
    if sum(key in value for key in ("name", "otel", "pattern")) != 1:
        raise table.fail("name", "give exactly one of name, otel and pattern")
    unit = table.choice("unit", _FACTORS, "")
    kind = table.choice("kind", ("counter", "gauge", "histogram"), "gauge")
    spellings = tuple(Spelling(one) for one in table.texts("name"))
    if "otel" in value:
        spellings = _otel_spellings(table.text("otel"), unit, kind)
    return Metric(
        spellings=spellings,
        pattern=table.pattern("pattern"),
        without=table.pattern("without"),
        where=table.matchers("where"),
        needs=table.texts("needs"),
        lacks=table.texts("lacks"),
        factor=_FACTORS[unit],
        histogram=kind == "histogram",
    )


def _otel_spellings(name: str, unit: str, kind: str) -> tuple[Spelling, ...]:
    """The four translations of OTLP names (with and without suffixes, dots kept or not)."""
    ending = _UNIT_ENDINGS.get(unit, "")
    if unit == "1" and kind == "gauge":
        ending = "_ratio"
    if kind == "counter":
        ending += "_total"
    flat = name.replace(".", "_")
    every = (
        Spelling(flat + ending),
        Spelling(flat),
        Spelling(name + ending, dotted=True),
        Spelling(name, dotted=True),
    )
    return tuple(dict.fromkeys(every))


def _signal(table: Table, metrics: Mapping[str, Metric]) -> SignalEntry:
    table.only(SignalEntry.__dataclass_fields__)
    ask = cast(Ask, table.choice("ask", ASKS))
    for key in _OPERANDS.get(ask, ("of",)):
        if key not in table.values:
            raise table.fail(key, f"is needed to ask for a {ask}")
    if ask == "share" and not {"bad", "bad_of"} & set(table.values):
        raise table.fail("bad", "a share needs bad or bad_of")
    quantile = table.number("quantile", 0.0)
    if not 0.0 <= quantile <= 1.0:
        raise table.fail("quantile", "must be between 0 and 1")
    expression = _expression(table, metrics) if ask == "expression" else ""
    first = metrics_in(expression)
    return SignalEntry(
        series=_series(table, "series"),
        signal=cast(Signal, table.choice("signal", SIGNALS)),
        ask=ask,
        of=first[0] if first else _alias(table, "of", metrics),
        over=_alias(table, "over", metrics, optional=True),
        bad_of=_alias(table, "bad_of", metrics, optional=True),
        bad=table.matchers("bad"),
        where=table.matchers("where"),
        status=table.text("status", ""),
        fill=table.texts("fill"),
        keep=table.texts("keep"),
        per=table.texts("per"),
        aggregation=_aggregation(table, ask),
        quantile=quantile,
        scale=table.number("scale", 1.0),
        complement=table.flag("complement"),
        expression=expression,
        about=table.text("about", ""),
    )


def _aggregation(table: Table, ask: Ask) -> Aggregation:
    usual = "max" if ask in ("gauge", "ratio") else "sum"
    return cast(Aggregation, table.choice("aggregation", _AGGREGATIONS, usual))


def _change(table: Table, metrics: Mapping[str, Metric]) -> ChangeEntry:
    table.only(ChangeEntry.__dataclass_fields__)
    return ChangeEntry(
        kind=table.text("kind"),
        reading=cast(Reading, table.choice("reading", _READINGS)),
        expression=_expression(table, metrics),
        keep=table.texts("keep"),
        about=table.text("about", ""),
    )


def _expression(table: Table, metrics: Mapping[str, Metric]) -> str:
    text = table.text("expression")
    used = metrics_in(text)
    if not used:
        raise table.fail("expression", "names no metric: write {rate:…} or {gauge:…}")
    for alias in used:
        if alias not in metrics:
            raise table.fail("expression", f"{alias} is not under metrics")
    return text


def _alias(table: Table, key: str, metrics: Mapping[str, Metric], *, optional: bool = False) -> str:
    if optional and key not in table.values:
        return ""
    alias = table.text(key)
    if alias not in metrics:
        raise table.fail(key, f"{alias} is not under metrics")
    return alias


def _series(table: Table, key: str) -> str:
    name = table.text(key)
    if not _NAME.fullmatch(name):
        raise table.fail(key, f"must be lower-case words joined by _, is {name!r}")
    return name

"""Expressions of a catalog file tried out before a backend sees them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from aegis.adapters.prometheus.entries import Convention, Metric
from aegis.adapters.prometheus.expressions import Source, expression_of, written_out
from aegis.model.errors import ConfigurationError

MOST_CHARACTERS = 4096
MOST_NESTED = 32
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def check_expressions(file: str, conventions: Iterable[Convention]) -> None:
    """Raises ConfigurationError that names file, convention and series where PromQL is wrong.

    One wrong expression would spoil every answer: many are sent in one request.
    """
    for convention in conventions:
        sources = {alias: _trial(metric) for alias, metric in convention.metrics.items()}
        for entry in convention.signals:
            written = expression_of(entry, sources[entry.of], sources, ["job", *entry.keep])
            _parse(f"{file} ({convention.name}).{entry.series}", written)
        for change in convention.changes:
            written = written_out(change.expression, sources, ["job", *change.keep])
            _parse(f"{file} ({convention.name}).changes.{change.kind}", written)


def _trial(metric: Metric) -> Source:
    name = metric.spellings[0].name if metric.spellings else "a_name"
    family = metric.histogram
    return Source(name, dotted=False, matchers=metric.where, family=family, has_buckets=family)


def _parse(where: str, promql: str) -> None:
    """Sizes come first: deep nesting ends the parser's process, many terms keep it busy."""
    import promql_parser  # a native module, wanted only for a user's file

    if len(promql) > MOST_CHARACTERS:
        raise ConfigurationError(f"{where}: longer than {MOST_CHARACTERS} characters when built")
    depth = deepest = 0
    for char in _STRING.sub("", promql):
        depth += (char in "([{") - (char in ")]}")
        deepest = max(deepest, depth)
    if deepest > MOST_NESTED:
        raise ConfigurationError(f"{where}: nested deeper than {MOST_NESTED}")
    try:
        promql_parser.parse(promql)
    except ValueError as error:
        told = str(error).strip().partition("\n")[0][:200]
        raise ConfigurationError(f"{where}: is no PromQL: {told}") from None

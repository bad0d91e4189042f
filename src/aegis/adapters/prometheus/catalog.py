"""The signal catalog: which metrics mean what, for the conventions people run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from aegis.adapters.prometheus.catalog_checks import check_expressions
from aegis.adapters.prometheus.catalog_reading import read_catalog_file
from aegis.adapters.prometheus.entries import Convention
from aegis.adapters.prometheus.expressions import names_of
from aegis.adapters.prometheus.inventory import family_of
from aegis.model.errors import ConfigurationError

CONVENTIONS = Path(__file__).parent / "conventions"


@dataclass(frozen=True, slots=True)
class Catalog:
    """Conventions in order of preference: of two that give one series for one service, the
    earlier is taken."""

    conventions: tuple[Convention, ...]

    def metric_names_of_interest(self) -> frozenset[str]:
        """Sample names that some convention knows by their full name."""
        return frozenset(
            name
            for convention in self.conventions
            for metric in convention.metrics.values()
            for name in names_of(metric)
        )

    def families_of_interest(self) -> frozenset[str]:
        """The same names less the endings of histograms and summaries."""
        return frozenset(family_of(name) for name in self.metric_names_of_interest())

    def patterns_of_interest(self) -> tuple[re.Pattern[str], ...]:
        """Patterns (to match whole names) of conventions whose names are free in part."""
        found = {
            metric.pattern.pattern: metric.pattern
            for convention in self.conventions
            for metric in convention.metrics.values()
            if metric.pattern is not None
        }
        return tuple(found.values())

    def histograms(self, names: Iterable[str]) -> frozenset[str]:
        """Those of the names that some convention knows as a histogram, parts left out."""
        found = [
            metric
            for convention in self.conventions
            for metric in convention.metrics.values()
            if metric.histogram
        ]
        known = {spelling.name for metric in found for spelling in metric.spellings}
        patterns = {metric.pattern for metric in found if metric.pattern is not None}
        return frozenset(
            name for name in names if name in known or any(one.fullmatch(name) for one in patterns)
        )

    def of_interest(self, names: Iterable[str]) -> frozenset[str]:
        """Those of the sample names that discovery need look at."""
        known, patterns = self.metric_names_of_interest(), self.patterns_of_interest()
        return frozenset(
            name
            for name in names
            if name in known
            or any(one.fullmatch(name) or one.fullmatch(family_of(name)) for one in patterns)
        )


def load_catalog(user_file: Path | None = None) -> Catalog:
    """What Aegis ships, extended by the user's file.

    A convention of the user's comes before the shipped ones; one with a shipped name takes
    its place. Raises ConfigurationError that names file, entry and key.
    """
    shipped: list[Convention] = []
    for path in sorted(CONVENTIONS.glob("*.yaml")):
        conventions, _ = read_catalog_file(path)
        shipped += conventions
    if user_file is None:
        return Catalog(tuple(shipped))
    own, disabled = read_catalog_file(user_file)
    check_expressions(str(user_file), own)
    known = {one.name for one in shipped}
    for name in disabled:
        if name not in known:
            raise ConfigurationError(f"{user_file}.disable: no convention is named {name!r}")
    replaced = {one.name for one in own} | set(disabled)
    return Catalog((*own, *(one for one in shipped if one.name not in replaced)))

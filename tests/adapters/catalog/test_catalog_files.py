"""The shipped conventions: read by the parser of PromQL, and by the engine as intended."""

from __future__ import annotations

from importlib.resources import files

import promql_parser
import pytest

from aegis.adapters.prometheus.catalog import CONVENTIONS, load_catalog
from aegis.adapters.prometheus.catalog_checks import check_expressions
from aegis.adapters.prometheus.entries import Convention, SignalEntry
from aegis.engine.signals import Meaning, meaning_of
from tests.engine.telemetry import series

CATALOG = load_catalog()
SHARES = (0.01, 0.02, 0.0, 0.01, 0.02)
ENTRIES = {entry.series: entry for one in CATALOG.conventions for entry in one.signals}


def meaning(name: str) -> Meaning:
    found = meaning_of(series("cart", name, SHARES))
    assert found is not None, name
    return found


def test_the_data_is_where_an_installed_package_has_it() -> None:
    shipped = files("aegis.adapters.prometheus") / "conventions"
    assert {one.name for one in shipped.iterdir()} == {one.name for one in CONVENTIONS.iterdir()}
    assert len(CATALOG.conventions) > 90


def test_names_are_given_once() -> None:
    names = [one.name for one in CATALOG.conventions]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("convention", CATALOG.conventions, ids=lambda one: one.name)
def test_every_expression_is_promql(convention: Convention) -> None:
    check_expressions("shipped", [convention])


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=lambda one: one.series)
def test_the_engine_reads_every_series_as_its_signal(entry: SignalEntry) -> None:
    found = meaning(entry.series)
    assert found.signal == entry.signal
    assert not found.counter
    assert found.flipped == entry.series.endswith("_availability")
    assert found.caller_side == ("_client_" in entry.series)


def test_the_engine_reads_the_units_it_weighs() -> None:
    for name, entry in ENTRIES.items():
        if entry.signal == "errors" and entry.series.endswith("_share"):
            assert meaning(name).unit == "share", name
        if entry.signal == "latency":
            assert meaning(name).unit == "s", name


def test_one_series_has_one_signal_in_all_conventions() -> None:
    for convention in CATALOG.conventions:
        for entry in convention.signals:
            assert entry.signal == ENTRIES[entry.series].signal, (convention.name, entry.series)


def test_every_convention_says_what_it_is_about() -> None:
    assert [one.name for one in CATALOG.conventions if not one.about] == []


def test_the_parser_would_notice() -> None:
    with pytest.raises(ValueError, match="unclosed"):
        promql_parser.parse("sum by (job (up)")
